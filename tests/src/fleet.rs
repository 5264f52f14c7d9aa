//! A fleet on real servers: one dispatcher, as many workers as a test wants.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{Said, run};
use crate::daemon::free_port;
use crate::servers::Bucket;
use crate::{Client, Process, Site, process, shared};

/// How long anything but a large export may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Leases that are short for a fleet, and long for a busy machine.
const LEASE_SECONDS: &str = "10";

/// A fleet in a folder of its own, on a fresh database, virtual host and bucket.
#[derive(Debug)]
pub struct Fleet {
    /// Its folder: logs, downloads.
    pub work: tempfile::TempDir,
    /// The settings that all its processes share.
    pub env: Vec<(String, String)>,
    /// Where its artifacts go.
    pub bucket: Bucket,
    /// Its API, called by a member of the project `news`.
    pub api: Client,
    /// The dispatcher.
    pub dispatcher: Process,
    /// What its next processes run.
    pub program: PathBuf,
}

impl Fleet {
    /// A fleet without workers whose project `news` holds a corpus.
    pub fn start(bucket: Bucket, corpus: &str) -> Fleet {
        Fleet::start_with(bucket, corpus, &[])
    }

    /// The same with more settings.
    pub fn start_with(bucket: Bucket, corpus: &str, more: &[(&str, &str)]) -> Fleet {
        let env = settings(&bucket);
        Fleet::start_in(process::spanfleet(), bucket, corpus, env, more)
    }

    /// A fleet of another version.
    pub fn start_by(program: PathBuf, bucket: Bucket, corpus: &str) -> Fleet {
        let env = settings(&bucket);
        Fleet::start_in(program, bucket, corpus, env, &[])
    }

    /// The same on servers of its own.
    pub fn start_on(site: &Site, corpus: &str, more: &[(&str, &str)]) -> Fleet {
        Fleet::start_in(process::spanfleet(), site.bucket.clone(), corpus, site.env(), more)
    }

    fn start_in(
        program: PathBuf,
        bucket: Bucket,
        corpus: &str,
        mut env: Vec<(String, String)>,
        more: &[(&str, &str)],
    ) -> Fleet {
        let work = tempfile::tempdir().unwrap();
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let run = |args: &[&str]| run(&program, work.path(), &env, args);
        run(&["migrate"]).ok();
        run(&["-q", "import", corpus, "--project", "news"]).ok();
        let token = run(&["token", "create", "--user", "ada", "--project", "news"]).ok().out;
        let url = format!("http://127.0.0.1:{}", free_port());
        let api = Client { url, token: token.trim().to_owned() };
        let dispatcher = start_dispatcher(&program, &work, &env, &api, &[]);
        Fleet { work, env, bucket, api, dispatcher, program }
    }

    /// Kills the dispatcher, if it lives, and starts it again at its address with more settings.
    pub fn restart_dispatcher(&mut self, more: &[(&str, &str)]) {
        self.dispatcher.kill9();
        self.dispatcher = start_dispatcher(&self.program, &self.work, &self.env, &self.api, more);
    }

    /// Starts a worker.
    pub fn worker(&self, name: &str, slots: &str) -> Process {
        self.worker_with(name, slots, &[])
    }

    /// The same with more settings.
    pub fn worker_with(&self, name: &str, slots: &str, more: &[(&str, &str)]) -> Process {
        let metrics = format!("127.0.0.1:{}", free_port());
        Process::program(name, &self.program, self.work.path())
            .envs(self.env.iter().cloned())
            .envs(more.iter().copied())
            .args(["worker", "--slots", slots, "--metrics-listen", &metrics])
            .start()
    }

    /// Runs the binary with the fleet's settings.
    pub fn run(&self, args: &[&str]) -> Said {
        run(&self.program, self.work.path(), &self.env, args)
    }

    /// Fetches all files of a job into a folder of the fleet's own.
    pub fn download(&self, uuid: &str, folder: &str) {
        let args =
            ["jobs", "download", uuid, "--out", folder, "--url", &self.api.url, "--token", &self.api.token];
        self.run(&args).ok();
    }

    /// How many partitions of a job are done.
    pub fn done(&self, uuid: &str) -> u64 {
        self.api.job(uuid)["partitions"]["done"].as_u64().unwrap()
    }
}

fn start_dispatcher(
    program: &Path,
    work: &tempfile::TempDir,
    env: &[(String, String)],
    api: &Client,
    more: &[(&str, &str)],
) -> Process {
    let listen = api.url.trim_start_matches("http://");
    let mut dispatcher = Process::program("dispatcher", program, work.path())
        .envs(env.iter().cloned())
        .envs(more.iter().copied())
        .args(["dispatcher", "--listen", listen])
        .start();
    dispatcher.wait_for_port(listen.rsplit_once(':').unwrap().1.parse().unwrap(), PATIENCE);
    dispatcher
}

/// What a fleet on fresh servers is told.
pub fn settings(bucket: &Bucket) -> Vec<(String, String)> {
    let servers = shared();
    let mut env = bucket.env();
    env.extend([
        ("DATABASE_URL".to_owned(), servers.fresh_database()),
        ("AMQP_URL".to_owned(), servers.fresh_vhost()),
        ("ARTIFACTS_URL".to_owned(), bucket.url()),
        ("SPANFLEET_LEASE_SECONDS".to_owned(), LEASE_SECONDS.to_owned()),
        ("SPANFLEET_LOG".to_owned(), "info".to_owned()),
    ]);
    env
}
