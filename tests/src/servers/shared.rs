//! The servers that all tests of a run share.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::{Bucket, Postgres, PostgresAccess, Rabbit, RabbitAccess, Radosgw, S3Access, S3Server};
use crate::process::program_of_the_tests;

const POSTGRES_URL: &str = "SPANFLEET_TEST_POSTGRES_URL";
const AMQP_URL: &str = "SPANFLEET_TEST_AMQP_URL";
const AMQP_API: &str = "SPANFLEET_TEST_AMQP_API";
const S3_ENDPOINT: &str = "SPANFLEET_TEST_S3_ENDPOINT";
const S3_ACCESS_KEY: &str = "SPANFLEET_TEST_S3_ACCESS_KEY";
const S3_SECRET_KEY: &str = "SPANFLEET_TEST_S3_SECRET_KEY";
const RADOSGW_ENDPOINT: &str = "SPANFLEET_TEST_RADOSGW_ENDPOINT";

/// The servers of this run. Each test takes something fresh of them and is alone in it.
#[derive(Debug)]
pub struct Shared {
    /// PostgreSQL.
    pub postgres: PostgresAccess,
    /// RabbitMQ.
    pub rabbit: RabbitAccess,
    /// The S3 server.
    pub s3: S3Access,
    /// radosgw, where it is installed.
    pub radosgw: Option<S3Access>,
    /// Stops its servers when this process ends, however it ends: its standard input closes then.
    _servers: Option<Child>,
}

/// The servers that `with-servers` started for this run, else servers for this process alone.
pub fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let given = |name: &str| std::env::var(name).ok();
        Shared::from_variables(given, None).unwrap_or_else(start_for_this_process)
    })
}

impl Shared {
    /// The address of a new empty database.
    pub fn fresh_database(&self) -> String {
        self.postgres.fresh_database()
    }

    /// The address of a new virtual host.
    pub fn fresh_vhost(&self) -> String {
        self.rabbit.fresh_vhost()
    }

    /// A new bucket.
    pub fn fresh_bucket(&self) -> Bucket {
        self.s3.fresh_bucket()
    }

    fn from_variables(given: impl Fn(&str) -> Option<String>, servers: Option<Child>) -> Option<Shared> {
        let keys = S3Access::new("");
        let access_key = given(S3_ACCESS_KEY).unwrap_or(keys.access_key);
        let secret_key = given(S3_SECRET_KEY).unwrap_or(keys.secret_key);
        let s3 =
            |endpoint| S3Access { endpoint, access_key: access_key.clone(), secret_key: secret_key.clone() };
        Some(Shared {
            postgres: PostgresAccess { url: given(POSTGRES_URL)? },
            rabbit: RabbitAccess { url: given(AMQP_URL)?, api: given(AMQP_API)? },
            s3: s3(given(S3_ENDPOINT)?),
            radosgw: given(RADOSGW_ENDPOINT).map(s3),
            _servers: servers,
        })
    }
}

fn start_for_this_process() -> Shared {
    let mut command = Command::new(program_of_the_tests("with-servers"));
    command.args(["--without-radosgw", "--until-stdin-closes"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut servers = command.spawn().expect("with-servers can be started");
    let said = servers.stdout.take().expect("its output is piped");
    let variables: HashMap<String, String> = BufReader::new(said)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    Shared::from_variables(|name| variables.get(name).cloned(), Some(servers)).expect("with-servers started")
}

/// The servers themselves, as `with-servers` holds them. Dropped, they stop.
#[derive(Debug)]
pub struct Started {
    postgres: Postgres,
    rabbit: Rabbit,
    s3: S3Server,
    radosgw: Option<Radosgw>,
}

impl Started {
    /// Starts them side by side in one folder.
    pub fn start(folder: &Path, with_radosgw: bool) -> Started {
        std::thread::scope(|scope| {
            let postgres = scope.spawn(|| Postgres::start(&folder.join("postgres")));
            let rabbit = scope.spawn(|| Rabbit::start(&folder.join("rabbitmq")));
            let s3 = scope.spawn(|| S3Server::start(&folder.join("s3")));
            let radosgw = scope.spawn(|| {
                (with_radosgw && Radosgw::is_installed()).then(|| Radosgw::start(&folder.join("radosgw")))
            });
            let started = "the thread that started a server panicked";
            Started {
                postgres: postgres.join().expect(started),
                rabbit: rabbit.join().expect(started),
                s3: s3.join().expect(started),
                radosgw: radosgw.join().expect(started),
            }
        })
    }

    /// What tests find them by.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let (rabbit, s3) = (self.rabbit.access(), self.s3.access());
        let mut variables = vec![
            (POSTGRES_URL, self.postgres.url()),
            (AMQP_URL, rabbit.url),
            (AMQP_API, rabbit.api),
            (S3_ENDPOINT, s3.endpoint),
            (S3_ACCESS_KEY, s3.access_key),
            (S3_SECRET_KEY, s3.secret_key),
        ];
        variables.extend(self.radosgw.as_ref().map(|radosgw| (RADOSGW_ENDPOINT, radosgw.url())));
        variables
    }
}
