//! `/export/formats` and `GET /export/templates/ml`.

use std::collections::HashSet;

use axum::{Json, extract::State, http::StatusCode};
use spanfleet_api::{Format, FormatsQuery, NewFormat, Template, TemplatesQuery};
use spanfleet_metastore::{FormatRow, Key, TemplateRow};

use super::{
    Api, Failure,
    auth::{Administrator, Authenticated},
    query::{Body, Params},
};
use crate::catalogue::custom_row;

pub(super) async fn formats(
    State(api): State<Api>,
    _: Authenticated,
    Params(query): Params<FormatsQuery>,
) -> Result<Json<Vec<Format>>, Failure> {
    let mut rows = api.metastore.formats().await?;
    if query.framework.is_some() || query.task_type.is_some() {
        let templates =
            api.metastore.templates(query.framework.as_deref(), query.task_type.as_deref()).await?;
        let used: HashSet<&str> =
            templates.iter().filter_map(|template| template.data_format["format"].as_str()).collect();
        rows.retain(|row| used.contains(row.format_name.as_str()));
    }
    if let Some(is_ready) = query.ml_ready {
        rows.retain(|row| row.is_ml_ready == is_ready);
    }
    Ok(Json(rows.into_iter().map(format).collect()))
}

/// Adds a user-defined format, or replaces the one of that name: jobs keep what they were ordered with.
pub(super) async fn add_format(
    State(api): State<Api>,
    _: Administrator,
    Body(new): Body<NewFormat>,
) -> Result<(StatusCode, Json<Format>), Failure> {
    let row = custom_row(new).map_err(|error| Failure::new(422, error.to_string()).about(error.key))?;
    api.metastore.sync_formats(std::slice::from_ref(&row)).await?;
    let stored = api.metastore.format(Key::Name(&row.format_name)).await?;
    let stored = stored.ok_or_else(|| Failure::new(503, "the format is gone again; add it once more"))?;
    Ok((StatusCode::CREATED, Json(format(stored))))
}

pub(super) async fn templates(
    State(api): State<Api>,
    _: Authenticated,
    Params(query): Params<TemplatesQuery>,
) -> Result<Json<Vec<Template>>, Failure> {
    let rows = api.metastore.templates(query.framework.as_deref(), query.task_type.as_deref()).await?;
    Ok(Json(rows.into_iter().map(template).collect()))
}

fn format(row: FormatRow) -> Format {
    Format {
        id: row.id,
        format_name: row.format_name,
        format_type: row.format_type,
        format_schema: row.format_schema,
        transformation_rules: row.transformation_rules.into(),
        output_structure: row.output_structure,
        is_ml_ready: row.is_ml_ready,
        supports_streaming: row.supports_streaming,
        compression_options: row.compression_options,
        file_extensions: row.file_extensions,
        metadata: row.metadata,
    }
}

fn template(row: TemplateRow) -> Template {
    Template {
        id: row.id,
        template_name: row.template_name,
        framework: row.framework,
        task_type: row.task_type,
        data_format: row.data_format,
        label_encoding: row.label_encoding,
        preprocessing_steps: row.preprocessing_steps,
        validation_schema: row.validation_schema,
        framework_config: row.framework_config,
        example_usage: row.example_usage,
        is_active: row.is_active,
        usage_count: row.usage_count,
    }
}
