//! Documents that the stories are played with.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use spanfleet_core::{Annotation, Document, Extent, Json, Relation, Timestamp, Token};
use spanfleet_import::{FileNames, FormatOptions, Layout, Position, Reader};

/// An annotation of `start..end` by somebody.
pub fn span(id: &str, start: u32, end: u32, label: &str, annotator: &str) -> Annotation {
    Annotation {
        id: id.into(),
        extent: Extent::Span { start, end },
        label: label.into(),
        annotator: Some(annotator.into()),
        confidence: None,
        attributes: None,
        created_at: None,
    }
}

/// A text of a few words with two annotations; every third has none.
pub fn plain(number: usize) -> Document {
    let mut document =
        Document { id: format!("plain-{number}").into(), text: "Ada met Bo.".into(), ..Document::default() };
    if number % 3 != 2 {
        document.annotations = vec![
            span("a1", 0, 3, "PER", "alice"),
            span("a2", 8, 10, if number.is_multiple_of(2) { "PER" } else { "DOG" }, "bo"),
        ];
    }
    document
}

/// So many of them.
pub fn plains(count: usize) -> Vec<Document> {
    (0..count).map(plain).collect()
}

/// A text with one of everything.
pub fn rich() -> Document {
    let timed = |time: &str, annotation| Annotation { created_at: Timestamp::parse(time), ..annotation };
    let pieces = Extent::Fragments(vec![(8, 10), (0, 3)]);
    Document {
        id: "rich/ü 1".into(),
        text: "Ada 😀e\u{301} met\r\n\tBo.\u{2028} ".into(),
        metadata: Json::parse(r#"{"z": 1.50, "a": {"deep": "\u0000 \" é"}, "n": 12345678901234567890}"#).ok(),
        annotations: vec![
            timed("2026-01-02T03:04:05.123456Z", span("b", 0, 3, "PER", "alice")),
            Annotation { confidence: Some(0.1 + 0.2), ..span("a", 4, 5, "EVENT/Attack", "bo") },
            Annotation {
                extent: pieces,
                attributes: Json::parse(r#"{"k":[]}"#).ok(),
                ..span("c", 0, 0, "EVENT", "é")
            },
            Annotation { extent: Extent::Text, annotator: None, ..span("d", 0, 0, "and//or", "") },
            timed("1969-12-31T23:59:59.9Z", span("e", 4000, 4001, "PER", "alice")),
        ],
        relations: vec![
            relation("c", "a", None),
            relation("a", "a", Some(-1.0)),
            relation("a", "b", Some(1.0)),
        ],
        tokens: Some(vec![
            Token { start: 0, end: 3, pos: Some("NNP".into()), lemma: Some("\"\\".into()), chunk: None },
            Token { start: 4, end: 5, ..Token::default() },
        ]),
    }
}

/// A relation of the type `met`.
pub fn relation(source: &str, target: &str, confidence: Option<f64>) -> Relation {
    Relation { source: source.into(), target: target.into(), kind: "met".into(), confidence }
}

/// A text with nothing but itself, and one with nothing at all.
pub fn bare() -> Vec<Document> {
    let no_words =
        Document { tokens: Some(Vec::new()), metadata: Json::parse("{}").ok(), ..Document::default() };
    vec![
        Document { id: "bare".into(), text: "x".into(), ..Document::default() },
        Document { id: "nothing".into(), ..no_words },
    ]
}

/// The real corpora by name, where they lie beside the workspace; they are not part of it.
pub fn corpora() -> Vec<(String, Vec<Document>)> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora"));
    let folder = std::env::var_os("SPANFLEET_CORPORA").map_or_else(beside, PathBuf::from);
    let Ok(entries) = folder.read_dir() else {
        println!("skipped the real corpora: `{}` is absent", folder.display());
        return Vec::new();
    };
    let files = entries.map(|entry| entry.unwrap().path().join("corpus.jsonl")).filter(|path| path.is_file());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files.iter().map(|path| (path.display().to_string(), documents(path))).collect()
}

fn documents(path: &std::path::Path) -> Vec<Document> {
    let open = || BufReader::new(File::open(path).unwrap());
    let Layout::Records(survey) = spanfleet_import::jsonl::ENTRY.layout else {
        panic!("JSONL is made of records")
    };
    let dialect = survey(&mut open(), &FormatOptions::default()).unwrap();
    let names = FileNames::new(&path.display().to_string());
    let mut reader = Reader::new(open(), &*dialect, &names, Position::default());
    let mut documents = Vec::new();
    while let Some(document) = reader.next_document().unwrap() {
        documents.push(document.unwrap());
    }
    documents
}
