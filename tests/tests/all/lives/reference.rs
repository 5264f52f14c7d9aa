//! What should come of each request: the protocol once more, as plainly as can be and without `decide`.

use spanfleet_core::job::{ErrorClass, JobHead, Phase, Refusal, TaskKind, TaskState};
use uuid::Uuid;

/// A task as it should stand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RefTask {
    pub(super) kind: TaskKind,
    pub(super) number: u32,
    pub(super) state: TaskState,
    pub(super) fence: u64,
    pub(super) attempts: u32,
    pub(super) crashes: u32,
    pub(super) has_hint: bool,
    pub(super) is_due: bool,
    pub(super) is_lease_over: bool,
}

/// A job as it should stand.
#[derive(Clone, Debug)]
pub(super) struct RefJob {
    pub(super) uuid: Uuid,
    pub(super) id: i32,
    pub(super) key: Option<u8>,
    pub(super) is_other: bool,
    pub(super) head: JobHead,
    pub(super) tasks: Vec<RefTask>,
}

impl RefJob {
    pub(super) fn new(uuid: Uuid, id: i32, key: Option<u8>, is_other: bool) -> RefJob {
        let head = JobHead { phase: Phase::Accepted, parts_total: 0, parts_done: 0, parts_failed: 0 };
        RefJob { uuid, id, key, is_other, head, tasks: vec![ready(TaskKind::Plan, 0)] }
    }

    fn lets_run(&self, kind: TaskKind) -> bool {
        match self.head.phase {
            Phase::Accepted | Phase::Planning => kind == TaskKind::Plan,
            Phase::Running => kind == TaskKind::Encode,
            Phase::Finalizing => kind == TaskKind::Finalize,
            _ => false,
        }
    }

    fn is_open(&self) -> bool {
        [TaskKind::Plan, TaskKind::Encode, TaskKind::Finalize].into_iter().any(|kind| self.lets_run(kind))
    }

    pub(super) fn claim(&mut self, at: usize) -> Result<u64, Refusal> {
        let lets_run = self.lets_run(self.tasks[at].kind);
        let task = &mut self.tasks[at];
        match task.state {
            _ if !lets_run => return Err(Refusal::JobClosed),
            TaskState::Ready if !task.is_due => return Err(Refusal::NotDue),
            TaskState::Ready => {}
            _ => return Err(Refusal::WrongState),
        }
        (task.state, task.has_hint, task.is_lease_over) = (TaskState::Leased, false, false);
        task.fence += 1;
        if task.kind == TaskKind::Plan {
            self.head.phase = Phase::Planning;
        }
        Ok(self.tasks[at].fence)
    }

    fn held(&self, at: usize, fence: u64) -> Result<(), Refusal> {
        let task = &self.tasks[at];
        match task.state {
            _ if task.fence != fence => Err(Refusal::StaleFence),
            TaskState::Leased if self.lets_run(task.kind) => Ok(()),
            TaskState::Leased => Err(Refusal::JobClosed),
            _ => Err(Refusal::WrongState),
        }
    }

    pub(super) fn heartbeat(&mut self, at: usize, fence: u64) -> Result<(), Refusal> {
        self.held(at, fence)?;
        self.tasks[at].is_lease_over = false;
        Ok(())
    }

    pub(super) fn commit(&mut self, at: usize, fence: u64, parts: u32) -> Result<(), Refusal> {
        self.held(at, fence)?;
        self.tasks[at].state = TaskState::Done;
        match self.tasks[at].kind {
            TaskKind::Plan => {
                self.head.phase = Phase::Running;
                self.head.parts_total = parts;
                self.tasks.extend((0..parts).map(|number| ready(TaskKind::Encode, number)));
                self.close();
            }
            TaskKind::Encode => {
                self.head.parts_done += 1;
                self.close();
            }
            TaskKind::Finalize => self.head.phase = Phase::Succeeded,
        }
        Ok(())
    }

    /// After the last partition.
    fn close(&mut self) {
        let JobHead { parts_total, parts_done, parts_failed, .. } = self.head;
        if parts_done + parts_failed == parts_total {
            self.head.phase = if parts_failed > 0 { Phase::Failed } else { Phase::Finalizing };
            if parts_failed == 0 {
                self.tasks.push(ready(TaskKind::Finalize, 0));
            }
        }
    }

    pub(super) fn release(&mut self, at: usize, fence: u64) -> Result<(), Refusal> {
        self.let_go(at, fence)?;
        let task = &mut self.tasks[at];
        (task.state, task.has_hint, task.is_due) = (TaskState::Ready, true, true);
        Ok(())
    }

    pub(super) fn fail(&mut self, at: usize, fence: u64, class: ErrorClass) -> Result<(), Refusal> {
        self.let_go(at, fence)?;
        self.end_badly(at, class);
        Ok(())
    }

    /// Whoever is refused because the job is closed writes nothing more.
    fn let_go(&mut self, at: usize, fence: u64) -> Result<(), Refusal> {
        let held = self.held(at, fence);
        if held == Err(Refusal::JobClosed) {
            self.tasks[at].is_lease_over = true;
        }
        held
    }

    fn end_badly(&mut self, at: usize, class: ErrorClass) {
        let task = &mut self.tasks[at];
        task.attempts += u32::from(!matches!(class, ErrorClass::Throttled | ErrorClass::Configuration));
        task.crashes += u32::from(class == ErrorClass::Crash);
        if class != ErrorClass::Poison && task.attempts < 5 && task.crashes < 3 {
            (task.state, task.has_hint, task.is_due) = (TaskState::Ready, true, false);
            return;
        }
        task.state = TaskState::Failed;
        if task.kind == TaskKind::Encode {
            self.head.parts_failed += 1;
            self.close();
        } else {
            self.head.phase = Phase::Failed;
        }
    }

    pub(super) fn sweep(&mut self) {
        for at in 0..self.tasks.len() {
            let task = &self.tasks[at];
            if task.state == TaskState::Leased && task.is_lease_over && self.lets_run(task.kind) {
                self.end_badly(at, ErrorClass::Crash);
            }
        }
    }

    pub(super) fn cancel(&mut self) -> bool {
        let is_open = self.is_open();
        if is_open {
            self.head.phase = Phase::Cancelled;
            self.tasks.iter_mut().for_each(|task| task.has_hint = false);
        }
        is_open
    }

    pub(super) fn retry(&mut self) -> bool {
        if self.head.phase != Phase::Failed {
            return false;
        }
        let failed = self.tasks.iter().find(|task| task.state == TaskState::Failed);
        self.head.phase = match failed.map(|task| task.kind) {
            Some(TaskKind::Plan) => Phase::Planning,
            Some(TaskKind::Finalize) => Phase::Finalizing,
            _ => Phase::Running,
        };
        self.head.parts_failed = 0;
        for task in self.tasks.iter_mut().filter(|task| task.state == TaskState::Failed) {
            *task = RefTask { fence: task.fence, ..ready(task.kind, task.number) };
        }
        true
    }

    pub(super) fn expire(&mut self) -> bool {
        let can = matches!(self.head.phase, Phase::Succeeded | Phase::Cancelled | Phase::Failed);
        if can {
            self.head.phase = Phase::Expiring;
        }
        can
    }

    pub(super) fn emptied(&mut self) {
        if self.head.phase == Phase::Expiring {
            self.head.phase = Phase::Expired;
        }
    }
}

fn ready(kind: TaskKind, number: u32) -> RefTask {
    RefTask {
        kind,
        number,
        state: TaskState::Ready,
        fence: 0,
        attempts: 0,
        crashes: 0,
        has_hint: true,
        is_due: true,
        is_lease_over: false,
    }
}
