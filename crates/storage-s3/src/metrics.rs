//! What Prometheus reads of the store, in the registry of the process.

use std::{sync::LazyLock, time::Instant};

use aws_sdk_s3::config::{
    ConfigBag, Intercept, RuntimeComponents,
    interceptors::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::config_bag::{Layer, Storable, StoreReplace};
use prometheus::{HistogramVec, IntGauge, register_histogram_vec, register_int_gauge};

/// From a store next door to the copy of a large part.
const REQUEST_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
/// The macros fail only on a name that is no name, or that this process has given already.
const CONSTANT: &str = "a constant name, registered once";

/// Seconds of whole requests, retries included.
static REQUEST_SECONDS: LazyLock<HistogramVec> = LazyLock::new(|| {
    let (name, help) = ("spanfleet_s3_request_seconds", "requests to the store, retries included");
    register_histogram_vec!(name, help, &["op", "outcome"], REQUEST_BUCKETS.to_vec()).expect(CONSTANT)
});
/// Uploads in parts that are neither complete nor aborted.
static MULTIPART_INFLIGHT: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("spanfleet_multipart_inflight", "uploads in parts that are under way")
        .expect(CONSTANT)
});

/// One upload in parts, counted while it lives.
#[derive(Debug)]
pub(crate) struct Inflight;

impl Inflight {
    pub(crate) fn begin() -> Inflight {
        MULTIPART_INFLIGHT.inc();
        Inflight
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        MULTIPART_INFLIGHT.dec();
    }
}

/// Times every request of a client.
#[derive(Debug)]
pub(crate) struct Timer;

#[derive(Debug)]
struct Begun(Instant);

impl Storable for Begun {
    type Storer = StoreReplace<Begun>;
}

impl Intercept for Timer {
    fn name(&self) -> &'static str {
        "Timer"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut layer = Layer::new("timer");
        layer.store_put(Begun(Instant::now()));
        config.push_layer(layer);
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>();
        if let (Some(Begun(begun)), Some(operation)) = (config.load::<Begun>(), operation) {
            let is_ok = context.output_or_error().is_some_and(|answer| answer.is_ok());
            let outcome = if is_ok { "ok" } else { "error" };
            let labels = [operation.name(), outcome];
            REQUEST_SECONDS.with_label_values(&labels).observe(begun.elapsed().as_secs_f64());
        }
        Ok(())
    }
}

/// Makes all of them, so that they are shown from the start.
pub(crate) fn show() {
    LazyLock::force(&REQUEST_SECONDS);
    LazyLock::force(&MULTIPART_INFLIGHT);
}
