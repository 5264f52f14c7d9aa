//! The metastore on PostgreSQL, for a fleet.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `session.rs` | statements in, rows out |
//! | `migrations.rs` | the tables |
//! | `error.rs` | what each failure of the server means, and its mend |
//! | `../sql` | every statement of the protocol |

mod error;
mod migrations;
mod session;
#[cfg(test)]
mod tests;

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use spanfleet_metastore::{Driver, MetastoreError, MetastoreErrorKind, Session, Store};
use sqlx::{
    ConnectOptions, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use session::PostgresSession;

type Result<T> = std::result::Result<T, MetastoreError>;

/// A statement that takes longer is stuck, not slow.
const STATEMENT_TIMEOUT: &str = "30s";
/// How long to wait for a free connection, or for a server that comes back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// `check` answers a probe.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Driver for PostgreSQL 13 and newer.
pub struct PostgresMetastore {
    pool: PgPool,
    options: PgConnectOptions,
    address: String,
}

/// Without the options: their debug form prints the password.
impl std::fmt::Debug for PostgresMetastore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PostgresMetastore").field("address", &self.address).finish_non_exhaustive()
    }
}

impl PostgresMetastore {
    /// Reads the address. Connections are made when they are needed, so a server that is down does not show
    /// here but in [`Metastore::check`](spanfleet_metastore::Metastore::check).
    #[expect(clippy::unused_async, reason = "the pool wants to be made inside a runtime")]
    pub async fn connect(url: &str, max_connections: u32) -> Result<Store<PostgresMetastore>> {
        let refused = || {
            MetastoreError::new(
                MetastoreErrorKind::Configuration,
                "the database address is not of the form `postgres://user:password@host:port/database`; mend `DATABASE_URL`",
            )
        };
        // Without the slashes all of it would be the name of a database, which errors show.
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(refused());
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| refused().because(error))?;
        let options = options.application_name("spanfleet");
        let guarded = options.clone().options([
            ("statement_timeout", STATEMENT_TIMEOUT),
            // A connection that was lost inside a transaction must not hold its locks.
            ("idle_in_transaction_session_timeout", STATEMENT_TIMEOUT),
            // Every statement of the protocol has its index, and is planned once: planning costs more than running.
            ("plan_cache_mode", "force_generic_plan"),
            // Plans are kept while tables that were empty fill with ten thousand jobs, and nobody has analyzed them
            // yet: a scan or a hash of a whole table that was cheap then takes the database down.
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // Compiling takes longer than any of them.
            ("jit", "off"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(guarded);
        let address = address_of(&options);
        Ok(Store::new(PostgresMetastore { pool, options, address }))
    }

    /// A connection beside the pool: its failure is the server's own words and not a wait that ended.
    async fn connect_alone(&self) -> Result<PgConnection> {
        match tokio::time::timeout(CHECK_TIMEOUT, self.options.connect()).await {
            Ok(connected) => connected.map_err(|error| error::explain(error, &self.address)),
            Err(_) => Err(MetastoreError::new(
                MetastoreErrorKind::Transient,
                format!("`{}` did not answer within {} s", self.address, CHECK_TIMEOUT.as_secs()),
            )),
        }
    }
}

fn address_of(options: &PgConnectOptions) -> String {
    let host =
        options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let database = options.get_database().unwrap_or(options.get_username());
    format!("postgres://{}@{host}:{}/{database}", options.get_username(), options.get_port())
}

#[async_trait]
impl Driver for PostgresMetastore {
    async fn begin(&self) -> Result<Box<dyn Session>> {
        let transaction = self.pool.begin().await.map_err(|error| error::explain(error, &self.address))?;
        Ok(Box::new(PostgresSession::transaction(transaction, &self.address)))
    }

    async fn acquire(&self) -> Result<Box<dyn Session>> {
        let connection = self.pool.acquire().await.map_err(|error| error::explain(error, &self.address))?;
        Ok(Box::new(PostgresSession::connection(connection, &self.address)))
    }

    async fn migrate(&self) -> Result<()> {
        migrations::run(&mut self.connect_alone().await?, &self.address).await
    }

    async fn check(&self) -> Result<()> {
        migrations::check(&mut self.connect_alone().await?, &self.address).await
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}
