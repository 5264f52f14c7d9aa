use serde_json::json;
use spanfleet_core::{Change, Document, Ledger, Loss};

use crate::testing::{document, export, order, uncompressed};

fn spacy(options: &str, document: &Document) -> (Vec<u8>, Ledger) {
    let mut order = order("spacy", options);
    order.include.relations = true;
    let (bytes, ledger) = export(&order, &[std::slice::from_ref(document)]);
    assert!(ledger.balances(), "{ledger:?}");
    (uncompressed("spacy", &bytes), ledger)
}

fn has(bytes: &[u8], expected: &[u8]) -> bool {
    memchr::memmem::find(bytes, expected).is_some()
}

fn losses(ledger: &Ledger) -> Vec<(Loss, u64)> {
    ledger.losses(0).iter().map(|loss| (loss.reason, loss.count)).collect()
}

#[test]
fn a_docbin_is_byte_for_byte_what_the_format_says() {
    let text = document(
        r#"{"id":"d1","text":"Ann root","annotations":[{"id":"1","start":0,"end":3,"label":"PERSON"}]}"#,
    );
    let (found, _) = spacy("{}", &text);
    let column = |number: u64| number.to_le_bytes();
    let matrix: Vec<u8> = [
        [13_706_867_504_515_737_279, 0, 0, 0, 0, 0, 3, 380, 0, 1, 0, 0, 0],
        [449, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0],
    ]
    .into_iter()
    .flatten()
    .flat_map(column)
    .collect();
    let span =
        [&[0; 16][..], &380_u64.to_be_bytes(), &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3]].concat();
    let expected = [
        &b"\x8a\xa7version\xa30.1\xa5attrs\x9dACIJKLMNOP\xcd\x01\xc4\xcd\x01\xc5\xcd\x01\xc6"[..],
        b"\xa6tokens\xc4\xd0",
        &matrix,
        b"\xa6spaces\xc4\x02\x01\x00\xa7lengths\xc4\x04\x02\0\0\0",
        b"\xa7strings\x94\xa0\xa3Ann\xa6PERSON\xa4root\xa4cats\x91\x80",
        b"\xa5flags\x91\x81\xb2has_unknown_spaces\xc2",
        b"\xabspan_groups\x91\xc4\x44\x91\xc4\x41\x83\xa4name\xa2sc\xa5attrs\x80\xa5spans\x91\xc4\x28",
        &span,
        b"\xa9user_data\x91\xc4\x07\x81\xa2id\xa2d1",
    ]
    .concat();
    assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected));
    assert_eq!(found, expected);
}

#[test]
fn overlapping_spans_are_all_written_and_the_same_twice_once() {
    let text = document(
        r#"{"id":"t","text":"Ada met Bo","annotations":[
            {"id":"1","start":0,"end":3,"label":"A"},{"id":"2","start":0,"end":7,"label":"B"},
            {"id":"3","start":0,"end":3,"label":"C"},{"id":"4","start":0,"end":3,"label":"A"},
            {"id":"5","start":null,"end":null,"label":"T"},{"id":"6","start":null,"end":null,"label":"T"}],
          "relations":[{"source":"4","target":"2","type":"r"},{"source":"1","target":"2","type":"r"},
            {"source":"5","target":"2","type":"r"}]}"#,
    );
    let (bytes, ledger) = spacy("{}", &text);
    assert_eq!((ledger.counts.annotations_written, ledger.counts.relations_written), (4, 1));
    assert_eq!(losses(&ledger), [(Loss::EndpointMissing, 1), (Loss::Duplicate, 2), (Loss::Duplicate, 1)]);
    assert!(has(&bytes, b"\xa4cats\x91\x81\xa1T\xcb\x3f\xf0"));
    assert!(has(&bytes, b"\xa6source\x00\xa6target\x02\xa4type\xa1r\xaaconfidence\xc0"), "{bytes:?}");
}

#[test]
fn categories_are_all_labels_where_only_texts_are_labelled() {
    let texts: Vec<Document> = [("a", "sport"), ("b", "news")]
        .map(|(id, label)| {
            let annotation = json!({"id": "1", "start": null, "end": null, "label": label});
            document(&json!({"id": id, "text": "x", "annotations": [annotation]}).to_string())
        })
        .to_vec();
    let order = order("spacy", "{}");
    let (one, _) = export(&order, &[&texts]);
    let expected = b"\xa4cats\x92\x82\xa4news\xcb\0\0\0\0\0\0\0\0\xa5sport\xcb\x3f\xf0\0\0\0\0\0\0\x82\xa4news\xcb\x3f\xf0";
    assert!(has(&uncompressed("spacy", &one), expected));
    let (shards, _) = export(&order, &[&texts[..1], &texts[1..]]);
    let first = b"\xa4cats\x91\x82\xa4news\xcb\0\0\0\0\0\0\0\0\xa5sport\xcb\x3f\xf0";
    assert!(has(&uncompressed("spacy", &shards), first));
}

#[test]
fn long_texts_become_several_documents() {
    let words = 300_000;
    let mut text = document(r#"{"id":"long","text":""}"#);
    text.text = "abcd ".repeat(words);
    let span = |id: &str, start: u32, end: u32| {
        let json = json!({"id": "x", "text": "", "annotations": [{"id": id, "start": start, "end": end, "label": "L"}]});
        document(&json.to_string()).annotations.remove(0)
    };
    text.annotations =
        vec![span("cut", 999_990, 1_000_009), span("far", 1_400_000, 1_400_004), span("all", 0, 1_499_999)];
    let (bytes, ledger) = spacy(r#"{"overlap":"first"}"#, &text);
    assert_eq!((ledger.counts.texts, ledger.counts.tokens), (1, words as u64));
    let changes: Vec<_> = ledger.changes(0).iter().map(|change| change.reason).collect();
    assert_eq!(changes, [Change::SplitText]);
    // The span over the whole text is cut wherever the text is.
    assert_eq!(ledger.counts.annotations_written + ledger.losses(0)[0].count, 3);
    assert!(losses(&ledger).iter().all(|(reason, _)| *reason == Loss::Truncated));
    assert!(has(&bytes, b"\xa2id\xa4long\xa4part\x01\xa5start\xce"));
}
