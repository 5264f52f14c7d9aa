use super::*;
use crate::testing::{corpus, export_text, order};

const CORPUS: &str = r#"{"id":"t1","text":"Ada, \"Bo\"\r\nmet","metadata":{"a":"x,y"},"annotations":[{"id":"1","start":0,"end":3,"label":"NAME/PER","annotator":"al","confidence":0.5,"attributes":{"k":1},"created_at":"2026-01-02"},{"id":"2","start":0,"end":9,"label":"X","fragments":[[5,9],[0,3]]},{"id":"3","label":"DOC"}],"relations":[{"source":"1","target":"2","type":"r"}],"tokens":[{"start":0,"end":3,"pos":"N"}]}
{"id":"t2","text":"lone\rCR","annotations":[]}"#;

fn export(options: &str, change: impl FnOnce(&mut Order)) -> (String, Ledger) {
    let mut order = order("csv", options);
    order.include.relations = true;
    change(&mut order);
    export_text(&order, &corpus(CORPUS))
}

fn cells(csv: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_row_per_annotation_and_the_text_once() {
    let (csv, ledger) = export("{}", |_| ());
    let header = "text_id,annotation_id,start,end,label,annotator,confidence,selected_text,fragments,attributes,\
                  created_at,text,metadata,relations\r\n";
    assert!(csv.starts_with(header), "{csv}");
    let rows = cells(&csv);
    let text = "Ada, \"Bo\"\r\nmet";
    let relations = r#"[{"source":"1","target":"2","type":"r","confidence":null}]"#;
    let time = "2026-01-02T00:00:00Z";
    assert_eq!(
        rows[1],
        [
            "t1",
            "1",
            "0",
            "3",
            "PER",
            "al",
            "0.5",
            "Ada",
            "",
            r#"{"k":1}"#,
            time,
            text,
            r#"{"a":"x,y"}"#,
            relations
        ]
    );
    assert_eq!(
        rows[2],
        ["t1", "2", "0", "9", "X", "", "", "\"Bo\" Ada", "[[5,9],[0,3]]", "", "", "", "", ""]
    );
    assert_eq!(rows[3], ["t1", "3", "", "", "DOC", "", "", "", "", "", "", "", "", ""]);
    assert_eq!(rows[4], ["t2", "", "", "", "", "", "", "", "", "", "", "lone\rCR", "", ""]);
    assert!(csv.ends_with(",\"lone\rCR\",,\r\n"), "{csv:?}");
    assert_eq!((ledger.counts.annotations_written, ledger.counts.tokens), (3, 0));
}

#[test]
fn a_row_per_text() {
    let (csv, ledger) = export(r#"{"rows":"text","csv_bom":true}"#, |_| ());
    assert!(csv.starts_with("\u{feff}text_id,text,metadata,annotations,relations,tokens\r\n"));
    let rows = cells(&csv);
    let annotations: Value = serde_json::from_str(&rows[1][3]).unwrap();
    assert_eq!(annotations[1]["fragments"], json!([[5, 9], [0, 3]]));
    assert_eq!(rows[2], ["t2", "lone\rCR", "", "[]", "", ""]);
    assert_eq!(ledger.counts.tokens, 1);
}

#[test]
fn hierarchies_add_the_path() {
    let (csv, _) = export("{}", |order| order.include.hierarchies = true);
    assert_eq!(cells(&csv)[1][4..6], ["PER", "NAME/PER"]);
    assert!(cells(&csv).iter().all(|row| row.len() == 15));
}

#[test]
fn formulas_are_quoted_on_demand_and_counted() {
    let formulas = corpus(
        "{\"id\":\"t\",\"text\":\"=1+1\",\"annotations\":[{\"id\":\"a\",\"start\":0,\"end\":4,\"label\":\"＝X\",\"confidence\":-0.5}]}",
    );
    let (csv, ledger) = export_text(&order("csv", r#"{"spreadsheet_safe":true}"#), &formulas);
    assert!(csv.ends_with("\r\nt,a,0,4,'＝X,,-0.5,'=1+1,,,,'=1+1,,\r\n"), "{csv}");
    assert_eq!((ledger.changes(0)[0].reason, ledger.changes(0)[0].count), (Change::Cleaned, 1));
    let (csv, ledger) = export_text(&order("csv", "{}"), &formulas);
    assert!(csv.contains(",=1+1,"), "{csv}");
    assert!(ledger.changes(0).is_empty());
}
