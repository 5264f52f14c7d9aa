use super::*;

fn options(json: &str) -> Result<Options, OptionError> {
    Options::merge(&[serde_json::from_str::<Value>(json).unwrap().as_object().unwrap()])
}

#[test]
fn later_layers_win_and_null_takes_back() {
    let layer = |json: &str| serde_json::from_str::<Value>(json).unwrap().as_object().unwrap().clone();
    let (first, second) = (
        layer(r#"{"label_scheme":"IO","overlap":"first"}"#),
        layer(r#"{"label_scheme":"BILOU","overlap":null}"#),
    );
    let merged = Options::merge(&[&first, &second]).unwrap();
    assert_eq!((merged.label_scheme, merged.overlap), (LabelScheme::Bilou, Overlap::Longest));
}

#[test]
fn specification_columns_append() {
    let read = options(r#"{"include_pos":true,"include_lemma":"true"}"#).unwrap();
    assert_eq!(read.columns, [Column::Token, Column::Label, Column::Pos, Column::Lemma]);
    let read = options(r#"{"columns":"token,pos,chunk,label","include_pos":true}"#).unwrap();
    assert_eq!(read.columns, [Column::Token, Column::Pos, Column::Chunk, Column::Label]);
}

#[test]
fn every_option_is_known() {
    for option in OPTIONS {
        let error = options(&format!(r#"{{"{}":[[]]}}"#, option.key)).unwrap_err();
        assert!(error.value.is_some(), "{error}");
    }
}

fn refused(json: &str, words: &str) {
    let message = options(json).unwrap_err().to_string();
    assert!(message.contains(words), "{message}");
}

#[test]
fn refusals_name_the_key_and_the_mend() {
    refused(r#"{"colour":1}"#, "unknown option `colour`; allowed: label_scheme, tokenizer");
    refused(r#"{"label_scheme":"BIOX"}"#, "`label_scheme` can't be `BIOX`; allowed: BIO, BILOU");
    refused(r#"{"split":{"train":0.5}}"#, "sum to 1");
    refused(r#"{"split":{"../x":1.0}}"#, "letters, digits");
    refused(r#"{"split":{"train":1.0,"stratify_by":"mood"}}"#, "stratify_by");
    refused(r#"{"split":{"train":1.0,"tolerance":0.1}}"#, "stratify_by");
    refused(r#"{"compression":"gzip","compression_level":12}"#, "1 to 9 with gzip");
    refused(r#"{"partitions":0}"#, "auto, or");
    refused(r#"{"jq":1}"#, "a jq filter");
    refused(r#"{"bundle":"tar"}"#, "`bundle` can't be `tar`; allowed: zip, none");
}

#[test]
fn a_least_confidence_is_the_first_step() {
    let read = options(r#"{"preprocessing":["lowercase"],"min_confidence":0.5}"#).unwrap();
    assert_eq!(read.preprocessing, [Step::MinConfidence(0.5), Step::Lowercase]);
    assert_eq!(options(r#"{"min_confidence":"none"}"#).unwrap().preprocessing, []);
    refused(r#"{"min_confidence":"high"}"#, "`min_confidence` can't be `high`");
}

#[test]
fn shapes_are_read() {
    assert_eq!(options(r#"{"hierarchy":{"depth":2}}"#).unwrap().hierarchy, Hierarchy::Depth(2));
    assert_eq!(options(r#"{"docstart":true}"#).unwrap().docstart, DocStart::Always);
    assert_eq!(options(r#"{"label_map":{"A":null}}"#).unwrap().label_map, [("A".to_owned(), None)]);
    for version in ["2.0", "\"2.0\"", "2"] {
        let read = options(&format!(r#"{{"squad_version":{version}}}"#)).unwrap();
        assert_eq!(read.squad_version, SquadVersion::Two, "{version}");
    }
    let by = Split::Metadata(vec!["meta".into(), "split".into()]);
    assert_eq!(options(r#"{"split":{"by":"metadata.meta.split"}}"#).unwrap().split, by);
}
