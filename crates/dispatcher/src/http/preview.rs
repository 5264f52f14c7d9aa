//! `POST /export/preview`: the first records of an export, encoded, no job.

use axum::{Json, extract::State};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use spanfleet_api::{CreateJob, Preview, PreviewQuery};
use spanfleet_core::losses::EXAMPLES_SHOWN;

use super::{
    Api, Failure,
    auth::Authenticated,
    order::ask,
    query::{Body, Params},
};

/// Texts that are shown.
const TEXTS: usize = 5;
const MOST_TEXTS: usize = 100;

pub(super) async fn preview(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Params(query): Params<PreviewQuery>,
    Body(request): Body<CreateJob>,
) -> Result<Json<Preview>, Failure> {
    let texts = query.texts.unwrap_or(TEXTS);
    if !(1..=MOST_TEXTS).contains(&texts) {
        return Err(Failure::new(422, format!("`texts` is 1 to {MOST_TEXTS}")).about("texts"));
    }
    let asked = ask(&api, &caller, &request).await?;
    let shown = api.previewer.preview(asked.project, &asked.order, texts).await;
    let shown =
        shown.map_err(|error| Failure::new(if error.is_passing { 503 } else { 422 }, error.message))?;
    let (encoding, content) = match String::from_utf8(shown.content) {
        Ok(text) => ("utf-8", text),
        Err(bytes) => ("base64", BASE64_STANDARD.encode(bytes.as_bytes())),
    };
    Ok(Json(Preview {
        format: asked.format.format_name,
        media_type: shown.media_type,
        encoding: encoding.to_owned(),
        content,
        counts: json!(shown.ledger.counts),
        losses: json!(shown.ledger.losses(EXAMPLES_SHOWN)),
        selected: shown.selected.map(|count| json!(count)),
        changes: json!(shown.ledger.changes(EXAMPLES_SHOWN)),
    }))
}
