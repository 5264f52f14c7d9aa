use serde_json::{Value, json};

use crate::testing::{document, export_text, order};

fn doc(options: &str, record: &str) -> Value {
    let mut order = order("spacy-json", options);
    order.include.relations = true;
    serde_json::from_str(&export_text(&order, &[document(record)]).0).unwrap()
}

#[test]
fn a_line_is_what_to_json_gives() {
    let doc = doc(
        "{}",
        r#"{"id":"t","text":"😀 Ada\r\nmet Bo Li","metadata":{"a":1},"annotations":[
            {"id":"1","start":2,"end":5,"label":"NAME/PER"},{"id":"2","start":11,"end":16,"label":"PER"},
            {"id":"3","start":11,"end":13,"label":"GIVEN"},{"id":"4","label":"news"}],
            "relations":[{"source":"1","target":"3","type":"met"}]}"#,
    );
    assert_eq!(
        doc["ents"],
        json!([{"start": 2, "end": 5, "label": "PER"}, {"start": 11, "end": 16, "label": "PER"}])
    );
    assert_eq!(doc["spans"]["sc"][1], json!({"start": 11, "end": 13, "label": "GIVEN", "kb_id": ""}));
    assert_eq!(doc["cats"], json!({"GIVEN": 0.0, "PER": 0.0, "news": 1.0}));
    assert_eq!(doc["relations"], json!([{"source": 0, "target": 1, "type": "met", "confidence": null}]));
    assert_eq!(doc["tokens"][2], json!({"id": 2, "start": 5, "end": 7}));
    assert_eq!((&doc["id"], &doc["metadata"]), (&json!("t"), &json!({"a": 1})));
}

#[test]
fn tags_stand_on_all_tokens_or_none() {
    let doc = doc(
        r#"{"tokenizer":"gold"}"#,
        r#"{"text":"Ada met.","tokens":[{"start":0,"end":3,"pos":"NNP"},{"start":4,"end":7},{"start":7,"end":8}]}"#,
    );
    assert_eq!(doc["tokens"][0], json!({"id": 0, "start": 0, "end": 3, "tag": "NNP"}));
    assert_eq!(doc["tokens"][2], json!({"id": 2, "start": 7, "end": 8, "tag": ""}));
    assert_eq!(doc["cats"], json!({}));
}
