//! What several commands share. The three URLs choose what everything runs on; nothing else does.

use std::{net::SocketAddr, path::Path, time::Duration};

use clap::{Args, ValueEnum};
use spanfleet_core::TextLimit;

/// How long a task is held without a sign of life.
pub(crate) const LEASE_SECONDS: u32 = 60;
/// Hints that one user may have out at once, of all relays.
pub(crate) const HINTS_PER_USER: u32 = 64;

/// The three URLs, and what goes with them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What it runs on")]
pub(crate) struct Settings {
    /// `postgres://…`; a SQLite file in the data directory if left out
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// `amqp://…` or `amqps://…`; a queue inside the process if left out
    #[arg(long, global = true, env = "AMQP_URL", hide_env_values = true, value_name = "URL")]
    amqp_url: Option<String>,
    /// `s3://bucket/prefix`; a folder in the data directory if left out
    #[arg(long, global = true, env = "ARTIFACTS_URL", value_name = "URL")]
    artifacts_url: Option<String>,
    /// Checksums on S3 uploads; some stores know none
    #[arg(
        long,
        global = true,
        env = "SPANFLEET_S3_CHECKSUM",
        default_value = "when_supported",
        value_name = "WHEN"
    )]
    pub(crate) s3_checksum: S3Checksum,
    /// Bucket in the path and not in the host name
    #[arg(long, global = true, env = "SPANFLEET_S3_PATH_STYLE", value_name = "BOOL", default_value_t = false, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) s3_path_style: bool,
    /// Connections to the database, and as many again to read from it
    #[arg(long, global = true, env = "SPANFLEET_DATABASE_CONNECTIONS", default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) database_connections: u32,
    /// The longest text that is read, as it stands in a file or a row; memory is bounded by it
    #[arg(long, global = true, env = "SPANFLEET_TEXT_LIMIT_MIB", default_value_t = 256, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1024))]
    text_limit_mib: u64,
    /// The queue's name at the broker
    #[arg(
        long,
        global = true,
        env = "SPANFLEET_QUEUE",
        default_value = "spanfleet.tasks",
        value_name = "NAME"
    )]
    pub(crate) queue: String,
}

/// When uploads carry checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum S3Checksum {
    WhenSupported,
    WhenRequired,
}

impl Settings {
    /// Where the database is.
    pub(crate) fn database_url(&self, data_dir: &Path) -> String {
        let file = || format!("sqlite://{}", data_dir.join("spanfleet.db").display());
        self.database_url.clone().unwrap_or_else(file)
    }

    /// Where the broker is, if there is one.
    pub(crate) fn amqp_url(&self) -> Option<&str> {
        self.amqp_url.as_deref()
    }

    /// How long a text may be.
    pub(crate) fn text_limit(&self) -> TextLimit {
        TextLimit::of_mebibytes(self.text_limit_mib)
    }

    /// Where artifacts go.
    pub(crate) fn artifacts_url(&self, data_dir: &Path) -> String {
        let folder = || format!("file://{}", data_dir.join("artifacts").display());
        self.artifacts_url.clone().unwrap_or_else(folder)
    }
}

/// How an API process works.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct ServeSettings {
    /// Where the API listens
    #[arg(long, env = "SPANFLEET_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// How long artifacts live when a job does not say
    #[arg(long, env = "SPANFLEET_EXPIRES_IN", default_value_t = 604_800, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..))]
    expires_in: i64,
    /// How long a download link lives
    #[arg(long, env = "SPANFLEET_LINK_SECONDS", default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    link_seconds: u64,
    /// Hints that one user may have out at once
    #[arg(long, env = "SPANFLEET_HINTS_PER_USER", default_value_t = HINTS_PER_USER, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hints_per_user: u32,
    /// After how long a task that nobody claimed gets a new hint
    #[arg(long, env = "SPANFLEET_REHINT_SECONDS", default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    rehint_seconds: u32,
    /// After how long an object that belongs to nothing goes; the store is searched as often
    #[arg(long, env = "SPANFLEET_ORPHAN_SECONDS", default_value_t = 3600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    orphan_seconds: u32,
    /// Signs webhooks; without it jobs can't name one
    #[arg(long, env = "SPANFLEET_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    webhook_secret: Option<String>,
    /// Call webhooks over http and at private addresses too
    #[arg(long, env = "SPANFLEET_WEBHOOK_PRIVATE")]
    webhook_private: bool,
}

impl ServeSettings {
    pub(crate) fn dispatcher(&self) -> spanfleet_dispatcher::Settings {
        spanfleet_dispatcher::Settings {
            expires_in_seconds: self.expires_in,
            link_seconds: self.link_seconds,
            collect_every: Duration::from_secs(self.orphan_seconds.into()),
            orphan_grace: Duration::from_secs(self.orphan_seconds.into()),
            rehint_after_seconds: self.rehint_seconds,
            webhooks: spanfleet_dispatcher::WebhookSettings {
                secret: self.webhook_secret.clone(),
                allows_private: self.webhook_private,
            },
            ..spanfleet_dispatcher::Settings::default()
        }
    }
}

/// How a worker works.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Worker")]
pub(crate) struct WorkerSettings {
    /// Partitions at once; the cores if left out
    #[arg(long, env = "SPANFLEET_SLOTS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots: Option<u16>,
    /// How long a task is held without a sign of life
    #[arg(long, env = "SPANFLEET_LEASE_SECONDS", default_value_t = LEASE_SECONDS, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    lease_seconds: u32,
    /// How long running tasks may go on after SIGTERM
    #[arg(long, env = "SPANFLEET_STOP_GRACE_SECONDS", default_value_t = 25, value_name = "SECONDS")]
    stop_grace_seconds: u64,
    /// Where a worker shows metrics and probes
    #[arg(long, env = "SPANFLEET_METRICS_LISTEN", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub(crate) metrics_listen: SocketAddr,
}

/// As many slots as cores.
pub(crate) fn cores() -> u16 {
    std::thread::available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX))
}

impl WorkerSettings {
    pub(crate) fn worker(&self) -> spanfleet_worker::Settings {
        spanfleet_worker::Settings {
            slots: self.slots.unwrap_or_else(cores),
            lease_seconds: self.lease_seconds,
            owner: owner(),
            stop_grace: Duration::from_secs(self.stop_grace_seconds),
            root: spanfleet_worker::Root::PerJob,
            fails_on_configuration: false,
        }
    }
}

/// Who we are, in leases and logs: the host or pod, and the process.
pub(crate) fn owner() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "local".to_owned());
    format!("{host}/{}", std::process::id())
}
