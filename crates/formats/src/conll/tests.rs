use spanfleet_core::{Change, Document, Ledger, Loss, losses::Kind};

use super::*;
use crate::testing::{corpus, export, export_text, order};

fn check(options: &str, lines: &str, expected: &str) -> Ledger {
    let (conll, ledger) = export_text(&order("conll", options), &corpus(lines));
    assert_eq!(conll, expected, "{options}");
    ledger
}

const ADA: &str = r#"{"id":"t","text":"Ada met Bo Li.","annotations":[{"id":"1","start":0,"end":3,"label":"PER"},{"id":"2","start":8,"end":13,"label":"PER"}],"tokens":[{"start":0,"end":3,"pos":"NNP","lemma":"Ada","chunk":"B-NP"},{"start":4,"end":7,"pos":"VBD","lemma":"meet it"}]}"#;

#[test]
fn two_columns_by_default() {
    let ledger = check("{}", ADA, "Ada\tB-PER\nmet\tO\nBo\tB-PER\nLi\tI-PER\n.\tO\n\n");
    assert_eq!((ledger.counts.texts, ledger.counts.tokens, ledger.counts.annotations_written), (1, 5, 2));
}

#[test]
fn columns_stand_in_the_order_asked_for() {
    let options = r#"{"columns":["token","pos","chunk","label","lemma"],"label_scheme":"BILOU"}"#;
    let lines = "Ada\tNNP\tB-NP\tU-PER\tAda\nmet\tVBD\t_\tO\tmeet_it\nBo\t_\t_\tB-PER\t_\nLi\t_\t_\tL-PER\t_\n.\t_\t_\tO\t_\n\n";
    let ledger = check(options, ADA, lines);
    assert_eq!(ledger.changes(0)[0].reason, Change::Cleaned);
}

#[test]
fn columns_need_a_token_and_a_label() {
    for columns in ["token", "label,pos", "token,label,label"] {
        let error = open(columns).err().unwrap();
        assert_eq!((error.key.as_str(), error.what), ("columns", "option"));
    }
    assert!(open("label,token").is_ok());
    let other = make(&order("conll", r#"{"task_type":"language_modeling"}"#)).err().unwrap();
    assert_eq!(other.key, "task_type");
}

fn open(columns: &str) -> Result<Box<dyn Format>, OptionError> {
    make(&order("conll", &json!({"columns": columns}).to_string()))
}

#[test]
fn line_breaks_end_sentences_unless_a_span_crosses() {
    let lines = r#"{"id":"t","text":"a\nb\nc d","annotations":[{"id":"1","start":2,"end":5,"label":"X"}]}"#;
    check("{}", lines, "a\tO\n\nb\tB-X\nc\tI-X\nd\tO\n\n");
    let touching = r#"{"id":"t","text":"a\nb c","annotations":[{"id":"1","start":0,"end":1,"label":"X"},{"id":"2","start":2,"end":3,"label":"X"},{"id":"3","start":4,"end":5,"label":"X"}]}"#;
    check(r#"{"label_scheme":"IOB1"}"#, touching, "a\tI-X\n\nb\tI-X\nc\tB-X\n\n");
}

#[test]
fn texts_without_tokens_are_lost_with_all_on_them() {
    let lines = r#"{"id":"t","text":" \u00a0","annotations":[{"id":"1","start":0,"end":1,"label":"X"},{"id":"2","label":"Y"}]}"#;
    let ledger = check("{}", lines, "");
    let losses: Vec<_> = ledger.losses(0).iter().map(|e| (e.reason, e.kind, e.count)).collect();
    let unrepresentable = Loss::Unrepresentable;
    assert_eq!(losses, [(unrepresentable, Kind::Text, 1), (unrepresentable, Kind::Annotation, 2)]);
}

#[test]
fn relations_are_counted_losses() {
    let mut order = order("conll", "{}");
    order.include.relations = true;
    let lines = r#"{"id":"t","text":"a b","annotations":[{"id":"1","start":0,"end":1,"label":"X"}],"relations":[{"source":"1","target":"1","type":"r"}]}"#;
    let (_, ledger) = export_text(&order, &corpus(lines));
    assert_eq!(ledger.losses(0)[0].kind, Kind::Relation);
}

#[test]
fn labels_with_white_space_are_encoded_and_counted() {
    let lines = r#"{"id":"t","text":"a b","annotations":[{"id":"1","start":0,"end":1,"label":"MY LABEL"},{"id":"2","start":2,"end":3,"label":"MY_LABEL"}]}"#;
    let ledger = check("{}", lines, "a\tB-MY%20LABEL\nb\tB-MY_LABEL\n\n");
    assert_eq!((ledger.changes(0)[0].reason, ledger.changes(0)[0].count), (Change::Relabelled, 1));
}

#[test]
fn gold_tokens_keep_spaces_but_no_column_marks() {
    let lines = r#"{"id":"t","text":"😳  a\tb","tokens":[{"start":0,"end":2},{"start":2,"end":2},{"start":3,"end":6}]}"#;
    let ledger = check(r#"{"tokenizer":"gold"}"#, lines, "😳 \tO\n\tO\na_b\tO\n\n");
    assert_eq!((ledger.changes(0)[0].reason, ledger.changes(0)[0].kind), (Change::Cleaned, Kind::Text));
}

#[test]
fn orphan_tags_come_back() {
    let lines = r#"{"id":"t","text":"a b","annotations":[{"id":"1","start":0,"end":1,"label":"X","attributes":{"irregular":"I-X"}},{"id":"2","start":2,"end":3,"label":"Y","attributes":{"irregular":"I-X"}}],"tokens":[{"start":0,"end":1},{"start":2,"end":3}]}"#;
    check(r#"{"tokenizer":"gold"}"#, lines, "a\tI-X\nb\tB-Y\n\n");
    check(r#"{"tokenizer":"gold","label_scheme":"IOB1"}"#, lines, "a\tI-X\nb\tI-Y\n\n");
    check("{}", lines, "a\tB-X\nb\tB-Y\n\n");
}

const DOCS: &str = r#"{"id":"1","text":"a","metadata":{"file":"f","doc":1}}
{"id":"2","text":"b","metadata":{"file":"f","doc":1}}
{"id":"3","text":"c","metadata":{"file":"g","doc":1}}
{"id":"4","text":"d"}
{"id":"5","text":"e","metadata":{"doc":{"no":"scalar"}}}
{"id":"6","text":"  ","metadata":{"doc":"x"}}
{"id":"7","text":"f","metadata":{"doc":"x"}}"#;

#[test]
fn documents_start_with_their_line() {
    // Texts of no document don't join the one before them.
    let all = ["", "a\tO\n\nb\tO\n\n", "c\tO\n\n", "d\tO\n\ne\tO\n\n", "f\tO\n\n"].join("-DOCSTART-\tO\n\n");
    check("{}", DOCS, &all);
    let always = all.replace("e\tO", "-DOCSTART-\tO\n\ne\tO");
    check(r#"{"docstart":true}"#, DOCS, &always);
    check(r#"{"docstart":false}"#, DOCS, &all.replace("-DOCSTART-\tO\n\n", ""));
    let four = r#"{"columns":["token","pos","chunk","label"]}"#;
    check(four, r#"{"id":"1","text":"a","metadata":{"doc":1}}"#, "-DOCSTART- -X- O O\n\na\t_\t_\tO\n\n");
}

#[test]
fn a_mark_at_the_beginning_is_none_of_the_file() {
    let marked = "{\"id\":\"1\",\"text\":\"\u{feff}a b\"}";
    check("{}", marked, "\n\u{feff}\tO\na\tO\nb\tO\n\n");
    check(r#"{"docstart":true}"#, marked, "-DOCSTART-\tO\n\n\u{feff}\tO\na\tO\nb\tO\n\n");
    check("{}", &format!("{{\"id\":\"0\",\"text\":\"c\"}}\n{marked}"), "c\tO\n\n\u{feff}\tO\na\tO\nb\tO\n\n");
}

#[test]
fn styles_of_the_shared_tasks_part_by_a_space() {
    let two = "Ada B-PER\nmet O\nBo B-PER\nLi I-PER\n. O\n\n";
    check(r#"{"conll_style":"conll2002"}"#, ADA, two);
    let three = "Ada NNP B-PER\nmet VBD O\nBo _ B-PER\nLi _ I-PER\n. _ O\n\n";
    check(r#"{"conll_style":"conll2002","include_pos":true}"#, ADA, three);
    let four = "Ada NNP B-NP B-PER\nmet VBD _ O\nBo _ _ B-PER\nLi _ _ I-PER\n. _ _ O\n\n";
    check(r#"{"conll_style":"conll2003"}"#, ADA, four);
    let spaced =
        r#"{"id":"1","text":"a b","metadata":{"doc":1},"tokens":[{"start":0,"end":3},{"start":3,"end":3}]}"#;
    let ledger = check(
        r#"{"conll_style":"conll2003","tokenizer":"gold"}"#,
        spaced,
        "-DOCSTART- -X- O O\n\na_b _ _ O\n_ _ _ O\n\n",
    );
    assert_eq!(ledger.changes(0)[0].reason, Change::Cleaned);
    let dutch = r#"{"conll_style":"conll2002","include_pos":true}"#;
    check(dutch, spaced, "-DOCSTART- -DOCSTART- O\n\na _ O\nb _ O\n\n");
    let error = make(&order("conll", r#"{"conll_style":"conll2003","include_lemma":true}"#)).err().unwrap();
    assert!(
        error.to_string().ends_with("allowed: token, pos, chunk, label with conll_style=conll2003"),
        "{error}"
    );
}

#[test]
fn universal_dependencies_have_ten_columns() {
    let options = r#"{"conll_style":"conllu"}"#;
    let texts = r##"{"id":"a b","text":"#Ada went.\nOk","metadata":{"file":"f","doc":1},"annotations":[{"id":"1","start":1,"end":4,"label":"A|B C"}],"tokens":[{"start":0,"end":1},{"start":1,"end":4,"pos":"PROPN","lemma":"Ada"},{"start":5,"end":9,"pos":"VBD"}]}
{"id":"c","text":"x"}"##;
    let expected = [
        "# newdoc id = f-1",
        "# sent_id = a b-1",
        "# text = #Ada went.",
        "1\t#\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No",
        "2\tAda\tAda\tPROPN\t_\t_\t_\t_\t_\tNER=B-A%7CB%20C",
        "3\twent\t_\t_\tVBD\t_\t_\t_\t_\tSpaceAfter=No",
        "4\t.\t_\t_\t_\t_\t_\t_\t_\t_",
        "",
        "# sent_id = a b-2",
        "# text = Ok",
        "1\tOk\t_\t_\t_\t_\t_\t_\t_\t_",
        "",
        "# newdoc",
        "# sent_id = c-1",
        "# text = x",
        "1\tx\t_\t_\t_\t_\t_\t_\t_\t_",
        "",
        "",
    ];
    let ledger = check(options, texts, &expected.join("\n"));
    assert_eq!(ledger.changes(0)[0].reason, Change::Relabelled);
}

#[test]
fn documents_start_once_wherever_parts_are_cut() {
    let documents: Vec<Document> = corpus(DOCS);
    let conllu = r#"{"conll_style":"conllu"}"#;
    for options in ["{}", r#"{"docstart":true}"#, r#"{"docstart":false}"#, conllu] {
        let order = order("conll", options);
        let whole = export(&order, &[&documents]).0;
        for (one, two) in
            (0..=documents.len()).flat_map(|one| (one..=documents.len()).map(move |two| (one, two)))
        {
            let parts = [&documents[..one], &documents[one..two], &documents[two..]];
            assert_eq!(export(&order, &parts).0, whole, "{options} {one} {two}");
        }
    }
}
