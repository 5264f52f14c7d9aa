//! What is there for everybody: the web page and the description of the API. The page: jobs at a glance, with nothing to install. It calls the API with the token that it is given.

use axum::{Json, response::Html};
use serde_json::Value;

pub(super) async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

pub(super) async fn openapi() -> Json<Value> {
    Json(spanfleet_api::openapi::document(env!("CARGO_PKG_VERSION")))
}
