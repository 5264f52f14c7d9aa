//! What a request asks for, checked: project, format, template, order. Jobs and previews share it.

use serde_json::Map;
use spanfleet_api::CreateJob;
use spanfleet_core::{Include, Order, ProjectId};
use spanfleet_formats::catalogue::base_of;
use spanfleet_metastore::{Caller, FormatRow, Key, TemplateRow};

use super::{Api, Failure};
use crate::catalogue::parameters;

/// An order that makes sense, on a project that the caller may use.
pub(super) struct Asked {
    pub(super) project: ProjectId,
    pub(super) format: FormatRow,
    pub(super) template_id: Option<i32>,
    pub(super) order: Order,
}

/// Checks a request against the catalogue.
pub(super) async fn ask(api: &Api, caller: &Caller, request: &CreateJob) -> Result<Asked, Failure> {
    let project = find_project(api, caller, request).await?;
    let template = find_template(api, request.template.as_deref()).await?;
    let format = find_format(api, request, template.as_ref()).await?;
    let order = order(request, &format, template.as_ref())?;
    Ok(Asked { project, format, template_id: template.map(|template| template.id), order })
}

/// The project that is asked for, if the caller may use it.
async fn find_project(api: &Api, caller: &Caller, request: &CreateJob) -> Result<ProjectId, Failure> {
    let key = match (request.project_id, &request.project) {
        (Some(id), None) => Key::Id(id),
        (None, Some(name)) => Key::Name(name),
        _ => return Err(Failure::new(422, "give one of `project_id`, `project`").about("project_id")),
    };
    api.metastore.usable_project(caller, key).await?.ok_or_else(Failure::no_access)
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
    let (field, key) = match (request.export_format_id, request.format.as_deref(), template) {
        (Some(id), None, None) => ("export_format_id", Some(Key::Id(id))),
        (None, Some(name), None) => ("format", Some(Key::Name(name))),
        (None, None, Some(template)) => ("template", template.data_format["format"].as_str().map(Key::Name)),
        _ => {
            return Err(Failure::new(422, "give one of `export_format_id`, `format`, `template`")
                .about("export_format_id"));
        }
    };
    let row = match key {
        Some(key) => api.metastore.format(key).await?,
        None => None,
    };
    row.ok_or_else(|| {
        Failure::new(404, "there is no such format; `GET /export/formats` lists them").about(field)
    })
}

/// The parameters of the format, then the template's, then the request's.
fn order(request: &CreateJob, format: &FormatRow, template: Option<&TemplateRow>) -> Result<Order, Failure> {
    let of_template = template.map(|template| &template.data_format);
    let include = Include {
        metadata: request.include_metadata,
        relations: request.include_relations
            || of_template.is_some_and(|template| template["include_relations"] == true),
        hierarchies: request.include_hierarchies,
    };
    let nothing = Map::new();
    let layers = [
        &parameters(format),
        of_template.and_then(|template| template["parameters"].as_object()).unwrap_or(&nothing),
        request.export_parameters.as_ref().unwrap_or(&nothing),
    ];
    let filter = request.filter_criteria.as_ref().unwrap_or(&nothing);
    let base = base_of(&format.format_name, &format.format_type);
    let order = Order::new(base, &layers, filter, include).map_err(|error| {
        Failure::option(if error.what == "filter" { "filter_criteria" } else { "export_parameters" }, &error)
    })?;
    spanfleet_formats::open(&order).map_err(|error| Failure::option("export_parameters", &error))?;
    Ok(order)
}
