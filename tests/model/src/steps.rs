//! What may happen next, and what comes of it.

use spanfleet_core::{
    job::{
        Effect, ErrorClass, Event, JobEvent, JobHead, Phase, Step, Task, TaskKind, TaskState, decide,
        decide_job,
    },
    promises::{artifact_is_needed, part_is_needed},
};

use crate::{
    Fleet, Guard, World,
    world::{Hint, Holding, Progress, Row},
};

/// One step of somebody. Tasks and workers by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A relay sends a hint and marks it.
    Relay(usize),
    /// A relay sends a hint and dies before it marks it.
    RelayDies(usize),
    /// The queue loses a message.
    Lose(usize),
    /// The queue doubles a message.
    Double(usize),
    /// The sweeper renews a hint.
    ReHint(usize),
    /// A worker gets a message and claims.
    Deliver(usize, usize),
    /// A worker does the next thing of its task.
    Work(usize),
    /// A worker dies; the queue gives its message to another.
    Die(usize),
    /// A worker gives its task back.
    Release(usize),
    /// A worker fails.
    Fail(usize, ErrorClass),
    /// A lease ends, by whichever clock, and the sweeper sees it.
    LeaseEnds(usize),
    /// The collector deletes an object: partition and fence in its key.
    Collect(u32, u64),
    /// The collector deletes the sealed file.
    CollectArtifact,
    /// Somebody cancels the job.
    Cancel,
    /// Somebody runs a failed job again.
    Retry,
    /// The job's time has come.
    Expire,
    /// The sweeper deletes what an expiring job had.
    Empty,
    /// The sweeper says that nothing is left.
    Emptied,
}

pub(crate) fn possible(fleet: &Fleet, world: &World, actions: &mut Vec<Action>) {
    for (at, row) in world.rows.iter().enumerate() {
        of_row(fleet, world, at, row, actions);
    }
    for (worker, holding) in world.workers.iter().enumerate() {
        of_worker(world, worker, *holding, actions);
    }
    let collectable = |key: &&(u32, u64)| is_orphan(fleet, world, **key);
    actions.extend(
        world.objects.keys().filter(collectable).map(|(number, fence)| Action::Collect(*number, *fence)),
    );
    if world.artifact.is_some() && !artifact_is_needed(&world.head, world.manifest.is_some()) {
        actions.push(Action::CollectArtifact);
    }
    if fleet.has_people {
        of_people(fleet, world, actions);
    }
}

fn of_row(fleet: &Fleet, world: &World, at: usize, row: &Row, actions: &mut Vec<Action>) {
    let may_fault = world.faults_left > 0;
    if row.hint == Hint::Waiting {
        actions.push(Action::Relay(at));
        if may_fault {
            actions.push(Action::RelayDies(at));
        }
    }
    if row.messages > 0 {
        if may_fault {
            actions.extend([Action::Lose(at), Action::Double(at)]);
        }
        // Workers are alike: the first idle one takes it.
        if let Some(idle) = world.workers.iter().position(Option::is_none) {
            actions.push(Action::Deliver(idle, at));
        }
    }
    let waits = row.task.state == TaskState::Ready && world.head.phase.is_open();
    if fleet.has(Guard::ReHint) && waits && row.messages == 0 && row.hint != Hint::Waiting {
        actions.push(Action::ReHint(at));
    }
    if row.task.state == TaskState::Leased && world.lease_ends_left > 0 && world.head.phase.is_open() {
        actions.push(Action::LeaseEnds(at));
    }
}

fn of_worker(world: &World, worker: usize, holding: Option<Holding>, actions: &mut Vec<Action>) {
    let Some(holding) = holding else { return };
    actions.push(Action::Work(worker));
    if world.faults_left > 0 {
        actions.extend([Action::Die(worker), Action::Release(worker)]);
        if holding.progress == Progress::Claimed {
            actions.extend([
                Action::Fail(worker, ErrorClass::Transient),
                Action::Fail(worker, ErrorClass::Poison),
            ]);
        }
    }
}

fn of_people(fleet: &Fleet, world: &World, actions: &mut Vec<Action>) {
    match world.head.phase {
        phase if phase.is_open() => actions.push(Action::Cancel),
        Phase::Failed if world.retries_left > 0 => actions.push(Action::Retry),
        Phase::Succeeded => {
            actions.push(Action::Expire);
            if !fleet.has(Guard::MarkBeforeDelete) && world.artifact.is_some() {
                actions.push(Action::Empty);
            }
        }
        Phase::Expiring if world.artifact.is_some() || !world.objects.is_empty() => {
            actions.push(Action::Empty);
        }
        Phase::Expiring => actions.push(Action::Emptied),
        _ => {}
    }
}

/// The product's own rule; without it, whatever no report names.
fn is_orphan(fleet: &Fleet, world: &World, (number, fence): (u32, u64)) -> bool {
    let row = world.parts().find(|row| row.number == number);
    if fleet.has(Guard::OrphanRule) {
        return !part_is_needed(&world.head, row.map(|row| &row.task), fence);
    }
    row.is_none_or(|row| row.reported != Some(fence))
}

pub(crate) fn after(fleet: &Fleet, world: &World, action: Action) -> Option<World> {
    let mut next = world.clone();
    match action {
        Action::Relay(at) => relay(&mut next, at, Hint::Published),
        Action::RelayDies(at) => {
            next.faults_left -= 1;
            relay(&mut next, at, Hint::Waiting);
        }
        Action::Lose(at) => {
            next.faults_left -= 1;
            next.rows[at].messages -= 1;
        }
        Action::Double(at) => {
            next.faults_left -= 1;
            next.rows[at].messages += 1;
        }
        Action::ReHint(at) => next.rows[at].hint = Hint::Waiting,
        Action::Deliver(worker, at) => deliver(&mut next, worker, at),
        Action::Work(worker) => work(fleet, &mut next, worker)?,
        Action::Die(worker) => {
            next.faults_left -= 1;
            let held = next.workers[worker].take()?;
            next.rows[held.at].messages += 1;
        }
        Action::Release(worker) => {
            let held = next.workers[worker].take()?;
            next.faults_left -= 1;
            _ = apply(fleet, &mut next, held.at, Event::Release { fence: held.fence });
        }
        Action::Fail(worker, class) => {
            let held = next.workers[worker].take()?;
            next.faults_left -= 1;
            _ = apply(fleet, &mut next, held.at, Event::Fail { fence: held.fence, class });
        }
        Action::LeaseEnds(at) => {
            next.lease_ends_left -= 1;
            next.rows[at].task.is_lease_over = true;
            apply(fleet, &mut next, at, Event::Sweep)?;
        }
        Action::Collect(number, fence) => _ = next.objects.remove(&(number, fence)),
        Action::CollectArtifact => next.artifact = None,
        Action::Cancel => {
            next.head = decide_job(&next.head, JobEvent::Cancel)?;
            next.was_cancelled = true;
            next.rows.iter_mut().for_each(|row| row.hint = Hint::None);
        }
        Action::Retry => retry(fleet, &mut next)?,
        Action::Expire => next.head = decide_job(&next.head, JobEvent::Expire)?,
        Action::Empty => {
            next.artifact = None;
            next.objects.clear();
        }
        Action::Emptied => next.head = decide_job(&next.head, JobEvent::Emptied)?,
    }
    next.fence_fell |=
        next.rows.iter().zip(&world.rows).any(|(now, before)| now.task.fence < before.task.fence);
    Some(next)
}

fn relay(next: &mut World, at: usize, hint: Hint) {
    next.rows[at].messages += 1;
    next.rows[at].hint = hint;
}

fn deliver(next: &mut World, worker: usize, at: usize) {
    next.rows[at].messages -= 1;
    // A refused claim is acknowledged and forgotten.
    let Ok(step) = decide(&next.head, &next.rows[at].task, Event::Claim) else { return };
    next.head = step.job;
    next.rows[at].task = step.task;
    next.rows[at].hint = Hint::None;
    next.workers[worker] = Some(Holding { at, fence: step.task.fence, progress: Progress::Claimed });
}

/// The next thing that a worker does of its task, whether the task is still its own or not.
fn work(fleet: &Fleet, next: &mut World, worker: usize) -> Option<()> {
    let held = next.workers[worker]?;
    let kind = next.rows[held.at].task.kind;
    match (kind, held.progress) {
        (TaskKind::Plan, _) => {
            next.workers[worker] = None;
            commit(fleet, next, held);
        }
        (_, Progress::Claimed) => write(fleet, next, worker, held),
        (TaskKind::Encode, Progress::Written) => {
            let key = key(fleet, next, held);
            let progress = Progress::Seen;
            next.workers[worker] = next.objects.contains_key(&key).then_some(Holding { progress, ..held });
        }
        (TaskKind::Encode | TaskKind::Finalize, _) => {
            next.workers[worker] = None;
            commit(fleet, next, held);
        }
    }
    Some(())
}

fn key(fleet: &Fleet, world: &World, held: Holding) -> (u32, u64) {
    (world.rows[held.at].number, if fleet.has(Guard::AttemptScopedKey) { held.fence } else { 0 })
}

fn write(fleet: &Fleet, next: &mut World, worker: usize, held: Holding) {
    next.workers[worker] = Some(Holding { progress: Progress::Written, ..held });
    if next.rows[held.at].task.kind == TaskKind::Encode {
        let latest = next.rows[held.at].latest_attempt;
        next.rows[held.at].latest_attempt = latest.max(held.fence);
        let key = key(fleet, next, held);
        next.objects.insert(key, held.fence);
        return;
    }
    if let Some(bytes) = sealed(fleet, next) {
        next.artifact = Some(bytes);
        return;
    }
    // A part is gone: the job was sealed, cancelled or expired meanwhile. The step fails.
    next.workers[worker] = None;
    _ = apply(fleet, next, held.at, Event::Fail { fence: held.fence, class: ErrorClass::Transient });
}

/// What the parts make together.
fn sealed(fleet: &Fleet, world: &World) -> Option<Vec<u64>> {
    let bytes = |row: &Row| {
        let fence = if fleet.has(Guard::AttemptScopedKey) { row.reported? } else { 0 };
        world.objects.get(&(row.number, fence)).copied()
    };
    world.parts().map(bytes).collect()
}

fn commit(fleet: &Fleet, next: &mut World, held: Holding) {
    let event = Event::Commit { fence: held.fence, parts: fleet.parts };
    let kind = next.rows[held.at].task.kind;
    if apply(fleet, next, held.at, event).is_none() {
        return;
    }
    match kind {
        TaskKind::Plan => {}
        TaskKind::Encode => next.rows[held.at].reported = Some(held.fence),
        TaskKind::Finalize => {
            next.successes += 1;
            next.manifest = Some(next.parts().map(|row| row.reported.unwrap_or(0)).collect());
        }
    }
}

/// What the metastore does in one transaction.
fn apply(fleet: &Fleet, next: &mut World, at: usize, event: Event) -> Option<()> {
    let (head, task, event) = without_guard(fleet, next.head, next.rows[at].task, event);
    let Step { job, task, effect } = decide(&head, &task, event).ok()?;
    let before = next.rows[at].task.fence;
    next.head = job;
    // A commit that carried no fence of its own changes none.
    next.rows[at].task = Task { fence: before.max(task.fence), ..task };
    match effect {
        Effect::None => {}
        Effect::Retry { .. } | Effect::Requeue => {
            // Back-offs pass: in a world without clocks it is due at once.
            next.rows[at].task.is_due = true;
            hint(fleet, next, at);
        }
        Effect::OpenParts => (0..fleet.parts).for_each(|number| open(fleet, next, TaskKind::Encode, number)),
        Effect::OpenFinalize => open(fleet, next, TaskKind::Finalize, 0),
    }
    Some(())
}

/// What the guard would have compared is made equal.
fn without_guard(fleet: &Fleet, head: JobHead, task: Task, event: Event) -> (JobHead, Task, Event) {
    match event {
        Event::Commit { parts, .. } if !fleet.has(Guard::FenceOnCommit) && task.kind == TaskKind::Encode => {
            (head, task, Event::Commit { fence: task.fence, parts })
        }
        Event::Commit { .. } if !fleet.has(Guard::FinalizeCondition) && task.kind == TaskKind::Finalize => {
            let task = Task { state: TaskState::Leased, ..task };
            let event = Event::Commit { fence: task.fence, parts: 0 };
            (JobHead { phase: Phase::Finalizing, ..head }, task, event)
        }
        _ => (head, task, event),
    }
}

fn open(fleet: &Fleet, next: &mut World, kind: TaskKind, number: u32) {
    next.rows.push(Row::ready(kind, number));
    let at = next.rows.len() - 1;
    hint(fleet, next, at);
}

/// Into the outbox, in the same transaction. Without one: straight to the queue, afterwards.
fn hint(fleet: &Fleet, next: &mut World, at: usize) {
    if fleet.has(Guard::Outbox) {
        next.rows[at].hint = Hint::Waiting;
    } else {
        next.rows[at].hint = Hint::None;
        next.rows[at].messages += 1;
    }
}

fn retry(fleet: &Fleet, next: &mut World) -> Option<()> {
    let failed = next.rows.iter().find(|row| row.task.state == TaskState::Failed)?.task.kind;
    next.head = decide_job(&next.head, JobEvent::Retry { failed })?;
    next.retries_left -= 1;
    for at in 0..next.rows.len() {
        if next.rows[at].task.state == TaskState::Failed {
            let task =
                Task { state: TaskState::Ready, attempts: 0, crashes: 0, is_due: true, ..next.rows[at].task };
            next.rows[at].task = task;
            hint(fleet, next, at);
        }
    }
    Some(())
}
