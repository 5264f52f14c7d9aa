//! Runs a command with real servers around it:
//!
//! `with-servers [--without-radosgw] -- COMMAND ARGUMENTS…` starts the servers on free ports in a folder of
//! their own, tells the command by `SPANFLEET_TEST_…` variables where they are, stops them at its end (or at
//! SIGINT and SIGTERM) and ends with its exit code.
//! `with-servers [--without-radosgw] --until-stdin-closes` prints the variables instead and waits.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use std::time::Instant;

use rustix::process::Signal;
use spanfleet_tests::daemon::signal_pid;
use spanfleet_tests::servers::Started;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What a shell makes of an end by SIGINT.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(wish) = Wish::from_arguments(std::env::args().skip(1)) else {
        eprintln!("usage: with-servers [--without-radosgw] (-- COMMAND ARGUMENTS… | --until-stdin-closes)");
        return ExitCode::from(2);
    };
    let stop = tokio::spawn(wait_for_stop());
    let folder = tempfile::Builder::new().prefix("spanfleet-tests-").tempdir().expect("a folder can be made");
    // PostgreSQL runs as another user when this runs as root, and has to get through.
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("the folder is ours");

    let (path, with_radosgw, begun) = (folder.path().to_owned(), wish.with_radosgw, Instant::now());
    let started = tokio::task::spawn_blocking(move || Started::start(&path, with_radosgw)).await;
    let Ok(servers) = started else { return ExitCode::FAILURE };
    eprintln!("servers started in {:.1} s under {}", begun.elapsed().as_secs_f32(), folder.path().display());

    let code = if stop.is_finished() { INTERRUPTED } else { wish.serve(&servers, stop).await };
    let stopped = tokio::task::spawn_blocking(move || drop((servers, folder))).await;
    if stopped.is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE }
}

/// What was asked for.
struct Wish {
    with_radosgw: bool,
    /// Empty: wait until standard input closes.
    command: Vec<String>,
}

impl Wish {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Option<Wish> {
        let mut with_radosgw = true;
        loop {
            match arguments.next()?.as_str() {
                "--without-radosgw" => with_radosgw = false,
                "--until-stdin-closes" => return Some(Wish { with_radosgw, command: Vec::new() }),
                "--" => {
                    let command: Vec<String> = arguments.collect();
                    return (!command.is_empty()).then_some(Wish { with_radosgw, command });
                }
                _ => return None,
            }
        }
    }

    async fn serve(&self, servers: &Started, stop: tokio::task::JoinHandle<()>) -> u8 {
        match self.command.split_first() {
            Some((program, arguments)) => run(program, arguments, servers, stop).await,
            None => wait_for_stdin(servers, stop).await,
        }
    }
}

async fn run(
    program: &str,
    arguments: &[String],
    servers: &Started,
    stop: tokio::task::JoinHandle<()>,
) -> u8 {
    let mut command = Command::new(program);
    command.args(arguments).envs(servers.variables()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot start `{program}`: {error}");
            return 127;
        }
    };
    let ended = tokio::select! {
        ended = child.wait() => ended,
        _ = stop => {
            if let Some(pid) = child.id() {
                signal_pid(pid, Signal::TERM);
            }
            let _ = child.wait().await;
            return INTERRUPTED;
        }
    };
    // A command that a signal ended has no code.
    ended.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

async fn wait_for_stdin(servers: &Started, stop: tokio::task::JoinHandle<()>) -> u8 {
    let mut out = std::io::stdout().lock();
    for (name, value) in servers.variables() {
        writeln!(out, "{name}={value}").expect("somebody reads this");
    }
    // The empty line ends the list.
    writeln!(out).and_then(|()| out.flush()).expect("somebody reads this");
    let (closed, until_closed) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        closed.send(())
    });
    tokio::select! {
        _ = until_closed => 0,
        _ = stop => INTERRUPTED,
    }
}

async fn wait_for_stop() {
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be waited for");
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
