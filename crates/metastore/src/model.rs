//! The rows as the rest of the house sees them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spanfleet_core::{
    Hint, Include, ProjectId, Schema, TaskId, Timestamp, TraceParent, UserId,
    job::{JobHead, Task, TaskKind},
    report::{ManifestFile, PartReport},
};
use uuid::Uuid;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's owner.
    pub user: UserId,
    /// The owner's name.
    pub name: String,
    /// May use every project and change the catalogue.
    pub is_admin: bool,
}

/// A token as listed; the token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenRow {
    /// Its number, for `token revoke`.
    pub id: i64,
    /// Its owner.
    pub user: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
}

/// How a project or a format is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'k> {
    /// By its id.
    Id(i32),
    /// By its name, which is unique.
    Name(&'k str),
}

impl Key<'_> {
    /// As the parameters of a statement, of which one is NULL.
    pub(crate) fn parts(self) -> (Option<i32>, Option<String>) {
        match self {
            Key::Id(id) => (Some(id), None),
            Key::Name(name) => (None, Some(name.to_owned())),
        }
    }
}

/// A row of `export_formats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormatRow {
    /// Assigned by the database; ignored when rows are stored.
    #[serde(default)]
    pub id: i32,
    /// Unique name.
    pub format_name: String,
    /// One of the specification's types.
    pub format_type: String,
    /// JSON Schema of the output.
    pub format_schema: Value,
    /// Default parameters of the format.
    pub transformation_rules: Map<String, Value>,
    /// Template of the output.
    pub output_structure: Value,
    /// Ready for training without conversion.
    pub is_ml_ready: bool,
    /// Can be written and read as a stream.
    pub supports_streaming: bool,
    /// Which compressions it takes.
    pub compression_options: Value,
    /// File extensions, the first being the one written.
    pub file_extensions: Vec<String>,
    /// Anything else: title, version.
    pub metadata: Value,
}

/// A row of `ml_export_templates`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateRow {
    /// Assigned by the database; ignored when rows are stored.
    #[serde(default)]
    pub id: i32,
    /// Name, unique with framework and task.
    pub template_name: String,
    /// pytorch, tensorflow, huggingface, spacy, scikit_learn, custom.
    pub framework: String,
    /// The task.
    pub task_type: String,
    /// Which format with which parameters.
    pub data_format: Value,
    /// Label encoding.
    pub label_encoding: Value,
    /// Steps before the export.
    pub preprocessing_steps: Value,
    /// Schema of an exported record.
    pub validation_schema: Value,
    /// Settings of the framework.
    pub framework_config: Value,
    /// A complete script.
    pub example_usage: Option<String>,
    /// Whether it is offered.
    pub is_active: bool,
    /// How often it was used.
    pub usage_count: i32,
}

/// A job to be stored. Checked before: the order makes sense and the caller may.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its public id; made by the caller so that a retried submit is recognised.
    pub job_uuid: Uuid,
    /// The project.
    pub project: ProjectId,
    /// Who asks.
    pub requested_by: UserId,
    /// The format's row.
    pub export_format_id: i32,
    /// Export parameters as asked for, unmerged.
    pub export_parameters: Map<String, Value>,
    /// Parameters of format and template under them, merged: what the worker uses.
    pub options: Map<String, Value>,
    /// The filter as asked for.
    pub filter_criteria: Map<String, Value>,
    /// Inclusions.
    pub include: Include,
    /// Seconds until the artifacts go.
    pub expires_in_seconds: i64,
    /// Makes a repeat return the first job; unique per user.
    pub idempotency_key: Option<String>,
    /// Where the job's trace begins or goes on.
    pub traceparent: Option<TraceParent>,
    /// Called when the job ends. A secret may be in it: never logged.
    pub webhook_url: Option<String>,
    /// The row of the template that was asked for: its use is counted.
    pub template_id: Option<i32>,
}

/// Somebody who wants to know that a job has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookRow {
    /// Where to call.
    pub url: String,
    /// The how manieth try this is, from 1.
    pub attempt: u32,
    /// The job.
    pub job: JobRow,
}

/// What became of a submit.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// Stored.
    New(Box<JobRow>),
    /// The same key with the same parameters came before: the first job.
    Same(Box<JobRow>),
    /// The same key with other parameters.
    Conflict,
}

/// A row of `export_jobs`: every column of the specification, and the protocol's.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// The row.
    pub id: i32,
    /// The public id.
    pub job_uuid: Uuid,
    /// The project.
    pub project: ProjectId,
    /// Who asked.
    pub requested_by: UserId,
    /// The format's row.
    pub export_format_id: i32,
    /// The format's name.
    pub format_name: String,
    /// The specification's `format_type`: what makes the files of a user-defined format.
    pub format_type: String,
    /// Export parameters as asked for.
    pub export_parameters: Map<String, Value>,
    /// Merged parameters.
    pub options: Map<String, Value>,
    /// The filter as asked for.
    pub filter_criteria: Map<String, Value>,
    /// Inclusions.
    pub include: Include,
    /// Phase and partition counts.
    pub head: JobHead,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Key of the manifest, or of the one data file.
    pub output_file_path: Option<String>,
    /// Bytes of all artifacts.
    pub output_file_size: Option<i64>,
    /// Version of the format's layout.
    pub output_format_version: Option<String>,
    /// none, gzip, zstd.
    pub compression_used: Option<String>,
    /// Downloads so far.
    pub download_count: i32,
    /// When its artifacts go.
    pub expires_at: Timestamp,
    /// When it ended well.
    pub completed_at: Option<Timestamp>,
    /// From creation to completion.
    pub processing_time_ms: Option<i32>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the selection was taken.
    pub as_of: Option<Timestamp>,
    /// Labels found by the planner.
    pub schema: Schema,
    /// The artifacts, once they stand.
    pub files: Vec<ManifestFile>,
    /// Where its trace goes on.
    pub traceparent: Option<TraceParent>,
    /// Counts and losses of the manifest, once it stands, as JSON `{"counts", "losses", "changes"}`.
    pub summary: Option<Value>,
}

/// Which jobs to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobsQuery {
    /// Only jobs by this user.
    pub user: Option<UserId>,
    /// Only jobs on this project.
    pub project: Option<ProjectId>,
    /// Only jobs with this status word.
    pub status: Option<String>,
    /// Only rows with a smaller id: the cursor.
    pub before_id: Option<i32>,
    /// At most so many.
    pub limit: u32,
}

/// A hint that waits to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// The row.
    pub id: i64,
    /// What it says.
    pub hint: Hint,
}

/// A claimed task: everything that a worker needs.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The task.
    pub task: TaskId,
    /// What to do.
    pub kind: TaskKind,
    /// The partition's number from 0; 0 for plan and finalize.
    pub number: u32,
    /// The partition's bounds; empty for plan and finalize.
    pub bounds: String,
    /// The fence of this claim.
    pub fence: u64,
    /// The job.
    pub job: JobRow,
}

/// A task as it stands: what checks judge by.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRow {
    /// The row.
    pub id: TaskId,
    /// What it does, where it stands.
    pub task: Task,
    /// Its number among those of its kind, from 0.
    pub number: u32,
    /// Whether the outbox has a hint for it, published or not.
    pub has_hint: bool,
    /// The highest fence of its noted attempts; 0 without any.
    pub latest_attempt: u64,
    /// What a finished partition wrote.
    pub report: Option<PartReport>,
}

/// What a planner found.
#[derive(Clone, Debug, Default)]
pub struct PlanReport {
    /// The bounds of each partition, in order.
    pub partitions: Vec<String>,
    /// Labels, if asked for.
    pub schema: Schema,
    /// When the selection was taken.
    pub taken_at: Option<Timestamp>,
}

/// What a finalizer wrote.
#[derive(Clone, Debug)]
pub struct FinalReport {
    /// Every artifact, the manifest included.
    pub files: Vec<ManifestFile>,
    /// Key of what a person would open first.
    pub output_file_path: String,
    /// Bytes of all artifacts.
    pub output_file_size: u64,
    /// Version of the format's layout.
    pub output_format_version: String,
    /// none, gzip, zstd.
    pub compression_used: String,
    /// Counts, losses and changes as in the manifest.
    pub summary: Value,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Leases that had run out.
    pub leases_expired: u64,
    /// Tasks that got a new hint.
    pub hints_renewed: u64,
}

/// Gauges for `/metrics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Open jobs.
    pub jobs_open: i64,
    /// Tasks by state: ready, leased, done, failed (of open or failed jobs).
    pub tasks: Vec<(String, i64)>,
    /// Age of the oldest ready and due task.
    pub oldest_ready_seconds: f64,
    /// Outbox rows that wait.
    pub outbox_unpublished: i64,
    /// Age of the oldest of them.
    pub outbox_oldest_seconds: f64,
    /// Jobs past their expiry whose objects still stand.
    pub expiry_backlog: i64,
}
