//! More slots, more processes, texts that are far larger than the rest, and the planner.

use std::fs;
use std::path::Path;

use serde_json::json;
use spanfleet_tests::{Fleet, Process, shared};

use crate::corpus;
use crate::plot::{Line, Plot};
use crate::report::Section;
use crate::stage::{Figures, ask, database, export, fleet, psql, runs, timed};

const TEXTS: usize = 50_000;
/// Texts of the export whose planning is measured.
const PLANNED_TEXTS: usize = 1_000_000;

/// Measures slots and processes.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("Slots and processes");
    let fleet = fleet(TEXTS);
    let mut rows = Vec::new();
    let mut points = Vec::new();
    let mut alone = f64::NAN;
    for (processes, slots) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
        let workers: Vec<Process> = (0..processes)
            .map(|nth| fleet.worker(&format!("w{processes}-{slots}-{nth}"), &slots.to_string()))
            .collect();
        let mut walls = Figures::default();
        for nth in 0..=runs() {
            let (run, _) = timed(|| export(&fleet, "conll", &json!({"compression": "gzip"})));
            if nth > 0 {
                walls.push(run.wall);
            }
        }
        if (processes, slots) == (1, 1) {
            alone = walls.median();
        }
        if slots == 1 {
            points.push((f64::from(processes), TEXTS as f64 / walls.median()));
        }
        let ratio = walls.median() / alone;
        rows.push(vec![processes.to_string(), slots.to_string(), walls.show(), format!("{ratio:.2}")]);
        drop(workers);
    }
    section.say(format!(
        "CoNLL of {TEXTS} texts with gzip; PostgreSQL, broker and store share the two cores with the workers."
    ));
    section.table(&["processes", "slots each", "wall s", "of one slot's"], &rows);
    section.plots.push(Plot {
        name: "scaling".to_owned(),
        title: "CoNLL with gzip, workers of one slot".to_owned(),
        x: "worker processes".to_owned(),
        y: "texts per second".to_owned(),
        lines: vec![Line { name: "texts per second".to_owned(), points }],
    });
    section
}

/// Measures how evenly partitions end when two texts are giants.
pub(crate) fn skew() -> Section {
    let mut section = Section::new("Giant texts");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = with_giants(folder.path());
    let fleet = Fleet::start(shared().fresh_bucket(), &path.to_string_lossy());
    psql(database(&fleet), "VACUUM (ANALYZE, FREEZE)");
    let _worker = fleet.worker("worker", "4");
    let mut ratios = Figures::default();
    for nth in 0..=runs() {
        let job = export(&fleet, "conll", &json!({"compression": "gzip"}));
        if nth > 0 {
            ratios.push(makespan_to_mean(&fleet, job["job_uuid"].as_str().expect("a job has an id")));
        }
    }
    section.say(format!(
        "{TEXTS} texts, one more with 100,000 annotations and one of 10 MB, on one worker of four slots: the time from the \
         first claim of a partition to the last end, by the mean work of a slot (the sum of all partitions' times over \
         four): {}.",
        ratios.show()
    ));
    section
}

fn with_giants(folder: &Path) -> std::path::PathBuf {
    let path = corpus::generate(folder, TEXTS).expect("the corpus can be written");
    let mut lines = fs::read_to_string(&path).expect("it was just written");
    let words = "giant ".repeat(100_000);
    let spans: Vec<_> = (0..100_000)
        .map(|nth| json!({"id": format!("g{nth}"), "start": nth * 6, "end": nth * 6 + 5, "label": "PERSON"}))
        .collect();
    for record in [
        json!({"id": "dense", "text": words, "annotations": spans}),
        json!({"id": "long", "text": "a long text ".repeat(10_000_000 / 12), "annotations": []}),
    ] {
        lines.push_str(&record.to_string());
        lines.push('\n');
    }
    fs::write(&path, lines).expect("the corpus can be written");
    path
}

fn makespan_to_mean(fleet: &Fleet, uuid: &str) -> f64 {
    let sql = format!(
        "SELECT extract(epoch FROM max(p.ended_at) - min(p.claimed_at)) / (sum(extract(epoch FROM p.ended_at - p.claimed_at)) / 4) \
         FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id WHERE j.job_uuid = '{uuid}' AND p.kind = 'encode'"
    );
    ask(database(fleet), &sql)[0]
}

/// Measures the planner against the export that it plans.
pub(crate) fn planner() -> Section {
    let mut section = Section::new("The planner");
    let fleet = fleet(PLANNED_TEXTS);
    let _worker = fleet.worker("worker", "2");
    let (whole, job) = timed(|| export(&fleet, "conll", &json!({"compression": "gzip"})));
    let cpu = whole.cpu.of("postgres") + whole.cpu.of("spanfleet worker");
    let uuid = job["job_uuid"].as_str().expect("a job has an id");
    let sql = format!(
        "SELECT extract(epoch FROM p.ended_at - p.claimed_at) FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id \
         WHERE j.job_uuid = '{uuid}' AND p.kind = 'plan'"
    );
    let seconds = ask(database(&fleet), &sql)[0];
    section.say(format!(
        "{PLANNED_TEXTS} texts as CoNLL with gzip: {cpu:.1} CPU s in all, {:.1} s; the plan took {seconds:.2} s of wall time \
         with nothing beside it, which is at most {:.1} % of the CPU.",
        whole.wall,
        seconds / cpu * 100.0
    ));
    section
}
