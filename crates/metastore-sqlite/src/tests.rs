use std::sync::Arc;

use spanfleet_metastore::{
    Metastore, MetastoreErrorKind,
    contract::{CONTRADICTIONS, Stage},
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection, SqliteConnection};

use crate::SqliteMetastore;
use crate::error::is_locked;

mod contract {
    use super::*;

    async fn make() -> Option<Arc<dyn Metastore>> {
        Some(Arc::new(SqliteMetastore::open("sqlite::memory:").await.unwrap()))
    }

    spanfleet_metastore::contract_tests!(make);
}

#[tokio::test]
async fn makes_file_and_folder_and_keeps_what_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/deep/er/spanfleet.db", folder.path().display());
    let store = SqliteMetastore::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    store.ensure_project("news").await.unwrap();
    assert_eq!(store.address(), url);
    drop(store);
    let store = SqliteMetastore::open(&url).await.unwrap();
    store.check().await.unwrap();
    assert_eq!(store.projects().await.unwrap().len(), 1);
}

#[tokio::test]
async fn two_processes_may_start_and_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/spanfleet.db", folder.path().display());
    let stores = [SqliteMetastore::open(&url).await.unwrap(), SqliteMetastore::open(&url).await.unwrap()];
    let (first, second) = tokio::join!(stores[0].migrate(), stores[1].migrate());
    first.unwrap();
    second.unwrap();
    for number in 0..20 {
        let (left, right) = (format!("left-{number}"), format!("right-{number}"));
        let (first, second) = tokio::join!(stores[0].ensure_project(&left), stores[1].ensure_project(&right));
        first.unwrap();
        second.unwrap();
    }
    assert_eq!(stores[0].projects().await.unwrap().len(), 40);
}

/// Of two that make the file at once, one changes its journal while the other connects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_waits_for_a_change_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spanfleet.db");
    let url = format!("sqlite://{}", file.display());
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let unlock = async {
        let options = options.clone().journal_mode(SqliteJournalMode::Wal);
        let refused = SqliteConnection::connect_with(&options).await.unwrap_err();
        assert!(is_locked(&refused), "{refused}");
        lock.commit().await.unwrap();
    };
    let (opened, ()) = tokio::join!(SqliteMetastore::open(&url), unlock);
    opened.unwrap().migrate().await.unwrap();
}

#[tokio::test]
async fn tells_what_is_wrong_with_an_address() {
    let failure = SqliteMetastore::open("sqlite:///proc/none/x.db").await.unwrap_err();
    assert_eq!(failure.kind, MetastoreErrorKind::Configuration);
    assert!(failure.message.contains("/proc/none"), "{failure}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(
        &file,
        "these are notes and no database at all, long enough to be read as a header of one",
    )
    .unwrap();
    let failure = SqliteMetastore::open(&format!("sqlite://{}", file.display())).await.unwrap_err();
    assert_eq!(failure.kind, MetastoreErrorKind::Corrupt);
    assert!(failure.message.contains("no SQLite database"), "{failure}");
}

#[tokio::test]
async fn the_tables_refuse_contradictions() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/spanfleet.db", folder.path().display());
    Stage::new(Arc::new(SqliteMetastore::open(&url).await.unwrap())).await.accepted().await;
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in CONTRADICTIONS {
        let refused = sqlx::query(statement).execute(&mut connection).await.unwrap_err();
        assert!(refused.as_database_error().unwrap().is_check_violation(), "{statement}: {refused}");
    }
}
