use serde_json::{Value, json};

use crate::testing::{document, export_text, order};

fn gliner(options: &str, record: &str) -> (Value, Vec<(&'static str, u64)>) {
    let (text, ledger) = export_text(&order("gliner", options), &[document(record)]);
    let mut examples: Value = serde_json::from_str(&text).unwrap();
    let losses = ledger.losses(0).into_iter().map(|loss| (loss.reason.as_str(), loss.count));
    (examples[0].take(), losses.collect())
}

#[test]
fn nested_spans_are_kept_and_the_last_token_included() {
    let (example, losses) = gliner(
        "{}",
        r#"{"text":"😀 Bank of\r\nBo Li","annotations":[
            {"id":"1","start":2,"end":16,"label":"ORG"},{"id":"2","start":11,"end":16,"label":"PER"},
            {"id":"3","start":11,"end":13,"label":"PER"},{"id":"4","start":11,"end":16,"label":"PER"},
            {"id":"5","label":"news"}]}"#,
    );
    assert_eq!(example["tokenized_text"], json!(["😀", "Bank", "of", "Bo", "Li"]));
    assert_eq!(example["ner"], json!([[1, 4, "ORG"], [3, 3, "PER"], [3, 4, "PER"]]));
    assert_eq!(losses, [("unrepresentable", 1), ("duplicate", 1)]);
}

#[test]
fn every_character_that_is_no_space_is_in_a_token() {
    let record = r#"{"text":" New York was\tbig","tokens":[{"start":1,"end":9},{"start":14,"end":17}],
        "annotations":[{"id":"1","start":14,"end":17,"label":"A"}]}"#;
    let (example, _) = gliner(r#"{"tokenizer":"gold"}"#, record);
    assert_eq!(example, json!({"tokenized_text": ["New York", "was", "big"], "ner": [[2, 2, "A"]]}));
}

#[test]
fn a_text_without_tokens_stays() {
    assert_eq!(gliner("{}", r#"{"text":" \n"}"#).0, json!({"tokenized_text": [], "ner": []}));
}
