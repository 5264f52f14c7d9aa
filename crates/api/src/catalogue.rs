//! Formats and templates, as the specification's endpoints list them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// `GET /export/formats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormatsQuery {
    /// Only formats that a template of this framework uses.
    pub framework: Option<String>,
    /// Only formats that a template of this task uses.
    pub task_type: Option<String>,
    /// Only formats that are, or are not, ready for training.
    pub ml_ready: Option<bool>,
}

/// `GET /export/templates/ml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplatesQuery {
    /// Only templates of this framework.
    pub framework: Option<String>,
    /// Only templates of this task.
    pub task_type: Option<String>,
}

/// A row of `export_formats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs)] // the specification's columns
pub struct Format {
    pub id: i32,
    pub format_name: String,
    pub format_type: String,
    #[schema(value_type = Object)]
    pub format_schema: Value,
    #[schema(value_type = Object)]
    pub transformation_rules: Value,
    #[schema(value_type = Object)]
    pub output_structure: Value,
    pub is_ml_ready: bool,
    pub supports_streaming: bool,
    #[schema(value_type = Object)]
    pub compression_options: Value,
    pub file_extensions: Vec<String>,
    #[schema(value_type = Object)]
    pub metadata: Value,
}

/// `POST /export/formats`, and the file of `spanfleet formats add`: a user-defined format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFormat {
    /// Lower-case letters, digits, `-` and `_`; no built-in format's name.
    pub format_name: String,
    /// The built-in format that makes the files, such as `jsonl`.
    pub format_type: String,
    /// With `json` and `jsonl`: the JSON Schema that every record has to satisfy.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub format_schema: Map<String, Value>,
    /// Export parameters, under those of template and job.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub transformation_rules: Map<String, Value>,
    /// With `json` and `jsonl`: `{"jq": "…"}`, a filter over the neutral record.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub output_structure: Map<String, Value>,
    /// Whether it is listed as ready for training.
    #[serde(default)]
    pub is_ml_ready: bool,
    /// Anything; `title` is shown in lists.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// A row of `ml_export_templates`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs)] // the specification's columns
pub struct Template {
    pub id: i32,
    pub template_name: String,
    pub framework: String,
    pub task_type: String,
    #[schema(value_type = Object)]
    pub data_format: Value,
    #[schema(value_type = Object)]
    pub label_encoding: Value,
    #[schema(value_type = Object)]
    pub preprocessing_steps: Value,
    #[schema(value_type = Object)]
    pub validation_schema: Value,
    #[schema(value_type = Object)]
    pub framework_config: Value,
    pub example_usage: Option<String>,
    pub is_active: bool,
    pub usage_count: i32,
}
