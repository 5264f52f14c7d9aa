//! The state of the world.

use std::collections::BTreeMap;

use spanfleet_core::{
    job::{JobHead, Phase, Task, TaskKind, TaskState},
    promises::TaskFacts,
};

use crate::Fleet;

/// Where a task's hint is, beside the messages in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hint {
    /// There is none.
    None,
    /// It waits for a relay.
    Waiting,
    /// A relay has sent and marked it.
    Published,
}

/// A task's row, and its messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) task: Task,
    pub(crate) number: u32,
    pub(crate) hint: Hint,
    /// Messages in the queue.
    pub(crate) messages: u8,
    /// The fence of the newest noted attempt.
    pub(crate) latest_attempt: u64,
    /// The fence in the key that the report names.
    pub(crate) reported: Option<u64>,
}

/// What a worker has done of its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Progress {
    Claimed,
    /// The bytes are written.
    Written,
    /// The store was asked whether they are there.
    Seen,
}

/// A worker that holds a task, or believes so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holding {
    pub(crate) at: usize,
    pub(crate) fence: u64,
    pub(crate) progress: Progress,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub(crate) head: JobHead,
    pub(crate) rows: Vec<Row>,
    pub(crate) workers: Vec<Option<Holding>>,
    /// Parts in the store: partition and the fence in the key, to the fence whose bytes they are.
    pub(crate) objects: BTreeMap<(u32, u64), u64>,
    /// The sealed file in the store: the fences whose bytes it is made of, by partition.
    pub(crate) artifact: Option<Vec<u64>>,
    /// What the manifest of the row says that the file is made of.
    pub(crate) manifest: Option<Vec<u64>>,
    /// How often the job came to be completed.
    pub(crate) successes: u8,
    pub(crate) was_cancelled: bool,
    pub(crate) fence_fell: bool,
    pub(crate) faults_left: u8,
    pub(crate) lease_ends_left: u8,
    pub(crate) retries_left: u8,
}

impl World {
    /// An accepted job, its hint in the outbox.
    pub(crate) fn new(fleet: &Fleet) -> World {
        World {
            head: JobHead { phase: Phase::Accepted, parts_total: 0, parts_done: 0, parts_failed: 0 },
            rows: vec![Row::ready(TaskKind::Plan, 0)],
            workers: vec![None; fleet.workers],
            objects: BTreeMap::new(),
            artifact: None,
            manifest: None,
            successes: 0,
            was_cancelled: false,
            fence_fell: false,
            faults_left: fleet.faults,
            lease_ends_left: fleet.lease_ends,
            retries_left: 1,
        }
    }

    /// What the rows say, for the promises.
    pub(crate) fn facts(&self) -> Vec<TaskFacts> {
        let facts = |row: &Row| TaskFacts {
            number: row.number,
            task: row.task,
            has_hint: row.hint != Hint::None,
            latest_attempt: row.latest_attempt,
            reported: row.reported.map(|fence| (row.number, fence)).into_iter().collect(),
        };
        self.rows.iter().map(facts).collect()
    }

    /// The rows of partitions.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.task.kind == TaskKind::Encode)
    }
}

impl Row {
    /// A task that waits with its hint.
    pub(crate) fn ready(kind: TaskKind, number: u32) -> Row {
        let task = Task {
            kind,
            state: TaskState::Ready,
            fence: 0,
            attempts: 0,
            crashes: 0,
            is_due: true,
            is_lease_over: false,
        };
        Row { task, number, hint: Hint::Waiting, messages: 0, latest_attempt: 0, reported: None }
    }
}
