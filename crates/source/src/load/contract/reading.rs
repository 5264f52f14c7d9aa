//! Stories of reading what was loaded.

use spanfleet_core::filter::Id;
use spanfleet_core::options::Partitions;
use spanfleet_core::{Document, Filter, Include, Timestamp};

use super::{Stage, plain, plains, relation, rich, span};
use crate::{BATCH_BYTES, Selection, SelectionCount};

/// However it is cut, each text comes once and in order, and a second reading is the same.
pub async fn partitions_make_up_the_selection(stage: Stage) {
    let everything = stage.everything();
    assert!(stage.plan(&everything, Partitions::Auto).await.partitions.is_empty());
    assert!(stage.plan(&everything, Partitions::Count(4)).await.partitions.is_empty());
    let documents = plains(200);
    stage.load(&documents).await;
    let cuts = [(Partitions::Auto, 1), (Partitions::Count(7), 7), (Partitions::Count(1000), 200)];
    for (cut, expected) in cuts {
        let plan = stage.plan(&everything, cut).await;
        assert_eq!(plan.partitions.len(), expected);
        assert!(plan.taken_at.is_some());
        for _ in 0..2 {
            let mut read = Vec::new();
            for bounds in &plan.partitions {
                let part = stage.read(&everything, bounds).await;
                assert!(!part.is_empty());
                read.extend(part);
            }
            assert_eq!(read, documents);
        }
    }
    let chosen = stage
        .filtered(Filter { text_ids: Some(names(&["plain-3", "plain-9", "plain-4"])), ..Filter::default() });
    assert_eq!(stage.plan(&chosen, Partitions::Count(2)).await.partitions.len(), 2);
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

/// Texts by id, annotations by label, annotator and time; texts without a chosen annotation stay.
pub async fn filters_choose(stage: Stage) {
    let mut documents = plains(6);
    documents.push(rich());
    stage.load(&documents).await;
    let check = async |filter: Filter, ids: &[&str]| {
        let read = stage.read_all(&stage.filtered(filter.clone())).await;
        let of_document = |document: &Document| {
            let text = document.id.clone();
            let shown = move |id: &str| format!("{text}:{id}");
            document.annotations.iter().map(|annotation| shown(&annotation.id)).collect::<Vec<_>>()
        };
        let annotations: Vec<String> = read.iter().flat_map(of_document).collect();
        assert_eq!(annotations, ids, "{filter:?}");
        let texts = filter.text_ids.as_ref().map_or(7, Vec::len);
        assert_eq!(read.len(), texts, "{filter:?}");
    };
    let none = Filter::default;
    let moment = |text: &str| Timestamp::parse(text);
    let labels = |labels: &[&str]| Filter { label_ids: Some(names(labels)), ..none() };
    check(labels(&["Attack"]), &["rich/ü 1:a"]).await;
    check(labels(&["EVENT/Attack", "and//or"]), &["rich/ü 1:a", "rich/ü 1:d"]).await;
    check(labels(&["EVENT"]), &["rich/ü 1:c"]).await;
    check(labels(&["DOG"]), &["plain-1:a2", "plain-3:a2"]).await;
    check(labels(&["'; DROP TABLE texts; --"]), &[]).await;
    check(Filter { label_ids: Some(Vec::new()), ..none() }, &[]).await;
    let annotators = |people: &[&str]| Filter { annotator_ids: Some(names(people)), ..none() };
    check(annotators(&["é"]), &["rich/ü 1:c"]).await;
    check(annotators(&["nobody"]), &[]).await;
    check(
        Filter { label_ids: labels(&["PER"]).label_ids, ..annotators(&["bo"]) },
        &["plain-0:a2", "plain-4:a2"],
    )
    .await;
    let (early, late) = (moment("1969-12-31T23:59:59.9Z"), moment("2026-01-02T03:04:05.123456Z"));
    check(Filter { date_from: early, date_to: late, ..none() }, &["rich/ü 1:b", "rich/ü 1:e"]).await;
    check(Filter { date_to: early, ..none() }, &["rich/ü 1:e"]).await;
    check(Filter { date_from: moment("2026-01-02T03:04:05.123457Z"), ..none() }, &[]).await;
    let texts = |texts: &[&str]| Filter { text_ids: Some(names(texts)), ..none() };
    check(texts(&["plain-3", "plain-5"]), &["plain-3:a1", "plain-3:a2"]).await;
    check(Filter { date_from: late, ..texts(&["rich/ü 1", "plain-0"]) }, &["rich/ü 1:b"]).await;
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

/// What was not asked for is not read.
pub async fn inclusions_hold(stage: Stage) {
    stage.load(&[rich()]).await;
    let include = Include { metadata: false, relations: false, hierarchies: false };
    let read = stage.read_all(&Selection { include, ..stage.everything() }).await;
    let mut expected = rich();
    expected.metadata = None;
    expected.relations.clear();
    expected.annotations[2].attributes = None;
    assert_eq!(read, [expected]);
}

/// More reads than connections, each given up after its first batch, and none leaves anything behind.
pub async fn dropped_reads_leave_the_source_usable(stage: Stage) {
    let mut documents = plains(400);
    for document in &mut documents {
        document.text = document.text.repeat(2_000);
    }
    stage.load(&documents).await;
    let everything = stage.everything();
    let plan = stage.plan(&everything, Partitions::Count(1)).await;
    for _ in 0..25 {
        let mut stream = stage.source.read(&everything, &plan.partitions[0]).await.unwrap();
        assert!(!stream.recv().await.unwrap().unwrap().is_empty());
    }
    assert_eq!(stage.read(&everything, &plan.partitions[0]).await, documents);
    assert_eq!(stage.plan(&everything, Partitions::Count(9)).await.partitions.len(), 9);
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
    let count = async |filter: Filter| stage.source.count(&stage.filtered(filter)).await.unwrap();
    let expected = |texts, annotations| Some(SelectionCount { texts, annotations });
    assert_eq!(count(Filter::default()).await, expected(7, 13));
    let dogs = Filter { label_ids: Some(names(&["DOG"])), ..Filter::default() };
    assert_eq!(count(dogs).await, expected(7, 2));
    let one = Filter { text_ids: Some(names(&["plain-0"])), ..Filter::default() };
    assert_eq!(count(one).await, expected(1, 2));
}
