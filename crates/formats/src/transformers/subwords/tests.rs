use serde_json::{Value, json};
use spanfleet_core::{Order, options::DataFiles};

use crate::testing::{document, export_text, order};

/// A WordPiece tokenizer that knows a few words.
fn tokenizer() -> Vec<u8> {
    let pieces = ["[UNK]", "[CLS]", "[SEP]", "ad", "##a", "met", "bo", "li", "."];
    let vocabulary: serde_json::Map<String, Value> =
        pieces.iter().zip(0..).map(|(piece, id)| ((*piece).to_owned(), Value::from(id))).collect();
    let normalizer = json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": null, "lowercase": true});
    let model = json!({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": vocabulary});
    let post_processor = json!({"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]});
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": post_processor, "decoder": null,
        "model": model})
    .to_string()
    .into_bytes()
}

fn order_with(options: &str) -> Order {
    let mut order = order("transformers", options);
    order.options.data_files = DataFiles::Lines;
    order.options.read_files(|_| Ok::<_, String>(tokenizer())).unwrap();
    order
}

fn rows(options: &str) -> Vec<Value> {
    let text = r#"{"id":"t","text":"Ada  met Bo Li.","annotations":[{"id":"1","start":0,"end":3,"label":"PER"},{"id":"2","start":9,"end":14,"label":"PER"}]}"#;
    let (lines, ledger) = export_text(&order_with(options), &[document(text)]);
    assert_eq!(ledger.counts.annotations_written, 2);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_first_token_of_a_word_carries_its_label() {
    let rows = rows(r#"{"tokenizer":{"file":"t.json"}}"#);
    assert_eq!(rows[0]["input_ids"], json!([1, 3, 4, 5, 6, 7, 8, 2]));
    assert_eq!(rows[0]["labels"], json!([-100, 1, -100, 0, 1, 2, 0, -100]));
    assert_eq!(rows[0]["word_ids"], json!([null, 0, 0, 1, 2, 3, 4, null]));
    assert_eq!(rows[0]["attention_mask"], json!([1, 1, 1, 1, 1, 1, 1, 1]));
    assert_eq!(
        (&rows[0]["offsets"][0], &rows[0]["offsets"][3]),
        (&json!({"start": 0, "end": 0}), &json!({"start": 5, "end": 8}))
    );
}

#[test]
fn all_tokens_of_a_word_carry_its_label_when_asked() {
    let rows = rows(r#"{"tokenizer":{"file":"t.json"},"label_subtokens":"all","label_scheme":"BILOU"}"#);
    // O, B-PER, I-PER, L-PER, U-PER.
    assert_eq!(rows[0]["labels"], json!([-100, 1, 3, 0, 1, 3, 0, -100]));
}

#[test]
fn no_window_begins_inside_a_span() {
    let rows = rows(r#"{"tokenizer":{"file":"t.json"},"max_length":6}"#);
    assert_eq!(
        (&rows[0]["labels"], &rows[1]["labels"]),
        (&json!([-100, 1, -100, 0, 1, -100]), &json!([-100, 1, 0, -100]))
    );
    assert_eq!((&rows[0]["window"], &rows[1]["window"]), (&json!(0), &json!(1)));
}

#[test]
fn windows_repeat_the_stride() {
    let rows = rows(r#"{"tokenizer":{"file":"t.json"},"max_length":6,"stride":1}"#);
    assert_eq!(rows[1]["input_ids"], json!([1, 6, 7, 8, 2]));
    assert_eq!(rows[1]["labels"], json!([-100, 1, 2, 0, -100]));
}

#[test]
fn what_leaves_no_room_or_is_no_tokenizer_is_refused() {
    let error = |order: &Order| crate::open(order).err().unwrap().to_string();
    let narrow = order_with(r#"{"tokenizer":{"file":"t.json"},"max_length":3,"stride":1}"#);
    assert!(error(&narrow).contains("leaves no room beside 2 special tokens"), "{}", error(&narrow));
    let mut broken = order("transformers", r#"{"tokenizer":{"file":"t.json"}}"#);
    broken.options.read_files(|_| Ok::<_, String>(b"{}".to_vec())).unwrap();
    assert!(error(&broken).contains("option `tokenizer` can't be"), "{}", error(&broken));
    let conll = order("conll", r#"{"tokenizer":{"file":"t.json"}}"#);
    assert!(
        error(&conll).ends_with("allowed: words, whitespace, gold, spacy with conll"),
        "{}",
        error(&conll)
    );
}
