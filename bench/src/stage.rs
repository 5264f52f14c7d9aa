//! What the parts measure on: a fleet that holds the corpus, and figures over rounds.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spanfleet_tests::{Fleet, shared};

use crate::corpus;
use crate::cpu::Cpu;

/// An export that takes longer does not end.
const PATIENCE: Duration = Duration::from_hours(1);

/// How often everything is measured: `BENCH_RUNS`, else 5.
pub(crate) fn runs() -> usize {
    std::env::var("BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(5)
}

/// A fleet without workers whose project holds so many texts.
pub(crate) fn fleet(texts: usize) -> Fleet {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let corpus = corpus::generate(folder.path(), texts).expect("the corpus can be written");
    let fleet = Fleet::start(shared().fresh_bucket(), &corpus.to_string_lossy());
    // What the import left for later is not the exports' work.
    psql(database(&fleet), "VACUUM (ANALYZE, FREEZE)");
    psql(database(&fleet), "CHECKPOINT");
    fleet
}

/// The address of a fleet's database.
pub(crate) fn database(fleet: &Fleet) -> &str {
    let found = fleet.env.iter().find(|(name, _)| name == "DATABASE_URL");
    found.map(|(_, url)| url.as_str()).expect("a fleet has a database")
}

/// Runs one statement.
pub(crate) fn psql(database: &str, sql: &str) {
    let ran =
        Command::new("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql]).status();
    assert!(ran.is_ok_and(|status| status.success()), "`{sql}` failed");
}

/// The numbers of a statement's one row.
pub(crate) fn ask(database: &str, sql: &str) -> Vec<f64> {
    let output = Command::new("psql").args(["-X", "-q", "-A", "-t", "-d", database, "-c", sql]).output();
    let output = output.expect("psql can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Result<Vec<f64>, _> = said.trim().split('|').map(str::parse).collect();
    numbers.unwrap_or_else(|_| panic!("`{sql}` gave {said}"))
}

/// What one run took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) wall: f64,
    pub(crate) cpu: Cpu,
}

/// Measures what a closure does.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Run, T) {
    let (before, begun) = (Cpu::of_everything(), Instant::now());
    let done = work();
    let wall = begun.elapsed().as_secs_f64();
    (Run { wall, cpu: &Cpu::of_everything() - &before }, done)
}

/// A job to its end; gives the job.
pub(crate) fn export(fleet: &Fleet, format: &str, parameters: &Value) -> Value {
    export_with(
        fleet,
        &json!({"project": "news", "format": format, "include_metadata": false, "export_parameters": parameters}),
    )
}

/// The same for a whole order.
pub(crate) fn export_with(fleet: &Fleet, order: &Value) -> Value {
    let uuid = fleet.api.create(order);
    while matches!(fleet.api.job(&uuid)["status"].as_str(), Some("pending" | "processing")) {
        listen(fleet, &uuid);
    }
    fleet.api.wait_for(&uuid, "completed", PATIENCE)
}

/// Waits until a job has ended, or the client's patience has: asking again and again would be measured too.
pub(crate) fn listen(fleet: &Fleet, uuid: &str) {
    let _ = fleet.api.try_call("GET", &format!("/export/jobs/{uuid}/events"), None, &[]);
}

/// A value of every round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[odd / 2],
            even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
        }
    }

    /// The median, and the least and most.
    pub(crate) fn show(&self) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(0.0, f64::max);
        format!("{:.2} ({least:.2}–{most:.2})", self.median())
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Figures {
        Figures(values.into_iter().collect())
    }
}

/// The size of every file in a folder.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|it| it.len())
        .sum()
}
