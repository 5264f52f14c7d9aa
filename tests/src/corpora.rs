//! Corpora: the real ones beside the repository, the example, and large ones made of them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The real corpora, which stand beside the repository where there are any.
pub fn corpora() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let folder = std::env::var_os("SPANFLEET_CORPORA").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder.canonicalize().unwrap());
    }
    println!("skipped: there are no corpora in {}", folder.display());
    None
}

/// The example corpus of the repository.
pub fn harbour() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/harbour/harbour.jsonl");
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// So many texts, made by repeating the real corpora (or the example) under new ids.
pub fn repeated_corpus(folder: &Path, texts: usize) -> PathBuf {
    let mut lines = Vec::new();
    match corpora() {
        None => lines.extend(fs::read_to_string(harbour()).unwrap().lines().map(str::to_owned)),
        // Texts of one sentence and of several pages, with emoji, relations, nested and discontinuous spans.
        Some(corpora) => {
            for name in [
                "btc-en-f",
                "wnut17-en",
                "turku-fi-brat",
                "uner-zh",
                "xquad-ar",
                "webanno-tsv3-suite",
                "pubannotation-en",
            ] {
                let text = fs::read_to_string(corpora.join(name).join("corpus.jsonl")).unwrap();
                lines.extend(text.split('\n').filter(|line| !line.is_empty()).map(str::to_owned));
            }
        }
    }
    let path = folder.join("repeated.jsonl");
    let mut out = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    for number in 0..texts {
        let line = &lines[number % lines.len()];
        let line = line.replacen("{\"id\":\"", &format!("{{\"id\":\"{number}:"), 1).replacen(
            "{\"id\": \"",
            &format!("{{\"id\": \"{number}:"),
            1,
        );
        writeln!(out, "{line}").unwrap();
    }
    out.flush().unwrap();
    path
}
