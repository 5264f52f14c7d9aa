//! Real corpora: what came from CoNLL goes back byte for byte, and every corpus balances in every format.

use std::path::{Path, PathBuf};

use serde_json::Value;
use spanfleet_core::Document;

use crate::testing::{corpus, export, export_text, order};
use crate::{Layout, all};

/// The folder of corpora; `None`, with a line that says so, where there is none.
fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let folder = std::env::var_os("SPANFLEET_CORPORA").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no corpora at `{}`; SPANFLEET_CORPORA names their folder", folder.display());
        return None;
    }
    Some(folder)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check_round_trip(name: &str, originals: &[&str]) {
    let Some(folder) = folder().map(|folder| folder.join(name)) else { return };
    let documents = corpus(&read(&folder.join("corpus.jsonl")));
    let (conll, ledger) = export_text(&order("conll", r#"{"tokenizer":"gold"}"#), &documents);
    let original: String = originals.iter().map(|file| read(&folder.join("original").join(file))).collect();
    let (conll, original) = (conll.trim_matches('\n'), original.trim_matches('\n'));
    let difference = conll.lines().zip(original.lines()).position(|(found, expected)| found != expected);
    assert_eq!(difference, None, "{name}");
    assert!(conll == original, "{name}: {} bytes, {} in the original", conll.len(), original.len());
    assert!(ledger.losses(0).is_empty() && ledger.changes(0).is_empty(), "{name}: {ledger:?}");
}

#[test]
fn btc_goes_back_byte_for_byte() {
    check_round_trip("btc-en-f", &["f.conll"]);
}

#[test]
fn wnut_goes_back_byte_for_byte() {
    check_round_trip("wnut17-en", &["emerging.dev.conll", "emerging.test.annotated"]);
}

#[test]
fn turku_goes_back_byte_for_byte() {
    check_round_trip("turku-fi-conll", &["dev.tsv"]);
}

fn json_lines(text: &str) -> Vec<Value> {
    text.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The paragraphs of a SQuAD file, in order.
fn paragraphs(squad: &Value) -> Vec<&Value> {
    let articles = squad["data"].as_array().unwrap().iter();
    articles.flat_map(|article| article["paragraphs"].as_array().unwrap()).collect()
}

#[test]
fn squad_goes_back_as_it_was() {
    for language in ["en", "ar", "zh"] {
        let Some(folder) = folder().map(|folder| folder.join(format!("xquad-{language}"))) else { return };
        let documents = corpus(&read(&folder.join("corpus.jsonl")));
        let (squad, ledger) = export_text(&order("squad", "{}"), &documents);
        let original = read(&folder.join(format!("original/xquad.{language}.json")));
        let [squad, original] = [squad, original].map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert!(paragraphs(&squad) == paragraphs(&original), "xquad-{language}");
        assert!(ledger.losses(0).is_empty(), "xquad-{language}: {ledger:?}");
    }
}

#[test]
fn doccano_goes_back_as_it_was() {
    for language in ["en", "lv"] {
        let Some(folder) = folder().map(|folder| folder.join(format!("multileg-{language}"))) else { return };
        let documents = corpus(&read(&folder.join("corpus.jsonl")));
        let found = json_lines(&export_text(&order("doccano", "{}"), &documents).0);
        let mut files: Vec<_> =
            std::fs::read_dir(folder.join("original")).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let original: Vec<Value> = files.iter().flat_map(|file| json_lines(&read(file))).collect();
        assert_eq!(found.len(), original.len());
        for (found, original) in found.iter().zip(&original) {
            assert_eq!((&found["text"], &found["label"]), (&original["text"], &original["label"]));
        }
    }
}

#[test]
fn prodigy_goes_back_as_it_was() {
    let Some(folder) = folder().map(|folder| folder.join("prodigy-emerson")) else { return };
    let documents = corpus(&read(&folder.join("corpus.jsonl")));
    let found = json_lines(&export_text(&order("prodigy", "{}"), &documents).0);
    let original = json_lines(&read(&folder.join("original/emerson_annotated_text.jsonl")));
    assert_eq!(found.len(), original.len());
    for (found, original) in found.iter().zip(&original) {
        for key in ["text", "accept", "answer"] {
            assert_eq!(found[key], original[key], "{key}");
        }
        for (found, original) in
            found["spans"].as_array().unwrap().iter().zip(original["spans"].as_array().unwrap())
        {
            for key in ["start", "end", "label", "text", "source", "rank"] {
                assert_eq!(found[key], original[key], "{key}");
            }
            assert_eq!(found["score"].as_f64(), original["score"].as_f64());
        }
    }
}

fn every_corpus(mut check: impl FnMut(&str, &[Document])) {
    let Some(folder) = folder() else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.join("corpus.jsonl").is_file() {
            check(&path.display().to_string(), &corpus(&read(&path.join("corpus.jsonl"))));
        }
    }
}

#[test]
fn every_corpus_balances_in_every_format() {
    every_corpus(|name, documents| {
        for entry in all() {
            for options in ["{}", r#"{"alignment":"strict","label_scheme":"IO","hierarchy":"path"}"#] {
                let mut order = order(entry.info.name, options);
                order.include.relations = true;
                let (whole, ledger) = export(&order, &[documents]);
                assert!(ledger.balances(), "{name} {}: {ledger:?}", entry.info.name);
                if entry.info.layout != Layout::OneFile {
                    continue;
                }
                let middle = documents.len() / 2;
                let halves = export(&order, &[&documents[..middle], &documents[middle..]]).0;
                assert!(halves == whole, "{name} {}", entry.info.name);
            }
        }
    });
}

#[test]
fn json_lines_read_back_as_they_were() {
    every_corpus(|name, documents| {
        let mut order = order("jsonl", r#"{"hierarchy":"path"}"#);
        order.include.relations = true;
        let (lines, ledger) = export_text(&order, documents);
        assert!(corpus(&lines) == documents, "{name}");
        assert!(ledger.losses(0).is_empty(), "{name}: {ledger:?}");
    });
}
