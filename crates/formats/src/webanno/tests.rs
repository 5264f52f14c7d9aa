use spanfleet_core::{Ledger, Loss};

use crate::testing::{document, export, order, unzip};

fn tsv(options: &str, text: &str) -> (String, Ledger) {
    let mut order = order("webanno", options);
    order.include.relations = true;
    let (zip, ledger) = export(&order, &[&[document(text)]]);
    assert!(ledger.balances(), "{ledger:?}");
    let files = unzip(&zip);
    assert_eq!(files[0].0, "t.tsv");
    (String::from_utf8(files[0].1.clone()).unwrap(), ledger)
}

#[test]
fn spans_stack_and_relations_name_rows() {
    let (tsv, _) = tsv(
        "{}",
        r#"{"id":"t","text":"😀 Ada Li\nmet  Bo_","annotations":[{"id":"a","start":2,"end":8,"label":"P_R"},
            {"id":"b","start":2,"end":5,"label":"G|N"},{"id":"c","start":14,"end":16,"label":"PER"},
            {"id":"d","start":9,"end":12,"label":"V"}],
          "relations":[{"source":"a","target":"d","type":"r"},{"source":"d","target":"a","type":"s"}]}"#,
    );
    let expected = [
        "#FORMAT=WebAnno TSV 3.3",
        "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|value",
        "#T_RL=webanno.custom.Relation|value|BT_de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity",
        "",
        "",
        "#Text=😀 Ada Li",
        "1-1\t0-2\t😀\t_\t_\t_\t",
        "1-2\t3-6\tAda\tP\\_R[1]|G\\|N[2]\ts\t2-1[0_1]\t",
        "1-3\t7-9\tLi\tP\\_R[1]\t_\t_\t",
        "",
        "#Text=met  Bo_",
        "2-1\t10-13\tmet\tV\tr\t1-2[1_0]\t",
        "2-2\t15-18\tBo_\t_\t_\t_\t",
        "2-2.1\t15-17\tBo\tPER\t_\t_\t",
        "",
    ];
    assert_eq!(tsv, expected.join("\n"));
}

#[test]
fn spans_keep_sentences_together_and_texts_whole() {
    let text = r#"{"id":"t","text":" a\n\nb\tc\r\n\nd \n","annotations":[{"id":"1","start":1,"end":5,"label":"X"}]}"#;
    let (tsv, _) = tsv("{}", text);
    let body: Vec<&str> = tsv.lines().skip(4).collect();
    let expected = [
        "#Text= a",
        "#Text=",
        "#Text=b\\tc\\r",
        "1-1\t1-2\ta\tX[1]\t",
        "1-2\t4-5\tb\tX[1]\t",
        "1-3\t6-7\tc\t_\t",
        "",
        "#Text=",
        "#Text=d ",
        "#Text=",
        "2-1\t10-11\td\t_\t",
    ];
    assert_eq!(body, expected);
    let blank = super::tests::tsv("{}", r#"{"id":"t","text":" \n "}"#).0;
    assert!(blank.ends_with("\n\n\n#Text= \n#Text= \n"), "{blank}");
}

#[test]
fn what_webanno_has_no_place_for_is_lost() {
    let (_, ledger) = tsv(
        r#"{"tokenizer":"gold"}"#,
        r#"{"id":"t","text":"Ada met Bo","tokens":[{"start":0,"end":3},{"start":8,"end":10}],
          "annotations":[{"id":"1","start":null,"end":null,"label":"T"},{"id":"2","start":3,"end":4,"label":"A"},
            {"id":"3","start":9,"end":12,"label":"A"},{"id":"4","start":0,"end":10,"fragments":[[8,10],[0,3]],"label":"A"},
            {"id":"5","start":4,"end":7,"label":"A"},{"id":"6","start":0,"end":7,"label":"A"}],
          "relations":[{"source":"1","target":"6","type":"r"}]}"#,
    );
    let mut losses: Vec<_> = ledger.losses(0).iter().map(|loss| loss.reason).collect();
    losses.sort_by_key(|loss| loss.as_str());
    let expected = [
        Loss::Discontinuous,
        Loss::EmptySpan,
        Loss::EndpointMissing,
        Loss::Misaligned,
        Loss::OutOfRange,
        Loss::Unrepresentable,
    ];
    assert_eq!(losses, expected);
    assert_eq!(ledger.changes(0)[0].reason, spanfleet_core::Change::Contracted);
}
