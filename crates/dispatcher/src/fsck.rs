//! The promises of the protocol, checked over metastore and store. Reads only; may run beside a working fleet.
//!
//! | invariant | what is checked | where |
//! | --- | --- | --- |
//! | I1 | every artifact of a completed job stands, with its size; with [`Depth::Bytes`] also its SHA-256 | `objects` |
//! | I2 | a finished partition's objects are its own fence's, and stand until the job is sealed | core, `objects` |
//! | I3 | a completed job's partitions are done, its one finalize task too; it has one manifest | core, `objects` |
//! | I4 | a cancelled job has no artifacts | core |
//! | I5 | a waiting task of an open job has a hint | core |
//! | I6 | no attempt has a higher fence than its task | core |
//! | I7 | partitions are numbered without gap or double; their rows are together those of the manifest | core, `objects` |
//! | I8 | what a failed job would be run again from stands | `objects` |
//! | I9 | a job's objects are under its own prefix; only its owner and administrators fetched them | `objects`, rows |
//! | I10 | one idempotency key, one job | rows |
//! | I11 | texts in files are texts counted; selected = written + losses | `objects` |
//! | L2 | nothing stands under the prefix of an expired job | `objects` |
//!
//! "core" is `spanfleet_core::promises`, which the model and the property tests call too. What changes while it
//! is looked at is no violation: a job is looked at twice before it is accused.

mod objects;
pub mod orphans;

use serde::Serialize;
use spanfleet_core::{
    TaskId,
    keys::{attempt_of, job_of},
    promises::{Broken, TaskFacts, broken},
    report::PartReport,
};
use spanfleet_metastore::{JobRow, JobsQuery, Metastore, TaskRow};
use spanfleet_storage::Storage;
use uuid::Uuid;

/// Jobs read at once.
const JOBS_AT_ONCE: u32 = 200;
/// Tasks read at once, with their reports.
const TASKS_AT_ONCE: u32 = 500;
/// Contradictions of the tables that are shown.
const MOST_CONTRADICTIONS: u32 = 1000;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Rows, and the sizes of objects.
    Sizes,
    /// Every byte of every artifact.
    Bytes,
}

/// A promise that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The invariant's name, such as `I1`.
    pub invariant: String,
    /// The job.
    pub job: Uuid,
    /// What is wrong.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FsckReport {
    /// Jobs that were looked at.
    pub jobs: u64,
    /// What does not hold.
    pub violations: Vec<Violation>,
}

/// Why a check could not be carried out.
pub type FsckError = Box<dyn std::error::Error + Send + Sync>;

type Found = Result<Vec<Broken>, FsckError>;

/// Checks every job, newest first.
pub async fn fsck(
    metastore: &dyn Metastore,
    storage: &dyn Storage,
    depth: Depth,
) -> Result<FsckReport, FsckError> {
    let mut report = FsckReport { violations: contradictions(metastore).await?, ..FsckReport::default() };
    let mut query = JobsQuery { limit: JOBS_AT_ONCE, ..JobsQuery::default() };
    loop {
        let rows = metastore.jobs(&query).await?;
        let Some(last) = rows.last() else { return Ok(report) };
        query.before_id = Some(last.id);
        for row in &rows {
            report.jobs += 1;
            let found = check_twice(metastore, storage, row, depth).await?;
            let violation = |(invariant, what): Broken| Violation {
                invariant: invariant.to_owned(),
                job: row.job_uuid,
                what,
            };
            report.violations.extend(found.into_iter().map(violation));
        }
    }
}

async fn contradictions(metastore: &dyn Metastore) -> Result<Vec<Violation>, FsckError> {
    let found = metastore.contradictions(MOST_CONTRADICTIONS).await?;
    let violation = |(invariant, job): (String, Uuid)| {
        let what = match invariant.as_str() {
            "I9" => "somebody else fetched it",
            _ => "its idempotency key has another job",
        };
        Violation { invariant, job, what: what.to_owned() }
    };
    Ok(found.into_iter().map(violation).collect())
}

/// What is found at the first look and still there at a second, of a job that was not changed meanwhile. The
/// tasks are read in pages: a claim between two of them looks like a contradiction once.
async fn check_twice(metastore: &dyn Metastore, storage: &dyn Storage, row: &JobRow, depth: Depth) -> Found {
    let first = check_job(metastore, storage, row, depth).await?;
    if first.is_empty() {
        return Ok(first);
    }
    let Some(again) = metastore.job(row.job_uuid).await? else { return Ok(Vec::new()) };
    if again.head != row.head {
        return Ok(Vec::new());
    }
    let second = check_job(metastore, storage, &again, depth).await?;
    Ok(second.into_iter().filter(|broken| first.contains(broken)).collect())
}

async fn check_job(metastore: &dyn Metastore, storage: &dyn Storage, row: &JobRow, depth: Depth) -> Found {
    let tasks = all_tasks(metastore, row.id).await?;
    let facts: Vec<TaskFacts> = tasks.iter().map(facts).collect();
    let mut found = broken(&row.head, row.files.len(), &facts);
    found.extend(objects::check(storage, row, &tasks, depth).await?);
    Ok(found)
}

/// Every task of a job.
pub(crate) async fn all_tasks(metastore: &dyn Metastore, job_id: i32) -> Result<Vec<TaskRow>, FsckError> {
    let mut all: Vec<TaskRow> = Vec::new();
    loop {
        let after = all.last().map_or(TaskId(0), |task| task.id);
        let more = metastore.tasks(job_id, after, TASKS_AT_ONCE).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

/// What a row says to the promises.
pub fn facts(row: &TaskRow) -> TaskFacts {
    let objects = row.report.iter().flat_map(PartReport::objects);
    let attempt = |(key, _): (&str, u64)| job_of(key).and_then(|(_, rest)| attempt_of(rest));
    TaskFacts {
        number: row.number,
        task: row.task,
        has_hint: row.has_hint,
        latest_attempt: row.latest_attempt,
        reported: objects.filter_map(attempt).collect(),
    }
}
