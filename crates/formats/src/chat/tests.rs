use serde_json::{Value, json};
use spanfleet_core::Ledger;

use super::*;
use crate::testing::{document, export_text, order};

const TEXT: &str = r#"{"id":"t","text":"😀 Ada\r\nmet Bo","annotations":[
    {"id":"1","start":11,"end":13,"label":"PER"},{"id":"2","start":2,"end":5,"label":"NAME/PER"},
    {"id":"3","label":"news"},{"id":"4","start":0,"end":99,"label":"X"},
    {"id":"5","start":2,"end":5,"label":"PER","attributes":{"question":"Who met?","qa_id":7}}],
    "relations":[{"source":"2","target":"1","type":"met"}]}"#;

fn chat(options: &str) -> (Vec<Value>, Ledger) {
    let mut order = order("chat", "{}");
    order.options = crate::testing::order("chat", options).options;
    order.include.relations = true;
    let (text, ledger) = export_text(&order, &[document(TEXT)]);
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), ledger)
}

fn turns(conversation: &Value) -> Vec<(&str, &str)> {
    let messages = conversation["messages"].as_array().unwrap().iter();
    messages.map(|turn| (turn["role"].as_str().unwrap(), turn["content"].as_str().unwrap())).collect()
}

#[test]
fn spans_are_answered_in_the_order_of_the_text() {
    let (lines, ledger) = chat(r#"{"instruction":"Which of {labels}?","system_message":"You label."}"#);
    let answer = r#"{"spans":[{"text":"Ada","label":"PER","start":2,"end":5},{"text":"Bo","label":"PER","start":11,"end":13}]}"#;
    let asked = "Which of [\"PER\",\"X\",\"news\"]?\n\n😀 Ada\r\nmet Bo";
    assert_eq!(turns(&lines[0]), [("system", "You label."), ("user", asked), ("assistant", answer)]);
    assert_eq!((ledger.counts.annotations_written, ledger.counts.relations_written), (2, 0));
}

#[test]
fn every_task_has_an_answer() {
    for (task_type, expected) in [
        ("sequence_classification", r#"{"labels":["news"]}"#),
        ("question_answering", r#"{"answers":[{"text":"Ada","start":2,"end":5}]}"#),
    ] {
        let (lines, _) = chat(&format!(r#"{{"task_type":"{task_type}"}}"#));
        let turns = turns(&lines[0]);
        assert_eq!(turns[1], ("assistant", expected));
        assert!(turns[0].1.ends_with("\n\n😀 Ada\r\nmet Bo"), "{task_type}: {}", turns[0].1);
    }
    let (lines, ledger) = chat(r#"{"task_type":"relation_extraction"}"#);
    let turns = turns(&lines[0]);
    assert!(turns[1].1.ends_with(r#""relations":[{"head":0,"tail":1,"type":"met"}]}"#), "{}", turns[1].1);
    assert!(turns[0].1.contains(r#"of these types: ["met"]"#), "{}", turns[0].1);
    assert_eq!(ledger.counts.relations_written, 1);
}

#[test]
fn what_is_no_conversation_is_refused() {
    let error =
        crate::open(&order("chat", r#"{"task_type":"language_modeling"}"#)).err().unwrap().to_string();
    assert!(error.contains("`language_modeling`") && error.contains("no conversation"), "{error}");
    let error =
        crate::open(&order("chat", r#"{"task_type":"relation_extraction"}"#)).err().unwrap().to_string();
    assert!(error.contains("include_relations"), "{error}");
    assert_eq!(schema()["properties"]["messages"]["minItems"], json!(2));
}
