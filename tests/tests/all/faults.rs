//! Every fault of the protocol's list, by its name, on real processes. After each: the job ends, its bytes are those
//! of the undisturbed export, `fsck --deep` finds nothing, and no output holds a secret.
//!
//! | file | what goes wrong |
//! | --- | --- |
//! | `crashes` | processes that die at named steps |
//! | `giants` | texts longer than anybody annotates |
//! | `servers` | database, broker and store killed, cut off, slowed, lying |
//! | `processes` | stalled and stopped workers, skewed clocks, full disks, poison |
//!
//! What takes longer than a minute is ignored here and run by `make faults`.

mod crashes;
mod giants;
mod processes;
mod servers;

use std::time::Duration;

use serde_json::{Value, json};
use spanfleet_tests::{Fleet, Site, command::spanfleet, corpora::harbour, shared, wait_until};

use crate::support::{manifest, only_sha256};

/// A fault and its mend, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);
/// Leases that a test can outwait.
const SHORT: &[(&str, &str)] = &[("SPANFLEET_LEASE_SECONDS", "3"), ("SPANFLEET_REHINT_SECONDS", "2")];
/// What nobody may ever read: planted as secrets, looked for in everything that was said.
const CANARY: &str = "canary-of-a-secret";

/// A fleet, and what its exports are compared with.
pub(crate) struct Trial {
    pub(crate) fleet: Fleet,
    expected: String,
}

impl Trial {
    /// On the shared servers, without workers.
    pub(crate) fn start() -> Trial {
        let mut settings = SHORT.to_vec();
        settings.push(("SPANFLEET_WEBHOOK_SECRET", CANARY));
        Trial::of(Fleet::start_with(shared().fresh_bucket(), &harbour(), &settings))
    }

    /// On servers that may be broken.
    pub(crate) fn start_on(site: &Site) -> Trial {
        Trial::of(Fleet::start_on(site, &harbour(), &[("SPANFLEET_WEBHOOK_SECRET", CANARY)]))
    }

    fn of(fleet: Fleet) -> Trial {
        let args = ["-q", "export", &harbour(), "-f", "jsonl", "--include-relations", "-o", "undisturbed"];
        spanfleet(fleet.work.path(), &args).ok();
        let expected = only_sha256(&manifest(&fleet.work.path().join("undisturbed")));
        Trial { fleet, expected }
    }

    /// What is asked for: four partitions of a small corpus.
    pub(crate) fn order() -> Value {
        json!({
            "project": "news", "format": "jsonl", "include_relations": true,
            "export_parameters": {"partitions": 4}
        })
    }

    pub(crate) fn ask(&self) -> String {
        self.fleet.api.create(&Trial::order())
    }

    /// The job ends well, with the bytes of the undisturbed run, and every promise holds.
    pub(crate) fn ends_well(&self, uuid: &str) {
        let job = self.fleet.api.wait_for(uuid, "completed", PATIENCE);
        assert_eq!(job["partitions"]["done"], job["partitions"]["total"]);
        let files = self.fleet.api.get(&format!("/export/jobs/{uuid}/files")).json();
        let data = files["files"].as_array().unwrap().iter().find(|file| file["split"].is_string()).unwrap();
        assert_eq!(data["sha256"], self.expected, "{uuid} has other bytes than the undisturbed export");
        self.is_sound();
    }

    /// Every promise holds, nothing was left behind, and nobody was told a secret.
    pub(crate) fn is_sound(&self) {
        self.fleet.run(&["fsck", "--deep"]).ok();
        let uploads = self.fleet.bucket.unfinished_uploads();
        assert!(uploads.is_none_or(|uploads| uploads == 0), "{uploads:?} uploads were left");
        self.tells_no_secret();
    }

    /// Nothing that any process of the fleet wrote holds a secret or a signed link.
    fn tells_no_secret(&self) {
        let value = |name: &str| {
            let found = self.fleet.env.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let secrets = [
            CANARY.to_owned(),
            self.fleet.api.token.clone(),
            value("AWS_SECRET_ACCESS_KEY"),
            "test:test@".to_owned(),
        ];
        for entry in std::fs::read_dir(self.fleet.work.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "log") {
                continue;
            }
            let said = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            for secret in &secrets {
                assert!(!said.contains(secret.as_str()), "{} holds a secret", path.display());
            }
            assert!(!said.contains("X-Amz-Signature"), "{} holds a signed link", path.display());
        }
    }

    /// What the sweeper leaves in the end: the artifacts.
    pub(crate) fn leaves_only(&self, objects: usize) {
        wait_until("only artifacts are left", PATIENCE, || self.fleet.bucket.keys().len() == objects);
    }
}
