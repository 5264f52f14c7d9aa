use spanfleet_core::losses::Kind;

use super::*;
use crate::support::tokenize::Tokenizer;
use crate::testing::order;

/// Labels `spans` (start, end, label) of a text; the result reads `label:first-last …` and `reason:count …`.
fn label(options: &str, text: &str, spans: &[(u32, u32, &str)]) -> Result<(String, String), EncodeError> {
    label_document(options, &with_spans(text, spans))
}

fn with_spans(text: &str, spans: &[(u32, u32, &str)]) -> Document {
    let annotation = |(at, (start, end, label)): (usize, &(u32, u32, &str))| Annotation {
        id: format!("a{}", at + 1).into(),
        extent: Extent::Span { start: *start, end: *end },
        label: (*label).into(),
        annotator: None,
        confidence: Some(0.5 + at as f64 / 100.0),
        attributes: None,
        created_at: None,
    };
    let annotations = spans.iter().enumerate().map(annotation).collect();
    Document { id: "t".into(), text: text.to_owned(), annotations, ..Document::default() }
}

fn label_document(options: &str, document: &Document) -> Result<(String, String), EncodeError> {
    let options = order("conll", options).options;
    let (chars, mut tokenizer) = (CharIndex::new(&document.text), Tokenizer::new(options.tokenizer));
    let (tokens, origin) = tokenizer.tokenize(document, &chars);
    let (mut labeller, mut names, mut ledger) =
        (Labeller::new(&options), LabelNames::new(&options), Ledger::default());
    let input = Tokenized { document, chars: &chars, tokens, origin };
    let runs = labeller.label(input, &mut names, &mut ledger)?.to_vec();
    ledger.counts.annotations_selected = document.annotations.len() as u64;
    assert!(ledger.balances(), "{ledger:?}");
    let run = |run: &Run| {
        format!("{}:{}-{}", document.annotations[run.annotation as usize].label, run.first, run.last)
    };
    let losses = ledger.losses(0).into_iter().map(|entry| (entry.reason.as_str(), entry.count));
    let changes = ledger.changes(0).into_iter().map(|entry| (entry.reason.as_str(), entry.count));
    let words: Vec<_> = losses.chain(changes).map(|(word, count)| format!("{word}:{count}")).collect();
    Ok((runs.iter().map(run).collect::<Vec<_>>().join(" "), words.join(" ")))
}

fn check(options: &str, text: &str, spans: &[(u32, u32, &str)], runs: &str, counted: &str) {
    let found = label(options, text, spans).unwrap();
    assert_eq!((found.0.as_str(), found.1.as_str()), (runs, counted), "{options} {spans:?}");
}

#[test]
fn spans_that_fit_are_written() {
    check("{}", "Ada met Bo 😀 .", &[(0, 3, "P"), (8, 12, "Q")], "P:0-0 Q:2-3", "");
}

#[test]
fn spans_that_mark_nothing_are_lost() {
    let spans = [(0, 99, "P"), (2, 1, "P"), (1, 1, "P"), (3, 4, "P"), (99, 99, "P")];
    check("{}", "Ada met", &spans, "", "out_of_range:3 empty_span:2");
}

#[test]
fn alignments() {
    let (text, spans) = ("unbelievable story here", [(2, 15, "P"), (1, 3, "Q")]);
    check(r#"{"overlap":"first"}"#, text, &spans, "P:0-1", "overlap:1 expanded:1");
    check(
        r#"{"alignment":"contract"}"#,
        text,
        &[(2, 18, "P"), (20, 22, "Q")],
        "P:1-1",
        "misaligned:1 contracted:1",
    );
    check(r#"{"alignment":"strict"}"#, text, &[(0, 12, "P"), (13, 16, "Q")], "P:0-0", "misaligned:1");
    check(r#"{"alignment":"contract"}"#, "abc", &[(1, 2, "P")], "", "misaligned:1");
}

#[test]
fn edges_are_trimmed_under_every_alignment() {
    for alignment in ["expand", "contract", "strict"] {
        let options = format!(r#"{{"alignment":"{alignment}"}}"#);
        check(&options, "a \u{a0}bc\n d", &[(1, 6, "P")], "P:1-1", "trimmed:1");
    }
}

#[test]
fn overlaps_follow_the_policy() {
    let (text, spans) = ("a b c d e", [(4, 7, "X"), (0, 5, "Y"), (4, 5, "Z"), (6, 9, "W")]);
    check("{}", text, &spans, "Y:0-2 W:3-4", "overlap:2");
    check(r#"{"overlap":"first"}"#, text, &spans, "X:2-3", "overlap:3");
    check(r#"{"overlap":"confidence"}"#, text, &spans, "Z:2-2 W:3-4", "overlap:2");
    let error = label(r#"{"overlap":"error"}"#, text, &spans).unwrap_err();
    assert_eq!(error.text.as_deref(), Some("t"));
    for name in ["`a1`", "`a2`", "`t`", "longest"] {
        assert!(error.message.contains(name), "{error}");
    }
}

#[test]
fn the_same_twice_is_a_duplicate() {
    check(
        r#"{"overlap":"error"}"#,
        "Ada met",
        &[(0, 3, "P"), (0, 3, "P"), (0, 2, "P")],
        "P:0-0",
        "duplicate:2",
    );
    check("{}", "Ada met", &[(0, 3, "P"), (0, 3, "Q")], "P:0-0", "overlap:1");
    check(r#"{"label_map":{"Q":"P"}}"#, "Ada met", &[(0, 3, "P"), (0, 3, "Q")], "P:0-0", "duplicate:1");
}

#[test]
fn touching_spans_merge_under_io_unless_a_line_ends_between() {
    let io = r#"{"label_scheme":"IO"}"#;
    check(io, "a b c", &[(0, 1, "P"), (2, 3, "P"), (4, 5, "Q")], "P:0-0 P:1-1 Q:2-2", "unrepresentable:1");
    check(io, "a\nb c", &[(0, 1, "P"), (2, 3, "P")], "P:0-0 P:1-1", "");
    check("{}", "a b c", &[(0, 1, "P"), (2, 3, "P")], "P:0-0 P:1-1", "");
}

#[test]
fn fragments_and_texts_have_no_run() {
    let mut document = with_spans("a b c", &[(0, 1, "P"), (2, 3, "Q"), (4, 5, "R")]);
    document.annotations[0].extent = Extent::Text;
    document.annotations[1].extent = Extent::Fragments(vec![(0, 1), (4, 5)]);
    document.annotations[2].extent = Extent::Fragments(vec![(4, 5)]);
    let found = label_document("{}", &document).unwrap();
    assert_eq!(found, ("R:2-2".to_owned(), "discontinuous:1 unrepresentable:1".to_owned()));
}

#[test]
fn gold_tokens_with_spaces_gaps_and_no_character() {
    let gold = r#"{"tokenizer":"gold"}"#;
    let token = |start, end| spanfleet_core::Token { start, end, ..spanfleet_core::Token::default() };
    let mut document = with_spans("😳  word bc", &[(0, 3, "S"), (3, 10, "G"), (4, 6, "N")]);
    document.tokens = Some(vec![token(0, 2), token(2, 2), token(2, 3), token(8, 10)]);
    let found = label_document(gold, &document).unwrap();
    assert_eq!(found, ("S:0-2 G:3-3".to_owned(), "misaligned:1 contracted:1".to_owned()));
}

#[test]
fn a_hundred_thousand_nested_spans_are_compared_by_search() {
    let text = "ab ".repeat(200_000);
    let nested: Vec<_> = (0..100_000_u32).map(|n| (n * 3, 600_000 - n * 3, "P")).collect();
    let found = label("{}", &text, &nested).unwrap();
    assert_eq!(found, ("P:0-199999".to_owned(), "overlap:99999 trimmed:1".to_owned()));
    let found = label(r#"{"overlap":"confidence"}"#, &text, &nested).unwrap();
    assert_eq!(found.1, "overlap:99999 trimmed:1");
}

#[test]
fn losses_name_their_annotations() {
    let document = with_spans("a b", &[(0, 3, "P"), (0, 1, "Q")]);
    let options = order("conll", "{}").options;
    let (chars, mut tokenizer) = (CharIndex::new(&document.text), Tokenizer::new(options.tokenizer));
    let (tokens, origin) = tokenizer.tokenize(&document, &chars);
    let (mut names, mut ledger) = (LabelNames::new(&options), Ledger::default());
    let input = Tokenized { document: &document, chars: &chars, tokens, origin };
    Labeller::new(&options).label(input, &mut names, &mut ledger).unwrap();
    let losses = ledger.losses(9);
    assert_eq!((losses[0].kind, losses[0].examples[0].annotation.as_deref()), (Kind::Annotation, Some("a2")));
}
