//! What needs the store: whether the objects stand that the rows name.

use serde::Deserialize;
use spanfleet_core::{
    Ledger,
    job::Phase,
    keys::{attempt_of, job_of, job_prefix},
    losses::{Change, Counts, Entry, Loss},
    promises::Broken,
    report::{ManifestFile, PartReport},
};
use spanfleet_metastore::{JobRow, TaskRow};
use spanfleet_storage::{Storage, sha256};

use super::{Depth, Found};

pub(super) async fn check(storage: &dyn Storage, row: &JobRow, tasks: &[TaskRow], depth: Depth) -> Found {
    let mut found = keys_are_own(row, tasks);
    match row.head.phase {
        Phase::Succeeded => {
            found.extend(artifacts_stand(storage, row, depth).await?);
            found.extend(one_manifest(row));
            found.extend(sums_agree(row, tasks));
        }
        Phase::Running | Phase::Finalizing => found.extend(parts_stand(storage, tasks, "I2").await?),
        Phase::Failed => found.extend(parts_stand(storage, tasks, "I8").await?),
        Phase::Expired => found.extend(nothing_stands(storage, row).await?),
        Phase::Accepted | Phase::Planning | Phase::Expiring | Phase::Cancelled => {}
    }
    Ok(found)
}

/// I9: whatever the rows name stands under the job's own prefix.
fn keys_are_own(row: &JobRow, tasks: &[TaskRow]) -> Vec<Broken> {
    let reported = tasks.iter().flat_map(|task| task.report.iter()).flat_map(PartReport::objects);
    let strange = reported.map(|(key, _)| key).filter(|key| {
        let own = job_of(key).filter(|(job, _)| *job == row.job_uuid);
        own.and_then(|(_, rest)| attempt_of(rest)).is_none()
    });
    let leads_out =
        |file: &&ManifestFile| file.path.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    let paths = row.files.iter().filter(leads_out).map(|file| file.path.as_str());
    strange.chain(paths).map(|key| ("I9", format!("`{key}` is no key of this job"))).collect()
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
            Some(_)
                if depth == Depth::Bytes
                    && sha256(storage, &key, file.bytes).await?.as_ref() != Some(&file.sha256) =>
            {
                found.push(("I1", format!("`{}` has other bytes than its SHA-256 says", file.path)));
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

/// I3.
fn one_manifest(row: &JobRow) -> Option<Broken> {
    let manifests = row.files.iter().filter(|file| file.path == "manifest.json").count();
    (manifests != 1).then(|| ("I3", format!("completed with {manifests} manifests")))
}

/// I2, and I8 where a retry would begin.
async fn parts_stand(storage: &dyn Storage, tasks: &[TaskRow], invariant: &'static str) -> Found {
    let mut found = Vec::new();
    for task in tasks {
        for (key, bytes) in task.report.iter().flat_map(PartReport::objects) {
            if storage.head(key).await?.is_none_or(|object| object.bytes != bytes) {
                let number = task.number;
                found.push((
                    invariant,
                    format!("`{key}` of partition {number} is not there with {bytes} bytes"),
                ));
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

/// I7: what the partitions selected is what the export selected. I11: and what its files hold.
fn sums_agree(row: &JobRow, tasks: &[TaskRow]) -> Vec<Broken> {
    let summary = row.summary.clone().and_then(|summary| serde_json::from_value::<Summary>(summary).ok());
    let Some(Summary { counts, losses, changes }) = summary else {
        return vec![("I11", "completed without counts".to_owned())];
    };
    let mut found = Vec::new();
    let selected: u64 =
        tasks.iter().filter_map(|task| task.report.as_ref()).map(|report| report.counts.texts_selected).sum();
    if selected != counts.texts_selected {
        let what = format!("the partitions selected {selected} texts, the export {}", counts.texts_selected);
        found.push(("I7", what));
    }
    let in_files: u64 = row.files.iter().filter(|file| file.split.is_some()).map(|file| file.texts).sum();
    if in_files != counts.texts {
        found.push(("I11", format!("the files hold {in_files} texts, the counts {}", counts.texts)));
    }
    if !Ledger::from_entries(counts, losses, changes).balances() {
        found.push(("I11", "selected is not written + losses".to_owned()));
    }
    found
}
