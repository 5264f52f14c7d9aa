//! Peak memory of a worker over the size of the corpus.

use serde_json::json;
use spanfleet_tests::corpora::repeated_corpus;
use spanfleet_tests::{Fleet, shared};

use crate::plot::{Line, Plot};
use crate::report::Section;
use crate::stage::{export_with, timed};

/// `BENCH_MEMORY_TEXTS`, else these; an import of more takes longer than everything else together.
const TEXTS: &[usize] = &[50_000, 500_000];
const FORMATS: &[&str] = &["conll", "jsonl", "spacy", "transformers"];

/// Measures it.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("Memory");
    let sizes = std::env::var("BENCH_MEMORY_TEXTS").map_or(TEXTS.to_vec(), |sizes| {
        sizes.split(',').map(|texts| texts.parse().expect("BENCH_MEMORY_TEXTS are numbers")).collect()
    });
    let mut rows = Vec::new();
    let mut lines: Vec<Line> =
        FORMATS.iter().map(|format| Line { name: (*format).to_owned(), points: Vec::new() }).collect();
    for texts in sizes {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let corpus = repeated_corpus(folder.path(), texts);
        let megabytes = corpus.metadata().map_or(0, |metadata| metadata.len()) / 1_000_000;
        let fleet = Fleet::start(shared().fresh_bucket(), &corpus.to_string_lossy());
        drop(folder);
        for (format, line) in FORMATS.iter().zip(&mut lines) {
            // A process of its own for each, so that one's peak is not the other's.
            let worker = fleet.worker(&format!("worker-{format}"), "2");
            let order = json!({"project": "news", "format": format, "include_relations": true});
            let (run, job) = timed(|| export_with(&fleet, &order));
            let (peak, after) = (worker.peak_memory_bytes() >> 20, worker.memory_bytes() >> 20);
            line.points.push((texts as f64 / 1e3, peak as f64));
            rows.push(vec![
                (*format).to_owned(),
                texts.to_string(),
                megabytes.to_string(),
                job["partitions"]["total"].to_string(),
                format!("{:.1}", run.wall),
                (job["output_file_size"].as_u64().unwrap_or(0) / 1_000_000).to_string(),
                peak.to_string(),
                after.to_string(),
            ]);
        }
    }
    section.say("Resident memory of one worker with two slots, a process of its own for each export: its peak, and at the end.");
    section.table(
        &["format", "texts", "corpus MB", "partitions", "wall s", "file MB", "peak MiB", "MiB at the end"],
        &rows,
    );
    section.plots.push(Plot {
        name: "memory".to_owned(),
        title: "Peak memory of a worker with two slots".to_owned(),
        x: "thousand texts".to_owned(),
        y: "MiB".to_owned(),
        lines,
    });
    section
}
