//! The previous version beside this one, while a fleet is upgraded: its processes on this schema, its messages for
//! these processes. `make upgrade-test` builds it from the commit in `tests/previous-version`.

use std::{path::PathBuf, time::Duration};

use serde_json::json;
use spanfleet_tests::{
    Fleet, Process, command::spanfleet, corpora::repeated_corpus, process, shared, wait_until,
};

use crate::support::{assert_nothing_vanished, manifest, only_sha256};

const PATIENCE: Duration = Duration::from_mins(5);
const TEXTS: usize = 6_000;
/// So many that a job is never over when it has just begun.
const PARTITIONS: u64 = 60;

/// The program of the previous version.
fn previous() -> PathBuf {
    let named = std::env::var_os("SPANFLEET_PREVIOUS_BIN");
    PathBuf::from(
        named.expect("SPANFLEET_PREVIOUS_BIN names the previous version; `make upgrade-test` builds it"),
    )
}

/// A fleet of the previous version at work, and what its exports have to be.
struct Upgrade {
    fleet: Fleet,
    worker: Process,
    job: String,
    expected: String,
}

impl Upgrade {
    fn begin() -> Upgrade {
        let folder = tempfile::tempdir().unwrap();
        let corpus = repeated_corpus(folder.path(), TEXTS).to_str().unwrap().to_owned();
        let fleet = Fleet::start_by(previous(), shared().fresh_bucket(), &corpus);
        let set = format!("partitions={PARTITIONS}");
        let args =
            ["-q", "export", &corpus, "-f", "jsonl", "--include-relations", "-s", &set, "-o", "direct"];
        spanfleet(fleet.work.path(), &args).ok();
        let expected = only_sha256(&manifest(&fleet.work.path().join("direct")));
        let worker = fleet.worker("old-worker", "1");
        let mut upgrade = Upgrade { fleet, worker, job: String::new(), expected };
        upgrade.job = upgrade.ask();
        wait_until("the old worker is at work", PATIENCE, || upgrade.fleet.done(&upgrade.job) >= 5);
        upgrade
    }

    fn ask(&self) -> String {
        self.fleet.api.create(&json!({
            "project": "news", "format": "jsonl", "include_relations": true,
            "export_parameters": {"partitions": PARTITIONS}
        }))
    }

    /// As the upgrade notes say it: tables first, while the old processes go on.
    fn migrate(&mut self) {
        self.fleet.program = process::spanfleet();
        self.fleet.run(&["migrate"]).ok();
    }

    /// The job ends with the bytes of an undisturbed export, and both versions find every promise kept.
    fn ends_well(&mut self, job: &str, folder: &str) {
        self.fleet.api.wait_for(job, "completed", PATIENCE);
        self.fleet.download(job, folder);
        let manifest = manifest(&self.fleet.work.path().join(folder));
        assert_nothing_vanished(&manifest);
        assert_eq!(only_sha256(&manifest), self.expected, "{folder}");
        for program in [previous(), process::spanfleet()] {
            self.fleet.program = program;
            self.fleet.run(&["fsck", "--deep"]).ok();
        }
    }
}

/// Tables and dispatcher are new, the worker is not replaced yet: it ends what it began, and takes what comes.
#[test]
#[ignore = "builds the previous version: `make upgrade-test`"]
fn the_previous_worker_goes_on_with_the_new_schema_and_dispatcher() {
    let mut upgrade = Upgrade::begin();
    upgrade.migrate();
    upgrade.fleet.restart_dispatcher(&[]);
    let begun = upgrade.job.clone();
    upgrade.ends_well(&begun, "begun-before");
    let later = upgrade.ask();
    upgrade.ends_well(&later, "asked-of-the-new-dispatcher");
    assert!(upgrade.worker.is_running(), "{}", upgrade.worker.output());
}

/// The worker is new; dispatcher, messages and what was done so far are the previous version's.
#[test]
#[ignore = "builds the previous version: `make upgrade-test`"]
fn the_new_worker_takes_what_the_previous_version_sent() {
    let mut upgrade = Upgrade::begin();
    upgrade.worker.kill9();
    upgrade.migrate();
    let worker = upgrade.fleet.worker("new-worker", "1");
    let begun = upgrade.job.clone();
    upgrade.ends_well(&begun, "begun-before");
    let later = upgrade.ask();
    upgrade.ends_well(&later, "asked-of-the-old-dispatcher");
    drop(worker);
}

/// A fleet goes back to the previous version and its tables stay: the old processes begin on the new schema.
#[test]
#[ignore = "builds the previous version: `make upgrade-test`"]
fn a_rollback_works_on_the_new_schema() {
    let mut upgrade = Upgrade::begin();
    upgrade.migrate();
    upgrade.fleet.restart_dispatcher(&[]);
    upgrade.worker.kill9();
    let mut newer = upgrade.fleet.worker("new-worker", "1");
    let done = upgrade.fleet.done(&upgrade.job);
    wait_until("the new worker is at work", PATIENCE, || upgrade.fleet.done(&upgrade.job) > done);
    newer.kill9();
    upgrade.fleet.program = previous();
    upgrade.fleet.restart_dispatcher(&[]);
    upgrade.worker = upgrade.fleet.worker("old-worker-again", "1");
    let begun = upgrade.job.clone();
    upgrade.ends_well(&begun, "begun-before");
}
