//! Creating, listing and reading jobs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// `POST /export/create-job`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJob {
    /// The project by its row; or `project`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<i32>,
    /// The project by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The format by its row; or `format`, or `template`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_format_id: Option<i32>,
    /// The format by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// `framework/task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Export parameters.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub export_parameters: Option<Map<String, Value>>,
    /// Which texts and annotations.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter_criteria: Option<Map<String, Value>>,
    /// Text metadata and annotation attributes.
    #[serde(default = "yes")]
    pub include_metadata: bool,
    /// Relations.
    #[serde(default)]
    pub include_relations: bool,
    /// Full paths of hierarchical labels.
    #[serde(default)]
    pub include_hierarchies: bool,
    /// Seconds until the artifacts go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    /// Called when the job ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

const fn yes() -> bool {
    true
}

/// `POST /export/preview`, whose body is that of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewQuery {
    /// How many texts, 1 to 100; 5 if left out.
    #[serde(alias = "limit")]
    pub texts: Option<usize>,
}

/// What an export would begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The format's name.
    pub format: String,
    /// Media type of the content.
    pub media_type: String,
    /// `utf-8`, or `base64` where the content is no text.
    pub encoding: String,
    /// A small file of the format with the first texts, uncompressed.
    pub content: String,
    /// `{"texts", "annotations"}` that the whole order matches; null where counting takes long.
    #[schema(value_type = Option<Object>)]
    pub selected: Option<Value>,
    /// What was written of these texts.
    #[schema(value_type = Object)]
    pub counts: Value,
    /// What was lost of them.
    #[schema(value_type = Vec<Object>)]
    pub losses: Value,
    /// What was changed in them.
    #[schema(value_type = Vec<Object>)]
    pub changes: Value,
}

/// `GET /export/jobs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsQuery {
    /// Only jobs on this project.
    pub project_id: Option<i32>,
    /// Only jobs with this status.
    pub status: Option<String>,
    /// At most so many; 50 if left out, 500 at most.
    pub limit: Option<u32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of jobs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Asks for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// One job: every column of `export_jobs`, and how far it is. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs)] // the specification's columns first
pub struct Job {
    pub id: i32,
    pub job_uuid: Uuid,
    pub project_id: i32,
    pub requested_by: i32,
    pub export_format_id: i32,
    #[schema(value_type = Object)]
    pub export_parameters: Map<String, Value>,
    #[schema(value_type = Object)]
    pub filter_criteria: Map<String, Value>,
    pub include_metadata: bool,
    pub include_relations: bool,
    pub include_hierarchies: bool,
    pub status: String,
    pub progress_percentage: f64,
    pub error_message: Option<String>,
    pub output_file_path: Option<String>,
    pub output_file_size: Option<i64>,
    pub output_format_version: Option<String>,
    pub compression_used: Option<String>,
    pub download_count: i32,
    pub expires_at: String,
    pub completed_at: Option<String>,
    pub processing_time_ms: Option<i32>,
    pub created_at: String,
    pub updated_at: String,
    /// The format's name.
    pub format: String,
    /// accepted, planning, running, finalizing, succeeded, expiring, expired, cancelled, failed.
    pub phase: String,
    /// How far it is.
    pub partitions: Partitions,
    /// Partitions a second since the job began, while it runs.
    pub rate: Option<f64>,
    /// When it will end at that rate.
    pub estimated_end: Option<String>,
    /// `{"texts", "annotations"}` that the filter matches: in the reply to a new job with a filter, and once the
    /// job is planned; null where counting takes long.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub selected: Option<Value>,
    /// Counts of the manifest, once it stands.
    #[schema(value_type = Option<Object>)]
    pub counts: Option<Value>,
    /// Losses of the manifest, once it stands.
    #[schema(value_type = Option<Vec<Object>>)]
    pub losses: Option<Value>,
    /// Changes of the manifest, once it stands.
    #[schema(value_type = Option<Vec<Object>>)]
    pub changes: Option<Value>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Partitions {
    /// Done.
    pub done: u32,
    /// Given up.
    pub failed: u32,
    /// All; 0 before the plan.
    pub total: u32,
}
