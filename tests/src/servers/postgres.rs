//! PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{START_PATIENCE, STOP_PATIENCE, fresh_name};
use crate::daemon::{Daemon, free_port, is_root, run};
use crate::wait::wait_until;

/// A private PostgreSQL. As root it runs as the user `postgres`, for it refuses to run as root.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    server: Daemon,
}

/// How to reach a PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresAccess {
    /// The address of its database `postgres`, as a superuser.
    pub url: String,
}

impl Postgres {
    /// Makes a cluster in this folder and starts it.
    pub fn start(folder: &Path) -> Postgres {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(folder));
        }
        run(program("initdb").arg("-D").arg(folder.join("data")).args([
            "-U",
            "spanfleet",
            "-A",
            "trust",
            "--no-sync",
            "--no-instructions",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]));
        let port = free_port();
        let server = launch(folder, port);
        let mut postgres = Postgres { folder: folder.to_owned(), port, server };
        postgres.wait_until_ready();
        postgres
    }

    /// The address of its database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://spanfleet@127.0.0.1:{}/postgres", self.port)
    }

    /// How to reach it.
    pub fn access(&self) -> PostgresAccess {
        PostgresAccess { url: self.url() }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9` of the server; its backends follow.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// Starts it again on its port and data; a running one is stopped before.
    pub fn restart(&mut self) {
        self.server.stop(Signal::INT, STOP_PATIENCE);
        let patience = START_PATIENCE;
        // The backends of a killed server outlive it for a moment and hold its shared memory.
        wait_until("PostgreSQL runs again", patience, || {
            self.server = launch(&self.folder, self.port);
            let port = self.port;
            self.server.becomes_ready(patience, || accepts(port))
        });
    }

    fn wait_until_ready(&mut self) {
        let port = self.port;
        self.server.wait_until_ready(START_PATIENCE, || accepts(port));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The fast shutdown: it does not wait for clients to leave.
        self.server.stop(Signal::INT, STOP_PATIENCE);
    }
}

impl PostgresAccess {
    /// A new empty database; its address.
    pub fn fresh_database(&self) -> String {
        let name = fresh_name("test");
        // The newest template is copied without a checkpoint, which is quicker for small ones.
        let create = format!("create database \"{name}\" strategy wal_log");
        run(client("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", &create]));
        let (server, _) = self.url.rsplit_once('/').expect("the address ends with a database");
        format!("{server}/{name}")
    }
}

fn launch(folder: &Path, port: u16) -> Daemon {
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={}", folder.display()),
        "max_connections=300".to_owned(),
        // Its data lives as long as the tests; a kill -9 of the server loses nothing by this.
        "fsync=off".to_owned(),
    ];
    let mut command = program("postgres");
    command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    for setting in settings {
        command.args(["-c", &setting]);
    }
    Daemon::start("PostgreSQL", &mut command, &folder.with_extension("log"))
}

fn accepts(port: u16) -> bool {
    let port = port.to_string();
    let asked = client("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &port, "-t", "2"]).status();
    asked.is_ok_and(|status| status.success())
}

/// A program of the server, as a user that it accepts.
fn program(name: &str) -> Command {
    let path = programs().join(name);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--reset-env"]).arg(path);
    command.current_dir("/");
    command
}

fn client(name: &str) -> Command {
    Command::new(programs().join(name))
}

/// Where the newest version keeps its programs; Debian leaves them out of `PATH`.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let version = newest.expect("PostgreSQL is installed (scripts/setup-test-servers.sh)");
    PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))
}
