use super::*;
use crate::{Position, Reader, Rejected};

fn read(lines: &str) -> Vec<Result<Document, Rejected>> {
    let names = FileNames::new("data/corpus.jsonl");
    let mut reader = Reader::new(lines.as_bytes(), &Jsonl, &names, Position::default());
    std::iter::from_fn(|| reader.next_document().unwrap()).collect()
}

fn good(line: &str) -> Document {
    read(line).remove(0).unwrap()
}

fn refused(line: &str, expected: &str) {
    let message = read(line).remove(0).unwrap_err().error.to_string();
    assert_eq!(message, format!("data/corpus.jsonl:1:{expected}"));
}

#[test]
fn the_example_of_the_contract_is_read() {
    let document = good(
        r#"{"id": "doc-1", "text": "Ada met Bo.", "metadata": {"source": "news"},
        "annotations": [{"id": "a1", "start": 0, "end": 3, "label": "PER", "annotator": "alice", "confidence": 0.9,
        "attributes": {"nom": true}, "created_at": "2026-01-02T03:04:05Z"}, {"id": "a2", "start": 8, "end": 10, "label": "PER"}],
        "relations": [{"source": "a1", "target": "a2", "type": "met", "confidence": 1.0}],
        "tokens": [{"start": 0, "end": 3, "pos": "NNP", "lemma": "Ada"}]}"#
            .replace('\n', " ")
            .as_str(),
    );
    assert_eq!((document.id.as_str(), document.text.as_str()), ("doc-1", "Ada met Bo."));
    let first = &document.annotations[0];
    assert_eq!(first.extent, Extent::Span { start: 0, end: 3 });
    assert_eq!(
        (&*first.label, first.annotator.as_deref(), first.confidence),
        ("PER", Some("alice"), Some(0.9))
    );
    assert_eq!(first.attributes.as_ref().unwrap().as_str(), r#"{"nom":true}"#);
    assert_eq!(first.created_at, Timestamp::parse("2026-01-02T03:04:05Z"));
    assert_eq!(&*document.relations[0].kind, "met");
    assert_eq!(document.tokens.unwrap()[0].pos.as_deref(), Some("NNP"));
}

#[test]
fn only_the_text_is_needed_and_null_is_absent() {
    let read = read("{\"text\":\"a\"}\n\n{\"text\":\"b\"}\n");
    let ids: Vec<_> = read.into_iter().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["corpus-1", "corpus-2"]);
    let nulls = r#"{"id":null,"text":"a","metadata":null,"annotations":null,"relations":null,"tokens":null}"#;
    assert_eq!(good(nulls), Document { id: "corpus-1".into(), text: "a".into(), ..Document::default() });
}

#[test]
fn extents_take_every_shape() {
    let shapes = r#"{"text":"abcdef","annotations":[{"label":"T"},{"label":"S","start":1,"end":1,"fragments":null},
        {"label":"F","start":0,"end":6,"fragments":[[4,6],[0,2]]},{"label":"L","label_path":"E/L","fragments":[[1,2]]}]}"#;
    let document = good(&shapes.replace('\n', " "));
    let extents: Vec<_> = document.annotations.iter().map(|annotation| annotation.extent.clone()).collect();
    let fragments = Extent::Fragments(vec![(4, 6), (0, 2)]);
    let span = |start, end| Extent::Span { start, end };
    assert_eq!(extents, [Extent::Text, span(1, 1), fragments, span(1, 2)]);
    assert_eq!(&*document.annotations[3].label, "E/L");
}

#[test]
fn generated_ids_avoid_given_ones() {
    let document =
        good(r#"{"text":"a","annotations":[{"label":"X"},{"id":"a1","label":"X"},{"id":7,"label":"X"}]}"#);
    let ids: Vec<_> = document.annotations.iter().map(|annotation| annotation.id.as_str()).collect();
    assert_eq!(ids, ["a1.2", "a1", "7"]);
}

#[test]
fn refusals_name_place_reason_and_mend() {
    let past = "annotation `a3`: end 40 lies past the text, which has 2 code points; offsets count Unicode code points";
    refused(
        r#"{"text":"a😀","annotations":[{"id":"a3","start":0,"end":40,"label":"X"}]}"#,
        &format!("29: {past}"),
    );
    refused(
        r#"{"text":"a","annotations":[{"start":1,"end":0,"label":"X"}]}"#,
        "28: annotation 1: start 1 lies past end 0; the end is exclusive and never smaller",
    );
    refused(
        r#"{"text":"abc","annotations":[{"start":0,"end":3,"fragments":[[0,1],[1,2]],"label":"X"}]}"#,
        "30: annotation 1: `fragments` reach from 0 to 2, but start..end is 0..3",
    );
    refused(
        r#"{"text":"a","annotations":[{"label":""}]}"#,
        "28: annotation 1: `label` is missing or empty; every annotation needs one",
    );
    refused(
        r#"{"text":"a","relations":[{"source":"x","target":"y","type":"t"}]}"#,
        "26: relation 1: source `x` is no annotation of this text",
    );
    refused(
        r#"{"text":"ab","tokens":[{"start":0,"end":2},{"start":1,"end":2}]}"#,
        "44: token 2: start 1 lies before 2, the end of the token before it; tokens stand in order and do not overlap",
    );
    refused(
        r#"{"text":"a","annotations":[{"id":"x","label":"A"},{"id":"x","label":"B"}]}"#,
        "51: annotation `x`: another annotation of this text has this id; ids are unique within a text",
    );
    refused(r#"{"id":"a"}"#, "10: `text` is missing");
    refused(r#"{"text":"a","metadata":[1]}"#, "1: `metadata` has to be an object");
    refused(
        r#"{"text":"a","annotations":[{"label":"X","attributes":{"x":"\ud83d"}}]}"#,
        r"28: `attributes` holds `\ud83d`, half of a character; write both halves, or neither",
    );
    refused(r#"{"text":"a"#, "10: the line ends within its JSON; each text stands on one line");
}

#[test]
fn unknown_keys_are_sent_home() {
    let message = read(r#"{"text":"a","lang":"en"}"#).remove(0).unwrap_err().error.reason;
    assert_eq!(
        message,
        "unknown key `lang`; put it into `metadata`. Known here: `id`, `text`, `metadata`, `annotations`, `relations`, `tokens`"
    );
    let message = read(r#"{"text":"a","annotations":[{"color":1}]}"#).remove(0).unwrap_err().error.reason;
    assert!(message.starts_with("unknown key `color`; put it into `attributes`."), "{message}");
}

#[test]
fn numbers_keep_their_last_digit() {
    for text in ["0.91234567890123456", "1e-7", "0.1", "123456789.12345679", "5e-324"] {
        let line = format!(r#"{{"text":"a","annotations":[{{"label":"X","confidence":{text}}}]}}"#);
        assert_eq!(good(&line).annotations[0].confidence, text.parse().ok());
    }
    assert!(read(r#"{"text":"a","annotations":[{"label":"X","confidence":1e999}]}"#).remove(0).is_err());
    assert!(read(r#"{"text":"a","annotations":[{"label":"X","confidence":"1"}]}"#).remove(0).is_err());
}
