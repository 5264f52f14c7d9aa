use spanfleet_core::{Ledger, Loss, Schema};

use crate::testing::{document, export, order, unzip};

/// The files of one text, by their endings.
fn brat(options: &str, text: &str) -> (String, String, String, Ledger) {
    let mut order = order("brat", options);
    order.include.relations = true;
    let (zip, ledger) = export(&order, &[&[document(text)]]);
    assert!(ledger.balances(), "{ledger:?}");
    let files = unzip(&zip);
    let file = |ending: &str| {
        let found = files.iter().find(|(name, _)| name.ends_with(ending));
        String::from_utf8(found.unwrap().1.clone()).unwrap()
    };
    (file(".txt"), file(".ann"), file("annotation.conf"), ledger)
}

#[test]
fn every_kind_of_line() {
    let (txt, ann, conf, _) = brat(
        "{}",
        r#"{"id":"t","text":"Ada\r\nmet Bo","annotations":[
            {"id":"x","start":0,"end":8,"label":"MY LABEL","annotator":"bo","confidence":0.5},
            {"id":"y","start":9,"end":11,"label":"PER","attributes":{"Sure":true,"Tense":"past","n":1,
                "normalizations":[["Ref","DB:1","Bo"]],"notes":[["AnnotatorNotes","hm"]]}}],
          "relations":[{"source":"x","target":"y","type":"ends in"}]}"#,
    );
    assert_eq!(txt, "Ada\nmet Bo");
    let expected = [
        "T1\tMY_u20_LABEL 0 3;4 7\tAda met",
        "T2\tPER 8 10\tBo",
        "#1\tAnnotatorNotes T1\t{\"annotator\":\"bo\",\"confidence\":0.5}",
        "A1\tSure T2",
        "A2\tTense T2 past",
        "N1\tRef T2 DB:1\tBo",
        "#2\tAnnotatorNotes T2\thm",
        "#3\tAnnotatorNotes T2\t{\"attributes\":{\"n\":1}}",
        "R1\tends_u20_in Arg1:T1 Arg2:T2\t",
        "",
    ];
    assert_eq!(ann, expected.join("\n"));
    let expected = "[entities]\n\nMY_u20_LABEL\nPER\n\n[relations]\n\n\
        <OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\nends_u20_in\tArg1:<ENTITY>, Arg2:<ENTITY>\n\n\
        [events]\n\n[attributes]\n\nSure\tArg:<ENTITY>\nTense\tArg:<ENTITY>, Value:past\n";
    assert_eq!(conf, expected);
}

#[test]
fn what_an_import_kept_comes_back() {
    let text = r##"{"id":"t","text":"Spin it down twice ","metadata":{
            "brat_events":[["E7","Action","T3",["Acts-on","T1"],["Site2","E9"],["Gone","T8"]],["E9","Action","T2"],["E10","Action","T8"]],
            "brat_relations":[["R5","Or",["From","E9"],["To","T1"]]],
            "brat_attributes":[["A1","Sure","R5",null],["A2","Sure","R6",null]],
            "brat_normalizations":[["N4","Ref","E9","DB:1","down"]],
            "brat_notes":[["#1","AnnotatorNotes","E7","hm"],"odd"]},
          "annotations":[{"id":"T1","start":5,"end":7,"label":"Thing"},{"id":"T2","start":8,"end":12,"label":"Action"},
            {"id":"T3","start":0,"end":4,"label":"Action"},{"id":"T4","start":13,"end":19,"label":"Count"}],
          "relations":[{"source":"T2","target":"T1","type":"Or"},{"source":"T4","target":"T2","type":"Or"},
            {"source":"T3","target":"T1","type":"Acts-on"},{"source":"T3","target":"T2","type":"Site2"}]}"##;
    let (_, ann, conf, ledger) = brat("{}", text);
    let expected = [
        "T1\tThing 5 7\tit",
        "T2\tAction 8 12\tdown",
        "T3\tAction 0 4\tSpin",
        "T4\tCount 13 19\ttwice ",
        "E1\tAction:T3 Acts-on:T1 Site2:E2",
        "E2\tAction:T2",
        "R1\tOr From:E2 To:T1\t",
        "R2\tOr Arg1:T4 Arg2:T2\t",
        "A1\tSure R1",
        "N1\tRef E2 DB:1\tdown",
        "#1\tAnnotatorNotes E1\thm",
        "",
    ];
    assert_eq!(ann, expected.join("\n"));
    assert!(conf.contains("[events]\n\nAction\tActs-on*:<ANY>, Site*:<ANY>\n\n"), "{conf}");
    assert_eq!((ledger.counts.relations_written, ledger.losses(0).len()), (4, 0));
}

#[test]
fn names_that_differ_by_case_alone_are_refused() {
    let texts = [document(r#"{"id":"a","text":""}"#), document(r#"{"id":"A","text":""}"#)];
    let order = order("brat", "{}");
    let format = crate::open(&order).unwrap();
    let mut encoder = format.start(&Schema::default()).unwrap();
    for text in &texts {
        encoder.push(text, &mut Vec::new(), &mut Ledger::default()).unwrap();
    }
    let notes = encoder.finish(&mut Vec::new()).unwrap();
    assert!(format.seal(&Schema::default(), &[crate::PartSummary { texts: 2, notes }]).is_err());
}

#[test]
fn what_brat_has_no_place_for_is_lost() {
    let (_, ann, _, ledger) = brat(
        "{}",
        r#"{"id":"t","text":"Ada met Bo","annotations":[{"id":"1","start":null,"end":null,"label":"T"},
            {"id":"2","start":3,"end":4,"label":"A"},{"id":"3","start":9,"end":12,"label":"A"},
            {"id":"4","start":0,"end":10,"fragments":[[8,10],[0,3]],"label":"A"}],
          "relations":[{"source":"1","target":"4","type":"r"}]}"#,
    );
    assert_eq!(ann, "T1\tA 0 3;8 10\tAda Bo\n");
    let losses: Vec<_> = ledger.losses(0).iter().map(|loss| loss.reason).collect();
    assert_eq!(losses, [Loss::OutOfRange, Loss::EmptySpan, Loss::Unrepresentable, Loss::EndpointMissing]);
}

#[test]
fn texts_of_one_name_are_refused() {
    let text = document(r#"{"id":"a/b","text":""}"#);
    let texts = [text.clone(), text];
    let order = order("brat", "{}");
    let format = crate::open(&order).unwrap();
    let mut encoder = format.start(&Schema::default()).unwrap();
    for text in &texts {
        encoder.push(text, &mut Vec::new(), &mut Ledger::default()).unwrap();
    }
    let notes = encoder.finish(&mut Vec::new()).unwrap();
    let error = format.seal(&Schema::default(), &[crate::PartSummary { texts: 2, notes }]).err().unwrap();
    assert!(error.to_string().starts_with("two texts would be the file `a%2Fb.txt`"), "{error}");
}
