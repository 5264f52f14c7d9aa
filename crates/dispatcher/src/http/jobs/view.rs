//! A job's row as the API shows it.

use std::time::SystemTime;

use serde_json::{Value, json};
use spanfleet_api::{Job, Partitions};
use spanfleet_core::{Timestamp, job::Phase};
use spanfleet_metastore::JobRow;

/// Every column of the specification, and how far the job is.
pub(crate) fn view(row: JobRow) -> Job {
    let (rate, estimated_end) = pace(&row);
    let summary = |key: &str| {
        row.summary.as_ref().and_then(|summary| summary.get(key)).filter(|value| !value.is_null()).cloned()
    };
    let (counts, losses, changes): (Option<Value>, _, _) =
        (summary("counts"), summary("losses"), summary("changes"));
    Job {
        id: row.id,
        job_uuid: row.job_uuid,
        project_id: row.project.0,
        requested_by: row.requested_by.0,
        export_format_id: row.export_format_id,
        export_parameters: row.export_parameters,
        filter_criteria: row.filter_criteria,
        include_metadata: row.include.metadata,
        include_relations: row.include.relations,
        include_hierarchies: row.include.hierarchies,
        status: row.head.phase.status().to_owned(),
        progress_percentage: row.progress_percentage,
        error_message: row.error_message,
        output_file_path: row.output_file_path,
        output_file_size: row.output_file_size,
        output_format_version: row.output_format_version,
        compression_used: row.compression_used,
        download_count: row.download_count,
        expires_at: row.expires_at.to_string(),
        completed_at: row.completed_at.map(|at| at.to_string()),
        processing_time_ms: row.processing_time_ms,
        created_at: row.created_at.to_string(),
        updated_at: row.updated_at.to_string(),
        format: row.format_name,
        phase: row.head.phase.as_str().to_owned(),
        partitions: Partitions {
            done: row.head.parts_done,
            failed: row.head.parts_failed,
            total: row.head.parts_total,
        },
        rate,
        selected: row.schema.selected.map(|count| json!(count)),
        estimated_end,
        counts,
        losses,
        changes,
    }
}

/// Partitions a second so far, and when the rest will be done at that rate.
fn pace(row: &JobRow) -> (Option<f64>, Option<String>) {
    let head = &row.head;
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_micros() as i64);
    let seconds = (now - row.created_at.micros()) as f64 / 1e6;
    if head.phase != Phase::Running || head.parts_done == 0 || seconds <= 0.0 {
        return (None, None);
    }
    let rate = f64::from(head.parts_done) / seconds;
    let left_seconds = f64::from(head.parts_total - head.parts_done) / rate;
    (Some(rate), Some(Timestamp::from_micros(now + (left_seconds * 1e6) as i64).to_string()))
}
