//! The rows of `export_formats` and `ml_export_templates`: the built-in ones, made from the catalogue of formats, and
//! those of users.

use serde_json::{Map, Value, json};
use spanfleet_api::NewFormat;
use spanfleet_core::{Include, OptionError, Order};
use spanfleet_formats::{
    Entry, find,
    templates::{Template, templates},
};
use spanfleet_metastore::{FormatRow, Metastore, MetastoreError, TemplateRow};

/// The column's size.
const NAME_BYTES_MAX: usize = 100;
/// The column's check.
const FORMAT_TYPES: &str = "json, xml, csv, conll, brat, spacy, transformers, jsonl, tfrecord, arrow";

/// Brings the stored catalogue to this version's.
pub async fn sync(metastore: &dyn Metastore) -> Result<(), MetastoreError> {
    let rows: Vec<FormatRow> = spanfleet_formats::all().iter().map(row).collect();
    metastore.sync_formats(&rows).await?;
    let rows: Vec<TemplateRow> = templates().iter().map(template_row).collect();
    metastore.sync_templates(&rows).await
}

/// The row of a user-defined format, checked: what is stored can be exported.
pub fn custom_row(new: NewFormat) -> Result<FormatRow, OptionError> {
    let refuse = |key: &str, value: &str, allowed: &str| {
        OptionError::value("format", key, &Value::from(value), allowed)
    };
    let name = new.format_name.as_str();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_plain) {
        return Err(refuse("format_name", name, "1 to 100 of a-z, 0-9, `-` and `_`"));
    }
    if find(name).is_some() {
        return Err(refuse("format_name", name, "a name that no built-in format has"));
    }
    let base = find(&new.format_type).filter(|entry| entry.info.name == entry.info.kind);
    let Some(base) = base else {
        return Err(refuse("format_type", &new.format_type, FORMAT_TYPES));
    };
    if let Some(key) = new.output_structure.keys().find(|key| *key != "jq") {
        return Err(OptionError::unknown("key of output_structure", key, "jq"));
    }
    let row = FormatRow {
        format_name: name.to_owned(),
        format_schema: new.format_schema.into(),
        transformation_rules: new.transformation_rules,
        output_structure: new.output_structure.into(),
        is_ml_ready: new.is_ml_ready,
        metadata: new.metadata.into(),
        ..row(base)
    };
    let order = Order::new(base.info.name, &[&parameters(&row)], &Map::new(), Include::default())?;
    spanfleet_formats::open(&order)?;
    Ok(row)
}

/// The export parameters that a format's row stands for. A user-defined format has its jq filter and its schema among them;
/// the schema of a built-in one describes what it writes anyway.
pub fn parameters(row: &FormatRow) -> Map<String, Value> {
    let mut parameters = row.transformation_rules.clone();
    if find(&row.format_name).is_none() {
        if let Some(jq) = row.output_structure.get("jq") {
            parameters.insert("jq".to_owned(), jq.clone());
        }
        if row.format_schema.as_object().is_some_and(|schema| !schema.is_empty()) {
            parameters.insert("record_schema".to_owned(), row.format_schema.clone());
        }
    }
    parameters
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
