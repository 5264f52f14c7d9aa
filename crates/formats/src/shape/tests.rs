use spanfleet_core::{Json, losses::Kind};

use super::*;
use crate::testing::{document, order};

const TEXT: &str = r#"{"id":"t","text":"Ada met Bo","metadata":{"a":1},
    "annotations":[{"id":"1","start":0,"end":3,"label":"NAME/PER","annotator":"alice","attributes":{"b":2}},
        {"id":"2","start":8,"end":10,"label":"NAME/PER","annotator":"bob"},
        {"id":"3","start":4,"end":7,"label":"VERB"}],
    "relations":[{"source":"1","target":"3","type":"does"},{"source":"3","target":"2","type":"to"},
        {"source":"1","target":"9","type":"no end"}]}"#;

fn shape(options: &str, change: impl FnOnce(&mut Order)) -> (Document, Ledger, Shaper) {
    let mut order = order("jsonl", options);
    order.include.relations = true;
    change(&mut order);
    let (mut shaper, mut document, mut ledger) = (Shaper::new(&order), document(TEXT), Ledger::default());
    shaper.shape(&mut document, &mut ledger);
    (document, ledger, shaper)
}

fn reasons(ledger: &Ledger) -> Vec<(Loss, Kind, u64)> {
    ledger.losses(0).iter().map(|entry| (entry.reason, entry.kind, entry.count)).collect()
}

#[test]
fn counts_what_was_selected() {
    let (document, ledger, shaper) = shape("{}", |_| ());
    let counts = ledger.counts;
    assert_eq!((counts.texts_selected, counts.annotations_selected, counts.relations_selected), (1, 3, 3));
    assert_eq!(reasons(&ledger), [(Loss::EndpointMissing, Kind::Relation, 1)]);
    assert_eq!(document.relations.len(), 2);
    assert_eq!(shaper.labels(), ["PER", "VERB"]);
}

#[test]
fn adjudication_takes_relations_along() {
    let (document, ledger, _) = shape(r#"{"annotators":{"only":["alice"]}}"#, |_| ());
    assert_eq!(document.annotations.len(), 1);
    let expected = [(Loss::EndpointMissing, Kind::Relation, 3), (Loss::Adjudicated, Kind::Annotation, 2)];
    assert!(expected.iter().all(|entry| reasons(&ledger).contains(entry)), "{:?}", reasons(&ledger));
}

#[test]
fn the_label_map_drops_and_renames() {
    let (document, ledger, shaper) = shape(r#"{"label_map":{"PER":"HUMAN","VERB":null}}"#, |_| ());
    assert_eq!(document.annotations.len(), 2);
    assert!(reasons(&ledger).contains(&(Loss::LabelDropped, Kind::Annotation, 1)));
    assert_eq!((ledger.changes(0)[0].reason, ledger.changes(0)[0].count), (Change::Relabelled, 2));
    assert_eq!(shaper.labels(), ["HUMAN"]);
}

#[test]
fn what_is_not_included_goes_without_a_loss() {
    let (document, ledger, _) = shape("{}", |order| {
        order.include.relations = false;
        order.include.metadata = false;
    });
    assert_eq!((document.relations.len(), ledger.counts.relations_selected), (0, 0));
    assert_eq!((document.metadata, &document.annotations[0].attributes), (None, &None));
    assert_eq!(reasons(&ledger), []);
}

#[test]
fn metadata_stays_by_default() {
    let (document, _, _) = shape("{}", |_| ());
    assert_eq!(document.metadata, Json::parse(r#"{"a":1}"#).ok());
}

#[test]
fn schemas_are_written_forms() {
    let (_, _, shaper) = shape(r#"{"label_map":{"LOC":null}}"#, |order| order.include.relations = false);
    let labels = ["LOC", "NAME/PER", "PER", "ART"].map(str::to_owned).to_vec();
    let schema =
        shaper.schema(&Schema { labels, relation_types: vec!["met".to_owned()], ..Schema::default() });
    let labels = vec!["ART".to_owned(), "PER".to_owned()];
    assert_eq!(schema, Schema { labels, ..Schema::default() });
}
