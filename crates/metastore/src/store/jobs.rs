//! Jobs as a whole: submit, list, cancel, retry, download, and the writing of a job's head.

use spanfleet_core::{
    Include, ProjectId, UserId,
    job::{JobEvent, JobHead, Phase, TaskKind, decide_job},
};
use uuid::Uuid;

use super::{Result, params, traceparent};
use crate::{
    JobRow, JobsQuery, MetastoreError, MetastoreErrorKind, NewJob, Parameter, Row, Session, Statement,
    Submitted,
};

/// A job whose row this transaction holds.
pub(super) struct LockedJob {
    pub(super) id: i32,
    pub(super) owner: UserId,
    pub(super) head: JobHead,
}

pub(super) async fn submit(session: &mut dyn Session, job: &NewJob) -> Result<Submitted> {
    let parameters = params![
        job.job_uuid,
        job.project.0,
        job.requested_by.0,
        job.export_format_id,
        Parameter::json(&job.export_parameters)?,
        Parameter::json(&job.options)?,
        Parameter::json(&job.filter_criteria)?,
        job.include.metadata,
        job.include.relations,
        job.include.hierarchies,
        job.expires_in_seconds as f64,
        job.idempotency_key.as_deref(),
        job.traceparent.map(|place| place.to_string()).as_deref(),
        job.webhook_url.as_deref(),
    ];
    let rows = session.rows(Statement::InsertJob, parameters).await?;
    let Some(row) = rows.first() else { return submitted_before(session, job).await };
    let stored = job_row(row)?;
    insert_tasks(session, stored.id, TaskKind::Plan, &[String::new()]).await?;
    if let Some(template) = job.template_id {
        session.execute(Statement::CountTemplate, params![template]).await?;
    }
    Ok(Submitted::New(Box::new(stored)))
}

async fn submitted_before(session: &mut dyn Session, job: &NewJob) -> Result<Submitted> {
    let parameters = params![job.requested_by.0, job.job_uuid, job.idempotency_key.as_deref()];
    let rows = session.rows(Statement::FindSubmitted, parameters).await?;
    // Another user's public id: nothing of that job may be told.
    let Some(row) = rows.first() else { return Ok(Submitted::Conflict) };
    let first = by_id(session, row.get("id")?).await?;
    let is_same = first.project == job.project
        && first.export_format_id == job.export_format_id
        && first.options == job.options
        && first.filter_criteria == job.filter_criteria
        && first.include == job.include;
    Ok(if is_same { Submitted::Same(Box::new(first)) } else { Submitted::Conflict })
}

pub(super) async fn job(session: &mut dyn Session, job: Uuid) -> Result<Option<JobRow>> {
    match id_of(session, job).await? {
        Some(id) => Ok(Some(by_id(session, id).await?)),
        None => Ok(None),
    }
}

pub(super) async fn jobs(session: &mut dyn Session, query: &JobsQuery) -> Result<Vec<JobRow>> {
    let parameters = params![
        query.user.map(|user| user.0),
        query.project.map(|project| project.0),
        query.status.as_deref(),
        query.before_id,
        query.limit,
    ];
    found(session, Statement::FindJobs, parameters).await
}

/// What people do to a job. The row afterwards and whether this call changed it.
pub(super) async fn change(
    session: &mut dyn Session,
    job: Uuid,
    event: JobEvent,
) -> Result<Option<(JobRow, bool)>> {
    let Some(id) = id_of(session, job).await? else { return Ok(None) };
    let changed = change_by_id(session, id, event).await?;
    Ok(Some((by_id(session, id).await?, changed)))
}

pub(super) async fn change_by_id(session: &mut dyn Session, id: i32, event: JobEvent) -> Result<bool> {
    let Some(job) = lock(session, Some(id), None).await? else { return Ok(false) };
    let Some(after) = decide_job(&job.head, event) else { return Ok(false) };
    store_head(session, &job, after, None).await?;
    match event {
        // Nobody shall be told of tasks that nobody may claim.
        JobEvent::Cancel => _ = session.execute(Statement::DeleteHints, params![id]).await?,
        JobEvent::Retry { failed } => {
            session.execute(Statement::ResetFailed, params![job.id]).await?;
            session.execute(Statement::InsertHints, params![job.id, job.owner.0, failed.as_str()]).await?;
        }
        JobEvent::Expire | JobEvent::Emptied => {}
    }
    Ok(true)
}

/// Runs a failed job again. What failed is read under the job's lock: all failed tasks are of one kind.
pub(super) async fn retry(session: &mut dyn Session, job: Uuid) -> Result<Option<(JobRow, bool)>> {
    let Some(id) = id_of(session, job).await? else { return Ok(None) };
    lock(session, Some(id), None).await?;
    let rows = session.rows(Statement::ReadFirstFailure, params![id]).await?;
    let changed = match rows.first() {
        Some(row) => {
            let failed = row.word("kind", TaskKind::parse)?;
            change_by_id(session, id, JobEvent::Retry { failed }).await?
        }
        None => false,
    };
    Ok(Some((by_id(session, id).await?, changed)))
}

pub(super) async fn record_download(
    session: &mut dyn Session,
    job: Uuid,
    user: UserId,
    path: &str,
) -> Result<bool> {
    let rows = session.rows(Statement::CountDownload, params![job]).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    session.execute(Statement::InsertDownload, params![row.get::<i32>("id")?, user.0, path]).await?;
    Ok(true)
}

/// Holds a job's row until the transaction ends: by its number or by one of its tasks.
pub(super) async fn lock(
    session: &mut dyn Session,
    id: Option<i32>,
    task: Option<i64>,
) -> Result<Option<LockedJob>> {
    let rows = session.rows(Statement::LockJob, params![id, task]).await?;
    rows.first()
        .map(|row| {
            Ok(LockedJob { id: row.get("id")?, owner: UserId(row.get("requested_by")?), head: head(row)? })
        })
        .transpose()
}

/// Stores a new head; the status word and the progress follow from it.
pub(super) async fn store_head(
    session: &mut dyn Session,
    job: &LockedJob,
    after: JobHead,
    error: Option<&str>,
) -> Result<()> {
    if after == job.head {
        return Ok(());
    }
    let parameters = params![
        job.id,
        job.head.phase.as_str(),
        after.phase.as_str(),
        after.phase.status(),
        after.parts_total,
        after.parts_done,
        after.parts_failed,
        progress_percentage(&after),
        error,
    ];
    match session.execute(Statement::UpdateJob, parameters).await? {
        1 => Ok(()),
        _ => Err(MetastoreError::new(
            MetastoreErrorKind::Transient,
            format!("job {} changed under this transaction; try again", job.id),
        )),
    }
}

/// The plan is too short to show; sealing is the last twentieth. `None`: stays as it is.
fn progress_percentage(head: &JobHead) -> Option<f64> {
    match head.phase {
        Phase::Accepted | Phase::Planning => Some(0.0),
        Phase::Running if head.parts_total > 0 => {
            Some(95.0 * f64::from(head.parts_done) / f64::from(head.parts_total))
        }
        Phase::Finalizing => Some(95.0),
        Phase::Succeeded => Some(100.0),
        _ => None,
    }
}

/// Adds tasks of one kind, with their hints.
pub(super) async fn insert_tasks(
    session: &mut dyn Session,
    job: i32,
    kind: TaskKind,
    bounds: &[String],
) -> Result<()> {
    session.execute(Statement::InsertTasks, params![job, kind.as_str(), Parameter::json(&bounds)?]).await?;
    Ok(())
}

async fn id_of(session: &mut dyn Session, job: Uuid) -> Result<Option<i32>> {
    let rows = session.rows(Statement::FindJob, params![job]).await?;
    rows.first().map(|row| row.get("id")).transpose()
}

/// The jobs whose ids a statement finds, newest first.
pub(super) async fn found(
    session: &mut dyn Session,
    by: Statement,
    parameters: Vec<Parameter>,
) -> Result<Vec<JobRow>> {
    let ids = session.rows(by, parameters).await?;
    let ids = ids.iter().map(|row| row.get("id")).collect::<Result<Vec<i32>>>()?;
    if ids.is_empty() { Ok(Vec::new()) } else { by_ids(session, &ids).await }
}

pub(super) async fn by_id(session: &mut dyn Session, id: i32) -> Result<JobRow> {
    by_ids(session, &[id]).await?.pop().ok_or_else(|| {
        MetastoreError::new(MetastoreErrorKind::Transient, format!("job {id} was deleted meanwhile"))
    })
}

async fn by_ids(session: &mut dyn Session, ids: &[i32]) -> Result<Vec<JobRow>> {
    session.rows(Statement::ReadJobs, params![Parameter::json(&ids)?]).await?.iter().map(job_row).collect()
}

fn head(row: &Row) -> Result<JobHead> {
    Ok(JobHead {
        phase: row.word("phase", Phase::parse)?,
        parts_total: row.get("parts_total")?,
        parts_done: row.get("parts_done")?,
        parts_failed: row.get("parts_failed")?,
    })
}

fn job_row(row: &Row) -> Result<JobRow> {
    Ok(JobRow {
        id: row.get("id")?,
        job_uuid: row.get("job_uuid")?,
        project: ProjectId(row.get("project_id")?),
        requested_by: UserId(row.get("requested_by")?),
        export_format_id: row.get("export_format_id")?,
        format_name: row.get("format_name")?,
        format_type: row.get("format_type")?,
        export_parameters: row.get("export_parameters")?,
        options: row.get("options")?,
        filter_criteria: row.get("filter_criteria")?,
        include: Include {
            metadata: row.get("include_metadata")?,
            relations: row.get("include_relations")?,
            hierarchies: row.get("include_hierarchies")?,
        },
        head: head(row)?,
        progress_percentage: row.get("progress_percentage")?,
        error_message: row.get("error_message")?,
        output_file_path: row.get("output_file_path")?,
        output_file_size: row.get("output_file_size")?,
        output_format_version: row.get("output_format_version")?,
        compression_used: row.get("compression_used")?,
        download_count: row.get("download_count")?,
        expires_at: row.get("expires_at")?,
        completed_at: row.get("completed_at")?,
        processing_time_ms: row.get("processing_time_ms")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        as_of: row.get("as_of")?,
        schema: row.json("schema")?,
        files: row.json("files")?,
        traceparent: traceparent(row)?,
        summary: row.get("summary")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_ends_at_95_before_the_files_stand() {
        let head = |phase, parts_done| JobHead { phase, parts_total: 4, parts_done, parts_failed: 0 };
        assert_eq!(progress_percentage(&head(Phase::Planning, 0)), Some(0.0));
        assert_eq!(progress_percentage(&head(Phase::Running, 2)), Some(47.5));
        assert_eq!(progress_percentage(&head(Phase::Finalizing, 4)), Some(95.0));
        assert_eq!(progress_percentage(&head(Phase::Succeeded, 4)), Some(100.0));
        assert_eq!(progress_percentage(&head(Phase::Cancelled, 2)), None);
    }
}
