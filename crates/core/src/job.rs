//! The life of a job, as a pure function of (job head, one task, event).
//!
//! The metastore drivers call [`decide`] inside a transaction that holds the job's row, so a job of 10,000
//! partitions costs the same per event as a job of one. `decide` never sees the list of tasks: the head
//! counts what it needs.
//!
//! ```text
//! accepted ─▶ planning ─▶ running ─▶ finalizing ─▶ succeeded ─▶ expiring ─▶ expired
//!     └──────────┴───────────┴───────────┴──▶ cancelled | failed ──▶ expiring
//! ```

mod words;

pub use words::{ErrorClass, Phase, TaskKind, TaskState};

#[cfg(test)]
mod tests;

/// What `decide` knows of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobHead {
    /// Where it stands.
    pub phase: Phase,
    /// Partitions it was cut into; 0 before the plan.
    pub parts_total: u32,
    /// Partitions whose result stands.
    pub parts_done: u32,
    /// Partitions given up.
    pub parts_failed: u32,
}

/// What `decide` knows of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    /// What it does.
    pub kind: TaskKind,
    /// Where it stands.
    pub state: TaskState,
    /// How often it was claimed; only grows.
    pub fence: u64,
    /// Failures so far; an operator may reset them.
    pub attempts: u32,
    /// Crashes among them.
    pub crashes: u32,
    /// Whether `next_attempt_at` has come, by the database's clock.
    pub is_due: bool,
    /// Whether its lease has run out, by the database's clock.
    pub is_lease_over: bool,
}

/// What happens to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A worker wants it.
    Claim,
    /// Its holder is alive.
    Heartbeat {
        /// The holder's fence.
        fence: u64,
    },
    /// Its holder's result is to stand.
    Commit {
        /// The holder's fence.
        fence: u64,
        /// For a plan: how many partitions it made.
        parts: u32,
    },
    /// Its holder stops without fault (shutdown).
    Release {
        /// The holder's fence.
        fence: u64,
    },
    /// Its holder failed.
    Fail {
        /// The holder's fence.
        fence: u64,
        /// What the failure means.
        class: ErrorClass,
    },
    /// The sweeper looks at its lease.
    Sweep,
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The job is not in a phase in which this task runs.
    JobClosed,
    /// The task is not waiting, or not held.
    WrongState,
    /// Its next attempt is not due.
    NotDue,
    /// Another claim came later.
    StaleFence,
    /// The lease still holds.
    LeaseHolds,
}

impl Refusal {
    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::JobClosed => "job_closed",
            Refusal::WrongState => "wrong_state",
            Refusal::NotDue => "not_due",
            Refusal::StaleFence => "stale_fence",
            Refusal::LeaseHolds => "lease_holds",
        }
    }
}

/// What the driver does beside storing the new head and task, in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    None,
    /// Store the planned partitions, each ready with a hint.
    OpenParts,
    /// Create the finalize task, ready with a hint.
    OpenFinalize,
    /// Make the task due after a back-off and give it a hint.
    Retry {
        /// The class that sets the back-off.
        class: ErrorClass,
    },
    /// Make the task due at once and give it a hint.
    Requeue,
}

/// The state after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The job's new head.
    pub job: JobHead,
    /// The task's new state.
    pub task: Task,
    /// What else to do.
    pub effect: Effect,
}

/// Counted failures after which a task is given up.
pub const MOST_ATTEMPTS: u32 = 5;
/// Crashes after which a task is quarantined: it probably takes its worker down with it.
pub const MOST_CRASHES: u32 = 3;

/// What an event does to a job and one of its tasks.
pub fn decide(job: &JobHead, task: &Task, event: Event) -> Result<Step, Refusal> {
    match event {
        Event::Claim => claim(job, task),
        Event::Heartbeat { fence } => held(job, task, fence).map(|()| step(*job, *task, Effect::None)),
        Event::Commit { fence, parts } => held(job, task, fence).map(|()| commit(job, task, parts)),
        Event::Release { fence } => held(job, task, fence).map(|()| release(job, task)),
        Event::Fail { fence, class } => held(job, task, fence).map(|()| fail(job, task, class)),
        Event::Sweep => sweep(job, task),
    }
}

fn claim(job: &JobHead, task: &Task) -> Result<Step, Refusal> {
    if !task.kind.may_run_in(job.phase) {
        return Err(Refusal::JobClosed);
    }
    if task.state != TaskState::Ready {
        return Err(Refusal::WrongState);
    }
    if !task.is_due {
        return Err(Refusal::NotDue);
    }
    let phase = if task.kind == TaskKind::Plan { Phase::Planning } else { job.phase };
    let task = Task { state: TaskState::Leased, fence: task.fence + 1, is_lease_over: false, ..*task };
    Ok(step(JobHead { phase, ..*job }, task, Effect::None))
}

/// The fence: only the latest claim's holder may change anything, and only while the job wants it.
/// A lease that is over but not yet swept still holds: nobody else has the task.
fn held(job: &JobHead, task: &Task, fence: u64) -> Result<(), Refusal> {
    if task.fence != fence {
        return Err(Refusal::StaleFence);
    }
    if task.state != TaskState::Leased {
        return Err(Refusal::WrongState);
    }
    if !task.kind.may_run_in(job.phase) {
        return Err(Refusal::JobClosed);
    }
    Ok(())
}

fn commit(job: &JobHead, task: &Task, parts: u32) -> Step {
    let task = Task { state: TaskState::Done, ..*task };
    match task.kind {
        TaskKind::Plan => {
            let job = JobHead { phase: Phase::Running, parts_total: parts, ..*job };
            if parts == 0 { close_parts(job, task) } else { step(job, task, Effect::OpenParts) }
        }
        TaskKind::Encode => close_parts(JobHead { parts_done: job.parts_done + 1, ..*job }, task),
        TaskKind::Finalize => step(JobHead { phase: Phase::Succeeded, ..*job }, task, Effect::None),
    }
}

/// The last partition to end opens the finalize task, or fails the job if one was given up.
fn close_parts(job: JobHead, task: Task) -> Step {
    if job.parts_done + job.parts_failed < job.parts_total {
        return step(job, task, Effect::None);
    }
    if job.parts_failed > 0 {
        return step(JobHead { phase: Phase::Failed, ..job }, task, Effect::None);
    }
    step(JobHead { phase: Phase::Finalizing, ..job }, task, Effect::OpenFinalize)
}

fn release(job: &JobHead, task: &Task) -> Step {
    step(*job, Task { state: TaskState::Ready, is_due: true, ..*task }, Effect::Requeue)
}

fn fail(job: &JobHead, task: &Task, class: ErrorClass) -> Step {
    let attempts = task.attempts + u32::from(class.counts());
    let crashes = task.crashes + u32::from(class == ErrorClass::Crash);
    let task = Task { attempts, crashes, ..*task };
    if class != ErrorClass::Poison && attempts < MOST_ATTEMPTS && crashes < MOST_CRASHES {
        let task = Task { state: TaskState::Ready, is_due: false, ..task };
        return step(*job, task, Effect::Retry { class });
    }
    let task = Task { state: TaskState::Failed, ..task };
    match task.kind {
        TaskKind::Encode => close_parts(JobHead { parts_failed: job.parts_failed + 1, ..*job }, task),
        TaskKind::Plan | TaskKind::Finalize => {
            step(JobHead { phase: Phase::Failed, ..*job }, task, Effect::None)
        }
    }
}

fn sweep(job: &JobHead, task: &Task) -> Result<Step, Refusal> {
    if task.state != TaskState::Leased {
        return Err(Refusal::WrongState);
    }
    if !task.kind.may_run_in(job.phase) {
        return Err(Refusal::JobClosed);
    }
    if !task.is_lease_over {
        return Err(Refusal::LeaseHolds);
    }
    Ok(fail(job, task, ErrorClass::Crash))
}

const fn step(job: JobHead, task: Task, effect: Effect) -> Step {
    Step { job, task, effect }
}

/// What people and clocks do to a whole job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobEvent {
    /// Stop it.
    Cancel,
    /// Its time has come, or its owner removes it.
    Expire,
    /// All its objects are gone.
    Emptied,
    /// Run a failed job again from its finished partitions; the driver makes its failed tasks ready.
    Retry {
        /// What failed: the head does not tell an empty plan from none.
        failed: TaskKind,
    },
}

/// What an event does to a job as a whole. `None` means that it changes nothing in this phase.
pub fn decide_job(job: &JobHead, event: JobEvent) -> Option<JobHead> {
    let phase = match (event, job.phase) {
        (JobEvent::Cancel, phase) if phase.is_open() => Phase::Cancelled,
        (JobEvent::Expire, Phase::Succeeded | Phase::Cancelled | Phase::Failed) => Phase::Expiring,
        (JobEvent::Emptied, Phase::Expiring) => Phase::Expired,
        (JobEvent::Retry { failed: TaskKind::Plan }, Phase::Failed) => Phase::Planning,
        (JobEvent::Retry { failed: TaskKind::Encode }, Phase::Failed) => Phase::Running,
        (JobEvent::Retry { failed: TaskKind::Finalize }, Phase::Failed) => Phase::Finalizing,
        _ => return None,
    };
    let parts_failed = if matches!(event, JobEvent::Retry { .. }) { 0 } else { job.parts_failed };
    Some(JobHead { phase, parts_failed, ..*job })
}

/// Seconds until the next attempt: exponential with full jitter, so that tasks that failed together come
/// back apart. `jitter` is a random number in `[0, 1)`.
pub fn backoff_seconds(class: ErrorClass, attempts: u32, jitter: f64) -> f64 {
    let (base, most) = match class {
        ErrorClass::Throttled => (10.0, 300.0),
        ErrorClass::Configuration => (15.0, 60.0),
        // A dead worker's partition has waited a lease already.
        ErrorClass::Crash => (1.0, 5.0),
        ErrorClass::Transient | ErrorClass::Poison => (1.0, 60.0),
    };
    let ceiling = f64::min(base * f64::from(2_u32.pow(attempts.clamp(1, 10) - 1)), most);
    // Never at once: half the ceiling is certain.
    ceiling * (0.5 + jitter / 2.0)
}
