//! Source driver and loader for SQLite.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `plan` | where a selection is cut |
//! | `read` | a partition, slice by slice |
//! | `documents` | rows to documents |
//! | `load` | documents into the tables |
//! | `slice` | a selection resolved to ids, and its statements |
//! | `names` | labels and people out of their tables |
//! | `error` | what went wrong in the database, and the mend |

mod documents;
mod error;
mod load;
mod names;
mod plan;
mod read;
mod slice;

pub use load::SqliteLoader;

use std::time::Duration;

use async_trait::async_trait;
use spanfleet_core::{ProjectId, TextLimit};
use spanfleet_source::{
    Bounds, Cut, DocumentStream, Effort, Plan, Selection, SelectionCount, Source, SourceError,
};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

use error::Place;

/// An annotation platform's tables in a SQLite file, which others may write to at the same time.
pub struct SqliteSource {
    pool: SqlitePool,
    place: Place,
    text_limit: TextLimit,
}

/// A read holds one connection, and each is a thread; more than this wait for each other.
const CONNECTIONS: u32 = 16;
/// How long a read waits for a free connection before it says that the machine is too busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_mins(2);

impl SqliteSource {
    /// Opens `sqlite://path/to/file.db`, which has to be there; reads when first asked for something. Has to be
    /// called within a Tokio runtime.
    pub fn open(url: &str) -> Result<SqliteSource, SourceError> {
        let (options, place) = error::options(url)?;
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.pragma("query_only", "on"));
        Ok(SqliteSource { pool, place, text_limit: TextLimit::default() })
    }

    /// The same with another limit: a longer text is not read, and named.
    #[must_use]
    pub fn limited(self, text_limit: TextLimit) -> SqliteSource {
        SqliteSource { text_limit, ..self }
    }

    /// The project of that name.
    pub async fn project(&self, name: &str) -> Result<Option<ProjectId>, SourceError> {
        let query = sqlx::query_scalar("SELECT id FROM projects WHERE name = ?").bind(name);
        let found: Result<Option<i32>, _> = query.fetch_optional(&self.pool).await;
        found.map(|id| id.map(ProjectId)).map_err(|error| self.place.failure("look up the project", &error))
    }

    /// The names of all projects, sorted.
    pub async fn project_names(&self) -> Result<Vec<String>, SourceError> {
        let names = sqlx::query_scalar("SELECT name FROM projects ORDER BY name").fetch_all(&self.pool).await;
        names.map_err(|error| self.place.failure("list the projects", &error))
    }
}

impl std::fmt::Debug for SqliteSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SqliteSource").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for SqliteSource {
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
        let counting = plan::count(self, selection);
        match effort {
            Effort::Whole => counting.await.map(Some),
            // The statement runs on to its end, on a thread of its own.
            Effort::Quick(limit) => tokio::time::timeout(limit, counting).await.ok().transpose(),
        }
    }

    async fn check(&self) -> Result<(), SourceError> {
        plan::check(self).await
    }
}
