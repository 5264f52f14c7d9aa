//! Creating, listing, reading and stopping jobs.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
};
use serde_json::json;
use spanfleet_api::{CreateJob, Jobs, JobsQuery};
use spanfleet_core::{Filter, ProjectId};
use spanfleet_crash::crash_point;
use spanfleet_metastore::{Caller, JobRow, JobsQuery as RowsQuery, Key, NewJob, Submitted};
use tracing::Span;
use uuid::Uuid;

use super::{
    Api, Failure,
    auth::Authenticated,
    order::{Asked, ask},
    query::{Body, JobId, Params},
    traced,
};

pub(super) mod view;
use view::view;

/// Jobs on a page.
const PAGE: u32 = 50;
const MOST_ON_PAGE: u32 = 500;
/// Artifacts live at most a year.
const MOST_EXPIRES_IN: i64 = 366 * 24 * 60 * 60;
const STATUSES: [&str; 6] = ["pending", "processing", "completed", "failed", "expired", "cancelled"];

pub(super) async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
    Body(request): Body<CreateJob>,
) -> Result<impl IntoResponse, Failure> {
    let asked = ask(&api, &caller, &request).await?;
    let order = asked.order.clone();
    let job = new_job(&api, &caller, &headers, request, asked)?;
    let (status, row) = match api.metastore.submit(&job).await? {
        Submitted::New(row) => (StatusCode::CREATED, row),
        Submitted::Same(row) => (StatusCode::OK, row),
        Submitted::Conflict => {
            let detail = "this Idempotency-Key was used with other parameters; use a new key";
            return Err(Failure::new(409, detail).about("Idempotency-Key"));
        }
    };
    crash_point("dispatcher-job-stored");
    api.relay.wake();
    api.metrics.jobs_total.with_label_values(&[row.head.phase.status()]).inc();
    let location = format!("/export/jobs/{}", row.job_uuid);
    let mut shown = view(*row);
    if order.filter != Filter::default() && shown.selected.is_none() {
        shown.selected = api.previewer.count(job.project, &order).await.map(|count| json!(count));
    }
    Ok((status, [(header::LOCATION, location)], Json(shown)))
}

fn new_job(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    request: CreateJob,
    asked: Asked,
) -> Result<NewJob, Failure> {
    let webhook = request.webhook_url.as_deref();
    if let Some(reason) = webhook.and_then(|address| api.settings.webhooks.refuse(address)) {
        return Err(Failure::new(422, reason).about("webhook_url"));
    }
    let expires_in_seconds = request.expires_in.unwrap_or(api.settings.expires_in_seconds);
    if !(1..=MOST_EXPIRES_IN).contains(&expires_in_seconds) {
        return Err(
            Failure::new(422, format!("`expires_in` is 1 to {MOST_EXPIRES_IN} seconds")).about("expires_in")
        );
    }
    let Asked { project, format, template_id, order } = asked;
    Ok(NewJob {
        job_uuid: Uuid::new_v4(),
        project,
        requested_by: caller.user,
        export_format_id: format.id,
        export_parameters: request.export_parameters.unwrap_or_default(),
        options: order.options.to_json().clone(),
        filter_criteria: request.filter_criteria.unwrap_or_default(),
        include: order.include,
        expires_in_seconds,
        idempotency_key: idempotency_key(headers)?,
        traceparent: spanfleet_trace::place(&Span::current()).or_else(|| traced::caller(headers)),
        template_id,
        webhook_url: request.webhook_url,
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let key = text_header(headers, "idempotency-key");
    match key {
        Some(key) if key.is_empty() || key.len() > 255 => {
            Err(Failure::new(422, "an Idempotency-Key has 1 to 255 characters").about("Idempotency-Key"))
        }
        key => Ok(key),
    }
}

fn text_header(headers: &HeaderMap, name: &'static str) -> Option<String> {
    headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

pub(super) async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Params(query): Params<JobsQuery>,
) -> Result<Json<Jobs>, Failure> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MOST_ON_PAGE).contains(&limit) {
        return Err(Failure::new(422, format!("`limit` is 1 to {MOST_ON_PAGE}")).about("limit"));
    }
    if query.status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Failure::new(422, format!("`status` is one of {}", STATUSES.join(", "))).about("status"));
    }
    let before_id = query.cursor.map(|cursor| {
        cursor.parse().map_err(|_| Failure::new(422, "`cursor` is not one of ours").about("cursor"))
    });
    let project = query.project_id.map(ProjectId);
    if let Some(project) = project
        && api.metastore.usable_project(&caller, Key::Id(project.0)).await?.is_none()
    {
        return Err(Failure::no_access());
    }
    let user = (!caller.is_admin).then_some(caller.user);
    let query = RowsQuery { user, project, status: query.status, before_id: before_id.transpose()?, limit };
    let rows = api.metastore.jobs(&query).await?;
    let is_full = rows.len() == limit as usize;
    let next_cursor = rows.last().filter(|_| is_full).map(|row| row.id.to_string());
    Ok(Json(Jobs { jobs: rows.into_iter().map(view).collect(), next_cursor }))
}

pub(super) async fn show(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
) -> Result<Json<spanfleet_api::Job>, Failure> {
    own_job(&api, &caller, job).await.map(|row| Json(view(row)))
}

/// The job, if it is the caller's own and its project still is.
pub(super) async fn own_job(api: &Api, caller: &Caller, job: Uuid) -> Result<JobRow, Failure> {
    let row = api.metastore.job(job).await?.ok_or_else(Failure::no_job)?;
    if row.requested_by != caller.user && !caller.is_admin {
        return Err(Failure::no_job());
    }
    if api.metastore.usable_project(caller, Key::Id(row.project.0)).await?.is_none() {
        return Err(Failure::no_access());
    }
    Ok(row)
}

pub(super) async fn cancel(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
) -> Result<Json<spanfleet_api::Job>, Failure> {
    own_job(&api, &caller, job).await?;
    let changed = api.metastore.cancel(job).await?;
    changed_job(changed, "cancelled", "only a job that is not done can be cancelled")
}

pub(super) async fn retry(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
) -> Result<Json<spanfleet_api::Job>, Failure> {
    own_job(&api, &caller, job).await?;
    let changed = api.metastore.retry(job).await?;
    api.relay.wake();
    changed_job(changed, "", "only a failed job can be run again")
}

pub(super) async fn remove(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
) -> Result<Json<spanfleet_api::Job>, Failure> {
    own_job(&api, &caller, job).await?;
    let changed = api.metastore.expire_now(job).await?;
    changed_job(changed, "expired", "cancel the job first; it still runs")
}

/// A job after a change; a repeat of the same change is no error.
fn changed_job(
    changed: Option<(JobRow, bool)>,
    wanted: &str,
    otherwise: &str,
) -> Result<Json<spanfleet_api::Job>, Failure> {
    let (row, is_changed) = changed.ok_or_else(Failure::no_job)?;
    let status = row.head.phase.status();
    if is_changed || status == wanted {
        return Ok(Json(view(row)));
    }
    Err(Failure::new(409, format!("the job is {status}; {otherwise}")))
}
