use serde_json::{Value, json};
use spanfleet_core::Ledger;

use super::*;
use crate::testing::{document, export_text, order};
use crate::{Outcome, SealedFile};

const TASK: &str = r#"{"id":"t","text":"😀 Ada\r\nmet Bo","metadata":{"n":1.50},"annotations":[
    {"id":"1","start":2,"end":5,"label":"NAME/PER","annotator":"ann","confidence":0.5,"attributes":{"a":"b"}},
    {"id":"2","start":11,"end":13,"label":"PER","annotator":"ann"},
    {"id":"3","start":11,"end":13,"label":"PER","annotator":"bo"},
    {"id":"4","label":"news","annotator":"bo"},{"id":"5","label":"a \"b\" <c>","annotator":"bo"},
    {"id":"6","label":"news","annotator":"bo"},{"id":"7","start":9,"end":99,"label":"PER","annotator":"cy"}],
    "relations":[{"source":"1","target":"2","type":"met"},{"source":"1","target":"3","type":"met"},
        {"source":"3","target":"4","type":"met"},{"source":"1","target":"7","type":"met"}]}"#;

fn tasks() -> (Value, Ledger) {
    let mut order = order("label-studio", "{}");
    order.include.relations = true;
    let (text, ledger) = export_text(&order, &[document(TASK)]);
    (serde_json::from_str(&text).unwrap(), ledger)
}

#[test]
fn every_annotator_has_an_annotation() {
    let (tasks, ledger) = tasks();
    let region = |id, start, end, text| {
        json!({"id": id, "from_name": "label", "to_name": "text", "type": "labels",
            "value": {"start": start, "end": end, "text": text, "labels": ["PER"]}})
    };
    let mut first = region("1", 3, 6, "Ada");
    first["score"] = json!(0.5);
    first["meta"] = json!({"a": "b"});
    let met =
        json!({"type": "relation", "from_id": "1", "to_id": "2", "direction": "right", "labels": ["met"]});
    let annotations = &tasks[0]["annotations"];
    assert_eq!(annotations.as_array().unwrap().len(), 2);
    assert_eq!(annotations[0]["completed_by"], json!({"email": "ann"}));
    assert_eq!(annotations[0]["result"], json!([first, region("2", 12, 14, "Bo"), met]));
    let chosen = json!({"id": "4", "from_name": "choice", "to_name": "text", "type": "choices",
        "value": {"choices": ["news", "a \"b\" <c>"]}});
    assert_eq!(annotations[1]["result"], json!([region("3", 12, 14, "Bo"), chosen]));
    let losses = ledger.losses(0).into_iter().map(|loss| (loss.reason.as_str(), loss.kind as u8, loss.count));
    let expected =
        [("out_of_range", 1, 1), ("unrepresentable", 2, 2), ("endpoint_missing", 2, 1), ("duplicate", 1, 1)];
    assert_eq!(losses.collect::<Vec<_>>(), expected);
}

#[test]
fn the_configuration_declares_every_word() {
    let format = LabelStudio { order: order("label-studio", "{}") };
    let part = |labels: Value| SealedFile {
        notes: vec![json!({"labels": labels, "choices": ["a \"b\" <c>"], "relations": []})],
        ..SealedFile::default()
    };
    let files = vec![part(json!(["PER"])), part(json!(["LOC", "PER"]))];
    let outcome = Outcome {
        files,
        labels: &[],
        ledger: &Ledger::default(),
        card: &spanfleet_core::card::Card::default(),
    };
    let (path, content) = format.beside(&Schema::default(), &outcome).remove(0);
    assert_eq!(path, "config.xml");
    let content = String::from_utf8(content).unwrap();
    let tree = roxmltree::Document::parse(&content).unwrap();
    let values = |tag: &str| -> Vec<String> {
        let tags = tree.descendants().filter(|node| node.has_tag_name(tag));
        tags.filter_map(|node| node.attribute("value").map(str::to_owned)).collect()
    };
    assert_eq!(values("Label"), ["LOC", "PER"]);
    assert_eq!(values("Choice"), ["a \"b\" <c>"]);
    assert_eq!(values("Text"), ["$text"]);
    assert!(!content.contains("Relations"), "{content}");
}
