//! What Prometheus reads of a dispatcher. No job or user is ever a label.

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, core::Collector};
use spanfleet_metastore::Backlog;

/// The dispatcher's metrics, registered once per process.
#[derive(Debug)]
#[allow(missing_docs)] // each field is named after its metric
pub struct Metrics {
    pub jobs_total: IntCounterVec,
    pub downloads_total: IntCounter,
    pub leases_expired_total: IntCounter,
    pub orphans_deleted_total: IntCounterVec,
    pub partitions: IntGaugeVec,
    pub queue_lag_seconds: Gauge,
    pub dead_partitions: IntGauge,
    pub outbox_unpublished: IntGauge,
    pub outbox_oldest_seconds: Gauge,
    pub expiry_backlog: IntGauge,
    pub invariant_violations_total: IntCounterVec,
}

impl Metrics {
    /// Registers every metric of a dispatcher.
    pub fn register(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let opts = |name: &str, help: &str| Opts::new(format!("spanfleet_{name}"), help);
        Ok(Metrics {
            jobs_total: keep(
                registry,
                IntCounterVec::new(opts("jobs_total", "jobs by what became of the request"), &["status"]),
            )?,
            downloads_total: keep(
                registry,
                IntCounter::with_opts(opts("downloads_total", "links handed out")),
            )?,
            leases_expired_total: keep(
                registry,
                IntCounter::with_opts(opts("leases_expired_total", "leases that ran out")),
            )?,
            orphans_deleted_total: keep(
                registry,
                IntCounterVec::new(
                    opts("orphans_deleted_total", "objects that belonged to nothing"),
                    &["kind"],
                ),
            )?,
            partitions: keep(
                registry,
                IntGaugeVec::new(opts("partitions", "tasks of open and failed jobs"), &["state"]),
            )?,
            queue_lag_seconds: keep(
                registry,
                Gauge::with_opts(opts("queue_lag_seconds", "age of the oldest ready and due task")),
            )?,
            dead_partitions: keep(
                registry,
                IntGauge::with_opts(opts("dead_partitions", "tasks given up, waiting for a retry")),
            )?,
            outbox_unpublished: keep(
                registry,
                IntGauge::with_opts(opts("outbox_unpublished", "hints that wait for the queue")),
            )?,
            outbox_oldest_seconds: keep(
                registry,
                Gauge::with_opts(opts("outbox_oldest_seconds", "age of the oldest of them")),
            )?,
            invariant_violations_total: keep(
                registry,
                IntCounterVec::new(
                    opts("invariant_violations_total", "promises that a check found broken"),
                    &["invariant"],
                ),
            )?,
            expiry_backlog: keep(
                registry,
                IntGauge::with_opts(opts("expiry_backlog", "jobs past their time whose objects stand")),
            )?,
        })
    }

    /// Shows the metastore's gauges.
    pub fn show(&self, backlog: &Backlog) {
        for (state, count) in &backlog.tasks {
            self.partitions.with_label_values(&[state]).set(*count);
        }
        let failed = backlog.tasks.iter().find(|(state, _)| state == "failed");
        self.dead_partitions.set(failed.map_or(0, |(_, count)| *count));
        self.queue_lag_seconds.set(backlog.oldest_ready_seconds);
        self.outbox_unpublished.set(backlog.outbox_unpublished);
        self.outbox_oldest_seconds.set(backlog.outbox_oldest_seconds);
        self.expiry_backlog.set(backlog.expiry_backlog);
    }
}

fn keep<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: Result<C, prometheus::Error>,
) -> Result<C, prometheus::Error> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
