use super::*;

fn filter(json: &str) -> Result<Filter, OptionError> {
    Filter::from_json(serde_json::from_str::<Value>(json).unwrap().as_object().unwrap())
}

#[test]
fn reads_what_it_writes() {
    for json in [
        r#"{"text_ids":[1,"doc-2"],"date_from":"2026-01-02T00:00:00Z"}"#,
        r#"{"labels":["PER","7"],"min_agreement":0.5,"has_annotations":true}"#,
        r#"{"has_annotations":false,"metadata.source":"news","metadata.a.b":[1,true,"x"]}"#,
    ] {
        assert_eq!(Value::Object(filter(json).unwrap().to_json()).to_string(), json);
    }
}

#[test]
fn words_of_a_command_line_are_read() {
    let read = filter(r#"{"labels":"PER","min_agreement":"0.5","has_annotations":"false"}"#).unwrap();
    assert_eq!(read.labels, Some(vec!["PER".to_owned()]));
    assert_eq!((read.min_agreement, read.has_annotations), (Some(0.5), Some(false)));
}

#[test]
fn refuses_by_name() {
    for (json, key) in [
        (r#"{"texts":[1]}"#, "`texts`"),
        (r#"{"date_to":"soon"}"#, "`date_to`"),
        (r#"{"label_ids":[1.5]}"#, "`label_ids`"),
        (r#"{"labels":[true]}"#, "`labels`"),
        (r#"{"min_agreement":1.5}"#, "`min_agreement`"),
        (r#"{"has_annotations":"perhaps"}"#, "`has_annotations`"),
        (r#"{"metadata.":"x"}"#, "`metadata.`"),
        (r#"{"metadata.a":{"b":1}}"#, "`metadata.a`"),
        (r#"{"metadata.a\"b":1}"#, "`metadata.a\"b`"),
    ] {
        let message = filter(json).unwrap_err().to_string();
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn metadata_matches_numbers_as_numbers_and_the_rest_as_text() {
    let takes = |wanted: &str, metadata: &str| {
        let json = format!(r#"{{"metadata.a.b":{wanted}}}"#);
        filter(&json).unwrap().takes_metadata(Json::parse(metadata).ok().as_ref())
    };
    assert!(takes(r#""news""#, r#"{"a":{"b":"news"}}"#));
    assert!(takes(r#"["web","news"]"#, r#"{"a":{"b":"news"}}"#));
    assert!(!takes(r#""news""#, r#"{"a":{"b":"News"}}"#));
    assert!(takes("1.5", r#"{"a":{"b":1.50}}"#));
    assert!(takes(r#""1.5""#, r#"{"a":{"b":1.50}}"#));
    assert!(takes("2024", r#"{"a":{"b":"2024"}}"#));
    assert!(!takes(r#""1.5""#, r#"{"a":{"b":"1.50"}}"#));
    assert!(takes("true", r#"{"a":{"b":true}}"#));
    assert!(takes(r#""true""#, r#"{"a":{"b":true}}"#));
    assert!(!takes("1", r#"{"a":{"b":true}}"#));
    for absent in ["{}", r#"{"a":7}"#, r#"{"a":{"b":null}}"#, r#"{"a":{"b":["news"]}}"#] {
        assert!(!takes(r#""news""#, absent), "{absent}");
    }
    assert!(!filter(r#"{"metadata.a":"x"}"#).unwrap().takes_metadata(None));
}
