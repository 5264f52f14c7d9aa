//! Documents into the tables: a batch is one transaction, its rows go in by binary COPY.
//!
//! Ids come from the tables' own sequences, drawn in blocks in input order: so relations can name annotations
//! without reading anything back, and other writers may draw between.

mod batch;
mod keys;
mod refusal;
mod rows;

use std::collections::HashMap;

use async_trait::async_trait;
use spanfleet_core::{Document, ProjectId};
use spanfleet_source::SourceError;
use spanfleet_source::load::{LoadReport, Loader, SeenIds, set_aside};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::CONNECT_TIMEOUT;
use crate::error::{self, Place};
use crate::names::{labels, people};
use crate::tables::Tables;
use batch::Batch;
use keys::Keys;

/// Loads documents into an annotation platform's tables in PostgreSQL, made by our migration.
pub struct PostgresLoader {
    options: PgConnectOptions,
    place: Place,
    /// Only there between batches: what became of one that failed nobody knows.
    session: Option<Session>,
    seen: SeenIds,
}

/// A connection with what is known of the database at its last commit.
struct Session {
    connection: PgConnection,
    tables: Tables,
    keys: Keys,
    known: Option<Known>,
}

/// Labels and people by name, as they stand in the database.
pub(crate) struct Known {
    project: ProjectId,
    pub(crate) labels: HashMap<String, i64>,
    pub(crate) people: HashMap<String, i64>,
}

impl PostgresLoader {
    /// For one import into the database of `postgres://…`; connects when there is something to load.
    pub fn new(url: &str) -> Result<PostgresLoader, SourceError> {
        let options = error::options(url)?;
        let place = Place::of(&options);
        Ok(PostgresLoader { options, place, session: None, seen: SeenIds::default() })
    }

    async fn open(&self) -> Result<Session, SourceError> {
        let mut connection = error::connect(&self.options, &self.place, CONNECT_TIMEOUT).await?;
        let tables = Tables::detect(&mut connection, &self.place).await?;
        let keys = Keys::of(&mut connection, &self.place).await?;
        Ok(Session { connection, tables, keys, known: None })
    }
}

impl std::fmt::Debug for PostgresLoader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PostgresLoader").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Loader for PostgresLoader {
    async fn load(
        &mut self,
        project: ProjectId,
        documents: Vec<Document>,
    ) -> Result<LoadReport, SourceError> {
        let (documents, rejected) = set_aside(documents, refusal::refusal);
        self.seen.check(&documents)?;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.open().await?,
        };
        let mut report = session.load(project, &documents, &self.place).await?;
        report.rejected = rejected;
        self.seen.keep(documents.iter().map(|document| document.id.as_str()));
        self.session = Some(session);
        Ok(report)
    }
}

impl Session {
    async fn load(
        &mut self,
        project: ProjectId,
        documents: &[Document],
        place: &Place,
    ) -> Result<LoadReport, SourceError> {
        let failure = |error: sqlx::Error| place.failure("load", &error);
        let mut transaction = self.connection.begin().await.map_err(failure)?;
        lock(&mut transaction, project).await.map_err(failure)?;
        let known = match self.known.take().filter(|known| known.project == project) {
            Some(known) => known,
            None => Known::load(&mut transaction, &self.tables, project, place).await?,
        };
        let (tables, keys) = (&self.tables, self.keys);
        let mut batch = Batch { database: &mut transaction, tables, keys, project, place, known };
        let report = batch.load(documents).await?;
        let known = batch.known;
        transaction.commit().await.map_err(failure)?;
        self.known = Some(known);
        Ok(report)
    }
}

/// Imports into one project take turns batch by batch: else two of the same corpus would each find a text
/// missing and both write it.
async fn lock(database: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
    /// Spells `SPLD`: keeps our locks apart from others' on the same numbers.
    const LOCK_CLASS: i32 = 0x5350_4c44;
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(LOCK_CLASS)
        .bind(project.0)
        .execute(database)
        .await
        .map(drop)
}

impl Known {
    async fn load(
        database: &mut PgConnection,
        tables: &Tables,
        project: ProjectId,
        place: &Place,
    ) -> Result<Known, SourceError> {
        let labels = labels(database, tables, project, place).await?;
        let people = people(database, place).await?;
        Ok(Known {
            project,
            labels: labels.into_paths().into_iter().map(|(id, path)| (path.to_string(), id)).collect(),
            people: people.into_iter().map(|(id, name)| (name.to_string(), id)).collect(),
        })
    }
}
