//! Export by OTLP over HTTP, as the standard `OTEL_*` variables ask.

use std::{env, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    trace::{
        SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
    },
};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, resource::EnvResourceDetector, trace::SdkTracerProvider};
use spanfleet_core::TraceParent;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::client::Client;

/// The standard's own.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A process that ends does not wait longer for its last spans: whoever stops it has a grace of its own.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// Sends spans in batches from a thread of its own. Dropped, it sends what is left.
#[derive(Debug)]
pub struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// As the environment asks; `None` without an endpoint. `role` and `instance` name this process where the
    /// environment doesn't.
    pub fn from_environment(role: &str, instance: String) -> Result<Option<Exporter>, String> {
        let has_endpoint =
            any_of(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]).is_some();
        let is_disabled = setting("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        if !has_endpoint || is_disabled {
            return Ok(None);
        }
        let protocol = any_of(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
        if let Some(other) = protocol.filter(|protocol| protocol != "http/protobuf") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL can't be `{other}`; allowed: http/protobuf, which receivers take on port 4318"
            ));
        }
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(timeout()?))
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .build()
            .map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT or its headers can't be used: {error}"))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(role, instance))
            .build();
        Ok(Some(Exporter { provider }))
    }

    /// What takes our own spans out of `tracing`. Events stay in the logs: their words may quote a text.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("spanfleet"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|of| of.is_span() && of.target().starts_with("spanfleet")))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_WAIT) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Who sends. What the environment says comes last and counts.
fn resource(role: &str, instance: String) -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", format!("spanfleet-{role}")),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
        ])
        .with_detector(Box::new(EnvResourceDetector::new()));
    match setting("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

fn timeout() -> Result<Duration, String> {
    let Some(text) = any_of(["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"]) else {
        return Ok(TIMEOUT);
    };
    let wrong = |_| format!("OTEL_EXPORTER_OTLP_TIMEOUT can't be `{text}`; give milliseconds, as in `10000`");
    text.parse().map(Duration::from_millis).map_err(wrong)
}

fn any_of(names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(setting)
}

/// The standard takes an empty variable for an absent one.
fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

pub(crate) fn go_on(span: &Span, place: TraceParent) {
    let parent = SpanContext::new(
        TraceId::from_bytes(place.trace_id.to_be_bytes()),
        SpanId::from_bytes(place.span_id.to_be_bytes()),
        TraceFlags::new(place.flags),
        true,
        TraceState::default(),
    );
    // It fails for a span that nobody exports, which has no place in any trace.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

pub(crate) fn place(span: &Span) -> Option<TraceParent> {
    let context = span.context();
    let here = context.span().span_context().clone();
    here.is_valid().then(|| TraceParent {
        trace_id: u128::from_be_bytes(here.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(here.span_id().to_bytes()),
        flags: here.trace_flags().to_u8(),
    })
}
