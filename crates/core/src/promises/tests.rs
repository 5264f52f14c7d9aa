use super::*;

fn head(phase: Phase, parts_total: u32, parts_done: u32) -> JobHead {
    JobHead { phase, parts_total, parts_done, parts_failed: 0 }
}

fn facts(kind: TaskKind, number: u32, state: TaskState, fence: u64) -> TaskFacts {
    let task = Task { kind, state, fence, attempts: 0, crashes: 0, is_due: true, is_lease_over: false };
    let reported =
        if state == TaskState::Done && kind == TaskKind::Encode { vec![(number, fence)] } else { vec![] };
    TaskFacts { number, task, has_hint: state == TaskState::Ready, latest_attempt: fence, reported }
}

fn running() -> Vec<TaskFacts> {
    vec![
        facts(TaskKind::Plan, 0, TaskState::Done, 1),
        facts(TaskKind::Encode, 0, TaskState::Done, 2),
        facts(TaskKind::Encode, 1, TaskState::Ready, 0),
    ]
}

fn invariants(job: &JobHead, artifacts: usize, tasks: &[TaskFacts]) -> Vec<&'static str> {
    broken(job, artifacts, tasks).into_iter().map(|(invariant, _)| invariant).collect()
}

#[test]
fn a_sound_job_is_not_accused() {
    assert!(broken(&head(Phase::Running, 2, 1), 0, &running()).is_empty());
    assert!(
        broken(&head(Phase::Accepted, 0, 0), 0, &[facts(TaskKind::Plan, 0, TaskState::Ready, 0)]).is_empty()
    );
}

#[test]
fn each_broken_promise_has_its_name() {
    let job = head(Phase::Running, 2, 1);
    let check = |invariant: &str, change: fn(&mut Vec<TaskFacts>)| {
        let mut tasks = running();
        change(&mut tasks);
        assert_eq!(invariants(&job, 0, &tasks), [invariant], "{tasks:?}");
    };
    check("I2", |tasks| tasks[1].reported = vec![(1, 2)]);
    check("I2", |tasks| tasks[1].reported = vec![(0, 1)]);
    check("I5", |tasks| tasks[2].has_hint = false);
    check("I6", |tasks| tasks[2].latest_attempt = 1);
    check("I7", |tasks| tasks[2].number = 2);
    check("I7", |tasks| _ = tasks.pop());
    check("I7", |tasks| tasks[2] = facts(TaskKind::Encode, 1, TaskState::Done, 1));
    assert_eq!(invariants(&head(Phase::Cancelled, 2, 1), 1, &running()), ["I4"]);
    assert_eq!(invariants(&head(Phase::Succeeded, 2, 1), 1, &running()), ["I3", "I3"]);
}

#[test]
fn what_may_still_be_committed_is_no_orphan() {
    let task = |state, fence| facts(TaskKind::Encode, 0, state, fence).task;
    let open = head(Phase::Running, 2, 1);
    assert!(part_is_needed(&open, Some(&task(TaskState::Leased, 3)), 3));
    assert!(part_is_needed(&open, Some(&task(TaskState::Done, 3)), 3));
    assert!(!part_is_needed(&open, Some(&task(TaskState::Ready, 3)), 3), "given back");
    assert!(!part_is_needed(&open, Some(&task(TaskState::Leased, 3)), 2), "a late worker's");
    assert!(
        part_is_needed(&open, Some(&task(TaskState::Leased, 3)), 4),
        "newer than the rows that were read"
    );
    assert!(!part_is_needed(&open, None, 1));
    for phase in [Phase::Succeeded, Phase::Cancelled, Phase::Expired] {
        assert!(!part_is_needed(&head(phase, 2, 1), Some(&task(TaskState::Done, 3)), 3));
    }
    assert!(
        part_is_needed(&head(Phase::Failed, 2, 1), Some(&task(TaskState::Done, 3)), 3),
        "a retry begins there"
    );
    assert!(artifact_is_needed(&head(Phase::Succeeded, 2, 2), true));
    assert!(!artifact_is_needed(&head(Phase::Succeeded, 2, 2), false));
    assert!(artifact_is_needed(&head(Phase::Finalizing, 2, 2), false));
    assert!(!artifact_is_needed(&head(Phase::Expired, 2, 2), true));
}
