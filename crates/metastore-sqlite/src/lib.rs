//! The metastore on SQLite, for one machine: a file, or memory for an export in one go.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `session.rs` | statements in, rows out |
//! | `migrations.rs` | the tables |
//! | `error.rs` | what each failure means, and its mend |
//! | `../sql` | every statement of the protocol |

mod error;
mod migrations;
mod session;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backon::{ConstantBuilder, Retryable};
use spanfleet_metastore::{Driver, MetastoreError, MetastoreErrorKind, Session, Store};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

use session::SqliteSession;

type Result<T> = std::result::Result<T, MetastoreError>;

/// How long to wait for another process that writes, such as an import.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long between two attempts to connect.
const CONNECT_AGAIN: Duration = Duration::from_millis(50);

/// Driver for SQLite. One connection does everything: SQLite has one writer anyway, waiting in our own queue is
/// fairer than polling its lock, and a database in memory lives as long as its connection.
#[derive(Debug)]
pub struct SqliteMetastore {
    pool: SqlitePool,
    address: String,
}

impl SqliteMetastore {
    /// Opens `sqlite://path`, making file and folder where they are missing, or `sqlite::memory:`.
    pub async fn open(url: &str) -> Result<Store<SqliteMetastore>> {
        let options = SqliteConnectOptions::from_str(url).map_err(|error| {
            MetastoreError::new(
                MetastoreErrorKind::Configuration,
                format!("the database address `{url}` is not of the form `sqlite://path/to/file.db`; mend `DATABASE_URL`"),
            )
            .because(error)
        })?;
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        if !in_memory {
            make_folder(options.get_filename())?;
        }
        let journal = if in_memory { SqliteJournalMode::Memory } else { SqliteJournalMode::Wal };
        let options = options
            .create_if_missing(true)
            .journal_mode(journal)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let pool = connect(options).await.map_err(|cause| error::explain(cause, url))?;
        Ok(Store::new(SqliteMetastore { pool, address: url.to_owned() }))
    }
}

/// Connects, again while another process changes the file's journal: SQLite doesn't wait for that by itself,
/// however long its busy timeout, and says at once that the database is locked.
async fn connect(options: SqliteConnectOptions) -> std::result::Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let (began, pauses) =
        (Instant::now(), ConstantBuilder::new().with_delay(CONNECT_AGAIN).without_max_times());
    (|| pool.clone().connect_with(options.clone()))
        .retry(pauses)
        .when(|cause| error::is_locked(cause) && began.elapsed() < BUSY_TIMEOUT)
        .await
}

fn make_folder(file: &Path) -> Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| {
        MetastoreError::new(
            MetastoreErrorKind::Configuration,
            format!("the folder `{}` of the database can't be made ({error})", folder.display()),
        )
        .because(error)
    })
}

#[async_trait]
impl Driver for SqliteMetastore {
    async fn begin(&self) -> Result<Box<dyn Session>> {
        // At once the writer: a transaction that begins as a reader can't always become one.
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await;
        let transaction = transaction.map_err(|cause| error::explain(cause, &self.address))?;
        Ok(Box::new(SqliteSession::transaction(transaction, &self.address)))
    }

    async fn acquire(&self) -> Result<Box<dyn Session>> {
        let connection = self.pool.acquire().await.map_err(|cause| error::explain(cause, &self.address))?;
        Ok(Box::new(SqliteSession::connection(connection, &self.address)))
    }

    async fn migrate(&self) -> Result<()> {
        migrations::run(&self.pool, &self.address).await
    }

    async fn check(&self) -> Result<()> {
        migrations::check(&self.pool, &self.address).await
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}
