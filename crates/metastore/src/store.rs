//! The protocol, written once over the statements of a [`Driver`].
//!
//! | module | what it holds |
//! | --- | --- |
//! | `access` | users, projects, tokens |
//! | `catalogue` | formats and templates |
//! | `jobs` | jobs as a whole |
//! | `tasks` | the life of a task: the one place that calls `decide` |
//! | `sweeping` | hints, leases, expiry, gauges |

mod access;
mod catalogue;
mod jobs;
mod sweeping;
mod tasks;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
};

use async_trait::async_trait;
use prometheus::{Histogram, register_histogram};
use spanfleet_core::{
    ProjectId, TaskId, Timestamp, TraceParent, UserId,
    job::{ErrorClass, JobEvent},
    report::PartReport,
};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::{
    Assignment, Backlog, Caller, Driver, FinalReport, FormatRow, JobRow, JobsQuery, Key, Metastore,
    MetastoreError, MetastoreErrorKind, NewJob, OutboxRow, PlanReport, ProjectRow, Row, Session, Statement,
    Submitted, SweepReport, TaskRow, TemplateRow, TokenRow, WebhookRow,
};
use tasks::Answer;

type Result<T> = std::result::Result<T, MetastoreError>;
type Work<'s, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 's>>;

/// The parameters of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::Parameter::from($value)),*] };
}
use params;

/// A metastore over a driver.
///
/// Its transactions run as tasks of the runtime in which it was made, and a caller that goes away does not stop
/// them: a transaction that is cancelled in its first statement would leave a connection that looks idle and
/// is inside a transaction, where the next user's writes are never committed.
#[derive(Debug)]
pub struct Store<D> {
    driver: Arc<D>,
    runtime: Handle,
}

impl<D: Driver> Store<D> {
    /// Over a driver. To be called inside the runtime that shall do the work.
    pub fn new(driver: D) -> Store<D> {
        Store { driver: Arc::new(driver), runtime: Handle::current() }
    }

    /// Runs statements in one transaction: all or nothing.
    async fn all<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut dyn Session) -> Work<'s, T> + Send + 'static,
    {
        let driver = Arc::clone(&self.driver);
        self.uncancelled(async move {
            let mut session = timed(driver.begin()).await?;
            let value = work(&mut *session).await?;
            session.commit().await?;
            Ok(value)
        })
        .await
    }

    /// Runs statements that stand alone.
    async fn each<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut dyn Session) -> Work<'s, T> + Send + 'static,
    {
        let driver = Arc::clone(&self.driver);
        self.uncancelled(async move { work(&mut *timed(driver.acquire()).await?).await }).await
    }

    async fn uncancelled<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.runtime.spawn(work).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => {
                Err(MetastoreError::new(MetastoreErrorKind::Transient, "this process is stopping")
                    .because(error))
            }
        }
    }
}

/// Notes how long a connection was waited for.
async fn timed<T>(connecting: impl Future<Output = Result<T>>) -> Result<T> {
    let _timer = POOL_WAIT_SECONDS.start_timer();
    connecting.await
}

/// Seconds until a connection of the pool was free.
static POOL_WAIT_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    let (name, help) = ("spanfleet_db_pool_wait_seconds", "until a connection to the metastore was free");
    let buckets = vec![0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0];
    // It fails only on a name that is no name, or that this process has given already.
    register_histogram!(name, help, buckets).expect("a constant name, registered once")
});

/// The row of a statement that always returns one.
fn only(rows: &[Row]) -> Result<&Row> {
    rows.first()
        .ok_or_else(|| MetastoreError::new(MetastoreErrorKind::Corrupt, "a statement returned no row"))
}

/// Where a trace goes on. What is no such place counts for nothing: older versions stored any header.
fn traceparent(row: &Row) -> Result<Option<TraceParent>> {
    let text: Option<String> = row.get("traceparent")?;
    Ok(text.and_then(|text| TraceParent::parse(&text)))
}

/// `all!(self, session => future)` and `each!`: the future borrows the session and owns the rest.
macro_rules! all {
    ($store:expr, $session:ident => $work:expr) => {
        $store.all(move |$session| Box::pin(async move { $work.await })).await
    };
}
macro_rules! each {
    ($store:expr, $session:ident => $work:expr) => {
        $store.each(move |$session| Box::pin(async move { $work.await })).await
    };
}

#[async_trait]
impl<D: Driver> Metastore for Store<D> {
    async fn migrate(&self) -> Result<()> {
        let driver = Arc::clone(&self.driver);
        self.uncancelled(async move { driver.migrate().await }).await
    }

    async fn check(&self) -> Result<()> {
        let driver = Arc::clone(&self.driver);
        self.uncancelled(async move { driver.check().await }).await
    }

    async fn sync_formats(&self, rows: &[FormatRow]) -> Result<()> {
        let rows = rows.to_vec();
        all!(self, session => catalogue::sync_formats(session, &rows))
    }

    async fn sync_templates(&self, rows: &[TemplateRow]) -> Result<()> {
        let rows = rows.to_vec();
        all!(self, session => catalogue::sync_templates(session, &rows))
    }

    async fn ensure_user(&self, name: &str, is_admin: bool) -> Result<UserId> {
        let name = name.to_owned();
        each!(self, session => access::ensure_user(session, &name, is_admin))
    }

    async fn ensure_project(&self, name: &str) -> Result<ProjectRow> {
        let name = name.to_owned();
        each!(self, session => access::ensure_project(session, &name))
    }

    async fn projects(&self) -> Result<Vec<ProjectRow>> {
        each!(self, session => access::projects(session))
    }

    async fn add_member(&self, user: UserId, project: ProjectId) -> Result<()> {
        each!(self, session => session.execute(Statement::AddMember, params![user.0, project.0])).map(|_| ())
    }

    async fn create_token(&self, user: UserId, hash: &str, expires_in_seconds: Option<i64>) -> Result<i64> {
        let hash = hash.to_owned();
        each!(self, session => access::create_token(session, user, &hash, expires_in_seconds))
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>> {
        each!(self, session => access::tokens(session))
    }

    async fn revoke_token(&self, id: i64) -> Result<bool> {
        Ok(each!(self, session => session.execute(Statement::RevokeToken, params![id]))? == 1)
    }

    async fn caller(&self, token_hash: &str) -> Result<Option<Caller>> {
        let token_hash = token_hash.to_owned();
        each!(self, session => access::caller(session, &token_hash))
    }

    async fn usable_project(&self, caller: &Caller, project: Key<'_>) -> Result<Option<ProjectId>> {
        let (caller, (id, name)) = (caller.clone(), project.parts());
        each!(self, session => access::usable_project(session, &caller, id, name.as_deref()))
    }

    async fn formats(&self) -> Result<Vec<FormatRow>> {
        each!(self, session => catalogue::formats(session, None, None))
    }

    async fn format(&self, key: Key<'_>) -> Result<Option<FormatRow>> {
        let (id, name) = key.parts();
        Ok(each!(self, session => catalogue::formats(session, id, name.as_deref()))?.pop())
    }

    async fn templates(&self, framework: Option<&str>, task_type: Option<&str>) -> Result<Vec<TemplateRow>> {
        let (framework, task_type) = (framework.map(str::to_owned), task_type.map(str::to_owned));
        each!(self, session => catalogue::templates(session, framework.as_deref(), task_type.as_deref()))
    }

    async fn submit(&self, job: &NewJob) -> Result<Submitted> {
        let job = job.clone();
        all!(self, session => jobs::submit(session, &job))
    }

    async fn job(&self, job: Uuid) -> Result<Option<JobRow>> {
        each!(self, session => jobs::job(session, job))
    }

    async fn jobs(&self, query: &JobsQuery) -> Result<Vec<JobRow>> {
        let query = query.clone();
        each!(self, session => jobs::jobs(session, &query))
    }

    async fn cancel(&self, job: Uuid) -> Result<Option<(JobRow, bool)>> {
        all!(self, session => jobs::change(session, job, JobEvent::Cancel))
    }

    async fn retry(&self, job: Uuid) -> Result<Option<(JobRow, bool)>> {
        all!(self, session => jobs::retry(session, job))
    }

    async fn record_download(&self, job: Uuid, user: UserId, path: &str) -> Result<bool> {
        let path = path.to_owned();
        all!(self, session => jobs::record_download(session, job, user, &path))
    }

    async fn take_hints(&self, limit: u32, most_per_user: u32) -> Result<Vec<OutboxRow>> {
        each!(self, session => sweeping::take_hints(session, limit, most_per_user))
    }

    async fn mark_published(&self, ids: &[i64]) -> Result<()> {
        let ids = ids.to_vec();
        each!(self, session => sweeping::mark_published(session, &ids))
    }

    async fn claim(&self, task: TaskId, owner: &str, lease_seconds: u32) -> Answer<Assignment> {
        let owner = owner.to_owned();
        all!(self, session => tasks::claim(session, task, &owner, lease_seconds))
    }

    async fn heartbeat(&self, task: TaskId, fence: u64, lease_seconds: u32) -> Answer<()> {
        all!(self, session => tasks::heartbeat(session, task, fence, lease_seconds))
    }

    async fn note_attempt(&self, task: TaskId, fence: u64, key_prefix: &str) -> Result<()> {
        let key_prefix = key_prefix.to_owned();
        each!(self, session => tasks::note_attempt(session, task, fence, &key_prefix))
    }

    async fn commit_plan(&self, task: TaskId, fence: u64, plan: &PlanReport) -> Answer<()> {
        let plan = plan.clone();
        all!(self, session => tasks::commit_plan(session, task, fence, &plan))
    }

    async fn commit_part(&self, task: TaskId, fence: u64, report: &PartReport) -> Answer<()> {
        let report = report.clone();
        all!(self, session => tasks::commit_part(session, task, fence, &report))
    }

    async fn commit_final(&self, task: TaskId, fence: u64, report: &FinalReport) -> Answer<()> {
        let report = report.clone();
        all!(self, session => tasks::commit_final(session, task, fence, &report))
    }

    async fn release(&self, task: TaskId, fence: u64) -> Answer<()> {
        all!(self, session => tasks::release(session, task, fence))
    }

    async fn fail(&self, task: TaskId, fence: u64, class: ErrorClass, message: &str) -> Answer<()> {
        let message = message.to_owned();
        all!(self, session => tasks::fail(session, task, fence, class, &message))
    }

    async fn reports(&self, job_id: i32, from_number: u32, limit: u32) -> Result<Vec<(u32, PartReport)>> {
        each!(self, session => tasks::reports(session, job_id, from_number, limit))
    }

    async fn tasks(&self, job_id: i32, after: TaskId, limit: u32) -> Result<Vec<TaskRow>> {
        each!(self, session => tasks::of_job(session, job_id, after, limit))
    }

    async fn contradictions(&self, limit: u32) -> Result<Vec<(String, Uuid)>> {
        each!(self, session => sweeping::contradictions(session, limit))
    }

    /// One transaction per lease: a job's row is never held while another's is wanted.
    async fn sweep(&self, limit: u32, rehint_after_seconds: u32) -> Result<SweepReport> {
        let mut report = SweepReport::default();
        for task in each!(self, session => sweeping::lost_leases(session, limit))? {
            report.leases_expired += u64::from(all!(self, session => tasks::sweep(session, task))?);
        }
        report.hints_renewed =
            each!(self, session => sweeping::renew_hints(session, limit, rehint_after_seconds))?;
        Ok(report)
    }

    /// One transaction per job, likewise.
    async fn begin_expiry(&self, limit: u32) -> Result<Vec<JobRow>> {
        for id in each!(self, session => sweeping::expirable(session, limit))? {
            all!(self, session => jobs::change_by_id(session, id, JobEvent::Expire))?;
        }
        each!(self, session => sweeping::expiring(session, limit))
    }

    async fn expire_now(&self, job: Uuid) -> Result<Option<(JobRow, bool)>> {
        all!(self, session => jobs::change(session, job, JobEvent::Expire))
    }

    async fn finish_expiry(&self, job: Uuid) -> Result<()> {
        all!(self, session => jobs::change(session, job, JobEvent::Emptied)).map(|_| ())
    }

    async fn with_leftovers(&self, limit: u32) -> Result<Vec<JobRow>> {
        each!(self, session => sweeping::leftovers(session, limit))
    }

    async fn mark_swept(&self, job: Uuid) -> Result<()> {
        each!(self, session => session.execute(Statement::MarkSwept, params![job])).map(|_| ())
    }

    async fn mark_swept_unless_retried(&self, job: Uuid) -> Result<()> {
        each!(self, session => session.execute(Statement::MarkSweptUnlessRetried, params![job])).map(|_| ())
    }

    async fn take_webhooks(&self, limit: u32) -> Result<Vec<WebhookRow>> {
        each!(self, session => sweeping::take_webhooks(session, limit))
    }

    async fn finish_webhook(&self, job_id: i32) -> Result<()> {
        each!(self, session => session.execute(Statement::FinishWebhook, params![job_id])).map(|_| ())
    }

    async fn backlog(&self) -> Result<Backlog> {
        each!(self, session => sweeping::backlog(session))
    }

    async fn now(&self) -> Result<Timestamp> {
        let rows = each!(self, session => session.rows(Statement::ReadNow, params![]))?;
        only(&rows)?.get("now")
    }

    fn address(&self) -> String {
        self.driver.address()
    }
}
