//! The S3 server of the tests: objects in a folder, served by our own `s3-server` so that it can be killed.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{Bucket, S3Access, START_PATIENCE, STOP_PATIENCE};
use crate::daemon::{Daemon, free_port, is_open};
use crate::process::program_of_the_tests;

/// A private S3 server.
#[derive(Debug)]
pub struct S3Server {
    folder: PathBuf,
    port: u16,
    server: Daemon,
}

impl S3Server {
    /// Starts one that keeps its objects in this folder.
    pub fn start(folder: &Path) -> S3Server {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        let port = free_port();
        let mut server = S3Server { folder: folder.to_owned(), port, server: launch(folder, port) };
        server.wait_until_ready();
        server
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How to reach it.
    pub fn access(&self) -> S3Access {
        S3Access::new(self.url())
    }

    /// A new bucket on it.
    pub fn fresh_bucket(&self) -> Bucket {
        self.access().fresh_bucket()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// Starts it again on its port and data; a running one is stopped before.
    pub fn restart(&mut self) {
        self.server.stop(Signal::TERM, STOP_PATIENCE);
        self.server = launch(&self.folder, self.port);
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        let port = self.port;
        self.server.wait_until_ready(START_PATIENCE, || is_open(port));
    }
}

fn launch(folder: &Path, port: u16) -> Daemon {
    let access = S3Access::new("");
    let mut command = Command::new(program_of_the_tests("s3-server"));
    command.arg(port.to_string()).args([access.access_key, access.secret_key]).arg(folder);
    Daemon::start("the S3 server", &mut command, &folder.with_extension("log"))
}
