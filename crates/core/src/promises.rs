//! The promises of the protocol, as pure functions of what the rows say.
//!
//! One set of functions for all who ask: `spanfleet fsck` and its metric, the model, the property tests of the
//! metastore, the fault tests. What needs the store's objects is in the dispatcher's `fsck`.
//!
//! | invariant | what is checked here |
//! | --- | --- |
//! | I2 | a finished partition names objects of its own number and fence |
//! | I3 | a completed job's partitions and its one finalize task are done |
//! | I4 | a cancelled job has no artifacts |
//! | I5 | a waiting task of an open job has its hint |
//! | I6 | no attempt has a higher fence than its task; whatever was claimed has a fence |
//! | I7 | the partitions are numbered without gap or double, and counted rightly |
//! | I8 | what may still be committed or sealed is no orphan: [`part_is_needed`], [`artifact_is_needed`] |

use crate::job::{JobHead, Phase, Task, TaskKind, TaskState};

/// A promise that does not hold: the invariant's name, such as `I5`, and what is wrong.
pub type Broken = (&'static str, String);

/// What the rows say of a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskFacts {
    /// Its number among those of its kind, from 0.
    pub number: u32,
    /// Kind, state, fence.
    pub task: Task,
    /// Whether the outbox has a hint for it, published or not.
    pub has_hint: bool,
    /// The highest fence of its noted attempts; 0 without any.
    pub latest_attempt: u64,
    /// The attempts, by number and fence, whose objects its report names.
    pub reported: Vec<(u32, u64)>,
}

/// What does not hold of a job, given all of its tasks and how many artifacts its row names.
pub fn broken(job: &JobHead, artifacts: usize, tasks: &[TaskFacts]) -> Vec<Broken> {
    let mut found = end_is_right(job, artifacts, tasks);
    found.extend(partitions_are_whole(job, tasks));
    for facts in tasks {
        found.extend(waits_with_a_hint(job, facts));
        found.extend(fence_is_highest(facts));
        found.extend(names_its_own(facts));
    }
    found
}

/// Whether an object that attempt `fence` of a partition wrote is needed or may become so. `None` as the task:
/// the job has no such partition. An object that is not needed is an orphan: no attempt that could still commit
/// it exists, and none ever will, since fences only grow.
pub fn part_is_needed(job: &JobHead, task: Option<&Task>, fence: u64) -> bool {
    match job.phase {
        Phase::Succeeded | Phase::Cancelled | Phase::Expired => false,
        // Expiry deletes by itself, in its order.
        Phase::Expiring => true,
        // A failed job may run again from what is done.
        Phase::Accepted | Phase::Planning | Phase::Running | Phase::Finalizing | Phase::Failed => {
            task.is_some_and(|task| {
                let is_held = matches!(task.state, TaskState::Leased | TaskState::Done);
                // A fence that the rows do not know yet: they are older than the object.
                fence > task.fence || (fence == task.fence && is_held)
            })
        }
    }
}

/// The same for an object at the job's own level: an artifact, or one that a finalizer is writing.
pub fn artifact_is_needed(job: &JobHead, is_named: bool) -> bool {
    match job.phase {
        Phase::Cancelled | Phase::Expired => false,
        Phase::Succeeded => is_named,
        _ => true,
    }
}

fn end_is_right(job: &JobHead, artifacts: usize, tasks: &[TaskFacts]) -> Vec<Broken> {
    match job.phase {
        Phase::Cancelled if artifacts > 0 => {
            vec![("I4", format!("cancelled, with {artifacts} artifacts"))]
        }
        Phase::Succeeded => {
            let unfinished = tasks.iter().filter(|facts| facts.task.state != TaskState::Done).map(|facts| {
                ("I3", format!("completed, and {} is {}", name(facts), facts.task.state.as_str()))
            });
            let seals = tasks.iter().filter(|facts| facts.task.kind == TaskKind::Finalize).count();
            let sealed = (seals != 1).then(|| ("I3", format!("completed with {seals} finalize tasks")));
            unfinished.chain(sealed).collect()
        }
        _ => Vec::new(),
    }
}

fn partitions_are_whole(job: &JobHead, tasks: &[TaskFacts]) -> Vec<Broken> {
    let parts = || tasks.iter().filter(|facts| facts.task.kind == TaskKind::Encode);
    let mut numbers: Vec<u32> = parts().map(|facts| facts.number).collect();
    numbers.sort_unstable();
    let mut found = Vec::new();
    if !numbers.iter().copied().eq(0..job.parts_total) {
        found.push(("I7", format!("{} partitions are planned, the rows are {numbers:?}", job.parts_total)));
    }
    let mut count = |state: TaskState, counted: u32| {
        let rows = parts().filter(|facts| facts.task.state == state).count();
        if rows != counted as usize {
            found.push(("I7", format!("{rows} partitions are {}, {counted} are counted", state.as_str())));
        }
    };
    count(TaskState::Done, job.parts_done);
    count(TaskState::Failed, job.parts_failed);
    found
}

fn waits_with_a_hint(job: &JobHead, facts: &TaskFacts) -> Option<Broken> {
    let waits = facts.task.state == TaskState::Ready && facts.task.kind.may_run_in(job.phase);
    (waits && !facts.has_hint).then(|| ("I5", format!("{} waits without a hint", name(facts))))
}

fn fence_is_highest(facts: &TaskFacts) -> Option<Broken> {
    let Task { fence, state, .. } = facts.task;
    let was_claimed = matches!(state, TaskState::Leased | TaskState::Done);
    if facts.latest_attempt > fence {
        let what = format!("{} has fence {fence} and an attempt {}", name(facts), facts.latest_attempt);
        return Some(("I6", what));
    }
    (was_claimed && fence == 0).then(|| ("I6", format!("{} was claimed without a fence", name(facts))))
}

fn names_its_own(facts: &TaskFacts) -> Vec<Broken> {
    if facts.task.state != TaskState::Done {
        return Vec::new();
    }
    let own = (facts.number, facts.task.fence);
    let others = facts.reported.iter().filter(|attempt| **attempt != own);
    let broken = |(number, fence): &(u32, u64)| {
        let (own, held) = (name(facts), facts.task.fence);
        ("I2", format!("{own} under fence {held} names objects of partition {number}, fence {fence}"))
    };
    others.map(broken).collect()
}

fn name(facts: &TaskFacts) -> String {
    match facts.task.kind {
        TaskKind::Encode => format!("partition {}", facts.number),
        TaskKind::Plan | TaskKind::Finalize => format!("the {} task", facts.task.kind.as_str()),
    }
}

#[cfg(test)]
mod tests;
