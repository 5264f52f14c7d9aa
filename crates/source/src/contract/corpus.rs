//! Documents with everything that a source has to carry.

use spanfleet_core::{Annotation, Document, Extent, Json, Relation, Timestamp, Token};

/// Small documents of every kind.
pub(super) fn every_kind() -> Vec<Document> {
    vec![
        plain(),
        related(),
        Document { id: "empty".into(), ..Document::default() },
        discontinuous(),
        tokenized(),
        unicode(),
        Document { id: "7".into(), text: "a text whose name is a number".into(), ..Document::default() },
        by_several(),
        voted(),
    ]
}

/// One long text, and one with very many annotations, between small ones.
pub(super) fn large() -> Vec<Document> {
    let small = |id: &str| Document { id: id.into(), text: id.into(), ..Document::default() };
    let long =
        Document { id: "long".into(), text: "länge ".repeat(5 * 1024 * 1024 / 7), ..Document::default() };
    let words = (0..20_000)
        .map(|nth| annotation(&format!("w{nth}"), span(nth * 3, nth * 3 + 2), LABELS[nth as usize % 3]));
    let dense = Document {
        id: "dense".into(),
        text: "ab ".repeat(20_000),
        annotations: words.collect(),
        relations: (1..1_000)
            .map(|nth| relation(&format!("w{nth}"), "next", &format!("w{}", nth - 1)))
            .collect(),
        ..Document::default()
    };
    vec![small("first"), long, small("second"), dense, small("last")]
}

/// More texts than anyone has partitions for by hand.
pub(super) fn many() -> Vec<Document> {
    let document = |nth: u32| Document {
        id: format!("text {nth}").into(),
        text: "word ".repeat(nth as usize * 7 % 40),
        annotations: (0..nth % 4).map(|which| annotation(&format!("a{which}"), span(0, 0), "PER")).collect(),
        ..Document::default()
    };
    (0..500).map(document).collect()
}

/// Enough texts that some of them begin blocks.
pub(super) fn small() -> Vec<Document> {
    let document =
        |nth: u32| Document { id: format!("t{nth}").into(), text: "word".into(), ..Document::default() };
    (0..3_000).map(document).collect()
}

const LABELS: [&str; 3] = ["PER", "ORG", "EVENT/Attack"];

fn annotation(id: &str, extent: Extent, label: &str) -> Annotation {
    Annotation {
        id: id.into(),
        extent,
        label: label.into(),
        annotator: Some("alice".into()),
        confidence: Some(1.0),
        attributes: None,
        created_at: Timestamp::parse("2026-01-02T03:04:05.000006Z"),
    }
}

fn span(start: u32, end: u32) -> Extent {
    Extent::Span { start, end }
}

fn relation(source: &str, kind: &str, target: &str) -> Relation {
    Relation { source: source.into(), target: target.into(), kind: kind.into(), confidence: None }
}

fn json(text: &str) -> Option<Json> {
    Json::parse(text).ok()
}

fn plain() -> Document {
    Document {
        id: "doc-1".into(),
        text: "Ada met Bo.".into(),
        // The order of keys and the digits of numbers are the user's.
        metadata: json(r#"{"z":1.50,"a":{"y":[1,2,null],"b":"x"},"m":true}"#),
        annotations: vec![
            Annotation {
                attributes: json(r#"{"nom":true,"deep":{"b":1,"a":2}}"#),
                ..annotation("a1", span(0, 3), "PER")
            },
            Annotation { confidence: Some(0.123_456_789_012_345_68), ..annotation("a2", span(8, 10), "PER") },
            annotation("doc", Extent::Text, "news"),
        ],
        ..Document::default()
    }
}

fn related() -> Document {
    Document {
        id: "doc/2 😀".into(),
        text: "Rebels attacked Aden.\r\nAden fell.".into(),
        annotations: vec![
            annotation("e", span(7, 15), "EVENT/Attack"),
            annotation("agent", span(0, 6), "ORG"),
            annotation("place", span(16, 20), "LOC"),
            annotation("again", span(23, 27), "LOC"),
        ],
        relations: vec![
            Relation { confidence: Some(0.25), ..relation("e", "Agent", "agent") },
            relation("e", "Place", "place"),
            relation("place", "same", "again"),
            relation("again", "same", "place"),
            relation("e", "self", "e"),
        ],
        ..Document::default()
    }
}

fn discontinuous() -> Document {
    Document {
        id: "pieces".into(),
        text: "left and right lungs".into(),
        annotations: vec![
            annotation("f", Extent::Fragments(vec![(0, 4), (15, 20)]), "BODY"),
            annotation("backwards", Extent::Fragments(vec![(15, 20), (9, 14)]), "BODY"),
            annotation("zero", span(4, 4), "GAP"),
        ],
        ..Document::default()
    }
}

fn tokenized() -> Document {
    let token =
        |start, end, pos: Option<&str>| Token { start, end, pos: pos.map(Into::into), ..Token::default() };
    let chunked = Token { lemma: Some("be".into()), chunk: Some("I-VP".into()), ..token(3, 6, Some("VBZ")) };
    Document {
        id: "tokens".into(),
        text: "It's so".into(),
        annotations: vec![annotation("b", span(3, 6), "VERB"), annotation("a", span(0, 2), "PRON")],
        tokens: Some(vec![token(0, 2, None), chunked, token(6, 6, Some("XX")), token(6, 7, None)]),
        ..Document::default()
    }
}

fn unicode() -> Document {
    Document {
        id: "unicode".into(),
        text: "a😀e\u{301} 👨\u{200d}👩\u{200d}👧 \u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{a0}\t\u{2028}\"\\\r\n \u{feff}end".into(),
        metadata: json(r#"{"ключ":"\"\\\u0001 значение 😀"}"#),
        annotations: vec![annotation("ä 1", span(1, 2), "ЛИЦО/Имя"), annotation("b", span(11, 15), "a, \"b\"\\")],
        ..Document::default()
    }
}

fn by_several() -> Document {
    let by = |id: &str, annotator: Option<&str>, day: Option<&str>| Annotation {
        annotator: annotator.map(Into::into),
        created_at: day.and_then(Timestamp::parse),
        confidence: None,
        ..annotation(id, span(0, 5), "PER")
    };
    Document {
        id: "several".into(),
        text: "Maria".into(),
        annotations: vec![
            by("x1", Some("alice"), Some("2026-03-01T00:00:00Z")),
            by("x2", Some("bob"), Some("2026-03-02T00:00:00Z")),
            by("x3", Some("Zoë O'Brien"), Some("2026-03-02T00:00:00.000001Z")),
            by("x4", None, None),
        ],
        relations: vec![relation("x1", "agrees", "x2")],
        ..Document::default()
    }
}

/// Four people, one without a name: two of them made `v1`, one of whom made it twice; two made `w1`, one `u1`.
fn voted() -> Document {
    let by = |id: &str, annotator: Option<&str>, extent: Extent, label: &str| Annotation {
        annotator: annotator.map(Into::into),
        ..annotation(id, extent, label)
    };
    let pieces = || Extent::Fragments(vec![(0, 3), (8, 10)]);
    Document {
        id: "voted".into(),
        text: "Ada met Bo.".into(),
        metadata: json(r#"{"source":"web's \"own\"","year":2024,"n":"7","deep":{"is":false}}"#),
        annotations: vec![
            by("v1", Some("alice"), span(0, 3), "PER"),
            by("v2", Some("bob"), span(0, 3), "PER"),
            by("v3", Some("alice"), span(0, 3), "PER"),
            by("u1", Some("cy"), span(0, 3), "ORG"),
            by("w1", None, pieces(), "PER"),
            by("w2", Some("alice"), pieces(), "PER"),
            by("t1", None, Extent::Text, "news"),
        ],
        ..Document::default()
    }
}
