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
