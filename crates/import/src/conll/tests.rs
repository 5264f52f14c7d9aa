use spanfleet_core::{Annotation, Document, Extent, Json};

use super::*;
use crate::{FileNames, Position, Reader, Rejected};

fn read_as(input: &str, columns: Option<&ConllColumns>) -> Vec<Result<Document, Rejected>> {
    let dialect = survey::dialect(&mut input.as_bytes(), columns).unwrap();
    let names = FileNames::new("data/train.conll");
    let mut reader = Reader::new(input.as_bytes(), &dialect, &names, Position::default());
    std::iter::from_fn(|| reader.next_document().unwrap()).collect()
}

fn read(input: &str) -> Vec<Document> {
    read_as(input, None).into_iter().map(Result::unwrap).collect()
}

fn shown(document: &Document) -> Vec<(u32, u32, &str, Option<&str>)> {
    document.annotations.iter().map(shown_annotation).collect()
}

fn shown_annotation(found: &Annotation) -> (u32, u32, &str, Option<&str>) {
    let (start, end) = found.extent.hull().unwrap();
    (start, end, &found.label, found.attributes.as_ref().map(Json::as_str))
}

fn refused(input: &str, expected: &str) {
    let found = read_as(input, None).into_iter().find_map(Result::err).unwrap();
    assert_eq!(found.error.to_string(), format!("data/train.conll:{expected}"));
}

#[test]
fn conll_2003_is_read() {
    let input = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\r\nPeter NNP I-NP I-PER\r\nBlackburn NNP I-NP I-PER\r\n";
    let documents = read(input);
    assert_eq!(documents[0].text, "EU rejects");
    assert_eq!(shown(&documents[1]), [(0, 15, "PER", None)]);
    assert_eq!(
        documents[1].metadata.as_ref().unwrap().as_str(),
        r#"{"file":"train.conll","sent":2,"doc":1}"#
    );
    assert_eq!(documents[1].id, "train-2");
    let token = &documents[0].tokens.as_ref().unwrap()[1];
    assert_eq!(
        (token.start, token.end, token.pos.as_deref(), token.chunk.as_deref()),
        (3, 10, Some("VBZ"), Some("I-VP"))
    );
}

#[test]
fn tokens_may_be_empty_or_hold_spaces_between_tabs() {
    let documents = read("a\tB-X\n😀 \tI-X\n\tO\n#tag\tO\n");
    assert_eq!(documents[0].text, "a 😀   #tag");
    assert_eq!(shown(&documents[0]), [(0, 4, "X", None)]);
    let extents: Vec<_> =
        documents[0].tokens.as_ref().unwrap().iter().map(|token| (token.start, token.end)).collect();
    assert_eq!(extents, [(0, 1), (2, 4), (5, 5), (6, 10)]);
}

#[test]
fn orphans_are_kept_and_marked() {
    let documents = read("a B-X\nb O\nc I-Y\n");
    assert_eq!(shown(&documents[0]), [(0, 1, "X", None), (4, 5, "Y", Some(r#"{"irregular":"I-Y"}"#))]);
}

#[test]
fn conll_u_uses_the_real_text() {
    let row =
        |id: &str, form: &str, misc: &str| format!("{id}\t{form}\t{form}\tX\t_\t_\t0\troot\t_\t{misc}\n");
    let input = [
        "# newdoc id = d\n# sent_id = s1\n# text = Voy al  bar.\n",
        &row("1", "Voy", "_"),
        &row("2-3", "al", "_"),
        &row("2", "a", "NER=B-LOC"),
        &row("3", "el", "NER=I-LOC"),
        &row("4", "bar", "NER=I-LOC|SpaceAfter=No"),
        &row("4.1", "x", "_"),
        &row("5", ".", "_"),
        "\n",
        &row("1", "(", "SpaceAfter=No"),
        &row("2", ")", "NER=O"),
    ];
    let documents = read(&input.concat());
    assert_eq!(documents[0].text, "Voy al  bar.");
    assert_eq!(shown(&documents[0]), [(4, 11, "LOC", None)]);
    let metadata = documents[0].metadata.as_ref().unwrap().as_str();
    assert_eq!(metadata, r#"{"file":"train.conll","sent":1,"doc":1,"newdoc id":"d","sent_id":"s1"}"#);
    assert_eq!(documents[0].tokens.as_ref().unwrap().len(), 4);
    assert_eq!(documents[1].text, "()");
}

#[test]
fn numbered_files_may_have_layers() {
    let documents = read("# x\n1\tBonn\tB-LOC\tO\n2\tUni\tB-ORG\tB-LOC\n");
    assert_eq!(
        shown(&documents[0]),
        [(0, 4, "LOC", None), (5, 8, "ORG", None), (5, 8, "LOC", Some(r#"{"layer":4}"#))]
    );
    let documents = read("1\tBonn\tB-LOC\t-\tann\n2\tist\tO\t-\tann\n");
    assert_eq!(shown(&documents[0]), [(0, 4, "LOC", None)]);
}

#[test]
fn columns_can_be_named() {
    let columns = ConllColumns::parse("label, token,_").unwrap();
    let documents = read_as("B-X Ada 1\nO met 2\n", Some(&columns));
    let first = documents[0].as_ref().unwrap();
    assert_eq!(
        (first.text.as_str(), &first.annotations[0].extent),
        ("Ada met", &Extent::Span { start: 0, end: 3 })
    );
    assert!(ConllColumns::parse("label,word").unwrap_err().contains("`word`; allowed: id, token"));
    assert!(ConllColumns::parse("label").unwrap_err().contains("`token` exactly once"));
    let named = read("# global.columns = ID FORM NER:TAG\n1\tAda\tB-X\n\n1\tmet\tO\n");
    assert_eq!(shown(&named[0]), [(0, 3, "X", None)]);
}

#[test]
fn bad_lines_are_refused() {
    refused(
        "a O\nb O\n\nc d O\n",
        "4:1: 3 columns where the file has 2; part the columns of every line alike",
    );
    refused(
        "a O\nb O\n\nc X-Y\n",
        "4:3: `X-Y` is no tag; tags are `O` and B-, I-, L-, U-, E- or S- with a label",
    );
    refused(
        "# text = ab\n1\ta\tO\n2\tc\tO\n",
        "3:1: the token `c` does not come next in the `# text` of its sentence; mend one of them, or take the comment out",
    );
}
