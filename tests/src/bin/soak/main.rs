//! `soak [MINUTES] [SEED]`: random faults against a fleet of three workers and many jobs, on private servers.
//!
//! Prints what happens as it happens and a report at the end, as Markdown. Fails when any promise was broken: an
//! export with other bytes than the undisturbed one, a violation that `fsck --deep` finds, a job that never ends.

mod faults;
mod jobs;
mod report;

use std::time::{Duration, Instant};

use rand::{SeedableRng as _, rngs::StdRng};
use spanfleet_tests::{Fleet, Process, Site, corpora::repeated_corpus};

use faults::Fault;
use jobs::Jobs;
use report::Report;

const TEXTS: usize = 4_000;
const WORKERS: usize = 3;

/// The fleet, and what it runs on.
struct World {
    site: Site,
    fleet: Fleet,
    workers: Vec<Process>,
    /// Processes started so far: each has a log of its own.
    started: usize,
}

impl World {
    fn start() -> World {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let corpus = repeated_corpus(folder.path(), TEXTS);
        let site = Site::start();
        let fleet = Fleet::start_on(&site, &corpus.to_string_lossy(), &[]);
        std::fs::copy(&corpus, fleet.work.path().join("corpus.jsonl")).expect("the corpus can be copied");
        let mut world = World { site, fleet, workers: Vec::new(), started: 0 };
        for _ in 0..WORKERS {
            let worker = world.new_worker(&[]);
            world.workers.push(worker);
        }
        world
    }

    fn new_worker(&mut self, more: &[(&str, &str)]) -> Process {
        self.started += 1;
        self.fleet.worker_with(&format!("worker-{}", self.started), "2", more)
    }

    /// Another worker takes the place of one that has ended.
    fn replace(&mut self, at: usize) {
        let fresh = self.new_worker(&[]);
        self.workers[at] = fresh;
    }

    /// What a supervisor does: whoever has ended is started again. Returns how many there were.
    fn supervise(&mut self) -> usize {
        let ended: Vec<usize> =
            (0..self.workers.len()).filter(|at| !self.workers[*at].is_running()).collect();
        for at in &ended {
            self.replace(*at);
        }
        if !self.fleet.dispatcher.is_running() {
            self.fleet.restart_dispatcher(&[]);
            return ended.len() + 1;
        }
        ended.len()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(default, |word| word.parse().expect("a number"));
    let minutes = number(30);
    let seed = number(u64::from(std::process::id()));
    println!("seed {seed}: `soak {minutes} {seed}` plays the same faults");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::start();
    let mut jobs = Jobs::new(&world);
    let mut report = Report::new(seed);
    let deadline = Instant::now() + Duration::from_secs(60 * minutes);
    while Instant::now() < deadline {
        jobs.top_up(&world, &mut rng);
        let fault = Fault::choose(&mut rng);
        let recovery = fault.inject(&mut world, &mut rng);
        report.restarts += world.supervise();
        report.note(fault, recovery);
        jobs.look(&world, &mut rng);
    }
    jobs.finish(&mut world);
    report.violations.extend(jobs.violations.iter().cloned());
    report.violations.extend(report::fsck(&world));
    println!("{}", report.to_markdown(&jobs, minutes));
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
}
