//! Wrong input: one clear error that names the place and the mend, and the right exit code.

use std::fs;

use spanfleet_tests::{
    command::{Said, spanfleet, spanfleet_with},
    corpora::harbour,
};

use crate::support::manifest;

fn export_lines(lines: &str, flags: &[&str]) -> (tempfile::TempDir, Said) {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("corpus.jsonl"), lines).unwrap();
    let mut args = vec!["-q", "export", "corpus.jsonl", "--format", "jsonl", "--out", "out"];
    args.extend(flags);
    let said = spanfleet(work.path(), &args);
    (work, said)
}

const GOOD: &str = r#"{"text": "Ada met Bo."}"#;

#[test]
fn a_bad_json_line_is_named() {
    let (_work, said) = export_lines(&format!("{GOOD}\n{{\"text\": \"x\",,}}\n"), &[]);
    said.fails(1, "corpus.jsonl:2");
}

#[test]
fn offsets_outside_the_text_are_named() {
    let bad = r#"{"text": "Ada", "annotations": [{"start": 0, "end": 9, "label": "PER"}]}"#;
    let (work, said) = export_lines(&format!("{GOOD}\n{bad}\n"), &[]);
    said.fails(1, "corpus.jsonl:2");
    assert!(!work.path().join("out/manifest.json").exists());
}

#[test]
fn bad_lines_can_be_set_aside_and_never_vanish() {
    let bad = r#"{"text": "Ada", "annotations": [{"start": 0, "end": 9, "label": "PER"}]}"#;
    let (work, said) =
        export_lines(&format!("{GOOD}\n{bad}\nnot json\n"), &["--skip-invalid", "rejects.jsonl"]);
    let said = said.ok();
    assert!(said.err.contains("2 records"), "{}", said.err);
    assert_eq!(manifest(&work.path().join("out"))["counts"]["texts"], 1);
    let rejects = fs::read_to_string(work.path().join("rejects.jsonl")).unwrap();
    assert_eq!(rejects.lines().count(), 2);
    assert!(rejects.contains("\"line\":2") && rejects.contains("not json"), "{rejects}");
}

#[test]
fn unknown_words_are_usage_errors() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let export = |flags: &[&str]| {
        let mut args = vec!["export", &corpus, "--out", "out"];
        args.extend(flags);
        spanfleet(work.path(), &args)
    };
    export(&["--format", "word"]).fails(2, "`word`");
    export(&["--format", "conll", "--set", "colour=red"]).fails(2, "unknown option `colour`");
    export(&["--format", "conll", "--set", "label_scheme=BIOX"]).fails(2, "BIO, BILOU");
    export(&["--format", "conll", "--filter", "colour=red"]).fails(2, "unknown filter `colour`");
    export(&["--format", "conll", "--filter", "date_from=soon"]).fails(2, "date_from");
    export(&["--format", "conll", "--split", "train=0.5"]).fails(2, "sum to 1");
    export(&["--format", "conll", "--compression", "rar"]).fails(2, "none, gzip, zstd");
    export(&["--format", "conll", "--input-format", "word"]).fails(2, "--input-format");
    export(&["--template", "none/none"]).fails(2, "none/none");
    spanfleet(work.path(), &["export", "nowhere.jsonl", "--format", "conll", "--out", "out"])
        .fails(1, "nowhere.jsonl");
    spanfleet(work.path(), &["frobnicate"]).fails(2, "frobnicate");
    spanfleet_with(work.path(), &[("SPANFLEET_SLOTS".into(), "many".into())], &["worker"]).fails(2, "many");
    spanfleet(work.path(), &["worker"]).fails(2, "AMQP_URL");
    spanfleet_with(work.path(), &[("DATABASE_URL".into(), "mysql://x/y".into())], &["migrate"])
        .fails(2, "DATABASE_URL");
}

#[test]
fn strict_exports_refuse_losses() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let said = spanfleet(work.path(), &["-q", "export", &corpus, "-f", "conll", "--strict", "-o", "out"]);
    said.fails(3, "losses.jsonl");
    assert!(work.path().join("out/train.conll").is_file());
    spanfleet(work.path(), &["-q", "export", &corpus, "-f", "jsonl", "--strict", "-o", "out"]).ok();
}

#[test]
fn overlap_error_names_the_text() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let said =
        spanfleet(work.path(), &["-q", "export", &corpus, "-f", "conll", "-s", "overlap=error", "-o", "out"]);
    said.fails(1, "gazette-002");
}

#[test]
fn verify_finds_a_changed_byte() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    spanfleet(work.path(), &["-q", "export", &corpus, "-f", "conll", "-o", "out"]).ok();
    spanfleet(work.path(), &["verify", "out"]).ok();
    let file = work.path().join("out/train.conll");
    let mut bytes = fs::read(&file).unwrap();
    bytes[3] ^= 1;
    fs::write(&file, &bytes).unwrap();
    spanfleet(work.path(), &["verify", "out"]).fails(1, "train.conll");
    fs::remove_file(&file).unwrap();
    spanfleet(work.path(), &["verify", "out"]).fails(1, "train.conll");
    spanfleet(work.path(), &["verify", "nowhere"]).fails(1, "manifest.json");
}

#[test]
fn formats_and_completions_print() {
    let work = tempfile::tempdir().unwrap();
    let formats = spanfleet(work.path(), &["formats", "--json"]).ok().out;
    let formats: serde_json::Value = serde_json::from_str(&formats).unwrap();
    assert!(formats["formats"].as_array().unwrap().iter().any(|format| format["name"] == "conll"));
    assert!(spanfleet(work.path(), &["completions", "bash"]).ok().out.contains("spanfleet"));
}
