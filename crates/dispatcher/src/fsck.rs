//! The promises of the protocol, checked over metastore and store. Reads only; may run beside a working fleet.
//!
//! | invariant | what is checked |
//! | --- | --- |
//! | I1 | every artifact of a completed job stands, with its size; with [`Depth::Bytes`] also its SHA-256 |
//! | I2 | every object of a finished partition of an open job stands, under a key of its own number |
//! | I3 | a completed job has a report for each of its partitions, and one manifest |
//! | I4 | a cancelled job has no artifacts |
//! | I11 | texts in files are texts counted; selected = written + losses |
//! | L2 | nothing stands under the prefix of an expired job |
//!
//! What changes while it is looked at is no violation: a job is read again before it is accused.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spanfleet_core::{
    Ledger,
    job::Phase,
    keys::job_prefix,
    losses::{Change, Counts, Entry, Loss},
    report::{ManifestFile, PartReport},
};
use spanfleet_metastore::{JobRow, JobsQuery, Metastore};
use spanfleet_storage::Storage;
use uuid::Uuid;

/// Jobs read at once.
const JOBS_AT_ONCE: u32 = 200;
/// Reports read at once.
const REPORTS_AT_ONCE: u32 = 500;
/// Bytes read at once for a checksum.
const PIECE_BYTES: u64 = 2 * 1024 * 1024;

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
    pub invariant: &'static str,
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

type Found = Result<Vec<(&'static str, String)>, FsckError>;

/// Checks every job, newest first.
pub async fn fsck(
    metastore: &dyn Metastore,
    storage: &dyn Storage,
    depth: Depth,
) -> Result<FsckReport, FsckError> {
    let mut report = FsckReport::default();
    let mut query = JobsQuery { limit: JOBS_AT_ONCE, ..JobsQuery::default() };
    loop {
        let rows = metastore.jobs(&query).await?;
        let Some(last) = rows.last() else { return Ok(report) };
        query.before_id = Some(last.id);
        for row in &rows {
            report.jobs += 1;
            let found = check_job(metastore, storage, row, depth).await?;
            if !found.is_empty() && is_unchanged(metastore, row).await? {
                let violation = |(invariant, what)| Violation { invariant, job: row.job_uuid, what };
                report.violations.extend(found.into_iter().map(violation));
            }
        }
    }
}

async fn is_unchanged(metastore: &dyn Metastore, row: &JobRow) -> Result<bool, FsckError> {
    let again = metastore.job(row.job_uuid).await?;
    Ok(again.is_some_and(|again| again.head == row.head))
}

async fn check_job(metastore: &dyn Metastore, storage: &dyn Storage, row: &JobRow, depth: Depth) -> Found {
    match row.head.phase {
        Phase::Succeeded => {
            let mut found = artifacts_stand(storage, row, depth).await?;
            found.extend(every_partition_reported(metastore, row).await?);
            found.extend(sums_agree(row));
            Ok(found)
        }
        Phase::Running | Phase::Finalizing => parts_stand(metastore, storage, row).await,
        Phase::Cancelled if !row.files.is_empty() => {
            Ok(vec![("I4", format!("cancelled, with {} artifacts", row.files.len()))])
        }
        Phase::Expired => nothing_stands(storage, row).await,
        _ => Ok(Vec::new()),
    }
}

/// I1.
async fn artifacts_stand(storage: &dyn Storage, row: &JobRow, depth: Depth) -> Found {
    let mut found = Vec::new();
    for file in &row.files {
        let key = format!("{}{}", job_prefix(row.job_uuid), file.path);
        match storage.head(&key).await? {
            None => found.push(("I1", format!("`{}` is gone", file.path))),
            Some(object) if object.bytes != file.bytes => {
                found.push(("I1", format!("`{}` has {} bytes, not {}", file.path, object.bytes, file.bytes)));
            }
            Some(_) if depth == Depth::Bytes && hash(storage, &key, file).await? != file.sha256 => {
                found.push(("I1", format!("`{}` has other bytes than its SHA-256 says", file.path)));
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

async fn hash(storage: &dyn Storage, key: &str, file: &ManifestFile) -> Result<String, FsckError> {
    let (mut hash, mut offset) = (Sha256::new(), 0);
    while offset < file.bytes {
        let piece = storage.read(key, offset, PIECE_BYTES.min(file.bytes - offset)).await?;
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        hash.update(&piece);
    }
    Ok(hex::encode(hash.finalize()))
}

async fn reports(metastore: &dyn Metastore, row: &JobRow) -> Result<Vec<(u32, PartReport)>, FsckError> {
    let mut all: Vec<(u32, PartReport)> = Vec::new();
    loop {
        let from = all.last().map_or(0, |(number, _)| number + 1);
        let more = metastore.reports(row.id, from, REPORTS_AT_ONCE).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

/// I3.
async fn every_partition_reported(metastore: &dyn Metastore, row: &JobRow) -> Found {
    let mut found = Vec::new();
    let reported = reports(metastore, row).await?.len();
    if reported != row.head.parts_total as usize {
        found.push(("I3", format!("completed with {reported} of {} reports", row.head.parts_total)));
    }
    let manifests = row.files.iter().filter(|file| file.path == "manifest.json").count();
    if manifests != 1 {
        found.push(("I3", format!("completed with {manifests} manifests")));
    }
    Ok(found)
}

/// I2.
async fn parts_stand(metastore: &dyn Metastore, storage: &dyn Storage, row: &JobRow) -> Found {
    let mut found = Vec::new();
    for (number, report) in reports(metastore, row).await? {
        let own = format!("{}parts/{number}.", job_prefix(row.job_uuid));
        for (key, bytes) in report.objects() {
            if !key.starts_with(&own) {
                found.push(("I2", format!("partition {number} names `{key}`, which is another's")));
            } else if storage.head(key).await?.is_none_or(|object| object.bytes != bytes) {
                found.push(("I2", format!("`{key}` of partition {number} is not there with {bytes} bytes")));
            }
        }
    }
    Ok(found)
}

/// L2.
async fn nothing_stands(storage: &dyn Storage, row: &JobRow) -> Found {
    let left = storage.list(&job_prefix(row.job_uuid)).await?.len();
    Ok(if left == 0 { Vec::new() } else { vec![("L2", format!("expired, and {left} objects stand"))] })
}

/// The part of a summary that has to add up.
#[derive(Deserialize)]
struct Summary {
    counts: Counts,
    losses: Vec<Entry<Loss>>,
    changes: Vec<Entry<Change>>,
}

/// I11.
fn sums_agree(row: &JobRow) -> Vec<(&'static str, String)> {
    let summary = row.summary.clone().and_then(|summary| serde_json::from_value::<Summary>(summary).ok());
    let Some(Summary { counts, losses, changes }) = summary else {
        return vec![("I11", "completed without counts".to_owned())];
    };
    let mut found = Vec::new();
    let in_files: u64 = row.files.iter().filter(|file| file.split.is_some()).map(|file| file.texts).sum();
    if in_files != counts.texts {
        found.push(("I11", format!("the files hold {in_files} texts, the counts {}", counts.texts)));
    }
    if !Ledger::from_entries(counts, losses, changes).balances() {
        found.push(("I11", "selected is not written + losses".to_owned()));
    }
    found
}
