//! The words of a job's life, as they stand in the database.

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Safely stored; nothing done yet.
    Accepted,
    /// A planner holds it.
    Planning,
    /// Partitions are being encoded.
    Running,
    /// All partitions are done; files are being sealed.
    Finalizing,
    /// The manifest stands.
    Succeeded,
    /// No new links; objects are being deleted.
    Expiring,
    /// Nothing is left of its objects.
    Expired,
    /// Stopped on request.
    Cancelled,
    /// A task of it can't be done.
    Failed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 9] = [
        Phase::Accepted,
        Phase::Planning,
        Phase::Running,
        Phase::Finalizing,
        Phase::Succeeded,
        Phase::Expiring,
        Phase::Expired,
        Phase::Cancelled,
        Phase::Failed,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Accepted => "accepted",
            Phase::Planning => "planning",
            Phase::Running => "running",
            Phase::Finalizing => "finalizing",
            Phase::Succeeded => "succeeded",
            Phase::Expiring => "expiring",
            Phase::Expired => "expired",
            Phase::Cancelled => "cancelled",
            Phase::Failed => "failed",
        }
    }

    /// The phase of a word in the database.
    pub fn parse(word: &str) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.as_str() == word)
    }

    /// The specification's `status` word.
    pub const fn status(self) -> &'static str {
        match self {
            Phase::Accepted => "pending",
            Phase::Planning | Phase::Running | Phase::Finalizing => "processing",
            Phase::Succeeded => "completed",
            Phase::Expiring | Phase::Expired => "expired",
            Phase::Cancelled => "cancelled",
            Phase::Failed => "failed",
        }
    }

    /// Whether work may still be done for it.
    pub const fn is_open(self) -> bool {
        matches!(self, Phase::Accepted | Phase::Planning | Phase::Running | Phase::Finalizing)
    }
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Cuts the selection into partitions.
    Plan,
    /// Encodes one partition.
    Encode,
    /// Seals the files and writes the manifest.
    Finalize,
}

impl TaskKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskKind::Plan => "plan",
            TaskKind::Encode => "encode",
            TaskKind::Finalize => "finalize",
        }
    }

    /// The kind of a word in the database.
    pub fn parse(word: &str) -> Option<TaskKind> {
        [TaskKind::Plan, TaskKind::Encode, TaskKind::Finalize].into_iter().find(|kind| kind.as_str() == word)
    }

    /// The phases in which such a task may be claimed.
    pub(crate) const fn may_run_in(self, phase: Phase) -> bool {
        match self {
            TaskKind::Plan => matches!(phase, Phase::Accepted | Phase::Planning),
            TaskKind::Encode => matches!(phase, Phase::Running),
            TaskKind::Finalize => matches!(phase, Phase::Finalizing),
        }
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// May be claimed when due.
    Ready,
    /// A worker holds it, until its lease ends.
    Leased,
    /// Its result stands.
    Done,
    /// Given up; an operator may retry it.
    Failed,
}

impl TaskState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskState::Ready => "ready",
            TaskState::Leased => "leased",
            TaskState::Done => "done",
            TaskState::Failed => "failed",
        }
    }

    /// The state of a word in the database.
    pub fn parse(word: &str) -> Option<TaskState> {
        [TaskState::Ready, TaskState::Leased, TaskState::Done, TaskState::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// What a failure means for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// May work next time.
    Transient,
    /// Asked to slow down: waits longer and does not count.
    Throttled,
    /// The data can't be exported as asked; no retry helps.
    Poison,
    /// The set-up is wrong (access denied, no such bucket): does not count, the worker stops claiming.
    Configuration,
    /// The lease ran out: the worker died, hung or was cut off.
    Crash,
}

impl ErrorClass {
    /// The word in the database and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorClass::Transient => "transient",
            ErrorClass::Throttled => "throttled",
            ErrorClass::Poison => "poison",
            ErrorClass::Configuration => "configuration",
            ErrorClass::Crash => "crash",
        }
    }

    /// Whether it counts towards the attempts after which a task is given up.
    pub(super) const fn counts(self) -> bool {
        !matches!(self, ErrorClass::Throttled | ErrorClass::Configuration)
    }
}
