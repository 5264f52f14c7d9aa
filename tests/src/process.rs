//! A program under test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::daemon::{Daemon, is_open};
use crate::wait::wait_for;

/// A program under test that is about to be started.
#[derive(Debug)]
pub struct Start {
    name: String,
    command: Command,
    folder: PathBuf,
}

/// A program under test. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    daemon: Daemon,
    output: PathBuf,
}

impl Process {
    /// The program [`spanfleet`].
    pub fn spanfleet(name: &str, folder: &Path) -> Start {
        Process::program(name, &spanfleet(), folder)
    }

    /// Any program. It works in `folder`, writes its output to `<folder>/<name>.log`, and inherits no setting of ours.
    pub fn program(name: &str, program: &Path, folder: &Path) -> Start {
        let mut command = Command::new(program);
        command.current_dir(folder);
        for (variable, _) in std::env::vars_os() {
            let text = variable.to_string_lossy();
            let is_setting = ["SPANFLEET_", "AWS_", "AMQP_", "DATABASE_", "ARTIFACTS_", "OTEL_"]
                .iter()
                .any(|start| text.starts_with(start));
            if is_setting {
                command.env_remove(&variable);
            }
        }
        Start { name: name.to_owned(), command, folder: folder.to_owned() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.daemon.is_running()
    }

    /// What it wrote so far, to standard output and error.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Waits for a line that contains this text, and returns it.
    pub fn wait_for_line(&mut self, text: &str, patience: Duration) -> String {
        let found = wait_for(patience, || {
            // Asked before the output is read, so that what was written last counts.
            let runs = self.is_running();
            let output = self.output();
            // A line that is still being written is no line yet.
            let whole = output.rfind('\n').map_or("", |end| &output[..end]);
            let line = whole.lines().find(|line| line.contains(text)).map(str::to_owned);
            if line.is_some() || runs { line.map(Some) } else { Some(None) }
        });
        found.flatten().unwrap_or_else(|| panic!("{} did not say `{text}`:\n{}", self.name, self.output()))
    }

    /// Waits until it listens on a port of the loopback.
    pub fn wait_for_port(&mut self, port: u16, patience: Duration) {
        self.daemon.wait_until_ready(patience, || is_open(port));
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.daemon.signal(signal);
    }

    /// `kill -9`, and waits for its end.
    pub fn kill9(&mut self) {
        self.daemon.kill9();
    }

    /// Waits for its end; panics with its output when it does not come.
    pub fn wait_for_end(&mut self, patience: Duration) -> ExitStatus {
        let ended = self.daemon.wait_for_end(patience);
        ended.unwrap_or_else(|| panic!("{} does not end:\n{}", self.name, self.output()))
    }

    /// The most memory that it has held at once, in bytes. The process must not have been waited for.
    pub fn peak_memory_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// The memory that it holds, in bytes. The process must not have been waited for.
    pub fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    fn status_bytes(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let value = status.lines().find_map(|found| found.strip_prefix(line));
        let kibibytes: Option<u64> =
            value.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok());
        kibibytes.unwrap_or_else(|| panic!("{} has ended", self.name)) * 1024
    }
}

impl Start {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Start {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<Arg: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = Arg>) -> Start {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Start {
        self.command.env(name, value);
        self
    }

    /// Sets variables.
    #[must_use]
    pub fn envs<Name: AsRef<OsStr>, Value: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (Name, Value)>,
    ) -> Start {
        self.command.envs(variables);
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Process {
        let output = self.folder.join(format!("{}.log", self.name));
        let daemon = Daemon::start(&self.name, &mut self.command, &output);
        Process { name: self.name, daemon, output }
    }

    /// Runs it to its end: exit status, standard output, standard error.
    pub fn run(mut self) -> (ExitStatus, String, String) {
        let output = self.command.stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("cannot start {}: {error}", self.name));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status, text(&output.stdout), text(&output.stderr))
    }
}

/// The program `spanfleet`: the one that `SPANFLEET_BIN` names, else the one built beside the tests.
pub fn spanfleet() -> PathBuf {
    std::env::var_os("SPANFLEET_BIN").map_or_else(|| program_of_the_tests("spanfleet"), PathBuf::from)
}

/// A program built beside the tests: in the folder of this executable or, for a test, the one above.
pub fn program_of_the_tests(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this executable has a path");
    let found = this.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not built: run `cargo build --workspace --bins`"))
}
