use serde_json::{Value, json};
use spanfleet_core::Ledger;

use crate::testing::{document, export_text, order};

const EXAMPLE: &str = r#"{"id":"t","text":"😀 Ada\r\nmet Bo","metadata":{"n":1.50},"annotations":[
    {"id":"1","start":11,"end":13,"label":"NAME/PER"},{"id":"2","start":2,"end":5,"label":"PER"},
    {"id":"3","start":11,"end":13,"label":"PER"},{"id":"4","start":0,"end":1,"label":"X"},
    {"id":"5","label":"news"},{"id":"6","start":3,"end":3,"label":"X"}],
    "relations":[{"source":"2","target":"3","type":"met"},{"source":"2","target":"6","type":"met"}]}"#;

fn example(with_relations: bool) -> (String, Ledger) {
    let mut order = order("doccano", "{}");
    order.include.relations = with_relations;
    export_text(&order, &[document(EXAMPLE)])
}

#[test]
fn offsets_count_utf_16_units() {
    let (line, ledger) = example(false);
    let labels = r#"[[0,2,"X"],[3,6,"PER"],[12,14,"PER"]]"#;
    let expected = format!(
        r#"{{"id":"t","text":"😀 Ada\r\nmet Bo","label":{labels},"cats":["news"],"meta":{{"n":1.50}}}}"#
    );
    assert_eq!(line, expected + "\n");
    assert_eq!(ledger.counts.annotations_written, 4);
}

#[test]
fn relations_need_entities() {
    let (line, ledger) = example(true);
    let example: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(example["entities"][1], json!({"id": 2, "label": "PER", "start_offset": 3, "end_offset": 6}));
    assert_eq!(example["relations"], json!([{"id": 1, "from_id": 2, "to_id": 3, "type": "met"}]));
    assert_eq!(example.get("label"), None);
    assert_eq!((ledger.counts.relations_selected, ledger.counts.relations_written), (2, 1));
}
