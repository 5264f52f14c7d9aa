//! What a driver is: statements run in a transaction. What the statements mean together is the
//! [`Store`](crate::Store)'s business, once for all drivers.
//!
//! To add a driver: a folder `sql` with one file per [`Statement`], [`dialect!`](crate::dialect) over it, and
//! these two traits.

use async_trait::async_trait;

use crate::{MetastoreError, Parameter, Row};

type Result<T> = std::result::Result<T, MetastoreError>;

/// A database.
#[async_trait]
pub trait Driver: Send + Sync + std::fmt::Debug + 'static {
    /// Begins a transaction. It must see what others have committed before each of its statements, and end
    /// rolled back when it is dropped without [`Session::commit`].
    async fn begin(&self) -> Result<Box<dyn Session>>;
    /// A session in which every statement is a transaction of its own.
    async fn acquire(&self) -> Result<Box<dyn Session>>;
    /// As [`Metastore::migrate`](crate::Metastore::migrate).
    async fn migrate(&self) -> Result<()>;
    /// As [`Metastore::check`](crate::Metastore::check).
    async fn check(&self) -> Result<()>;
    /// As [`Metastore::address`](crate::Metastore::address).
    fn address(&self) -> String;
}

/// Statements in order, in one transaction or each in its own.
#[async_trait]
pub trait Session: Send {
    /// The rows that a statement returns.
    async fn rows(&mut self, statement: Statement, parameters: Vec<Parameter>) -> Result<Vec<Row>>;
    /// How many rows a statement changed.
    async fn execute(&mut self, statement: Statement, parameters: Vec<Parameter>) -> Result<u64>;
    /// Makes the transaction stand.
    async fn commit(self: Box<Self>) -> Result<()>;
}

/// Declares [`Statement`] and [`dialect!`](crate::dialect) from one list of file names.
macro_rules! statements {
    ($dollar:tt $($name:ident = $file:literal,)+) => {
        /// Every statement of the protocol: one file in each driver's folder `sql`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each file says what it does")]
        pub enum Statement { $($name,)+ }

        impl Statement {
            /// Every statement.
            pub const ALL: &'static [Statement] = &[$(Statement::$name,)+];

            /// Its file, without the ending: for messages.
            pub const fn name(self) -> &'static str {
                match self { $(Statement::$name => $file,)+ }
            }
        }

        /// The text of a statement in the calling crate's folder `sql`. A missing file fails the build.
        #[macro_export]
        macro_rules! dialect {
            ($dollar statement:expr) => {
                match $dollar statement {
                    $($crate::Statement::$name =>
                        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $file, ".sql")),)+
                }
            };
        }
    };
}

statements! { $
    EnsureUser = "ensure_user",
    EnsureProject = "ensure_project",
    ReadProjects = "read_projects",
    AddMember = "add_member",
    CreateToken = "create_token",
    ReadTokens = "read_tokens",
    RevokeToken = "revoke_token",
    ReadCaller = "read_caller",
    ReadAccess = "read_access",
    StoreFormat = "store_format",
    ReadFormats = "read_formats",
    StoreTemplate = "store_template",
    ReadTemplates = "read_templates",
    CountTemplate = "count_template",
    InsertJob = "insert_job",
    FindSubmitted = "find_submitted",
    FindJob = "find_job",
    FindJobs = "find_jobs",
    ReadJobs = "read_jobs",
    LockJob = "lock_job",
    ReadTask = "read_task",
    UpdateTask = "update_task",
    UpdateJob = "update_job",
    StorePlan = "store_plan",
    StoreFinal = "store_final",
    InsertTasks = "insert_tasks",
    InsertHint = "insert_hint",
    InsertHints = "insert_hints",
    DeleteHint = "delete_hint",
    DeleteHints = "delete_hints",
    ReadFirstFailure = "read_first_failure",
    ResetFailed = "reset_failed",
    InsertAttempt = "insert_attempt",
    EndAttempt = "end_attempt",
    EndLease = "end_lease",
    ReadReports = "read_reports",
    ReadTasks = "read_tasks",
    FindContradictions = "find_contradictions",
    TakeHints = "take_hints",
    MarkPublished = "mark_published",
    CountDownload = "count_download",
    InsertDownload = "insert_download",
    FindLostLeases = "find_lost_leases",
    RenewHints = "renew_hints",
    FindExpirable = "find_expirable",
    FindExpiring = "find_expiring",
    FindLeftovers = "find_leftovers",
    MarkSwept = "mark_swept",
    MarkSweptUnlessRetried = "mark_swept_unless_retried",
    TakeWebhooks = "take_webhooks",
    FinishWebhook = "finish_webhook",
    ReadBacklog = "read_backlog",
    ReadNow = "read_now",
}
