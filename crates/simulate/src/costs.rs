//! What things cost, as measured: the file that the model reads.

use serde::{Deserialize, Serialize};

/// Measured costs of one format on one machine. Work that grows with the selection is told per million annotations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// When, where and with what it was measured: for people.
    pub measured: String,
    /// The format and its compression: for people.
    pub format: String,
    /// The selection that it was measured on.
    pub corpus: Corpus,
    /// Reading, encoding and storing.
    pub encode: Encode,
    /// Transactions of the metastore, in milliseconds of one core of the database.
    pub metastore: Metastore,
    /// Milliseconds until the broker has confirmed a hint, in a full window.
    pub publish_ms: f64,
    /// Seconds of the planner per million texts.
    pub plan_seconds: f64,
    /// Sealing.
    pub seal: Seal,
}

/// What a text is like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corpus {
    /// Texts in it.
    pub texts: u64,
    /// Annotations in it.
    pub annotations: u64,
    /// Its bytes as the planner counts them.
    pub planned_bytes: u64,
    /// Bytes of the artifact.
    pub artifact_bytes: u64,
}

/// A cost that has a part for each partition, however small, and one that grows with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Seconds for each partition.
    pub each: f64,
    /// Seconds per million annotations.
    pub per_million: f64,
}

impl Cost {
    /// Seconds for a partition of so many annotations.
    pub fn of(&self, annotations: f64) -> f64 {
        self.each + self.per_million * annotations / 1e6
    }

    /// The cost of which two measurements over the same annotations, cut in few and in many, are samples.
    pub fn through(few: (u64, f64), many: (u64, f64), annotations: u64) -> Cost {
        let each = ((many.1 - few.1) / (many.0 - few.0) as f64).max(0.0);
        let rest = (few.1 - each * few.0 as f64).max(0.0);
        Cost { each, per_million: rest / (annotations as f64 / 1e6) }
    }
}

/// What a partition asks of whom. The three go on at the same time, batch by batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encode {
    /// Of the worker's cores.
    pub worker: Cost,
    /// Of the database's cores, for reading.
    pub database: Cost,
    /// Of the store's cores; counts only where the store shares the machine.
    pub store: Cost,
    /// Seconds of a partition in which nobody computes: round trips, disks.
    pub wait: f64,
    /// Writing requests to the store for each partition.
    pub requests: f64,
}

/// Milliseconds of each transaction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metastore {
    /// A claim, with the note of the attempt.
    pub claim_ms: f64,
    /// A heartbeat.
    pub heartbeat_ms: f64,
    /// A partition's report.
    pub commit_ms: f64,
    /// A look at an outbox that has nothing to send.
    pub look_ms: f64,
    /// A hint taken and marked.
    pub hint_ms: f64,
    /// A row of the plan.
    pub plan_row_ms: f64,
}

/// What sealing takes of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Seconds for each partition: its report, its share of the card, its deletion.
    pub each: f64,
    /// Seconds per gigabyte of parts that are large enough to be copied inside the store; the read for the checksum too.
    pub copied_per_gigabyte: f64,
    /// The same of smaller parts, which the worker carries.
    pub carried_per_gigabyte: f64,
}

/// What S3 takes as a part of an upload.
const PART_BYTES_MIN: f64 = 5.0 * 1024.0 * 1024.0;

impl Seal {
    /// Seconds for so many partitions with so many bytes in all.
    pub fn of(&self, partitions: f64, bytes: f64) -> f64 {
        let is_copied = bytes / partitions >= PART_BYTES_MIN;
        let per_gigabyte = if is_copied { self.copied_per_gigabyte } else { self.carried_per_gigabyte };
        self.each * partitions + per_gigabyte * bytes / 1e9
    }
}

impl Costs {
    /// What this version was measured at; see `docs/scaling.md`.
    pub fn shipped() -> Result<Costs, String> {
        Costs::parse(include_str!("../costs.json"))
    }

    /// Reads a file of costs.
    pub fn parse(json: &str) -> Result<Costs, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }
}
