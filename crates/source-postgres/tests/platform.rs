//! What only PostgreSQL has: other people's tables, rights, running queries.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod support;

use std::sync::Arc;

use spanfleet_core::options::Partitions;
use spanfleet_core::{Extent, Filter, Include, ProjectId, Timestamp, filter::Id};
use spanfleet_source::load::Loader;
use spanfleet_source::load::contract::{Stage, plains, rich};
use spanfleet_source::{Cut, Effort, Selection, Source, SourceErrorKind};
use spanfleet_source_postgres::{PostgresLoader, PostgresSource};
use support::Database;

/// A platform that was there before us: narrow ids, binary JSON, times without a zone, no ids of a corpus, and
/// relations that know their text through their annotations alone.
const FOREIGN: &str = "
    CREATE TABLE users (id SMALLINT PRIMARY KEY, name VARCHAR(80), email TEXT);
    CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE texts (id INTEGER PRIMARY KEY, project_id BIGINT, content VARCHAR, metadata JSONB);
    CREATE TABLE labels (id BIGINT PRIMARY KEY, name CHAR(4));
    CREATE TABLE annotations (id INTEGER PRIMARY KEY, text_id INTEGER, label_id BIGINT, annotator_id SMALLINT,
        start_char BIGINT, end_char SMALLINT, confidence_score NUMERIC(3, 2), created_at TIMESTAMP);
    CREATE TABLE relations (id INTEGER PRIMARY KEY, source_annotation_id INTEGER, target_annotation_id INTEGER,
        relation_type VARCHAR(20));
    INSERT INTO users VALUES (1, 'alice');
    INSERT INTO projects VALUES (1, 'news');
    INSERT INTO texts VALUES (10, 1, 'Ada met Bo.', '{\"b\": [1, 2], \"a\": null}'), (11, 2, 'not ours', NULL),
        (12, 1, 'nobody', NULL);
    INSERT INTO labels VALUES (5, 'PER'), (6, 'DOG');
    INSERT INTO annotations VALUES (7, 10, 5, 1, 0, 3, 0.75, '2026-01-02 03:04:05.5'),
        (8, 10, 5, 99, -8, 10, NULL, NULL), (9, 11, 6, 1, 0, 3, NULL, NULL);
    INSERT INTO relations VALUES (1, 7, 8, 'met');
";

async fn foreign() -> Option<Stage> {
    let database = Database::create().await?;
    database.run(FOREIGN).await;
    let url = database.url();
    Some(Stage {
        source: Arc::new(PostgresSource::connect(&url, 4).unwrap()),
        begin_import: Box::new(move || Box::new(PostgresLoader::new(&url).unwrap()) as Box<dyn Loader>),
        project: ProjectId(1),
        other_project: ProjectId(2),
        guard: Box::new(database),
    })
}

#[tokio::test]
async fn other_peoples_tables_are_read_as_they_are() {
    let Some(stage) = foreign().await else { return println!("skipped: no server") };
    stage.source.check().await.unwrap();
    let plan = stage.plan(&stage.everything(), Partitions::Count(1)).await;
    assert_eq!(plan.schema.labels, ["PER"], "without the padding of CHAR, without what others use");
    assert_eq!(plan.schema.relation_types, ["met"]);
    let read = stage.read(&stage.everything(), &plan.partitions[0]).await;
    assert_eq!(read.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), ["10", "12"]);
    assert_eq!(read[0].metadata.as_ref().unwrap().as_str(), r#"{"a":null,"b":[1,2]}"#);
    let [first, second] = &read[0].annotations[..] else { panic!("{:?}", read[0].annotations) };
    assert_eq!((first.id.as_str(), first.confidence), ("7", Some(0.75)));
    assert_eq!(first.created_at, Timestamp::parse("2026-01-02T03:04:05.5Z"));
    assert_eq!(first.annotator.as_deref(), Some("alice"));
    assert_eq!(second.annotator.as_deref(), Some("99"), "nobody knows who that was");
    assert_eq!(second.extent, Extent::Span { start: u32::MAX, end: 10 }, "out of range, to be counted");
    assert_eq!((read[0].relations[0].source.as_str(), read[0].relations[0].target.as_str()), ("7", "8"));
    let filter = Filter { text_ids: Some(vec![Id::Number(12), Id::Number(11)]), ..Filter::default() };
    let selection = Selection { filter, ..stage.everything() };
    let count = stage.source.count(&selection, Effort::Whole).await.unwrap().unwrap();
    assert_eq!((count.texts, count.annotations), (1, 0));
}

/// Columns of JSON hold escapes that PostgreSQL's own functions refuse.
#[tokio::test]
async fn metadata_with_halves_of_characters_can_be_asked_for() {
    let Some(database) = Database::create().await else { return println!("skipped: no server") };
    database.run(FOREIGN).await;
    database
        .run(
            r#"ALTER TABLE texts ALTER COLUMN metadata TYPE JSON;
            UPDATE texts SET metadata = '{"source": "news", "x": "\ud800 \u0000 \uDC00 \ud83d\ude00"}' WHERE id = 10;
            UPDATE texts SET metadata = '{"source": "\ud83d\ude00"}' WHERE id = 12"#,
        )
        .await;
    let source = PostgresSource::connect(&database.url(), 4).unwrap();
    for (wanted, text) in [("news", "10"), ("\u{1f600}", "12")] {
        let filter = serde_json::json!({"metadata.source": wanted});
        let filter = Filter::from_json(filter.as_object().unwrap()).unwrap();
        let include = Include { metadata: true, relations: false, hierarchies: false };
        let selection = Selection { project: ProjectId(1), filter, include };
        let cut = Cut { partitions: Partitions::Count(1), needs_labels: true, at_blocks: false };
        let plan = source.plan(&selection, &cut).await.unwrap();
        let mut documents = source.read(&selection, &plan.partitions[0]).await.unwrap();
        let batch = documents.recv().await.unwrap().unwrap();
        assert_eq!(batch.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), [text]);
    }
}

#[tokio::test]
async fn errors_name_the_place_and_the_mend() {
    let Some(database) = Database::create().await else { return println!("skipped: no server") };
    let check = async |url: &str, words: &[&str]| {
        let refused = PostgresSource::connect(url, 4).unwrap().check().await.unwrap_err();
        let text = format!("{refused} {refused:?}");
        for word in words {
            assert!(text.contains(word), "`{word}` in {text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
        refused.kind
    };
    let missing =
        check(&database.url(), &["table `texts` is missing in postgres://", "`spanfleet migrate`"]).await;
    assert_eq!(missing, SourceErrorKind::Configuration);
    database.run("CREATE TABLE texts (id INT, content TEXT)").await;
    check(&database.url(), &["column `texts.project_id` is missing"]).await;
    let nowhere = database.url().replace("spanfleet_source_", "spanfleet_no_source_");
    assert_eq!(
        check(&nowhere, &["does not exist", "create the database"]).await,
        SourceErrorKind::Configuration
    );
    let unreachable = "postgres://ada:s3cret@127.0.0.1:1/notes";
    assert_eq!(check(unreachable, &["127.0.0.1:1/notes", "running"]).await, SourceErrorKind::Transient);
    let source = PostgresSource::connect(unreachable, 4).unwrap();
    assert!(!format!("{source:?}").contains("s3cret"));
}

/// A read that nobody listens to ends on the server too, and its connections don't come back half read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_read_ends_its_queries() {
    let Some(stage) = support::stage().await else { return println!("skipped: no server") };
    let mut documents = plains(300);
    for document in &mut documents {
        document.text = document.text.repeat(5_000);
    }
    stage.load(&documents).await;
    let plan = stage.plan(&stage.everything(), Partitions::Count(1)).await;
    let database = stage.guard.downcast_ref::<Database>().unwrap();
    let mut observer = database.connect().await;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                   AND query LIKE 'COPY%'";
    for has_begun in [true, false] {
        let mut stream = stage.source.read(&stage.everything(), &plan.partitions[0]).await.unwrap();
        if has_begun {
            assert!(stream.recv().await.unwrap().is_ok());
        }
        drop(stream);
        while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut observer).await.unwrap() > 0 {}
    }
    assert_eq!(stage.read(&stage.everything(), &plan.partitions[0]).await, documents);
}

/// A user with no more than the needed rights loads the same, and the server checks what it refers to.
#[tokio::test]
async fn loading_needs_no_superuser() {
    let Some(stage) = support::stage().await else { return println!("skipped: no server") };
    let database = stage.guard.downcast_ref::<Database>().unwrap();
    let url = database.make_loader_role().await;
    let mut loader = PostgresLoader::new(&url).unwrap();
    let documents = vec![rich(), plains(1).remove(0)];
    let report = loader.load(stage.project, documents.clone()).await.unwrap();
    assert_eq!((report.texts_new, report.relations), (2, 3));
    let include = Include { metadata: true, relations: true, hierarchies: false };
    let selection = Selection { include, ..stage.everything() };
    let plan = stage.plan(&selection, Partitions::Count(1)).await;
    assert_eq!(stage.read(&selection, &plan.partitions[0]).await, documents);
}

#[tokio::test]
async fn a_label_deleted_meanwhile_is_noticed() {
    let Some(stage) = support::stage().await else { return println!("skipped: no server") };
    let mut loader = (stage.begin_import)();
    let documents = plains(4);
    loader.load(stage.project, documents[..1].to_vec()).await.unwrap();
    let database = stage.guard.downcast_ref::<Database>().unwrap();
    database.run("DELETE FROM annotations; DELETE FROM labels").await;
    let noticed = loader.load(stage.project, documents[1..2].to_vec()).await.unwrap_err();
    assert_eq!(noticed.kind, SourceErrorKind::Transient);
    assert_eq!(loader.load(stage.project, documents[1..].to_vec()).await.unwrap().texts_new, 3);
}

/// PostgreSQL has no NUL; the text that has one is told, the others are loaded.
#[tokio::test]
async fn a_nul_is_rejected_alone() {
    let Some(stage) = support::stage().await else { return println!("skipped: no server") };
    let mut documents = plains(3);
    documents[1].text.push('\0');
    documents[2].annotations = vec![spanfleet_source::load::contract::span("a", 0, 1, "P\0R", "alice")];
    let report = stage.load(&documents).await;
    let rejected: Vec<&str> = report.rejected.iter().map(|rejected| rejected.id.as_str()).collect();
    assert_eq!((report.texts_new, rejected), (1, vec!["plain-1", "plain-2"]));
    assert!(report.rejected[0].reason.contains("NUL"));
}
