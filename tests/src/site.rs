//! Private servers behind wires: what a test may break as it likes.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::Proxy;
use crate::servers::{Bucket, Postgres, Rabbit, S3Server};
use crate::wait::wait_for;

/// A killed server is up again by then.
const PATIENCE: Duration = Duration::from_mins(1);

/// PostgreSQL, RabbitMQ and an S3 server of one's own, each behind a wire.
#[derive(Debug)]
pub struct Site {
    /// The database.
    pub postgres: Postgres,
    /// The broker.
    pub rabbit: Rabbit,
    /// The store.
    pub s3: S3Server,
    /// The wire to the database.
    pub to_database: Proxy,
    /// The wire to the broker.
    pub to_broker: Proxy,
    /// The wire to the store.
    pub to_store: Proxy,
    /// A bucket, told by the store's own address.
    pub bucket: Bucket,
    database: String,
    /// Gone when everything above has stopped.
    _folder: tempfile::TempDir,
}

impl Site {
    /// Starts them all.
    pub fn start() -> Site {
        let folder = tempfile::Builder::new().prefix("spanfleet-site-").tempdir().unwrap();
        // PostgreSQL runs as another user when this runs as root, and has to get through.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres"));
        let rabbit = Rabbit::start(&folder.path().join("rabbitmq"));
        let s3 = S3Server::start(&folder.path().join("s3"));
        Site {
            to_database: Proxy::start(postgres.port()),
            to_broker: Proxy::start(rabbit.port()),
            to_store: Proxy::start(s3.port()),
            bucket: s3.fresh_bucket(),
            database: postgres.access().fresh_database(),
            postgres,
            rabbit,
            s3,
            _folder: folder,
        }
    }

    /// The database's own address, past the wire.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Rows of two numbers, asked for past the wire until the database answers.
    pub fn ask(&self, query: &str) -> Vec<(i64, i64)> {
        let (url, query) = (self.database.clone(), query.to_owned());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let ask = || runtime.block_on(ask_once(&url, &query)).ok();
            wait_for(PATIENCE, ask).unwrap_or_else(|| panic!("the database does not answer `{query}`"))
        };
        std::thread::spawn(work).join().expect("the database answers")
    }

    /// What a fleet on this site is told: every address is a wire's.
    pub fn env(&self) -> Vec<(String, String)> {
        let through = |url: &str, port: u16, wire: &Proxy| {
            url.replacen(&format!(":{port}"), &format!(":{}", wire.port()), 1)
        };
        let mut env = self.bucket.env();
        let endpoint = through(&self.s3.url(), self.s3.port(), &self.to_store);
        let pairs = [
            ("AWS_ENDPOINT_URL_S3", endpoint),
            ("DATABASE_URL", through(&self.database, self.postgres.port(), &self.to_database)),
            ("AMQP_URL", through(&self.rabbit.url(), self.rabbit.port(), &self.to_broker)),
            ("ARTIFACTS_URL", self.bucket.url()),
            ("SPANFLEET_LEASE_SECONDS", "3".to_owned()),
            ("SPANFLEET_REHINT_SECONDS", "5".to_owned()),
            ("SPANFLEET_STOP_GRACE_SECONDS", "5".to_owned()),
            ("SPANFLEET_ORPHAN_SECONDS", "20".to_owned()),
        ];
        env.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
        env
    }
}

async fn ask_once(url: &str, query: &str) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let rows = sqlx::query_as(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(rows)
}
