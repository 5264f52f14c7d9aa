//! The life of a task: every event goes through [`apply`], which asks `decide` and stores its answer.

use spanfleet_core::{
    TaskId, UserId,
    job::{
        Effect, ErrorClass, Event, Phase, Refusal, Step, Task, TaskKind, TaskState, backoff_seconds, decide,
    },
    report::PartReport,
};

use super::{Result, jobs, params};
use crate::{Assignment, FinalReport, Parameter, PlanReport, Row, Session, Statement, TaskRow};

/// A refusal inside, a failure outside.
pub(super) type Answer<T> = Result<std::result::Result<T, Refusal>>;

/// What an event brings along, beside what `decide` needs to know.
#[derive(Clone, Copy, Default)]
struct News<'n> {
    owner: Option<&'n str>,
    lease_seconds: Option<u32>,
    error: Option<(ErrorClass, &'n str)>,
    plan: Option<&'n PlanReport>,
    part: Option<&'n PartReport>,
    artifacts: Option<&'n FinalReport>,
}

/// A task as this transaction found it, its job's row being held.
struct Found {
    id: TaskId,
    number: u32,
    bounds: String,
    owner: Option<String>,
    task: Task,
}

pub(super) async fn claim(
    session: &mut dyn Session,
    task: TaskId,
    owner: &str,
    lease_seconds: u32,
) -> Answer<Assignment> {
    let news = News { owner: Some(owner), lease_seconds: Some(lease_seconds), ..News::default() };
    match apply(session, task, Event::Claim, news).await? {
        Err(refusal) => Ok(Err(refusal)),
        Ok((found, step, job)) => Ok(Ok(Assignment {
            task,
            kind: found.task.kind,
            number: found.number,
            bounds: found.bounds,
            fence: step.task.fence,
            job: jobs::by_id(session, job).await?,
        })),
    }
}

pub(super) async fn heartbeat(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    lease_seconds: u32,
) -> Answer<()> {
    let news = News { lease_seconds: Some(lease_seconds), ..News::default() };
    run(session, task, Event::Heartbeat { fence }, news).await
}

pub(super) async fn commit_plan(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    plan: &PlanReport,
) -> Answer<()> {
    let event = Event::Commit { fence, parts: plan.partitions.len() as u32 };
    run(session, task, event, News { plan: Some(plan), ..News::default() }).await
}

pub(super) async fn commit_part(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    part: &PartReport,
) -> Answer<()> {
    run(session, task, Event::Commit { fence, parts: 0 }, News { part: Some(part), ..News::default() }).await
}

pub(super) async fn commit_final(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    report: &FinalReport,
) -> Answer<()> {
    let news = News { artifacts: Some(report), ..News::default() };
    run(session, task, Event::Commit { fence, parts: 0 }, news).await
}

pub(super) async fn release(session: &mut dyn Session, task: TaskId, fence: u64) -> Answer<()> {
    let answer = run(session, task, Event::Release { fence }, News::default()).await?;
    let_go(session, task, fence, answer).await
}

pub(super) async fn fail(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    class: ErrorClass,
    message: &str,
) -> Answer<()> {
    let news = News { error: Some((class, message)), ..News::default() };
    let answer = run(session, task, Event::Fail { fence, class }, news).await?;
    let_go(session, task, fence, answer).await
}

/// Whoever stops because the job is closed writes nothing more: its leftovers need not wait for the lease.
async fn let_go(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    answer: std::result::Result<(), Refusal>,
) -> Answer<()> {
    if answer == Err(Refusal::JobClosed) {
        session.execute(Statement::EndLease, params![task.0, fence]).await?;
    }
    Ok(answer)
}

/// Ends one lease that ran out; false when its holder came back first.
pub(super) async fn sweep(session: &mut dyn Session, task: TaskId) -> Result<bool> {
    let message = "the lease ran out: the worker died, hung or was cut off";
    let news = News { error: Some((ErrorClass::Crash, message)), ..News::default() };
    Ok(apply(session, task, Event::Sweep, news).await?.is_ok())
}

async fn run(session: &mut dyn Session, task: TaskId, event: Event, news: News<'_>) -> Answer<()> {
    Ok(apply(session, task, event, news).await?.map(|_| ()))
}

/// Job row first, then task row, then what `decide` says. The task's update repeats the guard, so that a
/// refusal leaves nothing behind.
async fn apply(
    session: &mut dyn Session,
    id: TaskId,
    event: Event,
    news: News<'_>,
) -> Answer<(Found, Step, i32)> {
    let Some(job) = jobs::lock(session, None, Some(id.0)).await? else { return Ok(Err(Refusal::WrongState)) };
    let rows = session.rows(Statement::ReadTask, params![id.0]).await?;
    let Some(found) = rows.first().map(|row| found(id, row)).transpose()? else {
        return Ok(Err(Refusal::WrongState));
    };
    let step = match decide(&job.head, &found.task, event) {
        Ok(step) => step,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !store_task(session, &found, &step, news).await? {
        return Ok(Err(Refusal::WrongState));
    }
    store_reports(session, job.id, &step, news).await?;
    let error = if step.job.phase == Phase::Failed { Some(failure_of(session, job.id).await?) } else { None };
    jobs::store_head(session, &job, step.job, error.as_deref()).await?;
    end_attempt(session, &found, &step, event).await?;
    hint(session, &found, &step, job.id, job.owner, news).await?;
    Ok(Ok((found, step, job.id)))
}

fn found(id: TaskId, row: &Row) -> Result<Found> {
    Ok(Found {
        id,
        number: row.get("number")?,
        bounds: row.get("bounds")?,
        owner: row.get("lease_owner")?,
        task: task(row)?,
    })
}

fn task(row: &Row) -> Result<Task> {
    Ok(Task {
        kind: row.word("kind", TaskKind::parse)?,
        state: row.word("state", TaskState::parse)?,
        fence: row.get("fence")?,
        attempts: row.get("attempts")?,
        crashes: row.get("crashes")?,
        is_due: row.get("is_due")?,
        is_lease_over: row.get("is_lease_over")?,
    })
}

async fn store_task(session: &mut dyn Session, found: &Found, step: &Step, news: News<'_>) -> Result<bool> {
    let (before, after) = (&found.task, &step.task);
    let delay_seconds = match step.effect {
        Effect::Retry { class } => Some(backoff_seconds(class, after.attempts, rand::random())),
        Effect::Requeue => Some(0.0),
        _ => None,
    };
    let message = news.error.map(|(class, message)| match &found.owner {
        Some(owner) if class == ErrorClass::Crash => format!("{message} (`{owner}`)"),
        _ => message.to_owned(),
    });
    let parameters = params![
        found.id.0,
        before.fence,
        before.state.as_str(),
        after.state.as_str(),
        after.fence,
        after.attempts,
        after.crashes,
        news.owner,
        news.lease_seconds.map(f64::from),
        delay_seconds,
        message.as_deref(),
        news.error.map(|(class, _)| class.as_str()),
        news.part.map_or(Ok(Parameter::Text(None)), Parameter::json)?,
        news.part.map(|part| part.objects().map(|(_, bytes)| bytes.cast_signed()).sum::<i64>()),
        news.part.map(|part| part.counts.texts.cast_signed()),
    ];
    Ok(session.execute(Statement::UpdateTask, parameters).await? == 1)
}

async fn store_reports(session: &mut dyn Session, job: i32, step: &Step, news: News<'_>) -> Result<()> {
    if let Some(plan) = news.plan {
        let parameters = params![job, Parameter::json(&plan.schema)?, plan.taken_at];
        session.execute(Statement::StorePlan, parameters).await?;
    }
    if let Some(report) = news.artifacts {
        let parameters = params![
            job,
            step.task.fence,
            Parameter::json(&report.files)?,
            report.output_file_path.as_str(),
            report.output_file_size,
            report.output_format_version.as_str(),
            report.compression_used.as_str(),
            Parameter::json(&report.summary)?,
        ];
        session.execute(Statement::StoreFinal, parameters).await?;
    }
    Ok(())
}

/// Why the job failed: the first of its failed tasks, which need not be the one that closed it.
async fn failure_of(session: &mut dyn Session, job: i32) -> Result<String> {
    let rows = session.rows(Statement::ReadFirstFailure, params![job]).await?;
    let Some(row) = rows.first() else { return Ok("a task failed".to_owned()) };
    let reason: Option<String> = row.get("last_error")?;
    let reason = reason.unwrap_or_default();
    Ok(match row.word("kind", TaskKind::parse)? {
        TaskKind::Plan => format!("the plan failed: {reason}"),
        TaskKind::Encode => format!("partition {} failed: {reason}", row.get::<u32>("number")?),
        TaskKind::Finalize => format!("sealing the files failed: {reason}"),
    })
}

async fn end_attempt(session: &mut dyn Session, found: &Found, step: &Step, event: Event) -> Result<()> {
    let outcome = match event {
        Event::Claim | Event::Heartbeat { .. } => return Ok(()),
        Event::Commit { .. } => "committed",
        Event::Release { .. } => "released",
        Event::Fail { .. } => "failed",
        Event::Sweep => "lost",
    };
    session.execute(Statement::EndAttempt, params![found.id.0, step.task.fence, outcome]).await?;
    Ok(())
}

/// A task that waits has a hint; one that is claimed has none.
async fn hint(
    session: &mut dyn Session,
    found: &Found,
    step: &Step,
    job: i32,
    owner: UserId,
    news: News<'_>,
) -> Result<()> {
    if found.task.state == TaskState::Ready {
        session.execute(Statement::DeleteHint, params![found.id.0]).await?;
    }
    match step.effect {
        Effect::None => Ok(()),
        Effect::Retry { .. } | Effect::Requeue => {
            session.execute(Statement::InsertHint, params![found.id.0, owner.0]).await.map(|_| ())
        }
        Effect::OpenParts => {
            let bounds = news.plan.map_or(&[][..], |plan| &plan.partitions);
            jobs::insert_tasks(session, job, TaskKind::Encode, bounds).await
        }
        Effect::OpenFinalize => jobs::insert_tasks(session, job, TaskKind::Finalize, &[String::new()]).await,
    }
}

pub(super) async fn note_attempt(
    session: &mut dyn Session,
    task: TaskId,
    fence: u64,
    key_prefix: &str,
) -> Result<()> {
    session.execute(Statement::InsertAttempt, params![task.0, fence, key_prefix]).await?;
    Ok(())
}

pub(super) async fn reports(
    session: &mut dyn Session,
    job_id: i32,
    from_number: u32,
    limit: u32,
) -> Result<Vec<(u32, PartReport)>> {
    let rows = session.rows(Statement::ReadReports, params![job_id, from_number, limit]).await?;
    rows.iter().map(|row| Ok((row.get("number")?, row.json("report")?))).collect()
}

pub(super) async fn of_job(
    session: &mut dyn Session,
    job_id: i32,
    after: TaskId,
    limit: u32,
) -> Result<Vec<TaskRow>> {
    let rows = session.rows(Statement::ReadTasks, params![job_id, after.0, limit]).await?;
    let task_row = |row: &Row| {
        let has_report = row.get::<Option<serde_json::Value>>("report")?.is_some();
        Ok(TaskRow {
            id: TaskId(row.get("id")?),
            task: task(row)?,
            number: row.get("number")?,
            has_hint: row.get("has_hint")?,
            latest_attempt: row.get("latest_attempt")?,
            report: if has_report { Some(row.json("report")?) } else { None },
        })
    };
    rows.iter().map(task_row).collect()
}
