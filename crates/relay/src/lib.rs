//! Tells the queue what the outbox holds.
//!
//! Every process that writes hints runs a relay, so a hint leaves as soon as it is stored: [`Relay::wake`]
//! after a transaction, polling for what was missed. Dying between send and mark sends a hint twice; the
//! second is refused at the claim.

use std::{sync::Arc, time::Duration};

use spanfleet_core::{Hint, TaskId};
use spanfleet_crash::crash_point;
use spanfleet_metastore::{Metastore, OutboxRow};
use spanfleet_queue::{Queue, QueueError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Span;

/// Hints in one round: a confirm window that keeps a quorum queue busy.
pub const HINTS_PER_ROUND: u32 = 200;
/// Wait after an error of database or broker.
const ERROR_WAIT: Duration = Duration::from_secs(1);

/// Moves hints from the outbox to the queue.
#[derive(Debug)]
pub struct Relay {
    metastore: Arc<dyn Metastore>,
    queue: Arc<dyn Queue>,
    most_per_user: u32,
    poll_every: Duration,
    woken: Notify,
}

impl Relay {
    /// A relay with at most `most_per_user` unfinished hints out for each user, so that one with 10,000
    /// partitions can't starve one with a small export.
    pub fn new(
        metastore: Arc<dyn Metastore>,
        queue: Arc<dyn Queue>,
        most_per_user: u32,
        poll_every: Duration,
    ) -> Arc<Relay> {
        Arc::new(Relay { metastore, queue, most_per_user, poll_every, woken: Notify::new() })
    }

    /// Something was written to the outbox.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Runs until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.round().await {
                // A round that is not full has left nothing that may go out now.
                Ok(HINTS_PER_ROUND) => continue,
                Ok(_) => self.poll_every,
                Err(error) => {
                    tracing::warn!(error = &*error, "can't relay hints; trying again");
                    ERROR_WAIT
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.woken.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends one batch. Returns how many hints it took.
    async fn round(&self) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        let rows = self.metastore.take_hints(HINTS_PER_ROUND, self.most_per_user).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        crash_point("relay-hints-taken");
        let sent = self.send(&rows).await?;
        crash_point("relay-hints-sent");
        let ids: Vec<i64> =
            rows.iter().filter(|row| sent.contains(&row.hint.task)).map(|row| row.id).collect();
        self.metastore.mark_published(&ids).await?;
        tracing::debug!(taken = rows.len(), sent = ids.len(), "relayed hints");
        Ok(rows.len() as u32)
    }

    /// Each hint is a step of its job's trace, from which whoever claims the task goes on.
    async fn send(&self, rows: &[OutboxRow]) -> Result<Vec<TaskId>, QueueError> {
        let (hints, spans): (Vec<Hint>, Vec<Span>) = rows.iter().map(|row| traced(row.hint)).unzip();
        let sent = self.queue.send(&hints).await;
        for (hint, span) in hints.iter().zip(spans) {
            if sent.as_ref().map_or(true, |sent| !sent.contains(&hint.task)) {
                span.record("otel.status_code", "ERROR");
            }
        }
        sent
    }
}

fn traced(hint: Hint) -> (Hint, Span) {
    if hint.traceparent.is_none() {
        // A trace that began here would hide the job's own from whoever claims it.
        return (hint, Span::none());
    }
    let span = spanfleet_trace::span!(
        "send",
        otel.kind = "producer",
        task = hint.task.0,
        otel.status_code = tracing::field::Empty
    );
    spanfleet_trace::go_on(&span, hint.traceparent);
    let traceparent = spanfleet_trace::place(&span).or(hint.traceparent);
    (Hint { traceparent, ..hint }, span)
}
