use serde_json::{Value, json};

use crate::testing::{document, export_text, order};

const TASK: &str = r#"{"id":"t","text":"😀 Ada\r\nmet Bo Li","metadata":{"source":"x"},"annotations":[
    {"id":"1","start":2,"end":5,"label":"NAME/PER","annotator":"ann","confidence":0.5,
        "attributes":{"rank":0,"start":7}},
    {"id":"2","start":11,"end":15,"label":"PER","annotator":"ann"},
    {"id":"3","start":11,"end":16,"label":"PER","annotator":"ann"},
    {"id":"4","label":"news","annotator":"ann"}],
    "relations":[{"source":"1","target":"3","type":"met"},{"source":"1","target":"4","type":"met"}]}"#;

fn task(with_relations: bool, record: &str) -> Value {
    let mut order = order("prodigy", "{}");
    order.include.relations = with_relations;
    serde_json::from_str(&export_text(&order, &[document(record)]).0).unwrap()
}

#[test]
fn spans_know_their_tokens() {
    let task = task(false, TASK);
    let words: Vec<_> =
        task["tokens"].as_array().unwrap().iter().map(|token| token["text"].clone()).collect();
    assert_eq!(words, ["😀", "Ada", "\r\n", "met", "Bo", "L", "i"]);
    assert_eq!(
        task["tokens"][2],
        json!({"text": "\r\n", "start": 5, "end": 7, "id": 2, "ws": false, "disabled": true})
    );
    let first = json!({"start": 2, "end": 5, "token_start": 1, "token_end": 1, "label": "PER", "text": "Ada",
        "score": 0.5, "rank": 0});
    let second =
        json!({"start": 11, "end": 15, "token_start": 4, "token_end": 5, "label": "PER", "text": "Bo L"});
    let third =
        json!({"start": 11, "end": 16, "token_start": 4, "token_end": 6, "label": "PER", "text": "Bo Li"});
    assert_eq!(task["spans"], json!([first, second, third]));
    assert_eq!((&task["answer"], &task["meta"]), (&json!("accept"), &json!({"source": "x"})));
    assert_eq!((&task["_annotator_id"], &task["_session_id"]), (&json!("ann"), &json!("ann")));
    assert_eq!(task.get("relations"), None);
}

#[test]
fn labels_of_the_text_are_choices() {
    let task = task(false, TASK);
    assert_eq!(task["accept"], json!(["news"]));
    assert_eq!(task["options"], json!([{"id": "PER", "text": "PER"}, {"id": "news", "text": "news"}]));
}

#[test]
fn relations_name_the_last_tokens_of_their_ends() {
    let head = json!({"start": 2, "end": 5, "token_start": 1, "token_end": 1, "label": "PER"});
    let child = json!({"start": 11, "end": 16, "token_start": 4, "token_end": 6, "label": "PER"});
    let expected = json!([{"head": 1, "child": 6, "head_span": head, "child_span": child, "label": "met"}]);
    assert_eq!(task(true, TASK)["relations"], expected);
}

#[test]
fn several_annotators_are_nobody_s() {
    let task = task(
        false,
        r#"{"text":"Ada","annotations":[{"id":"1","start":0,"end":3,"label":"A","annotator":"ann"},
            {"id":"2","start":0,"end":3,"label":"B"}]}"#,
    );
    assert_eq!(task.get("_annotator_id"), None);
    assert_eq!(task.get("options"), None);
}
