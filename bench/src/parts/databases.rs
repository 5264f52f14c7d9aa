//! Text formats out of PostgreSQL: against the database's own limit and against a bare loop.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use spanfleet_tests::Fleet;

use crate::bare;
use crate::bars::{Bar, Bars};
use crate::report::Section;
use crate::stage::{Figures, Run, ask, database, export, fleet, folder_bytes, runs, timed};

const TEXTS: usize = 50_000;
const FORMATS: &[&str] = &["conll", "jsonl", "csv"];
/// A fast level, and the one that makes files of gzip's usual size.
const LEVELS: &[i32] = &[1, 6];
/// What takes CPU in a fleet and counts against the bare loop: what it is called, and its program.
const COUNTED: &[Share] = &[("worker", "spanfleet worker"), ("PostgreSQL", "postgres")];
/// What stands apart.
const APART: &[Share] =
    &[("dispatcher", "spanfleet dispatcher"), ("RabbitMQ", "beam.smp"), ("S3 server", "s3-server")];
type Share = (&'static str, &'static str);
/// Worker slots, and threads of the bare loop.
const SLOTS: i64 = 2;

/// One round: the limit, the bare loop, the fleet.
#[derive(Default)]
struct Round {
    limit: Run,
    bare: Run,
    bare_bytes: u64,
    fleet: Run,
    fleet_bytes: u64,
    steps: Vec<f64>,
}

/// What an export's wall time is made of, in seconds: until the first partition is claimed, until the last has ended,
/// until the files stand.
const STEPS: &str = "SELECT extract(epoch FROM min(p.claimed_at) - j.created_at), \
    extract(epoch FROM max(p.ended_at) - min(p.claimed_at)), extract(epoch FROM j.completed_at - max(p.ended_at)) \
    FROM export_jobs j JOIN export_partitions p ON p.job_id = j.id AND p.kind = 'encode'";

/// Measures them.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("Text formats out of PostgreSQL");
    let fleet = fleet(TEXTS);
    let _worker = fleet.worker("worker", &SLOTS.to_string());
    let (mut rows, mut steps, mut bars) = (Vec::new(), Vec::new(), Vec::new());
    for format in FORMATS {
        for level in LEVELS {
            let rounds: Vec<Round> = (0..=runs()).map(|_| round(&fleet, format, *level)).collect();
            // The first warms caches and connections.
            rows.push(row(format, *level, &rounds[1..]));
            steps.push(steps_row(format, *level, &rounds[1..]));
            bars.push(bar(format, *level, &rounds[1..]));
        }
    }
    section.say(format!(
        "{TEXTS} texts of 1.5 KB with {} annotations. The limit is two `COPY … (FORMAT binary)` of the columns that \
         the format needs, side by side to `/dev/null`; the bare loop reads the same, writes the same lines and \
         compresses them by libdeflate on {SLOTS} threads, and does nothing else. The fleet is one worker of {SLOTS} \
         slots with PostgreSQL, RabbitMQ and S3: its CPU is the worker's and PostgreSQL's, metastore included; the \
         dispatcher's, the broker's and the store's stand apart.",
        TEXTS * crate::corpus::SPANS
    ));
    section.table(
        &[
            "format",
            "limit CPU s",
            "bare CPU s",
            "fleet CPU s",
            "apart CPU s",
            "CPU fleet / bare",
            "limit wall s",
            "bare wall s",
            "fleet wall s",
            "wall fleet / limit",
            "MB bare",
            "MB fleet",
        ],
        &rows,
    );
    section.say(
        "Where the fleet's wall time goes, and how much of all cores it had at work, what stands apart included.".to_owned(),
    );
    section.table(&["format", "plan s", "partitions s", "sealing s", "cores at work"], &steps);
    section.bars.push(Bars {
        name: "cpu".to_owned(),
        title: format!("CPU of an export of {TEXTS} texts through the fleet"),
        x: "CPU seconds".to_owned(),
        pieces: shares().map(|(name, _)| (*name).to_owned()).collect(),
        rows: bars,
    });
    section
}

fn bar(format: &str, level: i32, rounds: &[Round]) -> Bar {
    let share = |(_, program): &Share| {
        rounds.iter().map(|round| round.fleet.cpu.of(program)).collect::<Figures>().median()
    };
    Bar { name: format!("{format}, gzip {level}"), pieces: shares().map(share).collect() }
}

fn shares() -> impl Iterator<Item = &'static Share> {
    COUNTED.iter().chain(APART)
}

fn round(fleet: &Fleet, format: &str, level: i32) -> Round {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (limit, ()) = timed(|| read_only(database(fleet), format));
    let (bare, ()) = timed(|| bare_loop(database(fleet), format, level, folder.path()));
    let parameters = json!({"compression": "gzip", "compression_level": level});
    let (run, job) = timed(|| export(fleet, format, &parameters));
    let fleet_bytes = job["output_file_size"].as_u64().unwrap_or(0);
    let uuid = job["job_uuid"].as_str().expect("a job has an id");
    let steps = ask(database(fleet), &format!("{STEPS} WHERE j.job_uuid = '{uuid}' GROUP BY j.id"));
    Round { limit, bare, bare_bytes: folder_bytes(folder.path()), fleet: run, fleet_bytes, steps }
}

fn row(format: &str, level: i32, rounds: &[Round]) -> Vec<String> {
    let figures = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(of).collect::<Figures>();
    let limit_cpu = |round: &Round| round.limit.cpu.of("postgres") + round.limit.cpu.of("spanfleet-bench");
    let bare_cpu = |round: &Round| round.bare.cpu.of("postgres") + round.bare.cpu.of("spanfleet-bench");
    let cpu_of = |round: &Round, shares: &[Share]| -> f64 {
        shares.iter().map(|(_, program)| round.fleet.cpu.of(program)).sum()
    };
    let fleet_cpu = |round: &Round| cpu_of(round, COUNTED);
    let apart = |round: &Round| cpu_of(round, APART);
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    vec![
        format!("{format}, gzip {level}"),
        figures(&limit_cpu).show(),
        figures(&bare_cpu).show(),
        figures(&fleet_cpu).show(),
        figures(&apart).show(),
        figures(&|round| fleet_cpu(round) / bare_cpu(round)).show(),
        figures(&|round| round.limit.wall).show(),
        figures(&|round| round.bare.wall).show(),
        figures(&|round| round.fleet.wall).show(),
        figures(&|round| round.fleet.wall / round.limit.wall).show(),
        megabytes(rounds[0].bare_bytes),
        megabytes(rounds[0].fleet_bytes),
    ]
}

fn steps_row(format: &str, level: i32, rounds: &[Round]) -> Vec<String> {
    let figures = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(of).collect::<Figures>().show();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let busy = |round: &Round| {
        let seconds: f64 = shares().map(|(_, program)| round.fleet.cpu.of(program)).sum();
        seconds / (round.fleet.wall * cores)
    };
    let steps = (0..3).map(|step| figures(&|round: &Round| round.steps[step]));
    [format!("{format}, gzip {level}")].into_iter().chain(steps).chain([figures(&busy)]).collect()
}

/// Two COPYs of what the format needs, side by side, to nowhere.
fn read_only(database: &str, format: &str) {
    let copies = bare::copies(format, 0, i64::MAX);
    let children = copies.map(|sql| {
        let settings = "SET max_parallel_workers_per_gather = 0; SET jit = off";
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-d", database, "-c", settings, "-c", &sql]).stdout(Stdio::null());
        command.spawn().expect("psql can be started")
    });
    for mut child in children {
        assert!(child.wait().is_ok_and(|status| status.success()), "COPY failed");
    }
}

/// A bare loop in a process of its own.
fn bare_loop(database: &str, format: &str, level: i32, folder: &Path) {
    let this = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(this);
    command
        .args(["bare", format, "libdeflate", &level.to_string(), &SLOTS.to_string(), database])
        .arg(folder);
    let ran = command.stdout(Stdio::null()).status();
    assert!(ran.is_ok_and(|status| status.success()), "the bare loop failed");
}
