//! Source driver and loader for PostgreSQL.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `plan` | where a selection is cut |
//! | `read` | the COPY streams of a partition |
//! | `documents` | those streams merged into documents |
//! | `load` | documents into the tables |
//! | `slice` | a selection resolved to ids, and its statements |
//! | `names` | labels and people by id |
//! | `tables` | which columns the platform really has |
//! | `copy` | binary COPY: rows out, rows in |
//! | `error` | what went wrong in the database, and the mend |

mod copy;
mod documents;
mod error;
mod load;
mod names;
mod plan;
mod read;
mod slice;
mod tables;

pub use copy::RowsIn;
pub use documents::Documents;
pub use load::PostgresLoader;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use spanfleet_core::{ProjectId, TextLimit};
use spanfleet_source::{
    Bounds, Cut, DocumentStream, Effort, Plan, Selection, SelectionCount, Source, SourceError,
};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::{OnceCell, Semaphore};

use error::Place;
use tables::Tables;

/// An annotation platform's tables in PostgreSQL.
///
/// It has a pool of its own: a read that breaks off costs its connections, and nobody else's.
pub struct PostgresSource {
    pool: PgPool,
    options: PgConnectOptions,
    place: Place,
    /// A read takes all its streams at once, so that two reads can't each wait for the other's.
    streams: Arc<Semaphore>,
    tables: OnceCell<Arc<Tables>>,
    text_limit: TextLimit,
}

/// Texts, annotations and relations are read side by side.
const STREAMS_OF_A_READ: u32 = 3;
/// How long a connection may take: past it the database counts as unreachable for now.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Partitions run side by side already, so one needs no workers of its own, nor a compiled query; and its rows
/// come in index order from the first on instead of through a sort.
const READ_SETTINGS: &str = "SET default_transaction_read_only = on; SET jit = off; \
    SET max_parallel_workers_per_gather = 0; SET enable_sort = off";

impl PostgresSource {
    /// Opens a pool on `postgres://…`; connects when first asked for something. Has to be called within a
    /// Tokio runtime.
    pub fn connect(url: &str, max_connections: u32) -> Result<PostgresSource, SourceError> {
        let options = error::options(url)?;
        let connections = max_connections.max(STREAMS_OF_A_READ + 1);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(CONNECT_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(READ_SETTINGS).execute(connection).await.map(drop) })
            })
            .connect_lazy_with(options.clone());
        Ok(PostgresSource {
            pool,
            place: Place::of(&options),
            options,
            streams: Arc::new(Semaphore::new(connections as usize - 1)),
            tables: OnceCell::new(),
            text_limit: TextLimit::default(),
        })
    }

    /// The same with another limit: a longer text is not read, and named.
    #[must_use]
    pub fn limited(self, text_limit: TextLimit) -> PostgresSource {
        PostgresSource { text_limit, ..self }
    }

    /// The project of that name.
    pub async fn project(&self, name: &str) -> Result<Option<ProjectId>, SourceError> {
        let found: Result<Option<i32>, _> =
            sqlx::query_scalar("SELECT id::int4 FROM projects WHERE name = $1")
                .bind(name)
                .fetch_optional(&self.pool)
                .await;
        found.map(|id| id.map(ProjectId)).map_err(|error| self.place.failure("look up the project", &error))
    }

    /// The names of all projects, sorted.
    pub async fn project_names(&self) -> Result<Vec<String>, SourceError> {
        let names = sqlx::query_scalar("SELECT name::text FROM projects").fetch_all(&self.pool).await;
        let mut names: Vec<String> =
            names.map_err(|error| self.place.failure("list the projects", &error))?;
        names.sort();
        Ok(names)
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        let detect = || async { Tables::detect(&self.pool, &self.place).await.map(Arc::new) };
        self.tables.get_or_try_init(detect).await.cloned()
    }
}

impl std::fmt::Debug for PostgresSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PostgresSource").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for PostgresSource {
    async fn plan(&self, selection: &Selection, cut: &Cut) -> Result<Plan, SourceError> {
        plan::plan(self, selection, cut).await
    }

    async fn first(&self, selection: &Selection, texts: usize) -> Result<Option<Bounds>, SourceError> {
        plan::first(self, selection, texts).await
    }

    async fn read(&self, selection: &Selection, bounds: &Bounds) -> Result<DocumentStream, SourceError> {
        read::read(self, selection, bounds).await
    }

    async fn count(
        &self,
        selection: &Selection,
        effort: Effort,
    ) -> Result<Option<SelectionCount>, SourceError> {
        plan::count(self, selection, effort).await
    }

    async fn check(&self) -> Result<(), SourceError> {
        // Beside the pool, which would not tell at once why none can be had.
        let mut connection = error::connect(&self.options, &self.place, CONNECT_TIMEOUT).await?;
        let checked = Tables::detect(&mut connection, &self.place).await.map(drop);
        let closed = connection.close().await;
        checked.and_then(|()| closed.map_err(|error| self.place.failure("close the connection", &error)))
    }
}
