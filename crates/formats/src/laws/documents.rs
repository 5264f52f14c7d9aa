//! Documents for the laws: random and odd, long, and wide.

use std::sync::Arc;

use proptest::{collection::vec, option, prelude::*, sample::select};
use spanfleet_core::{Annotation, Document, Extent, Json, Relation, Timestamp, Token};

/// Pieces that texts are made of: what has broken exporters before.
const PIECES: &[&str] = &[
    "Ada",
    "met",
    "Bo",
    "don't",
    "3.5",
    "_",
    ".",
    ",",
    "\"",
    "'",
    "=1",
    "-DOCSTART-",
    "#",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "😀",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u{301}",
    "\u{301}",
    "مرحبا",
    "שלום",
    "東京",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{202f}",
    "\u{feff}",
    "\u{200d}",
    "\u{1f}",
    "\\",
    "{",
    "]",
];
const LABELS: &[&str] = &[
    "PER",
    "NAME/PER",
    "LOC",
    "MY LABEL",
    "MY_LABEL",
    "MY%20LABEL",
    "/",
    "a//b",
    "a/",
    "tab\tx",
    "new\nline",
    "O",
    "-x",
    "\"q\",",
    "=x",
    "É",
];
const METADATA: &[&str] = &[
    "{}",
    r#"{"doc":1}"#,
    r#"{"doc":2,"file":"f"}"#,
    r#"{"doc":[1]}"#,
    r#"{"file":"f","doc":null,"q":"\" ,\n"}"#,
];

pub(crate) fn documents() -> impl Strategy<Value = Vec<Document>> {
    vec(document(), 0..6).prop_map(|mut documents| {
        for (at, document) in documents.iter_mut().enumerate() {
            document.id = format!("t{at}").into();
        }
        documents
    })
}

fn document() -> impl Strategy<Value = Document> {
    let text = vec(select(PIECES), 0..14).prop_map(|pieces| pieces.concat());
    text.prop_flat_map(|text| {
        // Offsets reach past the end, and are often equal, nested, crossing or reversed.
        let most = text.chars().count() as u32 + 3;
        let annotations = vec(annotation(most), 0..7);
        let relations = vec(relation(), 0..4);
        (Just(text), annotations, relations, option::of(select(METADATA)), option::of(tokens(most)))
            .prop_map(make_document)
    })
}

type Parts = (String, Vec<Annotation>, Vec<Relation>, Option<&'static str>, Option<Vec<Token>>);

fn make_document((text, mut annotations, relations, metadata, tokens): Parts) -> Document {
    for (at, annotation) in annotations.iter_mut().enumerate() {
        annotation.id = format!("a{at}").into();
    }
    let metadata = metadata.and_then(|json| Json::parse(json).ok());
    Document { id: "t".into(), text, metadata, annotations, relations, tokens }
}

fn annotation(most: u32) -> impl Strategy<Value = Annotation> {
    let extent = prop_oneof![
        8 => (0..most, 0..most).prop_map(|(start, end)| Extent::Span { start, end }),
        8 => (0..most, 0..5_u32).prop_map(|(start, length)| Extent::Span { start, end: start + length }),
        1 => Just(Extent::Text),
        1 => vec((0..most, 0..most), 1..3).prop_map(Extent::Fragments),
    ];
    let confidence = select(&[0.0, 0.1, 0.9, -1.0, f64::NAN, f64::INFINITY, 1e300][..]);
    let attributes = select(&["{}", r#"{"a":"é\n"}"#, r#"{"irregular":"I-PER"}"#][..]);
    let annotator = select(&["ann", "bo", "=cmd"][..]);
    (
        extent,
        select(LABELS),
        option::of(annotator),
        option::of(confidence),
        option::of(attributes),
        any::<bool>(),
    )
        .prop_map(|(extent, label, annotator, confidence, attributes, is_dated)| Annotation {
            id: "a".into(),
            extent,
            label: label.into(),
            annotator: annotator.map(Arc::from),
            confidence,
            attributes: attributes.and_then(|json| Json::parse(json).ok()),
            created_at: is_dated.then(|| Timestamp::from_micros(1_767_323_045_120_000)),
        })
}

/// Ends that are often missing: there are at most seven annotations.
fn relation() -> impl Strategy<Value = Relation> {
    (0..9_u32, 0..9_u32, option::of(0.0..1.0)).prop_map(|(source, target, confidence)| Relation {
        source: format!("a{source}").into(),
        target: format!("a{target}").into(),
        kind: "met, \"again\"".into(),
        confidence,
    })
}

/// Mostly ascending tokens with gaps and empty ones; now and then past the end.
fn tokens(most: u32) -> impl Strategy<Value = Vec<Token>> {
    let column = || option::of(select(&["NN", "a b", "", "tab\t"][..]));
    vec((0..3_u32, 0..4_u32, column(), column()), 0..(most as usize / 2).max(1)).prop_map(|lengths| {
        let mut at = 0;
        let token = |(gap, length, pos, lemma): (u32, u32, Option<&str>, Option<&str>)| {
            let start = at + gap;
            at = start + length;
            Token { start, end: at, pos: pos.map(Into::into), lemma: lemma.map(Into::into), chunk: None }
        };
        lengths.into_iter().map(token).collect()
    })
}

fn span(at: u32, start: u32, end: u32) -> Annotation {
    Annotation {
        id: format!("a{at}").into(),
        extent: Extent::Span { start, end },
        label: LABELS[at as usize % LABELS.len()].into(),
        annotator: Some("bo".into()),
        confidence: Some(0.5),
        attributes: None,
        created_at: None,
    }
}

/// Many short texts.
pub(crate) fn long() -> Vec<Document> {
    let text = "Ada met Bo Li in 東京 . ".repeat(4);
    let annotations: Vec<_> = (0..8).map(|at| span(at, at * 8, at * 8 + 3)).collect();
    let make = |at| Document {
        id: format!("t{at}").into(),
        annotations: annotations.clone(),
        text: text.clone(),
        ..Document::default()
    };
    (0..300).map(make).collect()
}

/// One text of a megabyte with ten thousand spans.
pub(crate) fn wide() -> Vec<Document> {
    let text = "Ada met 東京 . ".repeat(64 << 10);
    let annotations = (0..10_000).map(|at| span(at, at * 12, at * 12 + 7)).collect();
    vec![Document { id: "wide".into(), text, annotations, ..Document::default() }]
}

/// A text of ten megabytes, and one with a hundred thousand annotations, many nested, many equal; small ones around.
pub(crate) fn giants() -> Vec<Document> {
    let document = |id: &str, text: String, annotations| Document {
        id: id.into(),
        text,
        annotations,
        ..Document::default()
    };
    let small = |id| document(id, "Ada met Bo .".to_owned(), vec![span(0, 0, 3)]);
    let long = (0..1000).map(|at| span(at, at * 600, at * 600 + 7)).collect();
    let many = (0..100_000).map(|at| span(at, at / 4 * 12, at / 4 * 12 + 3 + at % 4 / 2 * 4)).collect();
    vec![
        small("before"),
        document("long", "Ada met 東京 . ".repeat(700_000), long),
        document("many", "Ada met 東京 . ".repeat(25_000), many),
        small("after"),
    ]
}
