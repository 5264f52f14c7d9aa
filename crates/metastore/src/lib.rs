//! Port: who may do what, and what was done. The truth about every job.
//!
//! The protocol is written once, in [`Store`], over the statements of a [`Driver`].
//! Drivers: `spanfleet-metastore-postgres` and `spanfleet-metastore-sqlite`. Both pass [`contract`].

pub mod contract;
mod driver;
mod error;
mod model;
mod row;
mod store;

pub use driver::{Driver, Session, Statement};
pub use error::{MetastoreError, MetastoreErrorKind};
pub use model::*;
pub use row::{Cell, FromCell, Parameter, Row};
pub use store::Store;

use async_trait::async_trait;
use spanfleet_core::{
    ProjectId, TaskId, Timestamp, UserId,
    job::{ErrorClass, Refusal},
    report::PartReport,
};
use uuid::Uuid;

type Result<T> = std::result::Result<T, MetastoreError>;

/// Who may do what, and what was done. Every method is one transaction (`sweep` and `begin_expiry`: one
/// per row); times are the database's.
#[async_trait]
pub trait Metastore: Send + Sync + std::fmt::Debug {
    // --- set-up ---

    /// Brings the tables to this version. May be called by many processes at once.
    async fn migrate(&self) -> Result<()>;
    /// Whether the database can be reached and has this version's tables; the error says how to mend it.
    async fn check(&self) -> Result<()>;
    /// Stores the built-in formats: new ones are added, known ones updated by name; others stay.
    async fn sync_formats(&self, rows: &[FormatRow]) -> Result<()>;
    /// Stores the built-in templates, likewise, as made by the user `spanfleet`.
    async fn sync_templates(&self, rows: &[TemplateRow]) -> Result<()>;

    // --- access ---

    /// The user of that name, made when new; `is_admin` is raised, never lowered.
    async fn ensure_user(&self, name: &str, is_admin: bool) -> Result<UserId>;
    /// The project of that name, made when new.
    async fn ensure_project(&self, name: &str) -> Result<ProjectRow>;
    /// Every project, by id.
    async fn projects(&self) -> Result<Vec<ProjectRow>>;
    /// Lets a user use a project.
    async fn add_member(&self, user: UserId, project: ProjectId) -> Result<()>;
    /// Keeps a token by its hash (SHA-256, hex). Returns its number.
    async fn create_token(&self, user: UserId, hash: &str, expires_in_seconds: Option<i64>) -> Result<i64>;
    /// Every token, by number.
    async fn tokens(&self) -> Result<Vec<TokenRow>>;
    /// Takes a token back; false when there is no such live token.
    async fn revoke_token(&self, id: i64) -> Result<bool>;
    /// The owner of a token that is neither expired nor revoked.
    async fn caller(&self, token_hash: &str) -> Result<Option<Caller>>;
    /// The project, if it exists and the caller may use it (as a member or an administrator).
    async fn usable_project(&self, caller: &Caller, project: Key<'_>) -> Result<Option<ProjectId>>;

    // --- catalogue ---

    /// Every format, by id.
    async fn formats(&self) -> Result<Vec<FormatRow>>;
    /// One format.
    async fn format(&self, key: Key<'_>) -> Result<Option<FormatRow>>;
    /// Active templates, by id, of a framework and a task if given.
    async fn templates(&self, framework: Option<&str>, task_type: Option<&str>) -> Result<Vec<TemplateRow>>;

    // --- jobs ---

    /// Stores job, plan task and outbox row in one transaction.
    async fn submit(&self, job: &NewJob) -> Result<Submitted>;
    /// One job.
    async fn job(&self, job: Uuid) -> Result<Option<JobRow>>;
    /// Jobs, newest first.
    async fn jobs(&self, query: &JobsQuery) -> Result<Vec<JobRow>>;
    /// Stops a job. The row afterwards and whether this call changed it.
    async fn cancel(&self, job: Uuid) -> Result<Option<(JobRow, bool)>>;
    /// Makes the failed tasks of a failed job ready again, from what is done. As `cancel`.
    async fn retry(&self, job: Uuid) -> Result<Option<(JobRow, bool)>>;
    /// Counts a download and leaves a row; false, and nothing is stored, unless the job is completed and not
    /// past `expires_at`.
    async fn record_download(&self, job: Uuid, user: UserId, path: &str) -> Result<bool>;

    // --- hints ---

    /// Takes unpublished hints for half a minute, round robin over users, at most `most_per_user` unfinished
    /// hints out for each. Not marked in time, they are handed out again.
    async fn take_hints(&self, limit: u32, most_per_user: u32) -> Result<Vec<OutboxRow>>;
    /// Marks hints as published.
    async fn mark_published(&self, ids: &[i64]) -> Result<()>;

    // --- tasks ---

    /// Claims a task for `lease_seconds`. `Err(refusal)` inside: ack and drop the hint; `NotDue` likewise, a
    /// new hint comes. A task that does not exist is `WrongState`.
    async fn claim(
        &self,
        task: TaskId,
        owner: &str,
        lease_seconds: u32,
    ) -> Result<std::result::Result<Assignment, Refusal>>;
    /// Extends a lease. A refusal is final: stop at once.
    async fn heartbeat(
        &self,
        task: TaskId,
        fence: u64,
        lease_seconds: u32,
    ) -> Result<std::result::Result<(), Refusal>>;
    /// Notes an attempt before its first byte goes to storage. Repeating it is no error.
    async fn note_attempt(&self, task: TaskId, fence: u64, key_prefix: &str) -> Result<()>;
    /// Stores the partitions, each with a hint, and opens the job.
    async fn commit_plan(
        &self,
        task: TaskId,
        fence: u64,
        plan: &PlanReport,
    ) -> Result<std::result::Result<(), Refusal>>;
    /// Stores a partition's report; the last one opens the finalize task with its hint.
    async fn commit_part(
        &self,
        task: TaskId,
        fence: u64,
        report: &PartReport,
    ) -> Result<std::result::Result<(), Refusal>>;
    /// Stores the artifacts and completes the job.
    async fn commit_final(
        &self,
        task: TaskId,
        fence: u64,
        report: &FinalReport,
    ) -> Result<std::result::Result<(), Refusal>>;
    /// Gives a task back without fault, with a new hint. Refused because the job is closed, it still says that this
    /// worker writes nothing more, so that the job's leftovers need not wait for the lease; `fail` likewise.
    async fn release(&self, task: TaskId, fence: u64) -> Result<std::result::Result<(), Refusal>>;
    /// Reports a failure; the message stands in the task, and in the job if it fails the job.
    async fn fail(
        &self,
        task: TaskId,
        fence: u64,
        class: ErrorClass,
        message: &str,
    ) -> Result<std::result::Result<(), Refusal>>;
    /// Reports of a job's partitions by number, from `from_number` on, at most `limit`.
    async fn reports(&self, job_id: i32, from_number: u32, limit: u32) -> Result<Vec<(u32, PartReport)>>;
    /// Every task of a job by row, after `after`, at most `limit`. Reads only.
    async fn tasks(&self, job_id: i32, after: TaskId, limit: u32) -> Result<Vec<TaskRow>>;
    /// Jobs about which the tables contradict themselves, by the invariant's name. Reads only.
    async fn contradictions(&self, limit: u32) -> Result<Vec<(String, Uuid)>>;

    // --- sweeping ---

    /// Ends leases that have run out and renews hints of ready, due tasks that have had none for
    /// `rehint_after_seconds`. At most `limit` of each.
    async fn sweep(&self, limit: u32, rehint_after_seconds: u32) -> Result<SweepReport>;
    /// Marks completed, cancelled and failed jobs past their time as expiring and returns jobs in that phase.
    async fn begin_expiry(&self, limit: u32) -> Result<Vec<JobRow>>;
    /// Marks one job as expiring at once (its owner removes it). As `cancel`.
    async fn expire_now(&self, job: Uuid) -> Result<Option<(JobRow, bool)>>;
    /// The job's objects are gone.
    async fn finish_expiry(&self, job: Uuid) -> Result<()>;
    /// Completed and cancelled jobs whose leftovers (parts, aborted uploads) were not removed yet and whose
    /// tasks nobody holds any more.
    async fn with_leftovers(&self, limit: u32) -> Result<Vec<JobRow>>;
    /// The job's leftovers are gone.
    async fn mark_swept(&self, job: Uuid) -> Result<()>;
    /// The finalizer has deleted every part that it knows of. Where each task was tried once there can be nothing
    /// else; else the sweeper looks for what the other attempts left.
    async fn mark_swept_unless_retried(&self, job: Uuid) -> Result<()>;
    /// Webhooks of jobs that have ended, each put off for its next try; at most `limit`.
    async fn take_webhooks(&self, limit: u32) -> Result<Vec<WebhookRow>>;
    /// The job's webhook was answered, or is given up.
    async fn finish_webhook(&self, job_id: i32) -> Result<()>;
    /// Gauges.
    async fn backlog(&self) -> Result<Backlog>;
    /// The database's clock.
    async fn now(&self) -> Result<Timestamp>;

    /// The database's address as people write it, without secrets.
    fn address(&self) -> String;
}
