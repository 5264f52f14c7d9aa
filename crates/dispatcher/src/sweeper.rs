//! Ends leases, renews hints, removes what has expired and what was left behind. Any step may be repeated
//! after a crash.

use std::{collections::HashSet, sync::Arc};

use spanfleet_core::keys::job_prefix;
use spanfleet_crash::crash_point;
use spanfleet_metastore::{JobRow, Metastore, MetastoreError};
use spanfleet_relay::Relay;
use spanfleet_storage::{Storage, StorageError};
use tokio_util::sync::CancellationToken;

use crate::{
    Metrics, Settings,
    fsck::{Depth, FsckError, fsck, orphans},
};

/// Rows in one round.
const ROWS_PER_ROUND: u32 = 200;

/// Keeps metastore and store tidy.
pub struct Sweeper {
    metastore: Arc<dyn Metastore>,
    storage: Arc<dyn Storage>,
    relay: Arc<Relay>,
    metrics: Arc<Metrics>,
    settings: Settings,
}

#[derive(Debug)]
enum SweepError {
    Metastore(MetastoreError),
    Storage(StorageError),
}

impl std::fmt::Display for SweepError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SweepError::Metastore(error) => error.fmt(out),
            SweepError::Storage(error) => error.fmt(out),
        }
    }
}

impl From<MetastoreError> for SweepError {
    fn from(error: MetastoreError) -> SweepError {
        SweepError::Metastore(error)
    }
}

impl From<StorageError> for SweepError {
    fn from(error: StorageError) -> SweepError {
        SweepError::Storage(error)
    }
}

impl Sweeper {
    /// A sweeper that has not begun.
    pub fn new(
        metastore: Arc<dyn Metastore>,
        storage: Arc<dyn Storage>,
        relay: Arc<Relay>,
        metrics: Arc<Metrics>,
        settings: Settings,
    ) -> Arc<Sweeper> {
        Arc::new(Sweeper { metastore, storage, relay, metrics, settings })
    }

    /// Ends leases and renews hints until told to stop.
    pub async fn sweep_tasks(&self, stop: CancellationToken) {
        while wait(&stop, self.settings.sweep_every).await {
            match self.metastore.sweep(ROWS_PER_ROUND, self.settings.rehint_after_seconds).await {
                Ok(swept) => {
                    self.metrics.leases_expired_total.inc_by(swept.leases_expired);
                    if swept.leases_expired + swept.hints_renewed > 0 {
                        tracing::info!(
                            leases_expired = swept.leases_expired,
                            hints_renewed = swept.hints_renewed,
                            "swept tasks"
                        );
                        self.relay.wake();
                    }
                }
                Err(error) => tracing::warn!(%error, "can't sweep tasks; trying again"),
            }
        }
    }

    /// Removes expired jobs' objects and leftovers until told to stop.
    pub async fn remove_objects(&self, stop: CancellationToken) {
        while wait(&stop, self.settings.remove_every).await {
            if let Err(error) = self.remove_round().await {
                tracing::warn!(%error, "can't remove objects; trying again");
            }
        }
    }

    /// Checks the promises of the protocol now and then until told to stop. What is broken is counted and told.
    pub async fn check_promises(&self, stop: CancellationToken) {
        while wait(&stop, self.settings.check_every).await {
            match fsck(self.metastore.as_ref(), self.storage.as_ref(), Depth::Sizes).await {
                Ok(report) => {
                    for violation in report.violations {
                        let label = [violation.invariant.as_str()];
                        self.metrics.invariant_violations_total.with_label_values(&label).inc();
                        tracing::error!(job = %violation.job, invariant = violation.invariant, what = violation.what);
                    }
                }
                Err(error) => tracing::warn!(%error, "can't check the promises; trying again later"),
            }
        }
    }

    /// Deletes now and then what late workers wrote under jobs that have no use for it any more, until told to
    /// stop. What lies under ids that are no job's is for a person to judge: `spanfleet fsck --orphans`.
    pub async fn collect_orphans(&self, stop: CancellationToken) {
        while wait(&stop, self.settings.collect_every).await {
            if let Err(error) = self.collect_round().await {
                tracing::warn!(error = &*error, "can't collect orphans; trying again later");
            }
        }
    }

    async fn collect_round(&self) -> Result<(), FsckError> {
        let search = orphans::Search { grace: self.settings.orphan_grace, of_unknown_jobs: false };
        let mut hunt = orphans::Hunt::begin(self.metastore.as_ref(), self.storage.as_ref(), search).await?;
        while let Some(found) = hunt.next().await? {
            hunt.delete(&found).await?;
            self.metrics.orphans_deleted_total.with_label_values(&["orphan"]).inc_by(found.len() as u64);
            for orphan in &found {
                tracing::info!(key = orphan.key, bytes = orphan.bytes, why = orphan.why, "deleted an orphan");
            }
        }
        Ok(())
    }

    async fn remove_round(&self) -> Result<(), SweepError> {
        for job in self.metastore.begin_expiry(ROWS_PER_ROUND).await? {
            crash_point("dispatcher-expiry-marked");
            self.empty(&job).await?;
            crash_point("dispatcher-job-emptied");
            self.metastore.finish_expiry(job.job_uuid).await?;
            tracing::info!(job = %job.job_uuid, "expired");
        }
        for job in self.metastore.with_leftovers(ROWS_PER_ROUND).await? {
            let removed = self.remove_leftovers(&job).await?;
            crash_point("dispatcher-leftovers-removed");
            self.metastore.mark_swept(job.job_uuid).await?;
            tracing::debug!(job = %job.job_uuid, removed, "swept leftovers");
        }
        Ok(())
    }

    /// Deletes all of a job: the manifest first, so that nobody follows it to what is gone; then what the
    /// metastore knows; then what only the store knows.
    async fn empty(&self, job: &JobRow) -> Result<(), SweepError> {
        let prefix = job_prefix(job.job_uuid);
        self.storage.delete(&[format!("{prefix}manifest.json")]).await?;
        crash_point("dispatcher-manifest-deleted");
        let known: Vec<String> = job.files.iter().map(|file| format!("{prefix}{}", file.path)).collect();
        self.storage.delete(&known).await?;
        crash_point("dispatcher-files-deleted");
        self.storage.abort_unfinished(&prefix).await?;
        let left: Vec<String> =
            self.storage.list(&prefix).await?.into_iter().map(|object| object.key).collect();
        self.metrics.orphans_deleted_total.with_label_values(&["object"]).inc_by(left.len() as u64);
        Ok(self.storage.delete(&left).await?)
    }

    /// Deletes what stands under a job's prefix and is no artifact of it.
    async fn remove_leftovers(&self, job: &JobRow) -> Result<usize, SweepError> {
        let prefix = job_prefix(job.job_uuid);
        let artifacts: HashSet<String> =
            job.files.iter().map(|file| format!("{prefix}{}", file.path)).collect();
        self.storage.abort_unfinished(&prefix).await?;
        let objects = self.storage.list(&prefix).await?.into_iter().map(|object| object.key);
        let leftovers: Vec<String> = objects.filter(|key| !artifacts.contains(key)).collect();
        self.storage.delete(&leftovers).await?;
        self.metrics.orphans_deleted_total.with_label_values(&["part"]).inc_by(leftovers.len() as u64);
        Ok(leftovers.len())
    }
}

/// Waits; false when it is time to stop.
pub(crate) async fn wait(stop: &CancellationToken, time: std::time::Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}
