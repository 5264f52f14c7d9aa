//! Formats and templates.

use super::{Result, access, params};
use crate::{FormatRow, Parameter, Row, Session, Statement, TemplateRow};

/// Who made the built-in templates.
const MAKER: &str = "spanfleet";

pub(super) async fn sync_formats(session: &mut dyn Session, rows: &[FormatRow]) -> Result<()> {
    for row in rows {
        let parameters = params![
            row.format_name.as_str(),
            row.format_type.as_str(),
            Parameter::json(&row.format_schema)?,
            Parameter::json(&row.transformation_rules)?,
            Parameter::json(&row.output_structure)?,
            row.is_ml_ready,
            row.supports_streaming,
            Parameter::json(&row.compression_options)?,
            Parameter::json(&row.file_extensions)?,
            Parameter::json(&row.metadata)?,
        ];
        session.execute(Statement::StoreFormat, parameters).await?;
    }
    Ok(())
}

pub(super) async fn sync_templates(session: &mut dyn Session, rows: &[TemplateRow]) -> Result<()> {
    let maker = access::ensure_user(session, MAKER, false).await?;
    for row in rows {
        let parameters = params![
            row.template_name.as_str(),
            row.framework.as_str(),
            row.task_type.as_str(),
            Parameter::json(&row.data_format)?,
            Parameter::json(&row.label_encoding)?,
            Parameter::json(&row.preprocessing_steps)?,
            Parameter::json(&row.validation_schema)?,
            Parameter::json(&row.framework_config)?,
            row.example_usage.as_deref(),
            row.is_active,
            maker.0,
        ];
        session.execute(Statement::StoreTemplate, parameters).await?;
    }
    Ok(())
}

pub(super) async fn formats(
    session: &mut dyn Session,
    id: Option<i32>,
    name: Option<&str>,
) -> Result<Vec<FormatRow>> {
    session.rows(Statement::ReadFormats, params![id, name]).await?.iter().map(format).collect()
}

fn format(row: &Row) -> Result<FormatRow> {
    Ok(FormatRow {
        id: row.get("id")?,
        format_name: row.get("format_name")?,
        format_type: row.get("format_type")?,
        format_schema: row.get("format_schema")?,
        transformation_rules: row.get("transformation_rules")?,
        output_structure: row.get("output_structure")?,
        is_ml_ready: row.get("is_ml_ready")?,
        supports_streaming: row.get("supports_streaming")?,
        compression_options: row.get("compression_options")?,
        file_extensions: row.json("file_extensions")?,
        metadata: row.get("metadata")?,
    })
}

pub(super) async fn templates(
    session: &mut dyn Session,
    framework: Option<&str>,
    task_type: Option<&str>,
) -> Result<Vec<TemplateRow>> {
    let rows = session.rows(Statement::ReadTemplates, params![framework, task_type]).await?;
    rows.iter().map(template).collect()
}

fn template(row: &Row) -> Result<TemplateRow> {
    Ok(TemplateRow {
        id: row.get("id")?,
        template_name: row.get("template_name")?,
        framework: row.get("framework")?,
        task_type: row.get("task_type")?,
        data_format: row.get("data_format")?,
        label_encoding: row.get("label_encoding")?,
        preprocessing_steps: row.get("preprocessing_steps")?,
        validation_schema: row.get("validation_schema")?,
        framework_config: row.get("framework_config")?,
        example_usage: row.get("example_usage")?,
        is_active: row.get("is_active")?,
        usage_count: row.get("usage_count")?,
    })
}
