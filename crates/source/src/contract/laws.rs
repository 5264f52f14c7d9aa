//! What every source promises, one function each.

use std::collections::BTreeSet;

use spanfleet_core::{
    Annotation, Document, Filter, Include, Json, Timestamp, filter::Id, options::Partitions,
};

use super::Stocked;
use crate::{BATCH_BYTES, Effort, Selection, SelectionCount, load::batch::weight_bytes};

/// The cuts that every reading has to survive: by size, few, and more than there are texts.
fn cuts(stocked: &Stocked) -> [Partitions; 5] {
    let more = stocked.documents.len() as u32 + 3;
    [
        Partitions::Auto,
        Partitions::Count(1),
        Partitions::Count(2),
        Partitions::Count(7),
        Partitions::Count(more),
    ]
}

pub(super) async fn reads_what_was_loaded(stocked: &Stocked) {
    for cut in cuts(stocked) {
        let found = stocked.read_all(&stocked.selection, cut).await;
        assert_same(&found, &stocked.documents, &format!("{cut:?}"));
    }
}

pub(super) async fn partitions_are_disjoint_and_complete(stocked: &Stocked) {
    let texts = stocked.documents.len();
    for cut in cuts(stocked) {
        let plan = stocked.plan(&stocked.selection, cut, false).await;
        if let Partitions::Count(count) = cut {
            assert_eq!(
                plan.partitions.len(),
                texts.min(count as usize),
                "{cut:?}: as many as asked for, or as texts"
            );
        }
        let mut found = Vec::new();
        for bounds in &plan.partitions {
            let part = stocked.read(&stocked.selection, bounds).await;
            assert!(!part.is_empty(), "{cut:?}: the partition {bounds:?} is empty");
            found.extend(part.into_iter().map(|document| document.id));
        }
        let expected: Vec<_> = stocked.documents.iter().map(|document| document.id.clone()).collect();
        assert_eq!(found, expected, "{cut:?}");
    }
}

pub(super) async fn planning_twice_reads_the_same(stocked: &Stocked) {
    let plan = || stocked.plan(&stocked.selection, Partitions::Count(3), false);
    let (first, second) = (plan().await, plan().await);
    assert_eq!(first.partitions.len(), second.partitions.len());
    // From behind, and twice: partitions don't know of each other.
    for bounds in first.partitions.iter().rev().chain(&first.partitions) {
        let at = first.partitions.iter().position(|other| other == bounds).unwrap();
        let found = stocked.read(&stocked.selection, bounds).await;
        assert_same(&found, &stocked.read(&stocked.selection, &second.partitions[at]).await, "planned twice");
    }
}

pub(super) async fn the_first_texts_are_found(stocked: &Stocked) {
    let selection = &stocked.selection;
    for count in [1, 3, stocked.documents.len() + 9] {
        let bounds = stocked.source.first(selection, count).await.unwrap().unwrap();
        let found = stocked.read(selection, &bounds).await;
        let count = count.min(stocked.documents.len());
        assert!(found.len() >= count, "{} texts, {count} were asked for", found.len());
        assert_same(&found[..count], &stocked.documents[..count], "the first");
    }
}

/// Reads with a filter and compares with the documents as `expected` leaves them.
pub(super) async fn check(
    stocked: &Stocked,
    filter: Filter,
    expected: impl Fn(&Document) -> Option<Document>,
) {
    let selection = Selection { filter, ..stocked.selection.clone() };
    let expected: Vec<Document> = stocked.documents.iter().filter_map(expected).collect();
    let count = stocked.source.count(&selection, Effort::Whole).await.unwrap();
    assert_eq!(count, Some(count_of(&expected)), "the count of {:?}", selection.filter);
    for cut in cuts(stocked) {
        let found = stocked.read_all(&selection, cut).await;
        assert_same(&found, &expected, &format!("{cut:?} {:?}", selection.filter));
    }
}

/// The document with the annotations that hold; texts without any stay, and so do relations.
pub(super) fn keep(document: &Document, holds: impl Fn(&Annotation) -> bool) -> Document {
    let mut document = document.clone();
    document.annotations.retain(holds);
    document
}

pub(super) fn names(list: &[&str]) -> Vec<Id> {
    list.iter().map(|name| Id::Name((*name).to_owned())).collect()
}

pub(super) async fn texts_are_chosen_by_id(stocked: &Stocked) {
    let wanted = ["several", "doc-1", "doc/2 😀", "7", "nobody"];
    let filter = Filter { text_ids: Some(names(&wanted)), ..Filter::default() };
    check(stocked, filter, |document| wanted.contains(&document.id.as_str()).then(|| document.clone())).await;
}

pub(super) async fn annotations_are_chosen_by_label(stocked: &Stocked) {
    let by_label = |list: &[&str]| Filter { label_ids: Some(names(list)), ..Filter::default() };
    check(stocked, by_label(&["PER", "LOC"]), |text| {
        Some(keep(text, |found| matches!(&*found.label, "PER" | "LOC")))
    })
    .await;
    let is_attack = |found: &Annotation| &*found.label == "EVENT/Attack";
    check(stocked, by_label(&["EVENT/Attack"]), |text| Some(keep(text, is_attack))).await;
    check(stocked, by_label(&["Attack"]), |text| Some(keep(text, is_attack))).await;
}

pub(super) async fn annotations_are_chosen_by_annotator(stocked: &Stocked) {
    let wanted = ["bob", "Zoë O'Brien"];
    let filter = Filter { annotator_ids: Some(names(&wanted)), ..Filter::default() };
    let is_by = |found: &Annotation| found.annotator.as_deref().is_some_and(|name| wanted.contains(&name));
    check(stocked, filter, |text| Some(keep(text, is_by))).await;
}

pub(super) async fn annotations_are_chosen_by_date(stocked: &Stocked) {
    let day = |text: &str| Timestamp::parse(text).unwrap();
    let (from, to) = (day("2026-03-01T00:00:00Z"), day("2026-03-02T00:00:00Z"));
    let made = |found: &Annotation, holds: &dyn Fn(Timestamp) -> bool| found.created_at.is_some_and(holds);
    let filter = Filter { date_from: Some(from), ..Filter::default() };
    check(stocked, filter, |text| Some(keep(text, |found| made(found, &|at| at >= from)))).await;
    let filter = Filter { date_to: Some(to), ..Filter::default() };
    check(stocked, filter, |text| Some(keep(text, |found| made(found, &|at| at <= to)))).await;
    let filter = Filter { date_from: Some(from), date_to: Some(to), ..Filter::default() };
    check(stocked, filter, |text| Some(keep(text, |found| made(found, &|at| from <= at && at <= to)))).await;
}

pub(super) async fn conditions_add_up(stocked: &Stocked) {
    let filter = Filter {
        text_ids: Some(names(&["several", "doc-1"])),
        label_ids: Some(names(&["PER"])),
        annotator_ids: Some(names(&["alice"])),
        date_from: Timestamp::parse("2026-02-01"),
        ..Filter::default()
    };
    check(stocked, filter, |document| match document.id.as_str() {
        "several" => Some(keep(document, |found| found.id == "x1")),
        "doc-1" => Some(keep(document, |_| false)),
        _ => None,
    })
    .await;
}

pub(super) async fn a_filter_that_matches_nothing_reads_nothing(stocked: &Stocked) {
    for ids in [&[][..], &["nobody"]] {
        check(stocked, Filter { text_ids: Some(names(ids)), ..Filter::default() }, |_| None).await;
        let filter = Filter { label_ids: Some(names(ids)), ..Filter::default() };
        check(stocked, filter, |document| Some(keep(document, |_| false))).await;
    }
}

pub(super) async fn what_is_not_included_is_not_read(stocked: &Stocked) {
    let selection = |metadata, relations| Selection {
        include: Include { metadata, relations, hierarchies: false },
        ..stocked.selection.clone()
    };
    let without_metadata = stocked.documents.iter().cloned().map(|mut document| {
        document.metadata = None;
        document.annotations.iter_mut().for_each(|annotation| annotation.attributes = None);
        document
    });
    let found = stocked.read_all(&selection(false, true), Partitions::Auto).await;
    assert_same(&found, &without_metadata.collect::<Vec<_>>(), "without metadata");
    let without_relations =
        stocked.documents.iter().cloned().map(|document| Document { relations: Vec::new(), ..document });
    let found = stocked.read_all(&selection(true, false), Partitions::Auto).await;
    assert_same(&found, &without_relations.collect::<Vec<_>>(), "without relations");
}

pub(super) async fn labels_are_known_when_asked_for(stocked: &Stocked) {
    let plan = stocked.plan(&stocked.selection, Partitions::Count(2), true).await;
    let annotations = || stocked.documents.iter().flat_map(|document| &document.annotations);
    let labels: BTreeSet<String> = annotations().map(|annotation| annotation.label.to_string()).collect();
    assert_eq!(plan.schema.labels, labels.into_iter().collect::<Vec<_>>());
    let relations = stocked.documents.iter().flat_map(|document| &document.relations);
    let types: BTreeSet<String> = relations.map(|relation| relation.kind.to_string()).collect();
    assert_eq!(plan.schema.relation_types, types.into_iter().collect::<Vec<_>>());

    let filter = Filter { annotator_ids: Some(names(&["bob"])), ..Filter::default() };
    let selection = Selection { filter, ..stocked.selection.clone() };
    let plan = stocked.plan(&selection, Partitions::Auto, true).await;
    assert_eq!(plan.schema.labels, ["PER"], "only the labels of the selection");
}

pub(super) async fn counts_are_right(stocked: &Stocked) {
    let count = stocked.source.count(&stocked.selection, Effort::Whole).await.unwrap();
    assert_eq!(count, Some(count_of(&stocked.documents)));
}

fn count_of(documents: &[Document]) -> SelectionCount {
    SelectionCount {
        texts: documents.len() as u64,
        annotations: documents.iter().map(|document| document.annotations.len() as u64).sum(),
    }
}

pub(super) async fn the_source_can_be_reached(stocked: &Stocked) {
    stocked.source.check().await.unwrap();
}

pub(super) async fn an_empty_source_has_no_partitions(stocked: &Stocked) {
    for cut in [Partitions::Auto, Partitions::Count(3)] {
        let plan = stocked.plan(&stocked.selection, cut, true).await;
        assert_eq!(stocked.source.first(&stocked.selection, 1).await.unwrap(), None);
        assert!(plan.partitions.is_empty() && plan.schema.labels.is_empty(), "{cut:?}");
    }
}

pub(super) async fn batches_hold_their_size(stocked: &Stocked) {
    let plan = stocked.plan(&stocked.selection, Partitions::Count(1), false).await;
    let mut stream = stocked.source.read(&stocked.selection, &plan.partitions[0]).await.unwrap();
    while let Some(batch) = stream.recv().await {
        let batch = batch.unwrap();
        let bytes: usize = batch.iter().map(weight_bytes).sum();
        assert!(!batch.is_empty(), "an empty batch wakes the encoder for nothing");
        assert!(batch.len() == 1 || bytes <= BATCH_BYTES, "{} documents of {bytes} bytes", batch.len());
    }
}

pub(super) async fn a_reader_may_leave(stocked: &Stocked) {
    let plan = stocked.plan(&stocked.selection, Partitions::Count(1), false).await;
    // More often than a pool has connections.
    for _ in 0..20 {
        let unread = stocked.source.read(&stocked.selection, &plan.partitions[0]).await.unwrap();
        drop(unread);
        let mut begun = stocked.source.read(&stocked.selection, &plan.partitions[0]).await.unwrap();
        assert!(begun.recv().await.unwrap().is_ok());
    }
    reads_what_was_loaded(stocked).await;
}

/// Compares document by document, so that a failure names one and does not print megabytes.
fn assert_same(found: &[Document], expected: &[Document], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        let (found, expected) = (without_empty_objects(found), without_empty_objects(expected));
        assert_eq!(found.id, expected.id, "{what}: the order of texts");
        assert!(found.text == expected.text, "{what}: the text of `{}`", found.id);
        assert_eq!(found.metadata, expected.metadata, "{what}: the metadata of `{}`", found.id);
        assert_eq!(found.tokens, expected.tokens, "{what}: the tokens of `{}`", found.id);
        assert_eq!(
            found.annotations.len(),
            expected.annotations.len(),
            "{what}: annotations of `{}`",
            found.id
        );
        for (found, expected) in found.annotations.iter().zip(&expected.annotations) {
            assert_eq!(found, expected, "{what}");
        }
        assert_eq!(found.relations, expected.relations, "{what}: the relations of `{}`", found.id);
    }
    assert_eq!(found.len(), expected.len(), "{what}: how many texts");
}

fn without_empty_objects(document: &Document) -> Document {
    let kept = |json: Option<Json>| json.filter(|json| !json.is_empty_object());
    let mut document = document.clone();
    document.metadata = kept(document.metadata.take());
    for annotation in &mut document.annotations {
        annotation.attributes = kept(annotation.attributes.take());
    }
    document
}
