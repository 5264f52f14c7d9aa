//! Heartbeats, and when to stop trusting a lease.

use std::{sync::Arc, time::Instant};

use spanfleet_core::TaskId;
use spanfleet_metastore::Metastore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{Metrics, Settings};

/// A claim that is kept alive until this is dropped.
pub(crate) struct Lease {
    /// Cancelled when the task is not ours any more.
    pub(crate) lost: CancellationToken,
    ended: CancellationToken,
}

impl Lease {
    /// Keeps a lease that was asked for at `claimed_at`: what counts is the time before the call, since the
    /// database began the lease some time after it.
    pub(crate) fn keep(
        metastore: Arc<dyn Metastore>,
        settings: &Settings,
        metrics: Arc<Metrics>,
        task: TaskId,
        fence: u64,
        claimed_at: Instant,
    ) -> Lease {
        let lease = Lease { lost: CancellationToken::new(), ended: CancellationToken::new() };
        let heart =
            Heart { metastore, settings: settings.clone(), metrics, task, fence, lost: lease.lost.clone() };
        let ended = lease.ended.clone();
        let beating = async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = heart.beat(claimed_at) => {}
            }
        };
        tokio::spawn(beating.in_current_span());
        lease
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

struct Heart {
    metastore: Arc<dyn Metastore>,
    settings: Settings,
    metrics: Arc<Metrics>,
    task: TaskId,
    fence: u64,
    lost: CancellationToken,
}

impl Heart {
    /// Ends when the lease is lost.
    async fn beat(self, claimed_at: Instant) {
        let mut trusted_until = claimed_at + self.settings.trusted_for();
        let mut last_beat = claimed_at;
        loop {
            tokio::time::sleep(self.settings.heartbeat_every()).await;
            let before = Instant::now();
            self.metrics.heartbeat_lag_seconds.observe((before - last_beat).as_secs_f64());
            let beat = self.metastore.heartbeat(self.task, self.fence, self.settings.lease_seconds);
            match tokio::time::timeout_at(trusted_until.into(), beat).await {
                Ok(Ok(Ok(()))) => {
                    trusted_until = before + self.settings.trusted_for();
                    last_beat = before;
                }
                Ok(Ok(Err(refusal))) => {
                    tracing::info!(task = %self.task, fence = self.fence, refusal = refusal.as_str(), "task is not ours any more");
                    break;
                }
                Ok(Err(error)) => tracing::warn!(task = %self.task, %error, "heartbeat failed"),
                Err(_) => {}
            }
            if Instant::now() >= trusted_until {
                tracing::warn!(task = %self.task, fence = self.fence, "lease can't be trusted any more");
                break;
            }
        }
        self.lost.cancel();
    }
}
