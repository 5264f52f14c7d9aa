//! Objects that belong to nothing: what late workers left behind.
//!
//! An object goes only if the metastore says that its attempt can never commit, and after a grace. A job's objects
//! are listed before its rows are read: an object that is written meanwhile is not judged by older rows.

use std::{
    collections::{HashMap, HashSet},
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

/// A look for orphans, job by job: it holds the names of all jobs' folders and the objects of one of them.
#[derive(Debug)]
pub struct Hunt<'h> {
    metastore: &'h dyn Metastore,
    storage: &'h dyn Storage,
    search: Search,
    now: SystemTime,
    folders: std::vec::IntoIter<String>,
}

impl Hunt<'_> {
    /// Begins a look at every job whose folder stands in the store now.
    pub async fn begin<'h>(
        metastore: &'h dyn Metastore,
        storage: &'h dyn Storage,
        search: Search,
    ) -> Result<Hunt<'h>, FsckError> {
        let now = SystemTime::UNIX_EPOCH + micros(metastore.now().await?.micros());
        let folders = storage.folders().await?.into_iter();
        Ok(Hunt { metastore, storage, search, now, folders })
    }

    /// The orphans of the next job that has some; `None` at the end. Deletes nothing.
    pub async fn next(&mut self) -> Result<Option<Vec<Orphan>>, FsckError> {
        while let Some(folder) = self.folders.next() {
            let prefix = format!("{folder}/");
            let Some((job, _)) = job_of(&prefix) else { continue };
            let mut objects = self.storage.list(&prefix).await?;
            objects.retain(|object| is_old(object, self.now, self.search.grace));
            if objects.is_empty() {
                continue;
            }
            let orphans = match self.metastore.job(job).await? {
                Some(row) => of_job(self.metastore, &row, objects).await?,
                None if self.search.of_unknown_jobs => {
                    objects.into_iter().map(|object| orphan(object, "no such job")).collect()
                }
                None => Vec::new(),
            };
            if !orphans.is_empty() {
                return Ok(Some(orphans));
            }
        }
        Ok(None)
    }

    /// Deletes what [`Hunt::next`] found.
    pub async fn delete(&self, orphans: &[Orphan]) -> Result<(), FsckError> {
        let keys: Vec<String> = orphans.iter().map(|orphan| orphan.key.clone()).collect();
        Ok(self.storage.delete(&keys).await?)
    }
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
