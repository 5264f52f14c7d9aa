use serde_json::Value;
use spanfleet_core::Ledger;

use super::*;
use crate::testing::{document, export, export_text, order};

/// A question with two answers, one without an answer, an entity, and labels that SQuAD has no place for. The answer
/// stands behind a character of two UTF-16 units and a CR LF.
const ASKED: &str = r#"{"id":"t","text":"😀\r\nAda met Bo","metadata":{"title":"A meeting"},"annotations":[
    {"id":"1","start":3,"end":6,"label":"answer","attributes":{"question":"Who?","qa_id":"q1"}},
    {"id":"2","start":11,"end":13,"label":"answer","attributes":{"question":"Who?","qa_id":"q1"}},
    {"id":"3","label":"no_answer","attributes":{"question":"When?","qa_id":"q2","is_impossible":true,
        "plausible_answers":[{"text":"Ada","answer_start":3}]}},
    {"id":"4","start":11,"end":13,"label":"NAME/PER"},
    {"id":"5","label":"news"},
    {"id":"6","start":5,"end":5,"label":"answer","attributes":{"question":"Where?"}},
    {"id":"7","start":0,"end":1,"label":"X","fragments":[[0,1],[3,4]]}]}"#;

fn squad(options: &str) -> (Value, Ledger) {
    let (text, ledger) = export_text(&order("squad", options), &[document(ASKED)]);
    (serde_json::from_str(&text).unwrap(), ledger)
}

fn losses(ledger: &Ledger) -> String {
    let losses = ledger.losses(0).into_iter();
    losses.map(|loss| format!("{}:{}", loss.reason.as_str(), loss.count)).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_first_version_has_questions_with_answers() {
    let (squad, ledger) = squad("{}");
    let qas = json!([
        {"id": "q1", "question": "Who?", "answers": [
            {"text": "Ada", "answer_start": 3}, {"text": "Bo", "answer_start": 11}]},
        {"id": "t:2", "question": "PER", "answers": [{"text": "Bo", "answer_start": 11}]}
    ]);
    let paragraph = json!({"context": "😀\r\nAda met Bo", "qas": qas});
    assert_eq!(squad, json!({"version": "1.1", "data": [{"title": "A meeting", "paragraphs": [paragraph]}]}));
    assert_eq!(losses(&ledger), "empty_span:1 discontinuous:1 unrepresentable:2");
}

#[test]
fn the_second_version_has_questions_without_an_answer() {
    let (squad, ledger) = squad(r#"{"squad_version":2.0}"#);
    assert_eq!(squad["version"], "v2.0");
    let qas = &squad["data"][0]["paragraphs"][0]["qas"];
    assert_eq!(qas[0]["is_impossible"], false);
    assert_eq!(
        qas[1],
        json!({"id": "q2", "question": "When?", "answers": [], "is_impossible": true,
            "plausible_answers": [{"text": "Ada", "answer_start": 3}]})
    );
    assert_eq!(losses(&ledger), "empty_span:1 discontinuous:1 unrepresentable:1");
}

#[test]
fn that_there_is_no_answer_is_said_once_and_not_against_an_answer() {
    let record = r#"{"id":"t","text":"Ada","annotations":[
        {"id":"1","start":0,"end":3,"label":"answer","attributes":{"question":"Who?"}},
        {"id":"2","label":"no_answer","attributes":{"question":"Who?"}},
        {"id":"3","label":"no_answer","attributes":{"question":"When?"}},
        {"id":"4","label":"no_answer","attributes":{"question":"When?"}}]}"#;
    let (text, ledger) = export_text(&order("squad", r#"{"squad_version":"2.0"}"#), &[document(record)]);
    let squad: Value = serde_json::from_str(&text).unwrap();
    let qas = squad["data"][0]["paragraphs"][0]["qas"].as_array().unwrap().iter();
    assert_eq!(qas.map(|asked| asked["is_impossible"].clone()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(losses(&ledger), "unrepresentable:1 duplicate:1");
}

#[test]
fn a_file_without_texts_is_squad() {
    let empty = export(&order("squad", "{}"), &[]).0;
    assert_eq!(serde_json::from_slice::<Value>(&empty).unwrap(), json!({"version": "1.1", "data": []}));
}
