//! The built-in rows of `export_formats` and `ml_export_templates`, made from the catalogue of formats.

use serde_json::json;
use spanfleet_formats::{
    Entry,
    templates::{Template, templates},
};
use spanfleet_metastore::{FormatRow, Metastore, MetastoreError, TemplateRow};

/// Brings the stored catalogue to this version's.
pub async fn sync(metastore: &dyn Metastore) -> Result<(), MetastoreError> {
    let rows: Vec<FormatRow> = spanfleet_formats::all().iter().map(row).collect();
    metastore.sync_formats(&rows).await?;
    let rows: Vec<TemplateRow> = templates().iter().map(template_row).collect();
    metastore.sync_templates(&rows).await
}

/// The row of one template.
fn template_row(template: &Template) -> TemplateRow {
    TemplateRow {
        id: 0,
        template_name: template.template_name.clone(),
        framework: template.framework.clone(),
        task_type: template.task_type.clone(),
        data_format: json!({
            "format": template.format,
            "parameters": template.layer(),
            "include_relations": template.include_relations,
            "description": template.description,
        }),
        label_encoding: template.label_encoding.clone(),
        preprocessing_steps: template.preprocessing_steps.clone().into(),
        validation_schema: template.validation_schema.clone(),
        framework_config: template.framework_config.clone(),
        example_usage: Some(template.script().to_owned()),
        is_active: true,
        usage_count: 0,
    }
}

/// The row of one format.
fn row(entry: &Entry) -> FormatRow {
    let info = &entry.info;
    FormatRow {
        id: 0,
        format_name: info.name.to_owned(),
        format_type: info.kind.to_owned(),
        format_schema: (info.schema)(),
        transformation_rules: serde_json::Map::new(),
        output_structure: json!({}),
        is_ml_ready: info.is_ml_ready,
        supports_streaming: info.supports_streaming,
        compression_options: info.compression_options(),
        file_extensions: info.extensions(),
        metadata: json!({"title": info.title, "version": info.version, "media_type": info.media_type}),
    }
}
