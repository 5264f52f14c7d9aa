//! Every real corpus through the one-shot command.

use std::{fs, path::Path};

use spanfleet_tests::{command::spanfleet, corpora::corpora};

use crate::support::{assert_nothing_vanished, manifest};

fn names(folder: &Path) -> Vec<String> {
    let folders = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn export_all(format: &str) {
    let Some(folder) = corpora() else { return };
    for name in names(&folder) {
        let work = tempfile::tempdir().unwrap();
        let corpus = folder.join(&name).join("corpus.jsonl");
        let args = [
            "-q",
            "export",
            corpus.to_str().unwrap(),
            "--format",
            format,
            "--include-relations",
            "--out",
            "out",
        ];
        spanfleet(work.path(), &args).ok();
        let manifest = manifest(&work.path().join("out"));
        assert_nothing_vanished(&manifest);
        let texts = fs::read_to_string(&corpus).unwrap().split('\n').filter(|line| !line.is_empty()).count();
        assert_eq!(manifest["counts"]["texts_selected"], texts, "{name}");
        spanfleet(work.path(), &["verify", "out"]).ok();
    }
}

#[test]
fn every_corpus_to_jsonl() {
    export_all("jsonl");
}

#[test]
fn every_corpus_to_json() {
    export_all("json");
}

#[test]
fn every_corpus_to_csv() {
    export_all("csv");
}

#[test]
fn every_corpus_to_conll() {
    export_all("conll");
}

/// Blank lines at the ends of the originals aside.
fn trimmed(text: &str) -> &str {
    text.trim_matches('\n')
}

fn conll_comes_back(name: &str, originals: &[&str]) {
    let Some(folder) = corpora() else { return };
    let work = tempfile::tempdir().unwrap();
    let original = |file: &&str| folder.join(name).join("original").join(file).to_str().unwrap().to_owned();
    let originals: Vec<String> = originals.iter().map(original).collect();
    let text: Vec<String> =
        originals.iter().map(|file| trimmed(&fs::read_to_string(file).unwrap()).to_owned()).collect();
    let expected = text.join("\n\n");
    let corpus = folder.join(name).join("corpus.jsonl").to_str().unwrap().to_owned();
    for inputs in [vec![corpus], originals] {
        let mut args = vec!["-q", "export"];
        args.extend(inputs.iter().map(String::as_str));
        args.extend(["--format", "conll", "--set", "tokenizer=gold", "--out", "out"]);
        spanfleet(work.path(), &args).ok();
        let written = fs::read_to_string(work.path().join("out/train.conll")).unwrap();
        assert!(trimmed(&written) == expected, "{inputs:?} does not come back byte for byte");
    }
}

#[test]
fn btc_comes_back_byte_for_byte() {
    conll_comes_back("btc-en-f", &["f.conll"]);
}

#[test]
fn wnut17_comes_back_byte_for_byte() {
    conll_comes_back("wnut17-en", &["emerging.dev.conll", "emerging.test.annotated"]);
}

#[test]
fn turku_comes_back_byte_for_byte() {
    conll_comes_back("turku-fi-conll", &["dev.tsv"]);
}

#[test]
fn brat_texts_come_back_byte_for_byte() {
    let Some(folder) = corpora() else { return };
    for name in ["litbank-coref", "litbank-entities", "turku-fi-brat", "wetlab-dev"] {
        let work = tempfile::tempdir().unwrap();
        let original = folder.join(name).join("original");
        let args = [
            "-q",
            "export",
            original.to_str().unwrap(),
            "--format",
            "jsonl",
            "--include-relations",
            "--out",
            "out",
        ];
        spanfleet(work.path(), &args).ok();
        let mut texts = 0;
        for line in fs::read_to_string(work.path().join("out/train.jsonl")).unwrap().lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let file = original.join(format!("{}.txt", record["id"].as_str().unwrap()));
            assert_eq!(
                record["text"].as_str().unwrap(),
                fs::read_to_string(&file).unwrap(),
                "{}",
                file.display()
            );
            texts += 1;
        }
        let files = fs::read_dir(&original)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "txt"));
        assert_eq!(texts, files.count(), "{name}");
    }
}
