//! Hints, gauges, and what the sweeper looks for.

use spanfleet_core::{Hint, TaskId};
use uuid::Uuid;

use super::{Result, jobs, only, params, traceparent};
use crate::{Backlog, JobRow, OutboxRow, Parameter, Session, Statement, WebhookRow};

pub(super) async fn take_hints(
    session: &mut dyn Session,
    limit: u32,
    most_per_user: u32,
) -> Result<Vec<OutboxRow>> {
    let rows = session.rows(Statement::TakeHints, params![limit, most_per_user]).await?;
    let hint = |row: &crate::Row| {
        let hint = Hint { task: TaskId(row.get("partition_id")?), traceparent: traceparent(row)? };
        Ok(OutboxRow { id: row.get("id")?, hint })
    };
    rows.iter().map(hint).collect()
}

pub(super) async fn mark_published(session: &mut dyn Session, ids: &[i64]) -> Result<()> {
    session.execute(Statement::MarkPublished, params![Parameter::json(&ids)?]).await?;
    Ok(())
}

pub(super) async fn lost_leases(session: &mut dyn Session, limit: u32) -> Result<Vec<TaskId>> {
    let rows = session.rows(Statement::FindLostLeases, params![limit]).await?;
    rows.iter().map(|row| row.get("id").map(TaskId)).collect()
}

pub(super) async fn renew_hints(
    session: &mut dyn Session,
    limit: u32,
    rehint_after_seconds: u32,
) -> Result<u64> {
    session.execute(Statement::RenewHints, params![limit, f64::from(rehint_after_seconds)]).await
}

pub(super) async fn expirable(session: &mut dyn Session, limit: u32) -> Result<Vec<i32>> {
    let rows = session.rows(Statement::FindExpirable, params![limit]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

pub(super) async fn expiring(session: &mut dyn Session, limit: u32) -> Result<Vec<JobRow>> {
    jobs::found(session, Statement::FindExpiring, params![limit]).await
}

pub(super) async fn leftovers(session: &mut dyn Session, limit: u32) -> Result<Vec<JobRow>> {
    jobs::found(session, Statement::FindLeftovers, params![limit]).await
}

pub(super) async fn take_webhooks(session: &mut dyn Session, limit: u32) -> Result<Vec<WebhookRow>> {
    let mut taken = Vec::new();
    for row in session.rows(Statement::TakeWebhooks, params![limit]).await? {
        taken.push(WebhookRow {
            url: row.get("webhook_url")?,
            attempt: row.get("webhook_attempts")?,
            job: jobs::by_id(session, row.get("id")?).await?,
        });
    }
    Ok(taken)
}

pub(super) async fn backlog(session: &mut dyn Session) -> Result<Backlog> {
    let rows = session.rows(Statement::ReadBacklog, params![]).await?;
    let row = only(&rows)?;
    let states = ["ready", "leased", "done", "failed"];
    Ok(Backlog {
        jobs_open: row.get("jobs_open")?,
        tasks: states
            .iter()
            .map(|state| Ok(((*state).to_owned(), row.get(state)?)))
            .collect::<Result<_>>()?,
        oldest_ready_seconds: row.get("oldest_ready_seconds")?,
        outbox_unpublished: row.get("outbox_unpublished")?,
        outbox_oldest_seconds: row.get("outbox_oldest_seconds")?,
        expiry_backlog: row.get("expiry_backlog")?,
    })
}

pub(super) async fn contradictions(session: &mut dyn Session, limit: u32) -> Result<Vec<(String, Uuid)>> {
    let rows = session.rows(Statement::FindContradictions, params![limit]).await?;
    rows.iter().map(|row| Ok((row.get("invariant")?, row.get("job_uuid")?))).collect()
}
