//! What is measured, part by part.

pub(crate) mod compression;
mod databases;
mod jobs;
mod memory;
pub(crate) mod one_shot;
mod peers;
mod scaling;
pub(crate) mod store;

use crate::report::{Section, keep};

/// A part's name and what measures it.
type Part = (&'static str, fn() -> Section);

const PARTS: &[Part] = &[
    ("databases", databases::measure),
    ("peers", peers::measure),
    ("compression", compression::measure),
    ("one-shot", one_shot::measure),
    ("scaling", scaling::measure),
    ("giants", scaling::skew),
    ("planner", scaling::planner),
    ("memory", memory::measure),
    ("store", store::measure),
    ("jobs", jobs::measure),
];

/// Measures the parts of these names, or all, and keeps what came out for the report.
pub(crate) fn run(wanted: &[&str]) {
    if let Some(unknown) = wanted.iter().find(|name| PARTS.iter().all(|(known, _)| known != *name)) {
        let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        panic!("no part `{unknown}`; there are: {}", names.join(", "));
    }
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.contains(name) {
            eprintln!("measuring: {name}");
            keep(name, &measure());
        }
    }
}

/// The parts' names in the order of the report.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PARTS.iter().map(|(name, _)| *name)
}
