//! Formats of frameworks, against the best that Python does for the same file.

use std::process::Command;

use serde_json::{Value, json};
use spanfleet_tests::Fleet;

use crate::bars::{Bar, Bars};
use crate::report::{Section, root};
use crate::stage::{Figures, Run, database, export, fleet, runs, timed};

/// Python is measured on these, the first of the corpus: all of it would take an hour.
const PEER_TEXTS: usize = 5_000;
const TEXTS: usize = 50_000;

/// A way of Python's, and the export that makes the same.
struct Pair {
    way: &'static str,
    says: &'static str,
    /// What the export is called.
    export: &'static str,
    format: &'static str,
    parameters: fn() -> Value,
}

const PAIRS: &[Pair] = &[
    Pair {
        way: "spacy_pipeline",
        says: "spaCy, its tokenizer",
        export: "spacy, its tokens",
        format: "spacy",
        parameters: by_spacy,
    },
    Pair {
        way: "spacy_words",
        says: "spaCy's DocBin, words by a regular expression",
        export: "spacy",
        format: "spacy",
        parameters: plain,
    },
    Pair {
        way: "tfrecord",
        says: "TensorFlow's TFRecordWriter",
        export: "tfrecord",
        format: "tfrecord",
        parameters: plain,
    },
    Pair {
        way: "parquet_pyarrow",
        says: "pyarrow, tokens and tags",
        export: "transformers",
        format: "transformers",
        parameters: plain,
    },
    Pair {
        way: "parquet_datasets",
        says: "`datasets`, tokens and tags",
        export: "transformers",
        format: "transformers",
        parameters: plain,
    },
    Pair {
        way: "arrow_pyarrow",
        says: "pyarrow, nested records",
        export: "arrow",
        format: "arrow",
        parameters: plain,
    },
    Pair {
        way: "conll",
        says: "str.join, ISA-L 1",
        export: "conll, gzip 1",
        format: "conll",
        parameters: fast,
    },
    Pair {
        way: "jsonl",
        says: "orjson, ISA-L 1",
        export: "jsonl, gzip 1",
        format: "jsonl",
        parameters: fast,
    },
];

fn plain() -> Value {
    json!({})
}

fn by_spacy() -> Value {
    json!({"tokenizer": "spacy"})
}

fn fast() -> Value {
    json!({"compression": "gzip", "compression_level": 1})
}

/// Measures them.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("Formats of frameworks, beside Python");
    let fleet = fleet(TEXTS);
    let _worker = fleet.worker("worker", "2");
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for pair in PAIRS {
        let (row, bar) = row(&fleet, pair);
        rows.push(row);
        // Some formats have two ways of Python's.
        if bars.iter().all(|known: &Bar| known.name != bar.name) {
            bars.push(bar);
        }
    }
    section.say(format!(
        "CPU seconds for 1,000 texts of 1.5 KB with 20 spans each, database included: the fleet's on {TEXTS} texts, \
         Python's on the first {PEER_TEXTS} of them, read by binary COPY (`bench/peers/peer.py`)."
    ));
    section.table(
        &["format", "Python", "Python CPU s", "peak MiB", "Spanfleet CPU s", "Spanfleet / Python"],
        &rows,
    );
    section.bars.push(Bars {
        name: "throughput".to_owned(),
        title: "Texts for a CPU second of worker and database".to_owned(),
        x: "thousand texts".to_owned(),
        pieces: vec!["texts".to_owned()],
        rows: bars,
    });
    section
}

fn row(fleet: &Fleet, pair: &Pair) -> (Vec<String>, Bar) {
    let cpu = |run: &Run, program: &str| run.cpu.of("postgres") + run.cpu.of(program);
    let [mut python, mut ours, mut ratios] = std::array::from_fn(|_| Figures::default());
    let mut peak = 0;
    for nth in 0..=runs() {
        let (run, bytes) = timed(|| peer(fleet, pair.way));
        let per_thousand = cpu(&run, "spanfleet-bench") / PEER_TEXTS as f64 * 1e3;
        let (run, _) = timed(|| export(fleet, pair.format, &(pair.parameters)()));
        let of_ours = cpu(&run, "spanfleet worker") / TEXTS as f64 * 1e3;
        if nth > 0 {
            python.push(per_thousand);
            ours.push(of_ours);
            ratios.push(of_ours / per_thousand);
            peak = peak.max(bytes);
        }
    }
    let row = vec![
        pair.format.to_owned(),
        pair.says.to_owned(),
        format!("{:.3}", python.median()),
        (peak >> 20).to_string(),
        format!("{:.3}", ours.median()),
        format!("1/{:.0}", 1.0 / ratios.median()),
    ];
    (row, Bar { name: pair.export.to_owned(), pieces: vec![1.0 / ours.median()] })
}

/// One way of Python's; the most memory that it held, in bytes.
fn peer(fleet: &Fleet, way: &str) -> u64 {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let python = root().join(".venv/bench/bin/python");
    let mut command = Command::new(python);
    command.arg(root().join("bench/peers/peer.py")).args([way, database(fleet), &PEER_TEXTS.to_string()]);
    let output = command.arg(folder.path().join("out")).env("HF_HOME", folder.path()).output();
    let output = output.expect("Python can be started");
    assert!(output.status.success(), "{way}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().last().and_then(|bytes| bytes.trim().parse().ok()).expect("it says its peak")
}
