//! Creating, listing, reading and stopping jobs.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
};
use serde_json::Map;
use spanfleet_api::{CreateJob, Jobs, JobsQuery};
use spanfleet_core::{Include, Order, ProjectId};
use spanfleet_metastore::{
    Caller, FormatRow, JobRow, JobsQuery as RowsQuery, NewJob, Submitted, TemplateRow,
};
use uuid::Uuid;

use super::{
    Api, Failure,
    auth::Authenticated,
    query::{Body, JobId, Params},
};

mod view;
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
    let project = find_project(&api, &caller, &request).await?;
    let template = find_template(&api, request.template.as_deref()).await?;
    let format = find_format(&api, &request, template.as_ref()).await?;
    let job = new_job(&api, &caller, project, &headers, request, &format, template.as_ref())?;
    let (status, row) = match api.metastore.submit(&job).await? {
        Submitted::New(row) => (StatusCode::CREATED, row),
        Submitted::Same(row) => (StatusCode::OK, row),
        Submitted::Conflict => {
            let detail = "this Idempotency-Key was used with other parameters; use a new key";
            return Err(Failure::new(409, detail).about("Idempotency-Key"));
        }
    };
    api.relay.wake();
    api.metrics.jobs_total.with_label_values(&[row.head.phase.status()]).inc();
    let location = format!("/export/jobs/{}", row.job_uuid);
    Ok((status, [(header::LOCATION, location)], Json(view(*row))))
}

/// The project that is asked for, if the caller may use it.
async fn find_project(api: &Api, caller: &Caller, request: &CreateJob) -> Result<ProjectId, Failure> {
    let project = match (request.project_id, &request.project) {
        (Some(id), None) => Some(ProjectId(id)),
        (None, Some(name)) => api.metastore.project_named(name).await?.map(|row| row.id),
        _ => return Err(Failure::new(422, "give one of `project_id`, `project`").about("project_id")),
    };
    match project {
        Some(project) if api.metastore.may_use(caller, project).await? => Ok(project),
        _ => Err(Failure::no_access()),
    }
}

/// The template of `framework/task`.
async fn find_template(api: &Api, path: Option<&str>) -> Result<Option<TemplateRow>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let (framework, task) = path.split_once('/').unwrap_or((path, ""));
    let found = api.metastore.templates(Some(framework), Some(task)).await?.into_iter().next();
    found.map(Some).ok_or_else(|| {
        Failure::new(404, "there is no such template; `GET /export/templates/ml` lists them")
            .about("template")
    })
}

async fn find_format(
    api: &Api,
    request: &CreateJob,
    template: Option<&TemplateRow>,
) -> Result<FormatRow, Failure> {
    let rows = api.metastore.formats().await?;
    let named = |name: &str| rows.iter().find(|row| row.format_name == name);
    let (field, row) = match (request.export_format_id, &request.format, template) {
        (Some(id), None, None) => ("export_format_id", rows.iter().find(|row| row.id == id)),
        (None, Some(name), None) => ("format", named(name)),
        (None, None, Some(template)) => {
            ("template", named(template.data_format["format"].as_str().unwrap_or_default()))
        }
        _ => {
            return Err(Failure::new(422, "give one of `export_format_id`, `format`, `template`")
                .about("export_format_id"));
        }
    };
    row.cloned().ok_or_else(|| {
        Failure::new(404, "there is no such format; `GET /export/formats` lists them").about(field)
    })
}

fn new_job(
    api: &Api,
    caller: &Caller,
    project: ProjectId,
    headers: &HeaderMap,
    request: CreateJob,
    format: &FormatRow,
    template: Option<&TemplateRow>,
) -> Result<NewJob, Failure> {
    if request.webhook_url.is_some() {
        return Err(
            Failure::new(422, "this version calls no webhooks; follow the job instead").about("webhook_url")
        );
    }
    let expires_in_seconds = request.expires_in.unwrap_or(api.settings.expires_in_seconds);
    if !(1..=MOST_EXPIRES_IN).contains(&expires_in_seconds) {
        return Err(
            Failure::new(422, format!("`expires_in` is 1 to {MOST_EXPIRES_IN} seconds")).about("expires_in")
        );
    }
    let include = Include {
        metadata: request.include_metadata,
        relations: request.include_relations
            || template.is_some_and(|template| template.data_format["include_relations"] == true),
        hierarchies: request.include_hierarchies,
    };
    let export_parameters = request.export_parameters.unwrap_or_default();
    let filter_criteria = request.filter_criteria.unwrap_or_default();
    let of_template = template.and_then(|template| template.data_format["parameters"].as_object());
    let no_parameters = Map::new();
    let layers = [&format.transformation_rules, of_template.unwrap_or(&no_parameters), &export_parameters];
    let order = Order::new(&format.format_name, &layers, &filter_criteria, include).map_err(|error| {
        Failure::option(if error.what == "filter" { "filter_criteria" } else { "export_parameters" }, &error)
    })?;
    spanfleet_formats::open(&order).map_err(|error| Failure::option("export_parameters", &error))?;
    Ok(NewJob {
        job_uuid: Uuid::new_v4(),
        project,
        requested_by: caller.user,
        export_format_id: format.id,
        export_parameters,
        options: order.options.to_json().clone(),
        filter_criteria,
        include,
        expires_in_seconds,
        idempotency_key: idempotency_key(headers)?,
        traceparent: text_header(headers, "traceparent"),
        template_id: template.map(|template| template.id),
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
        && !api.metastore.may_use(&caller, project).await?
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
    if !api.metastore.may_use(caller, row.project).await? {
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
