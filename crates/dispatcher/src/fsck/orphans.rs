//! Objects that belong to nothing: what late workers left behind.
//!
//! An object goes only if the metastore says that its attempt can never commit, and after a grace. The store is
//! listed before the rows are read: an object that is written meanwhile is not judged by older rows.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, SystemTime},
};

use serde::Serialize;
use spanfleet_core::{
    job::{Task, TaskKind},
    keys::{attempt_of, job_of},
    promises::{artifact_is_needed, part_is_needed},
};
use spanfleet_metastore::{JobRow, Metastore};
use spanfleet_storage::{ObjectInfo, Storage};
use uuid::Uuid;

use super::{FsckError, all_tasks};

/// Which orphans are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Younger objects are left alone.
    pub grace: Duration,
    /// Whether objects of jobs that the metastore does not know count. Another fleet's would, if it shared the
    /// bucket and the prefix: for a person to decide.
    pub of_unknown_jobs: bool,
}

/// An object that belongs to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why nobody needs it.
    pub why: &'static str,
}

/// Looks for orphans. Deletes nothing.
pub async fn find(
    metastore: &dyn Metastore,
    storage: &dyn Storage,
    search: Search,
) -> Result<Vec<Orphan>, FsckError> {
    let now = SystemTime::UNIX_EPOCH + micros(metastore.now().await?.micros());
    let mut by_job: BTreeMap<Uuid, Vec<ObjectInfo>> = BTreeMap::new();
    for object in storage.list("").await? {
        if let Some((job, _)) = job_of(&object.key)
            && is_old(&object, now, search.grace)
        {
            by_job.entry(job).or_default().push(object);
        }
    }
    let mut orphans = Vec::new();
    for (job, objects) in by_job {
        match metastore.job(job).await? {
            Some(row) => orphans.extend(of_job(metastore, &row, objects).await?),
            None if search.of_unknown_jobs => {
                orphans.extend(objects.into_iter().map(|object| orphan(object, "no such job")));
            }
            None => {}
        }
    }
    Ok(orphans)
}

/// Deletes what [`find`] found.
pub async fn delete(storage: &dyn Storage, orphans: &[Orphan]) -> Result<(), FsckError> {
    let keys: Vec<String> = orphans.iter().map(|orphan| orphan.key.clone()).collect();
    Ok(storage.delete(&keys).await?)
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}

/// An object whose age nobody knows is young.
fn is_old(object: &ObjectInfo, now: SystemTime, grace: Duration) -> bool {
    let age = object.written_at.and_then(|written_at| now.duration_since(written_at).ok());
    age.is_some_and(|age| age >= grace)
}

async fn of_job(
    metastore: &dyn Metastore,
    row: &JobRow,
    objects: Vec<ObjectInfo>,
) -> Result<Vec<Orphan>, FsckError> {
    let rows = all_tasks(metastore, row.id).await?;
    let parts = rows.into_iter().filter(|task| task.task.kind == TaskKind::Encode);
    let tasks: HashMap<u32, Task> = parts.map(|part| (part.number, part.task)).collect();
    // Read again after the tasks: a job that closed between the two keeps what it had, until the next time.
    let Some(row) = metastore.job(row.job_uuid).await?.filter(|again| again.head == row.head) else {
        return Ok(Vec::new());
    };
    let named: HashSet<&str> = row.files.iter().map(|file| file.path.as_str()).collect();
    let judge = |object: ObjectInfo| {
        let (_, rest) = job_of(&object.key)?;
        match attempt_of(rest) {
            Some((number, fence)) => {
                let is_needed = part_is_needed(&row.head, tasks.get(&number), fence);
                (!is_needed).then(|| orphan(object, "its attempt can never commit"))
            }
            None if artifact_is_needed(&row.head, named.contains(rest)) => None,
            None => Some(orphan(object, "no artifact of its job")),
        }
    };
    Ok(objects.into_iter().filter_map(judge).collect())
}

fn orphan(object: ObjectInfo, why: &'static str) -> Orphan {
    Orphan { key: object.key, bytes: object.bytes, why }
}
