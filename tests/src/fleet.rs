//! A fleet on real servers: one dispatcher, as many workers as a test wants.

use std::time::Duration;

use crate::command::spanfleet_with;
use crate::daemon::free_port;
use crate::servers::Bucket;
use crate::{Client, Process, shared};

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
}

impl Fleet {
    /// A fleet without workers whose project `news` holds a corpus.
    pub fn start(bucket: Bucket, corpus: &str) -> Fleet {
        Fleet::start_with(bucket, corpus, &[])
    }

    /// The same with more settings.
    pub fn start_with(bucket: Bucket, corpus: &str, more: &[(&str, &str)]) -> Fleet {
        let work = tempfile::tempdir().unwrap();
        let mut env = settings(&bucket);
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        spanfleet_with(work.path(), &env, &["migrate"]).ok();
        spanfleet_with(work.path(), &env, &["-q", "import", corpus, "--project", "news"]).ok();
        let token =
            spanfleet_with(work.path(), &env, &["token", "create", "--user", "ada", "--project", "news"])
                .ok()
                .out;
        let listen = format!("127.0.0.1:{}", free_port());
        let mut dispatcher = Process::spanfleet("dispatcher", work.path())
            .envs(env.iter().cloned())
            .args(["dispatcher", "--listen", &listen])
            .start();
        dispatcher.wait_for_port(listen.rsplit_once(':').unwrap().1.parse().unwrap(), PATIENCE);
        let api = Client { url: format!("http://{listen}"), token: token.trim().to_owned() };
        Fleet { work, env, bucket, api, dispatcher }
    }

    /// Starts a worker.
    pub fn worker(&self, name: &str, slots: &str) -> Process {
        let metrics = format!("127.0.0.1:{}", free_port());
        Process::spanfleet(name, self.work.path())
            .envs(self.env.iter().cloned())
            .args(["worker", "--slots", slots, "--metrics-listen", &metrics])
            .start()
    }

    /// Fetches all files of a job into a folder of the fleet's own.
    pub fn download(&self, uuid: &str, folder: &str) {
        let args =
            ["jobs", "download", uuid, "--out", folder, "--url", &self.api.url, "--token", &self.api.token];
        spanfleet_with(self.work.path(), &self.env, &args).ok();
    }

    /// How many partitions of a job are done.
    pub fn done(&self, uuid: &str) -> u64 {
        self.api.job(uuid)["partitions"]["done"].as_u64().unwrap()
    }
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
