//! A request as a step of a trace: of the caller's, if it names one.

use axum::{
    extract::{MatchedPath, Request},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use spanfleet_core::TraceParent;
use spanfleet_trace::span;
use tracing::{Instrument as _, field::Empty};

/// Where the caller's trace goes on.
pub(super) fn caller(headers: &HeaderMap) -> Option<TraceParent> {
    TraceParent::parse(headers.get("traceparent")?.to_str().ok()?)
}

/// Names the route and not the path, which holds what callers like.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = span!(
        "request",
        otel.name = format!("{} {route}", request.method()).trim_end(),
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = route,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    spanfleet_trace::go_on(&span, caller(request.headers()));
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}
