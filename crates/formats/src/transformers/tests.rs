use super::*;
use crate::SealedFile;
use crate::testing::{corpus, document, export, export_text, order, schema as schema_of};

fn card(order: &Order, documents: &[Document], files: Vec<SealedFile>) -> Vec<(String, String)> {
    let format = crate::open(order).unwrap();
    let (schema, ledger) = (schema_of(order, &[documents]), Ledger::default());
    let outcome =
        Outcome { files, labels: &[], ledger: &ledger, card: &spanfleet_core::card::Card::default() };
    let beside = format.beside(&schema, &outcome).into_iter();
    beside.map(|(path, content)| (path, String::from_utf8(content).unwrap())).collect()
}

fn sealed(split: &str, rows: u64) -> SealedFile {
    let notes = vec![json!({"rows": rows, "bytes": 10 * rows})];
    SealedFile { split: split.to_owned(), bytes: 5, texts: 1, notes, ..SealedFile::default() }
}

fn lines(options: &str, documents: &[Document]) -> (Vec<Value>, Ledger) {
    let mut order = order("transformers", options);
    order.options.data_files = DataFiles::Lines;
    order.include.relations = true;
    let (text, ledger) = export_text(&order, documents);
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), ledger)
}

fn loss_count(ledger: &Ledger, reason: &str) -> u64 {
    ledger.losses(0).iter().filter(|loss| loss.reason.as_str() == reason).map(|loss| loss.count).sum()
}

const ADA: &str = r#"{"id":"t","text":"Ada met Bo Li.","annotations":[
    {"id":"1","start":0,"end":3,"label":"PER"},{"id":"2","start":8,"end":13,"label":"PER"},
    {"id":"3","start":8,"end":10,"label":"NO"},{"id":"4","start":null,"end":null,"label":"news"}],
    "relations":[{"source":"1","target":"3","type":"met"},{"source":"1","target":"4","type":"met"}]}"#;

#[test]
fn tokens_have_the_ids_of_their_tags() {
    let (rows, ledger) = lines("{}", &[document(ADA)]);
    assert_eq!(rows[0]["tokens"], json!(["Ada", "met", "Bo", "Li", "."]));
    assert_eq!(rows[0]["offsets"][2], json!({"start": 8, "end": 10}));
    // O, B-NO, B-PER, B-news, I-NO, I-PER, I-news.
    assert_eq!(rows[0]["ner_tags"], json!([2, 0, 2, 5, 0]));
    assert_eq!((loss_count(&ledger, "overlap"), loss_count(&ledger, "unrepresentable")), (1, 3));
}

#[test]
fn spans_and_relations_stand_by_their_places() {
    let (rows, ledger) = lines(r#"{"task_type":"relation_extraction"}"#, &[document(ADA)]);
    assert_eq!(rows[0]["entities"][2], json!({"id": "3", "start": 8, "end": 10, "label": 0}));
    assert_eq!(rows[0]["relations"], json!([{"head": 0, "tail": 2, "type": 0}]));
    assert_eq!((loss_count(&ledger, "unrepresentable"), loss_count(&ledger, "endpoint_missing")), (1, 1));
}

#[test]
fn relations_have_to_be_included() {
    let error = crate::open(&order("transformers", r#"{"task_type":"relation_extraction"}"#)).err().unwrap();
    assert!(error.to_string().contains("with `include_relations` true"), "{error}");
}

#[test]
fn the_data_chooses_one_label_or_several() {
    let label =
        |id: &str, label: &str| format!(r#"{{"id":"{id}","start":null,"end":null,"label":"{label}"}}"#);
    let text = |labels: &str| document(&format!(r#"{{"id":"t","text":"x","annotations":[{labels}]}}"#));
    let one = text(&label("1", "b"));
    let two = text(&[label("1", "b"), label("2", "a"), label("3", "b")].join(","));
    let none = text("");
    let options = r#"{"task_type":"sequence_classification"}"#;
    let (rows, _) = lines(options, &[one.clone(), none.clone()]);
    assert_eq!((&rows[0]["label"], &rows[1]["label"]), (&json!(0), &json!(-1)));
    let (rows, ledger) = lines(options, &[one, none, two.clone()]);
    assert_eq!(rows[0]["labels"], json!([1]));
    assert_eq!((&rows[1]["labels"], &rows[2]["labels"]), (&json!([]), &json!([1, 0])));
    assert_eq!(loss_count(&ledger, "duplicate"), 1);
    let single = order("transformers", r#"{"task_type":"sequence_classification","multi_label":false}"#);
    let format = crate::open(&single).unwrap();
    let mut encoder = format.start(&schema_of(&single, &[std::slice::from_ref(&two)])).unwrap();
    let error = encoder.push(&two, &mut Vec::new(), &mut Ledger::default()).unwrap_err();
    assert!(error.message.contains("another label beside `a`"), "{error}");
}

#[test]
fn answers_to_a_question_stand_together() {
    let answer = |id: &str, place: &str, attributes: &str| {
        format!(r#"{{"id":"{id}",{place},"label":"answer","attributes":{{{attributes}}}}}"#)
    };
    let annotations = [
        answer("1", r#""start":0,"end":1"#, r#""question":"Who?","qa_id":"q1""#),
        answer("2", r#""start":1,"end":2"#, r#""question":"Who?","qa_id":"q1""#),
        answer("3", r#""start":null,"end":null"#, r#""question":"Why?""#),
        answer("4", r#""start":5,"end":9"#, r#""question":"When?""#),
        answer("5", r#""start":0,"end":1"#, ""),
    ];
    let text = format!(r#"{{"id":"t","text":"😀b","annotations":[{}]}}"#, annotations.join(","));
    let bare = document(r#"{"id":"u","text":"nothing asked"}"#);
    let (rows, ledger) = lines(r#"{"task_type":"question_answering"}"#, &[document(&text), bare]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["answers"], json!({"text": ["😀", "b"], "answer_start": [0, 1]}));
    assert_eq!((&rows[0]["id"], &rows[1]["id"]), (&json!("q1"), &json!("t:1")));
    assert_eq!(rows[1]["answers"], json!({"text": [], "answer_start": []}));
    assert_eq!((ledger.counts.texts, ledger.counts.annotations_written), (1, 3));
}

#[test]
fn the_card_names_splits_rows_and_quoted_labels() {
    let documents = [document(ADA)];
    let files = vec![sealed("train", 7), sealed("empty", 0), sealed("train", 2)];
    let beside = card(&order("transformers", "{}"), &documents, files);
    let readme = &beside[0].1;
    assert!(readme.starts_with("---\nconfigs:\n- config_name: default\n"), "{readme}");
    assert!(readme.contains("num_bytes: 90\n    num_examples: 9\n"), "{readme}");
    assert!(readme.contains("'1': \"B-NO\""), "{readme}");
    assert!(!readme.contains("empty"), "{readme}");
    let labels: Value = serde_json::from_str(&beside[1].1).unwrap();
    assert_eq!((&labels["label_to_id"]["O"], &labels["id_to_label"]["2"]), (&json!(0), &json!("B-PER")));
}

#[test]
fn names_are_quoted_so_that_yaml_reads_them_back() {
    assert_eq!(features::quoted("a\"\\\n\u{85}\u{2028}é😀"), "\"a\\\"\\\\\\u000a\\u0085\\u2028é😀\"");
}

#[test]
fn the_schema_carries_features() {
    let documents = corpus(ADA.replace('\n', " ").as_str());
    let bytes = export(&order("transformers", "{}"), &[&documents]).0;
    let content = String::from_utf8_lossy(&bytes);
    let names = r#""ner_tags":{"feature":{"names":["O","B-NO","B-PER","B-news","I-NO","I-PER","I-news"],"_type":"ClassLabel"},"_type":"Sequence"}"#;
    assert!(content.contains(names));
}
