use super::*;

fn job(phase: Phase, parts_total: u32, parts_done: u32) -> JobHead {
    JobHead { phase, parts_total, parts_done, parts_failed: 0 }
}

fn ready(kind: TaskKind) -> Task {
    Task {
        kind,
        state: TaskState::Ready,
        fence: 0,
        attempts: 0,
        crashes: 0,
        is_due: true,
        is_lease_over: false,
    }
}

fn leased(kind: TaskKind, fence: u64) -> Task {
    Task { state: TaskState::Leased, fence, ..ready(kind) }
}

fn commit_of(fence: u64) -> Event {
    Event::Commit { fence, parts: 0 }
}

#[test]
fn a_job_goes_from_accepted_to_succeeded() {
    let plan = decide(&job(Phase::Accepted, 0, 0), &ready(TaskKind::Plan), Event::Claim).unwrap();
    assert_eq!(plan.job.phase, Phase::Planning);
    let planned = decide(&plan.job, &plan.task, Event::Commit { fence: 1, parts: 2 }).unwrap();
    assert_eq!((planned.job.phase, planned.effect), (Phase::Running, Effect::OpenParts));
    let one = decide(&planned.job, &leased(TaskKind::Encode, 1), commit_of(1)).unwrap();
    assert_eq!((one.job.phase, one.effect), (Phase::Running, Effect::None));
    let two = decide(&one.job, &leased(TaskKind::Encode, 1), commit_of(1)).unwrap();
    assert_eq!((two.job.phase, two.effect), (Phase::Finalizing, Effect::OpenFinalize));
    let last = decide(&two.job, &leased(TaskKind::Finalize, 1), commit_of(1)).unwrap();
    assert_eq!(last.job.phase, Phase::Succeeded);
}

#[test]
fn an_empty_selection_goes_straight_to_finalize() {
    let planned = decide(&job(Phase::Planning, 0, 0), &leased(TaskKind::Plan, 1), commit_of(1)).unwrap();
    assert_eq!((planned.job.phase, planned.effect), (Phase::Finalizing, Effect::OpenFinalize));
}

#[test]
fn a_late_holder_is_refused() {
    let running = job(Phase::Running, 2, 0);
    assert_eq!(decide(&running, &leased(TaskKind::Encode, 2), commit_of(1)), Err(Refusal::StaleFence));
    assert_eq!(
        decide(&running, &leased(TaskKind::Encode, 2), Event::Heartbeat { fence: 1 }),
        Err(Refusal::StaleFence)
    );
    let done = Task { state: TaskState::Done, ..leased(TaskKind::Encode, 1) };
    assert_eq!(decide(&running, &done, commit_of(1)), Err(Refusal::WrongState));
}

#[test]
fn a_second_claim_is_refused() {
    let running = job(Phase::Running, 2, 0);
    assert_eq!(decide(&running, &leased(TaskKind::Encode, 1), Event::Claim), Err(Refusal::WrongState));
    let waiting = Task { is_due: false, ..ready(TaskKind::Encode) };
    assert_eq!(decide(&running, &waiting, Event::Claim), Err(Refusal::NotDue));
}

#[test]
fn a_cancelled_job_takes_nothing_more() {
    let cancelled = decide_job(&job(Phase::Running, 2, 1), JobEvent::Cancel).unwrap();
    for event in
        [commit_of(1), Event::Heartbeat { fence: 1 }, Event::Fail { fence: 1, class: ErrorClass::Transient }]
    {
        assert_eq!(decide(&cancelled, &leased(TaskKind::Encode, 1), event), Err(Refusal::JobClosed));
    }
    assert_eq!(decide_job(&job(Phase::Succeeded, 1, 1), JobEvent::Cancel), None);
}

#[test]
fn crashes_are_quarantined_and_the_others_go_on() {
    let (mut head, mut task) = (job(Phase::Running, 2, 0), ready(TaskKind::Encode));
    for crash in 1..=MOST_CRASHES {
        task = decide(&head, &Task { is_due: true, ..task }, Event::Claim).unwrap().task;
        assert_eq!(decide(&head, &task, Event::Sweep), Err(Refusal::LeaseHolds));
        let swept = decide(&head, &Task { is_lease_over: true, ..task }, Event::Sweep).unwrap();
        (head, task) = (swept.job, swept.task);
        assert_eq!(u64::from(crash), task.fence);
    }
    assert_eq!((task.state, head.phase, head.parts_failed), (TaskState::Failed, Phase::Running, 1));
    let last = decide(&head, &leased(TaskKind::Encode, 1), commit_of(1)).unwrap();
    assert_eq!(last.job.phase, Phase::Failed);
    let retry = |failed| decide_job(&last.job, JobEvent::Retry { failed }).unwrap();
    assert_eq!(retry(TaskKind::Encode), JobHead { phase: Phase::Running, parts_failed: 0, ..last.job });
    assert_eq!(retry(TaskKind::Plan).phase, Phase::Planning);
    assert_eq!(retry(TaskKind::Finalize).phase, Phase::Finalizing);
}

#[test]
fn a_release_costs_no_attempt_and_poison_costs_all() {
    let running = job(Phase::Running, 1, 0);
    let released = decide(&running, &leased(TaskKind::Encode, 3), Event::Release { fence: 3 }).unwrap();
    assert_eq!((released.task.attempts, released.task.state, released.task.fence), (0, TaskState::Ready, 3));
    let poison = Event::Fail { fence: 3, class: ErrorClass::Poison };
    assert_eq!(decide(&running, &leased(TaskKind::Encode, 3), poison).unwrap().job.phase, Phase::Failed);
    let throttled = Event::Fail { fence: 3, class: ErrorClass::Throttled };
    assert_eq!(decide(&running, &leased(TaskKind::Encode, 3), throttled).unwrap().task.attempts, 0);
}

#[test]
fn back_off_grows_and_is_bounded() {
    assert!(backoff_seconds(ErrorClass::Transient, 1, 0.0) >= 0.5);
    assert!(backoff_seconds(ErrorClass::Transient, 40, 0.999) <= 60.0);
    assert!(backoff_seconds(ErrorClass::Crash, 3, 0.999) <= 5.0);
}
