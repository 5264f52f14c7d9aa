use spanfleet_core::{Document, Extent, Json};

use super::*;

fn read_pair(text: &str, annotations: &str) -> Result<(Document, Vec<Rejected>), Rejected> {
    let (text_names, annotation_names) = (FileNames::new("d/x.txt"), FileNames::new("d/x.ann"));
    let (id, text, annotations) = ("x", text.as_bytes().to_vec(), annotations.as_bytes());
    let hierarchy = Hierarchy::read("[entities]\n!Living\n\tPER\n");
    read(Pair {
        id,
        text,
        text_names: &text_names,
        annotations,
        annotation_names: &annotation_names,
        hierarchy: &hierarchy,
    })
}

fn refused(annotations: &str, expected: &str) {
    let read = read_pair("Ada 😀 Bo\r\n", annotations);
    let rejected = read.map_or_else(|rejected| rejected, |(_, mut refused)| refused.remove(0));
    assert_eq!(rejected.error.to_string(), format!("d/x.ann:{expected}"));
}

#[test]
fn every_line_finds_its_place() {
    let annotations = "E1\tMeet:T2 Who:T1 Of:E2\nT1\tPER 0 3\tAda\nT2\tMeet 4 5\t😀\nR1\tknows Arg1:T1 Arg2:E1\t\n\
        T3\tPER 0 3;6 8\tAda Bo\r\nE2\tMeet:T3\n*\tEquiv T1 T2 T3\nA1\tSure T1\nA2\tMood E1 very high\nA3\tOdd R1\n\
        N1\tReference T1 Wiki:1\tAda L.\n#1\tAnnotatorNotes T1\ta note\n#2\tAnnotatorNotes E1\tanother\n";
    let document = read_pair("Ada 😀 Bo\r\n", annotations).unwrap().0;
    assert_eq!(document.text, "Ada 😀 Bo\r\n");
    assert_eq!(&*document.annotations[0].label, "Living/PER");
    assert_eq!(document.annotations[2].extent, Extent::Fragments(vec![(0, 3), (6, 8)]));
    let relations: Vec<_> =
        document.relations.iter().map(|r| format!("{} {} {}", r.source, r.kind, r.target)).collect();
    assert_eq!(relations, ["T1 knows T2", "T1 Equiv T2", "T2 Equiv T3", "T2 Who T1", "T2 Of T3"]);
    let attributes: Vec<_> =
        document.annotations.iter().map(|a| a.attributes.as_ref().map(Json::as_str)).collect();
    let first = r#"{"Sure":true,"normalizations":[["Reference","Wiki:1","Ada L."]],"notes":[["AnnotatorNotes","a note"]]}"#;
    assert_eq!(attributes, [Some(first), Some(r#"{"Mood":"very high"}"#), None]);
    let metadata = document.metadata.unwrap();
    let events = r#"[["E1","Meet","T2",["Who","T1"],["Of","E2"]],["E2","Meet","T3"]]"#;
    assert_eq!(metadata.member(&["brat_events"]).unwrap().to_string(), events);
    assert_eq!(metadata.member(&["brat_attributes"]).unwrap().to_string(), r#"[["A3","Odd","R1",true]]"#);
    assert_eq!(
        metadata.member(&["brat_notes"]).unwrap().to_string(),
        r##"[["#2","AnnotatorNotes","E1","another"]]"##
    );
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    refused(
        "\nT1\tPER 0 2\tAda\n",
        "2:1: `T1`: covers `Ad` but states `Ada`; offsets count code points of the .txt as it is",
    );
    refused("T1\tPER 0 30\tAda\n", "1:1: `T1`: end 30 lies past the text, which has 10 code points");
    refused("T1\tPER 3 0\tAda\n", "1:1: `T1`: start 3 lies past end 0");
    refused("T1\tPER\tAda\n", "1:1: `T1` is malformed; its form is `T1 TAB Type START END TAB text`");
    refused(
        "T1\tPER 0 3\tAda\nT1\tPER 0 3\tAda\n",
        "2:1: the id `T1` stands twice; ids are unique within a file",
    );
    refused("R1\tx Arg1:T1 Arg2:T2\n", "1:1: `T1` is no span or event of this file");
    refused("X1\tPER 0 3\tAda\n", "1:1: `X1` is no id of brat; ids begin with T, R, E, A, M, N, `*` or `#`");
    refused("T1 PER 0 3 Ada\n", "1:1: no TAB after the id; columns are parted by TABs");
}

#[test]
fn line_breaks_may_be_stated_as_spaces() {
    assert!(read_pair("Ada\nBo", "T1\tPER 0 6\tAda Bo\n").is_ok_and(|(_, refused)| refused.is_empty()));
    assert_eq!(read_pair("Ada", "").unwrap().0.annotations.len(), 0);
}

#[test]
fn what_needs_a_refused_line_is_refused_with_it() {
    let annotations =
        "T1\tPER 0 2\tAda\nT2\tPER 0 3\tAda\nR1\tr Arg1:T1 Arg2:T2\nE1\tMeet:T2 Who:T1\n*\tEquiv T1 T2\n";
    let (document, refused) = read_pair("Ada", annotations).unwrap();
    assert_eq!((document.annotations.len(), document.relations.len()), (1, 0));
    let lines: Vec<_> = refused.iter().map(|one| (one.kind, one.error.place.line)).collect();
    let relation = |line| (Kind::Relation, line);
    assert_eq!(lines, [(Kind::Annotation, 1), relation(3), relation(4), relation(5)]);
}
