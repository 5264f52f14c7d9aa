//! What filters beyond those of the specification choose, in every source alike.

use serde_json::{Value, json};
use spanfleet_core::{Document, Filter, options::Partitions};

use super::Stocked;
use super::laws::{check, keep, names};
use crate::Selection;

fn filter(json: &Value) -> Filter {
    Filter::from_json(json.as_object().unwrap()).unwrap()
}

/// Texts as they are, by id.
async fn check_texts(stocked: &Stocked, asked: Value, expected: &[&str]) {
    let is_expected = |text: &Document| expected.contains(&text.id.as_str()).then(|| text.clone());
    check(stocked, filter(&asked), is_expected).await;
}

pub(super) async fn texts_are_chosen_by_metadata(stocked: &Stocked) {
    check_texts(stocked, json!({"metadata.source": "web's \"own\""}), &["voted"]).await;
    check_texts(stocked, json!({"metadata.ключ": "\"\\\u{1} значение 😀"}), &["unicode"]).await;
    // A number as a number, the rest as text, whatever the filter says.
    check_texts(stocked, json!({"metadata.z": 1.5}), &["doc-1"]).await;
    check_texts(stocked, json!({"metadata.z": "1.5"}), &["doc-1"]).await;
    check_texts(stocked, json!({"metadata.z": "'; DROP TABLE texts; --"}), &[]).await;
    check_texts(stocked, json!({"metadata.year": "2024"}), &["voted"]).await;
    check_texts(stocked, json!({"metadata.n": 7}), &["voted"]).await;
    check_texts(stocked, json!({"metadata.n": 7.5}), &[]).await;
    check_texts(stocked, json!({"metadata.m": true}), &["doc-1"]).await;
    check_texts(stocked, json!({"metadata.m": 1}), &[]).await;
    check_texts(stocked, json!({"metadata.deep.is": "false"}), &["voted"]).await;
    check_texts(stocked, json!({"metadata.a.b": ["y", "x", "\0"]}), &["doc-1"]).await;
    check_texts(stocked, json!({"metadata.a.y": 1, "metadata.m": true}), &[]).await;
    check_texts(stocked, json!({"metadata.a": "x"}), &[]).await;
    check_texts(stocked, json!({"metadata.nothing": "x"}), &[]).await;
    check_texts(stocked, json!({"metadata.m": []}), &[]).await;
    let both = json!({"metadata.m": true, "text_ids": ["doc-1", "voted", "7"]});
    check_texts(stocked, both, &["doc-1"]).await;
}

pub(super) async fn texts_are_chosen_by_what_is_on_them(stocked: &Stocked) {
    let bare = |text: &Document| text.annotations.is_empty().then(|| text.clone());
    check(stocked, filter(&json!({"has_annotations": false})), bare).await;
    let annotated = |text: &Document| (!text.annotations.is_empty()).then(|| text.clone());
    check(stocked, filter(&json!({"has_annotations": true})), annotated).await;
    // What counts is what the other conditions choose.
    let with_people = |text: &Document| {
        let chosen = keep(text, |found| &*found.label == "PER");
        (!chosen.annotations.is_empty()).then_some(chosen)
    };
    check(stocked, filter(&json!({"has_annotations": true, "labels": ["PER"]})), with_people).await;
    let without_people = |text: &Document| {
        let chosen = keep(text, |found| &*found.label == "PER");
        chosen.annotations.is_empty().then_some(chosen)
    };
    check(stocked, filter(&json!({"has_annotations": false, "labels": ["PER"]})), without_people).await;
    let few = json!({"has_annotations": true, "text_ids": ["empty", "7", "doc-1"], "metadata.m": true});
    check_texts(stocked, few, &["doc-1"]).await;
}

pub(super) async fn annotations_are_chosen_by_name_of_label(stocked: &Stocked) {
    let is_attack = |text: &Document| Some(keep(text, |found| &*found.label == "EVENT/Attack"));
    check(stocked, filter(&json!({"labels": ["Attack"]})), is_attack).await;
    check(stocked, filter(&json!({"labels": ["EVENT/Attack", "7"]})), is_attack).await;
    let both = json!({"labels": ["Attack", "ORG"], "label_ids": ["Attack", "PER"]});
    check(stocked, filter(&both), is_attack).await;
    check(stocked, filter(&json!({"labels": []})), |text| Some(keep(text, |_| false))).await;
}

pub(super) async fn annotations_are_chosen_by_agreement(stocked: &Stocked) {
    let left = |text: &Document, ids: &[&str]| {
        let is_alone = text.id != "voted";
        keep(text, |found| is_alone || ids.contains(&found.id.as_str()))
    };
    let two_of_three = |text: &Document| Some(left(text, &["v1", "v2", "v3", "w1", "w2"]));
    check(stocked, filter(&json!({"min_agreement": 0.5})), two_of_three).await;
    check(stocked, filter(&json!({"min_agreement": 0.0})), |text| Some(text.clone())).await;
    check(stocked, filter(&json!({"min_agreement": 1})), |text| Some(left(text, &[]))).await;
    let agreed = json!({"min_agreement": 1, "has_annotations": true});
    let with_any = |text: &Document| Some(left(text, &[])).filter(|left| !left.annotations.is_empty());
    check(stocked, filter(&agreed), with_any).await;
    let disputed = json!({"min_agreement": 1, "has_annotations": false});
    let with_none = |text: &Document| Some(left(text, &[])).filter(|left| left.annotations.is_empty());
    check(stocked, filter(&disputed), with_none).await;
}

/// Of alice and bob alone, both made `v1`, and only alice made `w2`.
pub(super) async fn agreement_counts_what_is_chosen(stocked: &Stocked) {
    let mut asked =
        filter(&json!({"min_agreement": 1, "text_ids": ["voted", "several"], "date_to": "2026-01-31"}));
    asked.annotator_ids = Some(names(&["alice", "bob"]));
    check(stocked, asked, |text| match text.id.as_str() {
        "voted" => Some(keep(text, |found| found.id.starts_with('v'))),
        "several" => Some(keep(text, |_| false)),
        _ => None,
    })
    .await;
}

pub(super) async fn labels_are_those_of_the_filtered(stocked: &Stocked) {
    for (asked, expected) in [
        (json!({"metadata.year": 2024}), vec!["ORG", "PER", "news"]),
        (json!({"metadata.year": 2024, "min_agreement": 0.5}), vec!["PER"]),
        (json!({"labels": ["PER"], "has_annotations": true}), vec!["PER"]),
        (json!({"has_annotations": false}), vec![]),
    ] {
        let selection = Selection { filter: filter(&asked), ..stocked.selection.clone() };
        let plan = stocked.plan(&selection, Partitions::Count(2), true).await;
        assert_eq!(plan.schema.labels, expected, "{asked}");
    }
}
