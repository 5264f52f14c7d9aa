//! Documents into the tables: a batch is one transaction, its rows go in many to a statement.
//!
//! The transaction is the only writer from its beginning, so it may number its rows itself.

mod batch;
mod rows;

use std::collections::HashMap;

use async_trait::async_trait;
use spanfleet_core::{Document, ProjectId};
use spanfleet_source::SourceError;
use spanfleet_source::load::columns::text_row_bytes;
use spanfleet_source::load::{LoadReport, Loader, SeenIds, set_aside, unstorable};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};

use crate::error::{self, Place};
use crate::names::{labels, people};
use batch::Batch;

/// Loads documents into an annotation platform's tables in SQLite, made by our migration.
pub struct SqliteLoader {
    options: SqliteConnectOptions,
    place: Place,
    /// Only there between batches: what became of one that failed nobody knows.
    session: Option<Session>,
    seen: SeenIds,
}

/// A connection with what is known of the database.
struct Session {
    connection: SqliteConnection,
    known: Option<Known>,
}

/// Labels and people by name, as they stood at the last commit.
pub(crate) struct Known {
    project: ProjectId,
    /// Which commit of any connection this is of: another import may have made labels since.
    version: i64,
    pub(crate) labels: HashMap<String, i64>,
    pub(crate) people: HashMap<String, i64>,
}

impl SqliteLoader {
    /// For one import into the database of `sqlite://path/to/file.db`, which has to be there; opens it when there is
    /// something to load.
    pub fn new(url: &str) -> Result<SqliteLoader, SourceError> {
        let (options, place) = error::options(url)?;
        // A crash of the machine may cost the last batches, and then the import is run again.
        let options = options.synchronous(SqliteSynchronous::Normal);
        Ok(SqliteLoader { options, place, session: None, seen: SeenIds::default() })
    }
}

impl std::fmt::Debug for SqliteLoader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SqliteLoader").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Loader for SqliteLoader {
    async fn load(
        &mut self,
        project: ProjectId,
        documents: Vec<Document>,
    ) -> Result<LoadReport, SourceError> {
        let (documents, rejected) = set_aside(documents, refusal);
        self.seen.check(&documents)?;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Session { connection: error::connect(&self.options, &self.place).await?, known: None },
        };
        let mut report = session.load(project, &documents, &self.place).await?;
        report.rejected = rejected;
        self.seen.keep(documents.iter().map(|document| document.id.as_str()));
        self.session = Some(session);
        Ok(report)
    }
}

/// Why a document can't be loaded, if so.
fn refusal(document: &Document) -> Option<String> {
    /// What SQLite holds in a row.
    const ROW_BYTES: usize = 999_000_000;
    let is_long = text_row_bytes(document) > ROW_BYTES;
    let long =
        || is_long.then(|| format!("it is longer than the {ROW_BYTES} bytes that SQLite stores in a row"));
    unstorable(document).or_else(long)
}

impl Session {
    async fn load(
        &mut self,
        project: ProjectId,
        documents: &[Document],
        place: &Place,
    ) -> Result<LoadReport, SourceError> {
        let failure = |error: sqlx::Error| place.failure("load", &error);
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        let version = version(&mut transaction).await.map_err(failure)?;
        let is_current = |known: &Known| known.project == project && known.version == version;
        let known = match self.known.take().filter(is_current) {
            Some(known) => known,
            None => Known::load(&mut transaction, project, version, place).await?,
        };
        let mut batch = Batch { database: &mut transaction, project, place, known };
        let report = batch.load(documents).await?;
        let known = batch.known;
        transaction.commit().await.map_err(failure)?;
        self.known = Some(known);
        Ok(report)
    }
}

/// Changes when another connection has committed.
async fn version(database: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(database).await
}

impl Known {
    async fn load(
        database: &mut SqliteConnection,
        project: ProjectId,
        version: i64,
        place: &Place,
    ) -> Result<Known, SourceError> {
        let labels = labels(database, project, place).await?;
        let people = people(database, place).await?;
        Ok(Known {
            project,
            version,
            labels: labels.into_paths().into_iter().map(|(id, path)| (path.to_string(), id)).collect(),
            people: people.into_iter().map(|(id, name)| (name.to_string(), id)).collect(),
        })
    }
}
