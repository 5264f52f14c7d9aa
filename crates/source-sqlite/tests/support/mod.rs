//! A database file of its own for each test.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

use std::str::FromStr;
use std::sync::Arc;

use spanfleet_core::ProjectId;
use spanfleet_source::load::Loader;
use spanfleet_source::load::contract::Stage;
use spanfleet_source_sqlite::{SqliteLoader, SqliteSource};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

const SCHEMA: &str = include_str!("../../../../migrations/sqlite/0001_platform.sql");

/// Two empty projects in tables of our own.
#[allow(dead_code, reason = "the suite of both databases asks for this, the file's own tests for the other")]
pub(crate) async fn stage() -> Option<Stage> {
    Some(stage_at().await.0)
}

/// The same with its address.
pub(crate) async fn stage_at() -> (Stage, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("spanfleet.db").display());
    // As the metastore makes it.
    let options = SqliteConnectOptions::from_str(&url).unwrap();
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut database = options.connect().await.unwrap();
    sqlx::raw_sql(SCHEMA).execute(&mut database).await.unwrap();
    let projects = "INSERT INTO projects (name) VALUES ('news'), ('other')";
    sqlx::raw_sql(projects).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let address = url.clone();
    let stage = Stage {
        source: Arc::new(SqliteSource::open(&url).unwrap()),
        begin_import: Box::new(move || Box::new(SqliteLoader::new(&url).unwrap()) as Box<dyn Loader>),
        project: ProjectId(1),
        other_project: ProjectId(2),
        guard: Box::new(folder),
    };
    (stage, address)
}
