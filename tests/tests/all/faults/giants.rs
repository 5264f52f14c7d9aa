//! Texts longer than anybody annotates: refused by name where they are beyond the limit, in bounded memory where not.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;
use spanfleet_tests::{
    Fleet, Process,
    command::{spanfleet, spanfleet_with},
    shared, wait_until,
};

use super::{PATIENCE, SHORT};
use crate::serve::start_with;

const MIB: usize = 1024 * 1024;

/// Small texts around one of so many bytes.
fn corpus(folder: &Path, giant_bytes: usize) -> PathBuf {
    let path = folder.join("giants.jsonl");
    let mut out = BufWriter::new(File::create(&path).unwrap());
    let annotations = json!([{"start": 0, "end": 3, "label": "PER"}]);
    for number in 0..8 {
        writeln!(
            out,
            "{}",
            json!({"id": format!("small-{number}"), "text": "Ada met Bo.", "annotations": annotations})
        )
        .unwrap();
        if number == 3 {
            write!(out, "{{\"id\": \"giant\", \"annotations\": {annotations}, \"text\": \"").unwrap();
            let words = "Ada met Bo. ".repeat(MIB / 12);
            for _ in 0..giant_bytes / words.len() {
                out.write_all(words.as_bytes()).unwrap();
            }
            writeln!(out, "\"}}").unwrap();
        }
    }
    out.flush().unwrap();
    path
}

const LIMIT: (&str, &str) = ("SPANFLEET_TEXT_LIMIT_MIB", "1");

fn order() -> serde_json::Value {
    json!({"project": "news", "format": "jsonl", "export_parameters": {"partitions": 4}})
}

/// A file says where it stands; what is set aside of it is its beginning.
#[test]
fn a_file_with_a_text_beyond_the_limit() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path(), 3 * MIB);
    let corpus = corpus.to_str().unwrap();
    let env = [(LIMIT.0.to_owned(), LIMIT.1.to_owned())];
    let import = |args: &[&str]| {
        spanfleet_with(work.path(), &env, &[&["import", corpus, "--project", "news"], args].concat())
    };
    import(&[]).fails(1, "giants.jsonl:5:1: the record is longer than the limit of 1 MiB");
    let said = import(&["--skip-invalid", "rejects.jsonl", "--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&report["texts"], &report["rejected"]), (&json!(8), &json!(1)));
    let rejects = std::fs::read_to_string(work.path().join("rejects.jsonl")).unwrap();
    assert!(rejects.len() < 4096 && rejects.contains("limit of 1 MiB"), "{} bytes", rejects.len());
    spanfleet(work.path(), &["-q", "export", corpus, "-f", "jsonl", "-o", "out"]).ok();
}

/// One in a database fails its partition by name; the others are done, and jobs without it end well.
#[test]
fn a_job_with_a_text_beyond_the_limit() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path(), 3 * MIB);
    let fleet = Fleet::start_with(shared().fresh_bucket(), corpus.to_str().unwrap(), SHORT);
    let _worker = fleet.worker_with("worker", "2", &[LIMIT]);
    let uuid = fleet.api.create(&order());
    let job = fleet.api.wait_for(&uuid, "failed", PATIENCE);
    let message = job["error_message"].as_str().unwrap();
    assert!(message.contains("`giant`") && message.contains("the limit of 1 MiB"), "{message}");
    let (done, total) =
        (job["partitions"]["done"].as_u64().unwrap(), job["partitions"]["total"].as_u64().unwrap());
    assert_eq!(done + 1, total, "{job:#}");
    let mut without = order();
    without["filter_criteria"] = json!({"text_ids": ["small-0", "small-7"]});
    fleet.api.wait_for(&fleet.api.create(&without), "completed", PATIENCE);
    fleet.run(&["fsck", "--deep"]).ok();
}

#[test]
fn a_server_on_a_laptop_with_a_text_beyond_the_limit() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path(), 3 * MIB);
    spanfleet(work.path(), &["import", corpus.to_str().unwrap(), "--project", "news"]).ok();
    let (_serve, api) = start_with(work.path(), &[LIMIT]);
    let job = api.wait_for(&api.create(&order()), "failed", PATIENCE);
    assert!(job["error_message"].as_str().unwrap().contains("the limit of 1 MiB"), "{job:#}");
}

/// A text of 1 GB is refused in the memory of the limit, and the largest that the limit allows goes all the way in
/// the memory that `docs/operations.md` says.
#[test]
#[ignore = "takes minutes: `make faults`"]
fn a_text_of_1_gb() {
    let work = tempfile::tempdir().unwrap();
    let beyond = corpus(work.path(), 1024 * MIB);
    let process = Process::spanfleet("import", work.path());
    let args =
        ["-q", "import", beyond.to_str().unwrap(), "--project", "news", "--skip-invalid", "rejects.jsonl"];
    let mut process = process.args(args).start();
    let (mut peak, status) = (0, format!("/proc/{}/status", process.pid()));
    wait_until("the import has ended", PATIENCE, || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        !process.is_running()
    });
    assert!(process.output().contains("1 records"), "{}", process.output());
    println!("an import that refuses 1 GB: {} MiB", peak / 1024);
    assert!(peak / 1024 < 60 + 2 * 256, "{} MiB", peak / 1024);

    let allowed = corpus(work.path(), 255 * MIB);
    let fleet = Fleet::start_with(
        shared().fresh_bucket(),
        allowed.to_str().unwrap(),
        &[("SPANFLEET_LEASE_SECONDS", "60")],
    );
    let worker = fleet.worker("worker", "1");
    let uuid = fleet.api.create(&order());
    fleet.api.wait_for(&uuid, "completed", PATIENCE);
    let peak = worker.peak_memory_bytes() as usize / MIB;
    println!("a worker that exports 255 MiB: {peak} MiB");
    // A program that is not optimised is some 40 MiB larger.
    assert!(peak < 60 + 4 * 256 + 30 + 40, "{peak} MiB");
}
