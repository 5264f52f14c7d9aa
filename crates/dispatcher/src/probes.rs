//! Health, readiness and metrics, for a dispatcher beside its API and for a worker alone.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use prometheus::{Encoder, Registry, TextEncoder};

/// Looks at every dependency: its name, and what is wrong with it.
pub type Readiness = Arc<
    dyn Fn() -> Pin<Box<dyn Future<Output = Vec<(&'static str, Result<(), String>)>> + Send>> + Send + Sync,
>;
/// Brings gauges up to date before they are read.
pub type Refresh = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the probes ask.
#[derive(Clone)]
pub struct Probes {
    /// The process's metrics.
    pub registry: Registry,
    /// Its dependencies.
    pub readiness: Readiness,
    /// Its gauges.
    pub refresh: Refresh,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub fn router(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes)
}

async fn ready(State(probes): State<Probes>) -> impl IntoResponse {
    let checks = (probes.readiness)().await;
    let is_ready = checks.iter().all(|(_, check)| check.is_ok());
    let shown: serde_json::Map<String, serde_json::Value> = checks
        .into_iter()
        .map(|(name, check)| (name.to_owned(), check.err().unwrap_or_else(|| "ok".to_owned()).into()))
        .collect();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(shown))
}

async fn metrics(State(probes): State<Probes>) -> impl IntoResponse {
    (probes.refresh)().await;
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    match encoder.encode(&probes.registry.gather(), &mut text) {
        Ok(()) => ([("content-type", encoder.format_type().to_owned())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
