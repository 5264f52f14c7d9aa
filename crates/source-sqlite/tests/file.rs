//! What only SQLite has: a file, and others that write to it.

mod support;

use std::str::FromStr;

use spanfleet_core::options::Partitions;
use spanfleet_source::load::contract::plains;
use spanfleet_source::{Source, SourceErrorKind};
use spanfleet_source_sqlite::SqliteSource;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};

#[tokio::test]
async fn errors_name_the_file_and_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let check = async |name: &str, words: &[&str]| {
        let url = format!("sqlite://{}", folder.path().join(name).display());
        let refused = SqliteSource::open(&url).unwrap().check().await.unwrap_err();
        for word in [name].iter().chain(words) {
            assert!(refused.message.contains(word), "`{word}` in {refused}");
        }
        assert_eq!(refused.kind, SourceErrorKind::Configuration, "{refused}");
    };
    check("absent.db", &["is the path right"]).await;
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    check("empty.db", &["table `texts` is missing", "`spanfleet migrate`"]).await;
    std::fs::write(folder.path().join("notes.txt"), "no database ".repeat(1000)).unwrap();
    check("notes.txt", &["not a database"]).await;
}

/// The metastore lives in the same file: it may write while we read, and an import waits for its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_share_the_file() {
    let (stage, url) = support::stage_at().await;
    let documents = plains(400);
    stage.load(&documents[..200]).await;
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    let mut transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("INSERT INTO users (name) VALUES ('zoe')").execute(&mut *transaction).await.unwrap();
    let plan = stage.plan(&stage.everything(), Partitions::Count(1)).await;
    assert_eq!(stage.read(&stage.everything(), &plan.partitions[0]).await, documents[..200]);
    let mut loader = (stage.begin_import)();
    let later = documents[200..].to_vec();
    let (report, committed) = tokio::join!(loader.load(stage.project, later), transaction.commit());
    committed.unwrap();
    assert_eq!(report.unwrap().texts_new, 200);
}

/// Another tool's file keeps the journal that it has, and whoever reads it or loads into it waits for the tool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_keeps_its_journal() {
    let (stage, url) = support::stage_at().await;
    let options = SqliteConnectOptions::from_str(&url).unwrap().journal_mode(SqliteJournalMode::Delete);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    let transaction = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    let mut loader = (stage.begin_import)();
    let (loaded, checked, committed) =
        tokio::join!(loader.load(stage.project, plains(20)), stage.source.check(), transaction.commit());
    committed.unwrap();
    checked.unwrap();
    assert_eq!(loaded.unwrap().texts_new, 20);
    let plan = stage.plan(&stage.everything(), Partitions::Count(1)).await;
    assert_eq!(stage.read(&stage.everything(), &plan.partitions[0]).await, plains(20));
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut other).await.unwrap();
    assert_eq!(journal, "delete");
}

/// SQLite keeps a NUL like any other character.
#[tokio::test]
async fn a_nul_is_kept() {
    let (stage, _) = support::stage_at().await;
    let mut documents = plains(2);
    documents[0].text = "Ada\0met".into();
    stage.load(&documents).await;
    let plan = stage.plan(&stage.everything(), Partitions::Count(1)).await;
    assert_eq!(stage.read(&stage.everything(), &plan.partitions[0]).await, documents);
}
