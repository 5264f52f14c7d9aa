//! Our own corpus, exported by every format, byte for byte. `tests/golden/<format>/cases.json` lists the exports;
//! each stands beside it, with its ledger. `UPDATE_GOLDEN=1` writes them anew, for a human to read the difference.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use spanfleet_core::{Filter, Include, Ledger, Options, Order};

use crate::testing::{corpus, export};
use crate::{Layout, all};

#[derive(Deserialize)]
struct Case {
    file: String,
    #[serde(default)]
    options: Map<String, Value>,
    include: Include,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "tests compare files")]
fn check(path: &Path, found: &[u8]) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, found).unwrap();
    }
    let expected = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (shown, found_shown) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(found));
    assert!(expected == found, "{}: expected\n{shown}\nfound\n{found_shown}", path.display());
}

fn summary(ledger: &Ledger) -> Vec<u8> {
    let ledger = json!({"counts": ledger.counts, "losses": ledger.losses(5), "changes": ledger.changes(5)});
    format!("{ledger:#}\n").into_bytes()
}

#[test]
fn every_format_writes_its_golden_files() {
    let documents = corpus(&read(&folder().join("corpus.jsonl")));
    for entry in all() {
        let folder = folder().join(entry.info.name);
        let cases: Vec<Case> = serde_json::from_str(&read(&folder.join("cases.json"))).unwrap();
        assert!(!cases.is_empty(), "{}", folder.display());
        for case in cases {
            let options = Options::merge(&[&case.options]).unwrap();
            let format = entry.info.name.to_owned();
            let order = Order { format, options, filter: Filter::default(), include: case.include };
            // A shard is a part; a file may have several.
            let is_shard = entry.info.layout != Layout::OneFile;
            let parts: &[&[_]] = if is_shard { &[&documents] } else { &[&documents[..3], &documents[3..]] };
            let (bytes, ledger) = export(&order, parts);
            assert!(ledger.balances(), "{ledger:?}");
            check(&folder.join(&case.file), &bytes);
            check(&folder.join(format!("{}.ledger.json", case.file)), &summary(&ledger));
        }
    }
}

#[test]
fn empty_files_are_valid() {
    let expected =
        [("jsonl", ""), ("json", "[]\n"), ("conll", ""), ("tfrecord", ""), ("gliner", "[]\n"), ("chat", "")];
    for (format, expected) in expected {
        assert_eq!(export(&crate::testing::order(format, "{}"), &[]).0, expected.as_bytes(), "{format}");
    }
    let csv = export(&crate::testing::order("csv", "{}"), &[]).0;
    assert!(csv.starts_with(b"text_id,") && csv.ends_with(b",relations\r\n"));
}
