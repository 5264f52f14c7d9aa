//! What the soak has seen.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::{World, faults::Fault, jobs::Jobs};

/// Faults, recoveries, violations.
pub(crate) struct Report {
    seed: u64,
    pub(crate) restarts: usize,
    pub(crate) violations: Vec<String>,
    recoveries: BTreeMap<String, Vec<Option<Duration>>>,
}

impl Report {
    pub(crate) fn new(seed: u64) -> Report {
        Report { seed, restarts: 0, violations: Vec::new(), recoveries: BTreeMap::new() }
    }

    pub(crate) fn note(&mut self, fault: Fault, recovery: Option<Duration>) {
        let shown =
            recovery.map_or("nothing to recover".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
        println!("{fault:?}: {shown}");
        if recovery.is_some_and(|time| time >= Duration::from_mins(2)) {
            self.violations.push(format!("L1: nothing went on after {fault:?}"));
        }
        self.recoveries.entry(fault.name()).or_default().push(recovery);
    }

    pub(crate) fn to_markdown(&self, jobs: &Jobs, minutes: u64) -> String {
        let all: Vec<Duration> = self.recoveries.values().flatten().flatten().copied().collect();
        let faults: usize = self.recoveries.values().map(Vec::len).sum();
        let mut out = format!(
            "Seed {}, {minutes} minutes: {} jobs completed with the undisturbed bytes, {} cancelled, {} run again by \
             an operator; {faults} faults, {} processes restarted by their supervisor; recovery {} s median, {} s \
             worst; {} violations.\n\n| fault | times | recoveries | median s | worst s |\n| --- | --: | --: | --: | --: |\n",
            self.seed,
            jobs.completed,
            jobs.cancelled,
            jobs.run_again,
            self.restarts,
            median(&all),
            worst(&all),
            self.violations.len(),
        );
        for (name, times) in &self.recoveries {
            let known: Vec<Duration> = times.iter().flatten().copied().collect();
            let (count, recovered) = (times.len(), known.len());
            // Writing to a string can't fail.
            let _ =
                writeln!(out, "| {name} | {count} | {recovered} | {} | {} |", median(&known), worst(&known));
        }
        out
    }
}

fn median(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).map_or("-".to_owned(), |time| format!("{:.1}", time.as_secs_f64()))
}

fn worst(times: &[Duration]) -> String {
    times.iter().max().map_or("-".to_owned(), |time| format!("{:.1}", time.as_secs_f64()))
}

/// What `fsck --deep` finds at the end.
pub(crate) fn fsck(world: &World) -> Vec<String> {
    let said = world.fleet.run(&["fsck", "--deep"]);
    println!("{}", said.out);
    if said.status.success() {
        return Vec::new();
    }
    said.out.lines().chain(said.err.lines()).map(str::to_owned).collect()
}
