//! The API. One file a noun; every answer that is no success is a problem.

mod auth;
mod carry;
mod catalogue;
mod events;
mod failure;
mod files;
mod jobs;
mod order;
mod page;
mod preview;
mod query;
mod traced;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use spanfleet_metastore::Metastore;
use spanfleet_relay::Relay;
use spanfleet_storage::Storage;
use tokio_util::sync::CancellationToken;

use crate::{Metrics, Previewer, Settings, probes, signer::Signer};
use failure::Failure;
pub(crate) use jobs::view::view;

/// What the API works with.
#[derive(Clone)]
pub struct Api {
    metastore: Arc<dyn Metastore>,
    storage: Arc<dyn Storage>,
    relay: Arc<Relay>,
    metrics: Arc<Metrics>,
    settings: Settings,
    signer: Arc<Signer>,
    previewer: Arc<dyn Previewer>,
    /// Ends what would never end by itself: listeners of open jobs.
    stop: CancellationToken,
}

impl Api {
    /// An API over these ports.
    pub fn new(
        metastore: Arc<dyn Metastore>,
        storage: Arc<dyn Storage>,
        relay: Arc<Relay>,
        metrics: Arc<Metrics>,
        settings: Settings,
        previewer: Arc<dyn Previewer>,
        stop: CancellationToken,
    ) -> Api {
        let signer = Arc::new(Signer::new());
        Api { metastore, storage, relay, metrics, settings, signer, previewer, stop }
    }
}

/// Every path of the API, and the probes.
pub fn router(api: Api, probes: probes::Probes) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/openapi.json", get(page::openapi))
        .route("/export/create-job", post(jobs::create))
        .route("/export/preview", post(preview::preview))
        .route("/export/formats", get(catalogue::formats).post(catalogue::add_format))
        .route("/export/templates/ml", get(catalogue::templates))
        .route("/export/jobs", get(jobs::list))
        .route("/export/jobs/{job_uuid}", get(jobs::show).delete(jobs::remove))
        .route("/export/jobs/{job_uuid}/events", get(events::events))
        .route("/export/jobs/{job_uuid}/cancel", post(jobs::cancel))
        .route("/export/jobs/{job_uuid}/retry", post(jobs::retry))
        .route("/export/jobs/{job_uuid}/files", get(files::files))
        .route("/export/jobs/{job_uuid}/manifest", get(files::manifest))
        .route("/export/jobs/{job_uuid}/download", get(files::download))
        .route("/artifacts/{job_uuid}/{*path}", get(carry::carry))
        .method_not_allowed_fallback(async || Failure::new(405, "this path has no such method"))
        .fallback(async || Failure::new(404, "there is no such path; `/` lists what there is"))
        .layer(middleware::from_fn(traced::traced))
        .with_state(api)
        .merge(probes::router(probes))
}
