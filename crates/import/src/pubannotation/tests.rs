use spanfleet_core::{Document, Extent, Json};

use crate::{FileNames, FormatOptions, InputFormat, Layout, Position, Reader, Rejected};

fn read(input: &str) -> Vec<Result<Document, Rejected>> {
    assert_eq!(InputFormat::detect(input.as_bytes()), Some(InputFormat::Pubannotation));
    let Layout::Records(survey) = super::ENTRY.layout else { panic!("it has records") };
    let dialect = survey(&mut input.as_bytes(), &FormatOptions::default()).unwrap();
    let mut reader = Reader::new(input.as_bytes(), &*dialect, &FileNames::new("x.json"), Position::default());
    std::iter::from_fn(|| reader.next_document().unwrap()).collect()
}

/// A document, an array of documents and lines of them are read alike.
#[test]
fn documents_come_alone_in_arrays_and_in_lines() {
    let one = r#"{"sourcedb": "PubMed", "sourceid": "7", "text": "Ada"}"#;
    let two = r#"{"sourcedb": "PMC", "sourceid": 8, "divid": 2, "text": "Bo", "denotations": []}"#;
    for input in [format!("[\n{one},\n{two}]"), format!("{one}\n{two}\n")] {
        let found: Vec<Document> = read(&input).into_iter().map(Result::unwrap).collect();
        let ids: Vec<&str> = found.iter().map(|document| document.id.as_str()).collect();
        assert_eq!(ids, ["PubMed:7", "PMC:8:2"]);
    }
    assert_eq!(read(one).len(), 1);
}

#[test]
fn what_is_said_of_a_span_stands_on_it_and_the_rest_in_the_metadata() {
    let found = read(
        r#"{"text": "Ada met Bo", "project": "p",
            "denotations": [{"id": "T1", "span": {"begin": 0, "end": 3}, "obj": "Person"},
                            {"id": "T2", "span": [{"begin": 0, "end": 1}, {"begin": 8, "end": 10}], "obj": "Person"}],
            "blocks": [{"id": "B1", "span": {"begin": 0, "end": 10}, "obj": "Sentence"}],
            "relations": [{"id": "R1", "subj": "T1", "pred": "met", "obj": "T2"}],
            "attributes": [{"id": "A1", "subj": "T1", "pred": "role", "obj": "x"},
                           {"id": "A2", "subj": "T1", "pred": "role", "obj": "y"},
                           {"id": "A3", "subj": "R1", "pred": "sure", "obj": false}],
            "modifications": [{"id": "M1", "pred": "Negation", "obj": "T2"}]}"#,
    );
    let document = found[0].as_ref().unwrap();
    let attributes: Vec<Option<&str>> = document
        .annotations
        .iter()
        .map(|annotation| annotation.attributes.as_ref().map(Json::as_str))
        .collect();
    let expected = [r#"{"role":["x","y"]}"#, r#"{"Negation":true}"#, r#"{"kind":"block"}"#];
    assert_eq!(attributes, expected.map(Some));
    assert_eq!(document.annotations[1].extent, Extent::Fragments(vec![(0, 1), (8, 10)]));
    assert!(document.annotations.iter().all(|annotation| annotation.annotator.as_deref() == Some("p")));
    assert_eq!((document.relations.len(), &*document.relations[0].kind), (1, "met"));
    let left = document.metadata.as_ref().unwrap().member(&["attributes"]).unwrap();
    assert_eq!(left.to_string(), r#"[{"id":"A3","subj":"R1","pred":"sure","obj":false}]"#);
}

/// Each project numbers its own denotations.
#[test]
fn ids_hold_within_a_track() {
    let found = read(
        r#"{"text": "Ada met Bo", "tracks": [
            {"project": "p", "denotations": [{"id": "T1", "span": {"begin": 0, "end": 3}, "obj": "P"}]},
            {"project": "q", "denotations": [{"id": "T1", "span": {"begin": 8, "end": 10}, "obj": "P"}],
             "relations": [{"subj": "T1", "pred": "self", "obj": "T1"}]}]}"#,
    );
    let document = found[0].as_ref().unwrap();
    let people: Vec<_> = document.annotations.iter().map(|it| it.annotator.as_deref()).collect();
    assert_eq!(people, [Some("p"), Some("q")]);
    assert_eq!(document.relations[0].source, document.annotations[1].id);
}

#[test]
fn what_can_not_be_taken_is_refused_with_its_reason() {
    let found = read(
        r#"{"text": "Ada", "denotations": [{"id": "T1", "span": {"begin": 0, "end": 9}, "obj": "P"},
            {"id": "T2", "span": [], "obj": "P"}, {"id": "T3", "span": {"begin": 0, "end": 3}}],
            "relations": [{"subj": "T1", "pred": "r", "obj": "R7"}]}"#,
    );
    let reasons: Vec<String> =
        found.iter().filter_map(|read| Some(read.as_ref().err()?.error.reason.clone())).collect();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    assert!(reasons[0].contains("end 9 lies past the text"), "{reasons:?}");
    assert!(reasons[1].contains("a denotation has `span`") && reasons[2] == reasons[1], "{reasons:?}");
    assert!(reasons[3].contains("`T1` is no annotation"), "{reasons:?}");
    let broken = read(r#"{"text": "Ada", "sourcedb": "x", "sourceid": "y", "denotations": {}}"#);
    assert!(broken[0].as_ref().unwrap_err().error.reason.contains("`denotations` has to be a list"));
}
