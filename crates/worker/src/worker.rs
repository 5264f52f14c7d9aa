//! The loop: hints in, slots, stop.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable};
use spanfleet_core::{
    TaskId,
    job::{ErrorClass, Refusal, TaskKind},
};
use spanfleet_crash::crash_point;
use spanfleet_metastore::{Assignment, Metastore, MetastoreError, MetastoreErrorKind};
use spanfleet_queue::{Delivery, Queue};
use spanfleet_relay::Relay;
use spanfleet_source::Source;
use spanfleet_storage::Storage;
use spanfleet_trace::span;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, field::Empty};

use crate::{Metrics, Settings, StepError, lease::Lease, steps};

/// Wait between checks while the set-up is wrong.
const MEND_WAIT: Duration = Duration::from_secs(5);

/// What a worker works with.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The truth.
    pub metastore: Arc<dyn Metastore>,
    /// Hints.
    pub queue: Arc<dyn Queue>,
    /// Documents.
    pub source: Arc<dyn Source>,
    /// Artifacts.
    pub storage: Arc<dyn Storage>,
    /// Carries the hints of what a step opened.
    pub relay: Arc<Relay>,
}

/// Claims tasks and does them, `slots` at once.
pub struct Worker {
    ports: Ports,
    settings: Settings,
    metrics: Arc<Metrics>,
    /// Why nothing is claimed at the moment, if so.
    wrong_setup: Mutex<Option<String>>,
}

/// How a running task is told to end.
#[derive(Clone)]
struct Stops {
    /// Take no more.
    stop: CancellationToken,
    /// Give back what still runs.
    give_back: CancellationToken,
}

impl Worker {
    /// A worker that has not begun.
    pub fn new(ports: Ports, settings: Settings, metrics: Arc<Metrics>) -> Arc<Worker> {
        Arc::new(Worker { ports, settings, metrics, wrong_setup: Mutex::new(None) })
    }

    /// Why nothing is claimed at the moment, if so; readiness shows it.
    pub fn wrong_setup(&self) -> Option<String> {
        self.wrong_setup.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Works until told to stop; running tasks finish within the grace or are given back.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) -> Result<(), spanfleet_queue::QueueError> {
        let mut consumer = self.ports.queue.consume(self.settings.slots).await?;
        let slots = Arc::new(Semaphore::new(usize::from(self.settings.slots)));
        let stops = Stops { stop: stop.clone(), give_back: CancellationToken::new() };
        let mut running = JoinSet::new();
        loop {
            let delivery = tokio::select! {
                () = stop.cancelled() => break,
                delivery = consumer.next() => delivery,
            };
            let (Some(delivery), Ok(slot)) = (delivery, slots.clone().acquire_owned().await) else { break };
            let (worker, stops) = (self.clone(), stops.clone());
            running.spawn(async move {
                worker.handle(delivery, stops).await;
                drop(slot);
            });
            while running.try_join_next().is_some() {}
        }
        consumer.close().await;
        self.finish_running(running, &stops).await;
        Ok(())
    }

    async fn finish_running(&self, mut running: JoinSet<()>, stops: &Stops) {
        let all_done = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(self.settings.stop_grace, all_done).await.is_err() {
            tracing::info!("grace is over; giving tasks back");
            stops.give_back.cancel();
            while running.join_next().await.is_some() {}
        }
    }

    /// One hint, from claim to acknowledgement.
    async fn handle(&self, delivery: Delivery, stops: Stops) {
        self.wait_for_mend(&stops.stop).await;
        if stops.stop.is_cancelled() {
            return delivery.put_back().await;
        }
        let task = delivery.hint.task.0;
        let span = span!("hint", otel.kind = "consumer", task, outcome = Empty, otel.status_code = Empty);
        spanfleet_trace::go_on(&span, delivery.hint.traceparent);
        self.take(delivery, &stops).instrument(span).await;
    }

    /// Claims the task of a hint and does it.
    async fn take(&self, delivery: Delivery, stops: &Stops) {
        let (task, span) = (delivery.hint.task, Span::current());
        let claimed_at = Instant::now();
        let claim = self.ports.metastore.claim(task, &self.settings.owner, self.settings.lease_seconds);
        match claim.instrument(span!("claim")).await {
            Ok(Ok(assignment)) => {
                crash_point("worker-claimed");
                // An error's span is on whatever the filter: every line about a task names it.
                let (job, number) = (&assignment.job, assignment.number);
                let (kind, fence) = (assignment.kind.as_str(), assignment.fence);
                let working =
                    tracing::error_span!("task", job = %job.job_uuid, kind, partition = number, fence);
                if delivery.hint.traceparent.is_none() {
                    // An older relay sent the hint; the job still knows its trace.
                    spanfleet_trace::go_on(&working, job.traceparent);
                }
                let outcome = self.work(assignment, claimed_at, stops).instrument(working).await;
                span.record("outcome", outcome);
                if !["done", "released"].contains(&outcome) {
                    span.record("otel.status_code", "ERROR");
                }
                crash_point("worker-done");
                delivery.ack().await;
            }
            Ok(Err(refusal)) => {
                self.metrics.claims_refused_total.with_label_values(&[refusal.as_str()]).inc();
                span.record("outcome", refusal.as_str());
                tracing::debug!(%task, refusal = refusal.as_str(), "claim refused");
                delivery.ack().await;
            }
            Err(error) => {
                span.record("otel.status_code", "ERROR");
                tracing::warn!(%task, %error, "can't claim; putting the hint back");
                tokio::time::sleep(Duration::from_secs(1)).await;
                delivery.put_back().await;
            }
        }
    }

    /// Claims nothing while the set-up is known to be wrong.
    async fn wait_for_mend(&self, stop: &CancellationToken) {
        while self.wrong_setup().is_some() && !stop.is_cancelled() {
            let checks = async {
                self.ports.storage.check().await.map_err(|error| error.to_string())?;
                self.ports.source.check().await.map_err(|error| error.to_string())
            };
            let still_wrong = checks.await.err();
            let mended = still_wrong.is_none();
            self.set_wrong_setup(still_wrong);
            if !mended {
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(MEND_WAIT) => {} }
            }
        }
    }

    fn set_wrong_setup(&self, reason: Option<String>) {
        *self.wrong_setup.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// Does a claimed task and reports what came of it. Returns the outcome's word.
    async fn work(&self, assignment: Assignment, claimed_at: Instant, stops: &Stops) -> &'static str {
        let (task, fence) = (assignment.task, assignment.fence);
        let lease = Lease::keep(
            self.ports.metastore.clone(),
            &self.settings,
            self.metrics.clone(),
            task,
            fence,
            claimed_at,
        );
        tracing::info!("begin");
        let outcome = tokio::select! {
            () = lease.lost.cancelled() => Err(StepError::Lost),
            () = stops.give_back.cancelled() => Err(StepError::Stopped),
            outcome = self.step(&assignment) => outcome,
        };
        let word = self.report(&assignment, outcome).await;
        if assignment.kind == TaskKind::Encode {
            let labels = [assignment.job.format_name.as_str(), word];
            self.metrics
                .partition_duration_seconds
                .with_label_values(&labels)
                .observe(claimed_at.elapsed().as_secs_f64());
        }
        tracing::info!(outcome = word, "end");
        word
    }

    async fn step(&self, assignment: &Assignment) -> Result<(), StepError> {
        match assignment.kind {
            TaskKind::Plan => self.plan(assignment).await,
            TaskKind::Encode => self.encode(assignment).await,
            TaskKind::Finalize => self.finalize(assignment).await,
        }
    }

    async fn plan(&self, assignment: &Assignment) -> Result<(), StepError> {
        let plan = steps::plan::plan(&self.ports, assignment).instrument(span!("plan")).await?;
        crash_point("worker-plan-made");
        let metastore = &self.ports.metastore;
        self.commit(|| metastore.commit_plan(assignment.task, assignment.fence, &plan)).await?;
        crash_point("worker-plan-committed");
        self.ports.relay.wake();
        Ok(())
    }

    async fn encode(&self, assignment: &Assignment) -> Result<(), StepError> {
        let parts_prefix = self.settings.root.parts(assignment.job.job_uuid);
        let metastore = &self.ports.metastore;
        let attempt = crate::keys::attempt(&parts_prefix, assignment.number, assignment.fence);
        metastore.note_attempt(assignment.task, assignment.fence, &attempt).await?;
        crash_point("worker-attempt-noted");
        let report = steps::encode::encode(&self.ports, assignment, &parts_prefix).await?;
        crash_point("worker-part-reported");
        self.commit(|| metastore.commit_part(assignment.task, assignment.fence, &report)).await?;
        crash_point("worker-part-committed");
        self.ports.relay.wake();
        self.metrics.count(&report);
        Ok(())
    }

    async fn finalize(&self, assignment: &Assignment) -> Result<(), StepError> {
        let prefix = self.settings.root.prefix(assignment.job.job_uuid);
        let sealing = steps::finalize::finalize(&self.ports, assignment, &prefix);
        let finalized = sealing.instrument(span!("seal")).await?;
        crash_point("worker-final-reported");
        let metastore = &self.ports.metastore;
        self.commit(|| metastore.commit_final(assignment.task, assignment.fence, &finalized.report)).await?;
        crash_point("worker-final-committed");
        // The export stands; what can't be deleted now is left to the sweeper.
        match self.ports.storage.delete(&finalized.part_keys).await {
            Ok(()) => {
                crash_point("worker-parts-deleted");
                if let Err(error) = metastore.mark_swept_unless_retried(assignment.job.job_uuid).await {
                    tracing::warn!(%error, "can't say that the parts are deleted; the sweeper will look");
                }
            }
            Err(error) => tracing::warn!(%error, "can't delete parts; the sweeper will"),
        }
        Ok(())
    }

    /// Reports a result until the database has answered; the lease ends this if it takes too long.
    async fn commit<F, R>(&self, report: F) -> Result<(), StepError>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<Result<(), Refusal>, MetastoreError>>,
    {
        let waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_jitter()
            .with_max_times(8);
        let is_passing = |error: &MetastoreError| error.kind == MetastoreErrorKind::Transient;
        match report.retry(waits).when(is_passing).instrument(span!("commit")).await? {
            Ok(()) => Ok(()),
            // Also when an earlier try did commit and its answer was lost: the result stands, ours or not.
            Err(refusal) => {
                self.metrics.stale_commits_rejected_total.inc();
                tracing::info!(refusal = refusal.as_str(), "report refused");
                Err(StepError::Lost)
            }
        }
    }

    /// Tells the metastore how a task ended, where it does not know yet. Returns the outcome's word.
    async fn report(&self, assignment: &Assignment, outcome: Result<(), StepError>) -> &'static str {
        let (task, fence, metastore) = (assignment.task, assignment.fence, &self.ports.metastore);
        let (told, word) = match outcome {
            Ok(()) => return "done",
            // Refused when the task is another's by now. When its job was closed, it ends the lease, so that
            // nobody waits for it before cleaning up.
            Err(StepError::Lost) => (metastore.release(task, fence).await, "lost"),
            Err(StepError::Stopped) => (metastore.release(task, fence).await, "released"),
            Err(StepError::Failed { class, message }) => {
                let class = self.weigh(task, class, &message);
                (metastore.fail(task, fence, class, &message).await, class.as_str())
            }
        };
        if let Err(error) = told {
            // The lease will run out; that counts as a crash, which it nearly is.
            tracing::warn!(%task, %error, "can't report the end of a task");
        }
        self.ports.relay.wake();
        word
    }

    /// Logs a failure and decides what a wrong set-up means here.
    fn weigh(&self, task: TaskId, class: ErrorClass, message: &str) -> ErrorClass {
        tracing::warn!(%task, class = class.as_str(), message, "task failed");
        self.metrics.partition_retries_total.with_label_values(&[class.as_str()]).inc();
        if class != ErrorClass::Configuration {
            return class;
        }
        if self.settings.fails_on_configuration {
            return ErrorClass::Poison;
        }
        self.set_wrong_setup(Some(message.to_owned()));
        class
    }
}
