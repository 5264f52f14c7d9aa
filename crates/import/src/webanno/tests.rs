use super::*;
use crate::{FileNames, Position, Reader, Rejected};
use spanfleet_core::{Document, Kind};

fn read(file: &str) -> (Vec<Document>, Vec<Rejected>) {
    let names = FileNames::new("d/x.tsv");
    let mut reader = Reader::new(file.as_bytes(), &Webanno, &names, Position::default());
    let (mut documents, mut rejected) = (Vec::new(), Vec::new());
    while let Some(read) = reader.next_document().unwrap() {
        match read {
            Ok(document) => documents.push(document),
            Err(one) => rejected.push(one),
        }
    }
    (documents, rejected)
}

const HEAD: &str =
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Span|value\n#T_RL=custom.Rel|value|BT_custom.Span\n\n\n";

#[test]
fn offsets_count_utf_16_and_gaps_are_filled() {
    let file = format!(
        "{HEAD}#Text=😀 Ada\n1-1\t0-2\t😀\tP\t_\t_\t\n1-2\t3-6\tAda\tQ\\|R\tr\t1-1\t\n\n#Text=met\n2-1\t8-11\tmet\t_\t_\t_\t\n"
    );
    let (documents, rejected) = read(&file);
    assert_eq!(rejected, []);
    assert_eq!(documents[0].text, "😀 Ada\n met");
    let found: Vec<_> = documents[0].annotations.iter().map(|a| (a.extent.hull(), &*a.label)).collect();
    assert_eq!(found, [(Some((0, 1)), "P"), (Some((2, 5)), "Q|R")]);
    let relation = &documents[0].relations[0];
    assert_eq!((relation.source.as_str(), &*relation.kind, relation.target.as_str()), ("a1", "r", "a2"));
    assert_eq!(documents[0].tokens.as_ref().unwrap().len(), 3);
}

#[test]
fn what_disagrees_is_rejected_with_its_line() {
    let (documents, rejected) = read(&format!("{HEAD}#Text=Ada\n1-1\t0-3\tBob\tP\t_\t_\t\n"));
    assert!(documents.is_empty());
    let shown = rejected[0].error.to_string();
    assert_eq!(shown, "d/x.tsv:7:1: covers `Ada` but states `Bob`; offsets count UTF-16 units");
    let (documents, rejected) = read(&format!("{HEAD}#Text=Ada\n1-1\t0-3\tAda\tP\tr\t9-9\t\n"));
    assert_eq!(documents[0].annotations.len(), 1);
    assert_eq!((rejected[0].kind, rejected[0].error.place.line), (Kind::Relation, 7));
}
