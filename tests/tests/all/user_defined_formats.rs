//! User-defined formats: a row of `export_formats` with rules, a jq filter and a schema.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use spanfleet_tests::{Client, command::spanfleet, corpora::harbour};

use crate::{
    serve::start,
    support::{assert_nothing_vanished, manifest},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// One line per text: its words and what is marked in them.
fn marks() -> Value {
    json!({
        "format_name": "marks",
        "format_type": "jsonl",
        "transformation_rules": {"compression": "none", "label_map": {"VESSEL": "SHIP"}},
        "output_structure": {"jq": "{doc: .id, marks: [.annotations[] | select(.start != null) | [.start, .end, .label]]}"},
        "format_schema": {
            "type": "object",
            "required": ["doc", "marks"],
            "properties": {"marks": {"items": {"prefixItems": [{"type": "integer"}, {"type": "integer"}, {"type": "string"}]}}}
        },
        "metadata": {"title": "marks of a text"}
    })
}

fn written(folder: &Path, name: &str, format: &Value) -> String {
    let path = folder.join(name);
    fs::write(&path, format.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn with(mut format: Value, key: &str, value: Value) -> Value {
    format[key] = value;
    format
}

#[test]
fn a_file_describes_a_format() {
    let work = tempfile::tempdir().unwrap();
    let format = written(work.path(), "marks.json", &marks());
    spanfleet(work.path(), &["-q", "export", &harbour(), "--format", &format, "--out", "out"]).ok();
    let manifest = manifest(&work.path().join("out"));
    assert_nothing_vanished(&manifest);
    assert_eq!(
        (&manifest["format"]["name"], &manifest["format"]["type"]),
        (&json!("marks"), &json!("jsonl"))
    );
    let lines = fs::read_to_string(work.path().join("out/train.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 12);
    assert!(records.iter().all(|record| record["doc"].is_string()));
    assert!(lines.contains("\"SHIP\"") && !lines.contains("\"VESSEL\""), "{lines}");
    let shown =
        spanfleet(work.path(), &["-q", "preview", &harbour(), "-n", "1", "--format", &format]).ok().out;
    assert_eq!(shown.lines().next(), lines.lines().next());
}

#[test]
fn a_record_that_does_not_fit_fails_the_job_with_its_place() {
    let work = tempfile::tempdir().unwrap();
    let strict = with(marks(), "format_schema", json!({"properties": {"marks": {"maxItems": 2}}}));
    let format = written(work.path(), "strict.json", &strict);
    let said = spanfleet(work.path(), &["-q", "export", &harbour(), "--format", &format, "--out", "out"]);
    assert!(said.err.contains("gazette-") && said.err.contains("at `/marks`"), "{}", said.err);
    said.fails(1, "does not fit the format's schema");
    assert!(!work.path().join("out/manifest.json").exists());
}

#[test]
fn what_cannot_be_exported_cannot_be_added() {
    let work = tempfile::tempdir().unwrap();
    for (name, format, words) in [
        ("taken", with(marks(), "format_name", json!("conll")), "`conll`"),
        ("path", with(marks(), "format_name", json!("../x")), "format_name"),
        ("type", with(marks(), "format_type", json!("word")), "format_type"),
        ("filter", with(marks(), "output_structure", json!({"jq": "{"})), "jq"),
        ("key", with(marks(), "output_structure", json!({"jq": ".", "xslt": ""})), "xslt"),
        ("rule", with(marks(), "transformation_rules", json!({"colour": 1})), "colour"),
        ("schema", with(marks(), "format_schema", json!({"type": "whole"})), "JSON Schema"),
        ("csv", with(marks(), "format_type", json!("csv")), "only with json and jsonl"),
        ("field", with(marks(), "file_extensions", json!(["txt"])), "file_extensions"),
    ] {
        let file = written(work.path(), &format!("{name}.json"), &format);
        spanfleet(work.path(), &["formats", "add", &file]).fails(2, words);
    }
    spanfleet(work.path(), &["formats", "add", "nowhere.json"]).fails(2, "nowhere.json");
}

#[test]
fn stored_formats_are_ordered_by_name_and_only_administrators_add_them() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let file = written(work.path(), "marks.json", &marks());
    spanfleet(work.path(), &["formats", "add", &file]).ok();
    let token = |flags: &[&str]| spanfleet(work.path(), &[&["token", "create"][..], flags].concat()).ok().out;
    let (_serve, api) = start(work.path());
    let as_user = |token: String| Client { url: api.url.clone(), token: token.trim().to_owned() };
    let member = as_user(token(&["--user", "ada", "--project", "harbour"]));
    let admin = as_user(token(&["--user", "root", "--admin"]));

    let conll = json!({"format_name": "team-conll", "format_type": "conll", "transformation_rules": {"label_scheme": "IOBES"}});
    member.post("/export/formats", &conll).is_problem(403, "administrator");
    let added = admin.post("/export/formats", &conll);
    assert_eq!(added.status, 201, "{:?}", added.json());
    assert_eq!(added.json()["file_extensions"][0], "conll");
    admin.post("/export/formats", &with(conll, "format_name", json!("json"))).is_problem(422, "format_name");

    for (format, name) in [("marks", "train.jsonl"), ("team-conll", "train.conll")] {
        let uuid = member.create(&json!({"project": "harbour", "format": format}));
        let job = member.wait_for(&uuid, "completed", PATIENCE);
        assert!(job["output_file_path"].as_str().unwrap().ends_with(name), "{job:#}");
        assert_eq!(job["format"], format);
        let manifest = member.get(&format!("/export/jobs/{uuid}/manifest")).json();
        assert_eq!(manifest["format"]["name"], format);
        assert_nothing_vanished(&manifest);
    }
    let preview =
        member.post("/export/preview?texts=2", &json!({"project": "harbour", "format": "team-conll"}));
    assert!(preview.json()["content"].as_str().unwrap().contains("S-"), "{:?}", preview.json());
}
