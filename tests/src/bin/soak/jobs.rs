//! Many jobs, of which each has to end as it would undisturbed.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};
use spanfleet_tests::{command::spanfleet, wait::wait_for};

use crate::World;

/// Jobs that are open at once.
const OPEN: usize = 4;
/// All that is left ends within this, once faults have ended.
const PATIENCE: Duration = Duration::from_mins(5);
const FORMATS: [&str; 4] = ["jsonl", "conll", "csv", "json"];

/// A job that was asked for.
struct Job {
    uuid: String,
    format: &'static str,
    is_cancelled: bool,
}

/// What became of all jobs.
pub(crate) struct Jobs {
    open: Vec<Job>,
    /// The SHA-256 of each format's file, undisturbed.
    expected: BTreeMap<&'static str, String>,
    asked: usize,
    pub(crate) completed: usize,
    pub(crate) cancelled: usize,
    pub(crate) run_again: usize,
    pub(crate) violations: Vec<String>,
}

impl Jobs {
    /// Exports undisturbed, in one go, what all others are compared with.
    pub(crate) fn new(world: &World) -> Jobs {
        let work = world.fleet.work.path();
        let mut expected = BTreeMap::new();
        for format in FORMATS {
            let out = format!("undisturbed-{format}");
            let args =
                ["-q", "export", "corpus.jsonl", "-f", format, "--include-relations", "--out", out.as_str()];
            spanfleet(work, &args).ok();
            let manifest = std::fs::read(work.join(&out).join("manifest.json")).expect("it was exported");
            let manifest: Value = serde_json::from_slice(&manifest).expect("a manifest is JSON");
            expected.insert(format, data_sha256(&manifest["files"]));
        }
        Jobs {
            open: Vec::new(),
            expected,
            asked: 0,
            completed: 0,
            cancelled: 0,
            run_again: 0,
            violations: Vec::new(),
        }
    }

    /// Asks for jobs until enough are open. A request without an answer is asked again by its key.
    pub(crate) fn top_up(&mut self, world: &World, rng: &mut StdRng) {
        while self.open.len() < OPEN {
            let format = FORMATS[rng.random_range(0..FORMATS.len())];
            let partitions = rng.random_range(2..10);
            let body = json!({
                "project": "news", "format": format, "include_relations": true,
                "export_parameters": {"partitions": partitions}
            });
            self.asked += 1;
            let key = format!("job-{}", self.asked);
            let asked = wait_for(PATIENCE, || {
                let body = Some(body.to_string());
                let headers = [("idempotency-key", key.as_str())];
                let reply = world.fleet.api.try_call("POST", "/export/create-job", body, &headers)?;
                matches!(reply.status, 200 | 201)
                    .then(|| reply.json()["job_uuid"].as_str().map(str::to_owned))?
            });
            let Some(uuid) = asked else {
                self.violations.push(format!("no job could be asked for within {} s", PATIENCE.as_secs()));
                return;
            };
            self.open.push(Job { uuid, format, is_cancelled: false });
        }
    }

    /// Looks at open jobs; now and then one is cancelled.
    pub(crate) fn look(&mut self, world: &World, rng: &mut StdRng) {
        if rng.random_range(0..10) == 0
            && let Some(job) = self.open.first_mut()
        {
            let path = format!("/export/jobs/{}/cancel", job.uuid);
            let reply = world.fleet.api.try_call("POST", &path, Some("{}".to_owned()), &[]);
            job.is_cancelled |= reply.is_some_and(|reply| reply.status == 200);
        }
        for job in std::mem::take(&mut self.open) {
            if let Some(job) = self.settle(world, job) {
                self.open.push(job);
            }
        }
    }

    /// Gives the job back while it is open.
    fn settle(&mut self, world: &World, job: Job) -> Option<Job> {
        let path = format!("/export/jobs/{}", job.uuid);
        let Some(reply) =
            world.fleet.api.try_call("GET", &path, None, &[]).filter(|reply| reply.status == 200)
        else {
            return Some(job);
        };
        let row = reply.json();
        match row["status"].as_str().unwrap_or("") {
            "completed" => self.compare(world, job),
            "cancelled" => {
                self.cancelled += 1;
                if !job.is_cancelled {
                    self.violations.push(format!("{} is cancelled, and nobody asked for that", job.uuid));
                }
                None
            }
            "failed" => {
                // Three crashes of one partition look like its own fault: an operator runs it again.
                println!("{} failed: {}", job.uuid, row["error_message"]);
                let path = format!("{path}/retry");
                let reply = world.fleet.api.try_call("POST", &path, Some("{}".to_owned()), &[]);
                self.run_again += usize::from(reply.is_some_and(|reply| reply.status == 200));
                Some(job)
            }
            _ => Some(job),
        }
    }

    fn compare(&mut self, world: &World, job: Job) -> Option<Job> {
        let path = format!("/export/jobs/{}/files", job.uuid);
        let Some(reply) =
            world.fleet.api.try_call("GET", &path, None, &[]).filter(|reply| reply.status == 200)
        else {
            return Some(job);
        };
        self.completed += 1;
        let sha256 = data_sha256(&reply.json()["files"]);
        if sha256 != self.expected[job.format] {
            self.violations
                .push(format!("{} ({}) has other bytes than the undisturbed export", job.uuid, job.format));
        }
        if job.is_cancelled {
            self.violations.push(format!("I4: {} was cancelled and is completed", job.uuid));
        }
        None
    }

    /// Waits until all jobs have ended.
    pub(crate) fn finish(&mut self, world: &mut World) {
        let ended = wait_for(PATIENCE, || {
            world.supervise();
            for job in std::mem::take(&mut self.open) {
                if let Some(job) = self.settle(world, job) {
                    self.open.push(job);
                }
            }
            self.open.is_empty().then_some(())
        });
        if ended.is_none() {
            let left: Vec<&str> = self.open.iter().map(|job| job.uuid.as_str()).collect();
            self.violations.push(format!("L1: {left:?} did not end within {} s", PATIENCE.as_secs()));
        }
    }
}

/// The SHA-256 of the data file in a list of artifacts.
fn data_sha256(files: &Value) -> String {
    let files = files.as_array().map_or(&[][..], Vec::as_slice);
    let data = files.iter().find(|file| file["split"].is_string());
    data.and_then(|file| file["sha256"].as_str()).unwrap_or_default().to_owned()
}
