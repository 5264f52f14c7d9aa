//! What Prometheus reads of a worker. No job or user is ever a label.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, core::Collector,
};
use spanfleet_core::report::PartReport;

/// The worker's metrics, registered once per process.
#[derive(Debug)]
#[allow(missing_docs)] // each field is named after its metric
pub struct Metrics {
    pub partition_duration_seconds: HistogramVec,
    pub texts_exported_total: IntCounter,
    pub annotations_exported_total: IntCounter,
    pub losses_total: IntCounterVec,
    pub bytes_uploaded_total: IntCounter,
    pub claims_refused_total: IntCounterVec,
    pub heartbeat_lag_seconds: Histogram,
    pub stale_commits_rejected_total: IntCounter,
    pub partition_retries_total: IntCounterVec,
}

impl Metrics {
    /// Registers every metric of a worker.
    pub fn register(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let partition_seconds = vec![0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];
        let heartbeat_seconds = vec![1.0, 5.0, 10.0, 12.5, 15.0, 20.0, 30.0, 45.0, 60.0];
        let counter = |name: &str, help: &str| IntCounter::new(format!("spanfleet_{name}"), help);
        let counters = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(format!("spanfleet_{name}"), help), labels)
        };
        Ok(Metrics {
            partition_duration_seconds: keep(
                registry,
                HistogramVec::new(
                    HistogramOpts::new(
                        "spanfleet_partition_duration_seconds",
                        "time of one partition, from claim to report",
                    )
                    .buckets(partition_seconds),
                    &["format", "outcome"],
                ),
            )?,
            texts_exported_total: keep(registry, counter("texts_exported_total", "texts written"))?,
            annotations_exported_total: keep(
                registry,
                counter("annotations_exported_total", "annotations written"),
            )?,
            losses_total: keep(
                registry,
                counters("losses_total", "texts, annotations and relations not written", &["reason"]),
            )?,
            bytes_uploaded_total: keep(
                registry,
                counter("bytes_uploaded_total", "bytes of parts sent to the store"),
            )?,
            claims_refused_total: keep(
                registry,
                counters("claims_refused_total", "hints whose task could not be claimed", &["reason"]),
            )?,
            heartbeat_lag_seconds: keep(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "spanfleet_heartbeat_lag_seconds",
                        "time between heartbeats of a lease",
                    )
                    .buckets(heartbeat_seconds),
                ),
            )?,
            stale_commits_rejected_total: keep(
                registry,
                counter(
                    "stale_commits_rejected_total",
                    "reports refused because the task was not ours any more",
                ),
            )?,
            partition_retries_total: keep(
                registry,
                counters("partition_retries_total", "failed attempts", &["class"]),
            )?,
        })
    }
}

impl Metrics {
    /// Counts a partition that stands.
    pub(crate) fn count(&self, report: &PartReport) {
        self.texts_exported_total.inc_by(report.counts.texts);
        self.annotations_exported_total.inc_by(report.counts.annotations_written);
        self.bytes_uploaded_total.inc_by(report.objects().map(|(_, bytes)| bytes).sum());
        for loss in &report.losses {
            self.losses_total.with_label_values(&[loss.reason.as_str()]).inc_by(loss.count);
        }
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
