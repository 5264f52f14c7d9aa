//! Measures a fleet: `measure [TEXTS]` exports TEXTS and ten times as many through one worker with two slots, on
//! the servers that `with-servers` started, and prints times and peak memory as a table.

use std::time::{Duration, Instant};

use serde_json::json;
use spanfleet_tests::corpora::repeated_corpus;
use spanfleet_tests::{Fleet, shared};

const TEXTS: usize = 200_000;
const PATIENCE: Duration = Duration::from_hours(1);

fn main() {
    let texts = std::env::args().nth(1).map_or(TEXTS, |texts| texts.parse().expect("TEXTS is a number"));
    println!("| texts | format | corpus MB | partitions | seconds | file MB | peak MiB of the worker |");
    println!("| --: | --- | --: | --: | --: | --: | --: |");
    for texts in [texts, texts * 10] {
        measure(texts);
    }
}

fn measure(texts: usize) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let corpus = repeated_corpus(folder.path(), texts);
    let corpus_bytes = corpus.metadata().map_or(0, |metadata| metadata.len());
    let fleet = Fleet::start(shared().fresh_bucket(), &corpus.to_string_lossy());
    for format in ["conll", "jsonl"] {
        // A process of its own for each, so that one's peak is not the other's.
        let worker = fleet.worker(&format!("worker-{format}"), "2");
        let begun = Instant::now();
        let uuid = fleet.api.create(&json!({
            "project": "news", "format": format, "include_relations": true, "export_parameters": {"compression": "gzip"}
        }));
        let job = fleet.api.wait_for(&uuid, "completed", PATIENCE);
        println!(
            "| {texts} | {format} | {} | {} | {:.1} | {} | {} |",
            corpus_bytes / 1_000_000,
            job["partitions"]["total"],
            begun.elapsed().as_secs_f64(),
            job["output_file_size"].as_u64().unwrap_or(0) / 1_000_000,
            worker.peak_memory_bytes() >> 20,
        );
    }
}
