//! Stories of reading what was loaded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use spanfleet_core::filter::Id;
use spanfleet_core::options::Partitions;
use spanfleet_core::{Filter, Timestamp};

use super::{Stage, plain, plains, relation, rich, span};
use crate::{BATCH_BYTES, Effort, SelectionCount};

/// What every source promises, of one that a loader has filled.
pub async fn the_contract_of_sources(make: impl AsyncFn() -> Option<Stage>) {
    if make().await.is_none() {
        return println!("skipped the_contract_of_sources: no server");
    }
    let stages = Mutex::new(Vec::new());
    crate::contract::contract(async |documents| {
        let stage = make().await.unwrap();
        stage.load(&documents).await;
        let filled = (Arc::clone(&stage.source), stage.everything());
        stages.lock().unwrap().push(stage);
        filled
    })
    .await;
}

/// A retry reads what the first attempt would have read.
pub async fn rows_after_the_plan_are_left_out(stage: Stage) {
    let everything = stage.everything();
    stage.load(&plains(20)).await;
    let plan = stage.plan(&everything, Partitions::Count(2)).await;
    let mut later = plains(30);
    later[19].annotations.push(span("later", 0, 1, "LATER", "late"));
    stage.load(&later[20..]).await;
    let mut read = stage.read(&everything, &plan.partitions[0]).await;
    read.extend(stage.read(&everything, &plan.partitions[1]).await);
    assert_eq!(read, plains(20));
    assert_eq!(stage.read_all(&everything).await.len(), 30);
}

fn names(names: &[&str]) -> Vec<Id> {
    names.iter().map(|name| Id::Name((*name).to_owned())).collect()
}

/// Numbers are rows of the tables, names are names whatever they look like.
pub async fn filters_take_numbers_and_any_name(stage: Stage) {
    stage.load(&plains(3)).await;
    stage.load(&[rich()]).await;
    let count = async |filter: Filter| {
        let read = stage.read_all(&stage.filtered(filter)).await;
        (read.len(), read.iter().map(|document| document.annotations.len()).sum::<usize>())
    };
    let numbers = |numbers: &[i64]| Some(numbers.iter().copied().map(Id::Number).collect::<Vec<Id>>());
    // In an empty database, rows are numbered from 1 in input order.
    assert_eq!(count(Filter { text_ids: numbers(&[1, 4, 99]), ..Filter::default() }).await, (2, 7));
    assert_eq!(count(Filter { label_ids: numbers(&[99, -1]), ..Filter::default() }).await, (4, 0));
    let by_everybody = Filter { annotator_ids: numbers(&[1, 2, 3]), ..Filter::default() };
    assert_eq!(count(by_everybody).await, (4, 8));
    let nasty = names(&["'; DROP TABLE texts; --", "\0", "and//or"]);
    let filter = Filter { label_ids: Some(nasty.clone()), ..Filter::default() };
    assert_eq!(count(filter).await, (4, 1));
    assert_eq!(count(Filter { text_ids: Some(nasty.clone()), ..Filter::default() }).await, (0, 0));
    assert_eq!(count(Filter { annotator_ids: Some(nasty), ..Filter::default() }).await, (4, 0));
    // `rich` holds an escaped NUL beside the number.
    let [by_number, by_nul] = [("metadata.z", "1.5"), ("metadata.a.deep", "\0")].map(|(key, value)| {
        Filter::from_json(serde_json::json!({ key: value }).as_object().unwrap()).unwrap()
    });
    assert_eq!((count(by_number).await, count(by_nul).await), ((1, 5), (0, 0)));
    let sharp = Timestamp::parse("2026-01-02T03:04:05.123457Z");
    assert_eq!(count(Filter { date_from: sharp, ..Filter::default() }).await, (4, 0));
}

/// A relation whose end a filter leaves out still names it: the encoder counts what it can't write.
pub async fn relations_outlive_filtered_ends(stage: Stage) {
    stage.load(&[rich()]).await;
    let filter = Filter { label_ids: Some(names(&["PER"])), ..Filter::default() };
    let read = stage.read_all(&stage.filtered(filter)).await;
    assert_eq!(read[0].relations, rich().relations);
    assert_eq!(read[0].annotations.len(), 2);
}

/// As the corpus itself would tell them: a label that only has others below it is none.
pub async fn labels_are_those_that_occur(stage: Stage) {
    let mut document = plain(0);
    document.annotations[0].label = "EVENT/Attack/Raid".into();
    document.annotations[1].label = "EVENT/Attack".into();
    document.relations.push(relation("a1", "a2", None));
    stage.load(&[document, plain(1)]).await;
    let schema = stage.plan(&stage.everything(), Partitions::Auto).await.schema;
    assert_eq!(schema.labels, ["DOG", "EVENT/Attack", "EVENT/Attack/Raid", "PER"]);
    assert_eq!(schema.relation_types, ["met"]);
    let alice = Filter { annotator_ids: Some(names(&["alice"])), ..Filter::default() };
    let schema = stage.plan(&stage.filtered(alice), Partitions::Auto).await.schema;
    assert_eq!(schema.labels, ["EVENT/Attack/Raid", "PER"]);
    let one = Filter { text_ids: Some(names(&["plain-1"])), ..Filter::default() };
    let schema = stage.plan(&stage.filtered(one), Partitions::Auto).await.schema;
    assert_eq!(
        (schema.labels, schema.relation_types),
        (vec!["DOG".to_owned(), "PER".to_owned()], Vec::new())
    );
}

/// A text larger than a batch, and one with more annotations than fit.
pub async fn giants_come_alone(stage: Stage) {
    let mut long = plain(0);
    long.text = "é".repeat(10 * 1024 * 1024);
    let mut crowded = plain(1);
    let annotation = |number: u32| span(&format!("c{number}"), number % 8, number % 8 + 3, "PER", "alice");
    crowded.annotations = (0..100_000).map(annotation).collect();
    let documents = [long, crowded, plain(2), plain(3)];
    assert!(super::super::batch::weight_bytes(&documents[1]) > BATCH_BYTES);
    stage.load(&documents).await;
    assert!(stage.read_all(&stage.everything()).await == documents);
    assert_eq!(stage.load(&documents).await.texts_unchanged, 4);
}

/// The numbers of a selection.
pub async fn counts_and_checks(stage: Stage) {
    stage.source.check().await.unwrap();
    let mut documents = plains(6);
    documents.push(rich());
    stage.load(&documents).await;
    stage.try_load(stage.other_project, &documents).await.unwrap();
    let count = async |filter: Filter| {
        let effort = Effort::Quick(Duration::from_mins(1));
        stage.source.count(&stage.filtered(filter), effort).await.unwrap()
    };
    let expected = |texts, annotations| Some(SelectionCount { texts, annotations });
    assert_eq!(count(Filter::default()).await, expected(7, 13));
    let dogs = Filter { label_ids: Some(names(&["DOG"])), ..Filter::default() };
    assert_eq!(count(dogs).await, expected(7, 2));
    let one = Filter { text_ids: Some(names(&["plain-0"])), ..Filter::default() };
    assert_eq!(count(one).await, expected(1, 2));
}
