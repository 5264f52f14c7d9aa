//! The life of a task.

use std::sync::Arc;

use spanfleet_core::{
    TaskId,
    job::{ErrorClass, Phase, Refusal, TaskKind, TaskState},
};

use super::stage::{LONG_SECONDS, Stage, part_report};
use crate::Metastore;

/// A hundred workers get the same hint.
pub async fn one_of_many_claims_wins(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(1).await;
    let task = stage.next_hint().await;
    let claims: Vec<_> = (0..100)
        .map(|number| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move {
                store.claim(task, &format!("worker-{number}"), LONG_SECONDS).await.unwrap()
            })
        })
        .collect();
    let mut won = 0;
    for claim in claims {
        match claim.await.unwrap() {
            Ok(assignment) => {
                assert_eq!(assignment.fence, 1);
                won += 1;
            }
            Err(refusal) => assert_eq!(refusal, Refusal::WrongState),
        }
    }
    assert_eq!(won, 1);
    let nothing = stage.store.claim(TaskId(task.0 + 1000), "worker", LONG_SECONDS).await.unwrap();
    assert_eq!(nothing.unwrap_err(), Refusal::WrongState);
}

/// The holder of an old fence comes back after its partition went to another.
pub async fn a_late_commit_is_refused(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(2).await;
    let late = stage.claim_next(0).await;
    assert_eq!(
        stage.store.heartbeat(late.task, late.fence, 0).await.unwrap(),
        Ok(()),
        "nobody else has it yet"
    );
    stage.sweep_one().await;
    assert_eq!(stage.store.heartbeat(late.task, late.fence, 60).await.unwrap(), Err(Refusal::WrongState));

    stage.encode_next().await; // the other one, which is due
    let next = stage.claim_next(LONG_SECONDS).await;
    assert_eq!((next.task, next.fence), (late.task, late.fence + 1));
    let refused = Err(Refusal::StaleFence);
    assert_eq!(stage.store.commit_part(late.task, late.fence, &part_report(9)).await.unwrap(), refused);
    assert_eq!(stage.store.heartbeat(late.task, late.fence, 60).await.unwrap(), refused);
    assert_eq!(stage.store.release(late.task, late.fence).await.unwrap(), refused);
    assert_eq!(stage.store.fail(late.task, late.fence, ErrorClass::Poison, "late").await.unwrap(), refused);
    assert_eq!(stage.row(&job).await.head.parts_done, 1);

    stage.store.commit_part(next.task, next.fence, &part_report(next.number)).await.unwrap().unwrap();
    let twice = stage.store.commit_part(next.task, next.fence, &part_report(next.number)).await.unwrap();
    assert_eq!(twice, Err(Refusal::WrongState));
    let row = stage.row(&job).await;
    assert_eq!((row.head.phase, row.head.parts_done), (Phase::Finalizing, 2));
}

/// Whoever is alive keeps its task.
pub async fn a_heartbeat_keeps_the_lease(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(1).await;
    let part = stage.claim_next(0).await;
    stage.store.heartbeat(part.task, part.fence, LONG_SECONDS).await.unwrap().unwrap();
    assert_eq!(stage.store.sweep(10, LONG_SECONDS).await.unwrap().leases_expired, 0);
    stage.store.commit_part(part.task, part.fence, &part_report(0)).await.unwrap().unwrap();
}

/// A worker that stops in order gives its task back at once, any number of times.
pub async fn a_release_is_no_failure(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(1).await;
    for fence in 1..10 {
        let part = stage.claim_next(LONG_SECONDS).await;
        assert_eq!(part.fence, fence);
        stage.store.release(part.task, part.fence).await.unwrap().unwrap();
    }
    stage.encode_next().await;
}

/// A transient failure waits, a throttled one does not count, a poisonous one ends at once.
pub async fn failures_wait_and_poison_ends(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(1).await;
    let part = stage.claim_next(LONG_SECONDS).await;
    stage.store.fail(part.task, part.fence, ErrorClass::Transient, "reset").await.unwrap().unwrap();
    let early = stage.store.claim(part.task, "worker-2", LONG_SECONDS).await.unwrap();
    assert_eq!(early.unwrap_err(), Refusal::NotDue);
    let part = stage.claim_next(LONG_SECONDS).await;
    assert_eq!(part.fence, 2);
    stage.store.fail(part.task, part.fence, ErrorClass::Poison, "text `x` is broken").await.unwrap().unwrap();
    let row = stage.row(&job).await;
    assert_eq!(row.head.phase, Phase::Failed);
    assert_eq!(row.error_message.as_deref(), Some("partition 0 failed: text `x` is broken"));
    assert_eq!(stage.hint_now().await, None);
}

/// A partition that takes its worker down three times is set aside; the others go on.
pub async fn a_crasher_is_quarantined(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(2).await;
    let first = stage.claim_next(0).await;
    stage.sweep_one().await;
    let other = stage.claim_next(LONG_SECONDS).await;
    assert_ne!(other.task, first.task);
    for fence in 2..4 {
        let again = stage.claim_next(0).await;
        assert_eq!((again.task, again.fence), (first.task, fence));
        stage.sweep_one().await;
    }
    assert_eq!(stage.hint_now().await, None);
    let row = stage.row(&job).await;
    assert_eq!((row.head.phase, row.head.parts_failed), (Phase::Running, 1));
    stage.store.commit_part(other.task, other.fence, &part_report(1)).await.unwrap().unwrap();
    let row = stage.row(&job).await;
    assert_eq!((row.head.phase, row.head.parts_done), (Phase::Failed, 1));
    assert!(row.error_message.unwrap().contains("the lease ran out"));
}

/// Thirty-two partitions, eight workers, one finalize task.
pub async fn commits_at_once_open_one_finalize(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(32).await;
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let stage = stage.clone();
            tokio::spawn(async move {
                for _ in 0..4 {
                    stage.encode_next().await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let row = stage.row(&job).await;
    assert_eq!((row.head.phase, row.head.parts_done), (Phase::Finalizing, 32));
    let seal = stage.claim_next(LONG_SECONDS).await;
    assert_eq!(seal.kind, TaskKind::Finalize);
    assert_eq!(stage.hint_now().await, None);
    assert_eq!(stage.store.reports(job.id, 0, 100).await.unwrap().len(), 32);
}

/// The attempt row comes before the first byte; a worker that is not sure writes it again.
pub async fn attempts_may_be_noted_twice(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(1).await;
    let part = stage.claim_next(LONG_SECONDS).await;
    for _ in 0..2 {
        stage.store.note_attempt(part.task, part.fence, "job/parts/0.1").await.unwrap();
    }
    stage.store.commit_part(part.task, part.fence, &part_report(0)).await.unwrap().unwrap();
}

/// Checks read every task with its hint, its newest attempt and its report; the tables contradict themselves nowhere.
pub async fn checks_see_every_task(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(3).await;
    stage.encode_next().await;
    let held = stage.claim_next(LONG_SECONDS).await;
    stage.store.note_attempt(held.task, held.fence, "parts/1.1").await.unwrap();
    let first = stage.store.tasks(job.id, TaskId(0), 2).await.unwrap();
    let rest = stage.store.tasks(job.id, first[1].id, 10).await.unwrap();
    let seen: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|row| (row.task.kind, row.task.state, row.number, row.has_hint, row.latest_attempt))
        .collect();
    assert_eq!(
        seen,
        [
            (TaskKind::Plan, TaskState::Done, 0, false, 0),
            (TaskKind::Encode, TaskState::Done, 0, false, 0),
            (TaskKind::Encode, TaskState::Leased, 1, false, 1),
            (TaskKind::Encode, TaskState::Ready, 2, true, 0),
        ]
    );
    assert_eq!(first[1].report, Some(part_report(0)));
    assert_eq!((&rest[0].report, rest[0].task.fence), (&None, 1));
    assert!(stage.store.contradictions(10).await.unwrap().is_empty());
    let (owner, stranger) = (stage.user, stage.store.ensure_user("eve", false).await.unwrap());
    stage.store.cancel(job.job_uuid).await.unwrap();
    let fetched = stage.succeeded().await;
    for user in [owner, stranger] {
        stage.store.record_download(fetched.job_uuid, user, "train.jsonl").await.unwrap();
    }
    let found = stage.store.contradictions(10).await.unwrap();
    assert_eq!(found, [("I9".to_owned(), fetched.job_uuid)]);
}
