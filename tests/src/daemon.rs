//! A child process with a log file, stopped at the latest when it is dropped.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait::wait_for;

/// A child process with a log file.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a command; what it says goes to the end of `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Daemon {
        let open = || -> std::io::Result<File> { OpenOptions::new().create(true).append(true).open(log) };
        let (out, err) = (open().expect("the log can be opened"), open().expect("the log can be opened"));
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {name} by {command:?}: {error}"));
        Daemon { name: name.to_owned(), child, log: log.to_owned() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it is ready; panics with the end of its log when it ends or takes too long.
    pub fn wait_until_ready(&mut self, patience: Duration, ready: impl FnMut() -> bool) {
        let arrived = self.becomes_ready(patience, ready);
        assert!(arrived, "{} did not become ready; the end of its log:\n{}", self.name, self.log_tail());
    }

    /// The same without the panic.
    pub fn becomes_ready(&mut self, patience: Duration, mut ready: impl FnMut() -> bool) -> bool {
        let outcome = wait_for(patience, || {
            if !self.is_running() {
                return Some(false);
            }
            ready().then_some(true)
        });
        outcome.unwrap_or(false)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        signal_pid(self.pid(), signal);
    }

    /// `kill -9`, and waits for its end.
    pub fn kill9(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop and waits; kills it when it does not.
    pub fn stop(&mut self, signal: Signal, patience: Duration) {
        if self.is_running() {
            self.signal(signal);
            let _ = self.wait_for_end(patience);
        }
        self.kill9();
    }

    /// Waits for its end.
    pub fn wait_for_end(&mut self, patience: Duration) -> Option<ExitStatus> {
        wait_for(patience, || self.child.try_wait().ok().flatten())
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Sends a signal to a process; one that has ended is no error.
pub fn signal_pid(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// A port of the loopback that nobody listens on. Below the range from which the system takes ports for
/// outgoing connections, so that none of those comes in between.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run side by side look in different corners.
    let corner = (std::process::id() % 500) as u16 * 20;
    wait_for(Duration::from_secs(10), || {
        let port = 20_000 + (corner + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(port)
    })
    .expect("a port is free")
}

/// Whether somebody listens on a port of the loopback.
pub fn is_open(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
}

/// Runs a command to its end; panics with what it said when it fails.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({}):\n{said}{complained}", output.status);
    said
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
