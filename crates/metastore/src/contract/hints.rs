//! The outbox.

use std::{collections::HashSet, sync::Arc};

use spanfleet_core::job::{ErrorClass, TaskKind};

use super::stage::{LONG_SECONDS, Stage};
use crate::{Metastore, NewJob, PlanReport};

/// A hint that a relay is sending is not handed to another; a published one stays out until its task is claimed.
pub async fn hints_are_taken_once(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(6).await;
    let takes: Vec<_> = (0..6)
        .map(|_| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move { store.take_hints(1, 100).await.unwrap() })
        })
        .collect();
    let mut seen = HashSet::new();
    for take in takes {
        for hint in take.await.unwrap() {
            assert!(seen.insert(hint.id), "hint {} was taken twice", hint.id);
        }
    }
    // Two that look at once may both want the same; the slower one goes away with nothing.
    while seen.len() < 6 {
        seen.extend(stage.store.take_hints(1, 100).await.unwrap().iter().map(|hint| hint.id));
    }
    assert!(stage.store.take_hints(10, 100).await.unwrap().is_empty());
    stage.store.mark_published(&seen.iter().copied().collect::<Vec<_>>()).await.unwrap();
    assert!(stage.store.take_hints(10, 100).await.unwrap().is_empty());
    assert_eq!(stage.store.backlog().await.unwrap().outbox_unpublished, 0);
}

/// Ten thousand partitions of one user wait; the small export of another gets its hint at once.
pub async fn a_noisy_user_starves_nobody(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let noisy = stage.running(10_000).await;
    assert_eq!(noisy.head.parts_total, 10_000);
    let first = stage.store.take_hints(100, 20).await.unwrap();
    assert_eq!(first.len(), 20, "no more than its share");
    stage.store.mark_published(&first.iter().map(|hint| hint.id).collect::<Vec<_>>()).await.unwrap();
    assert!(stage.store.take_hints(100, 20).await.unwrap().is_empty());

    let neighbour = stage.with_user("bo").await;
    let small = neighbour.accepted().await;
    let hints = stage.store.take_hints(100, 20).await.unwrap();
    assert_eq!(hints.len(), 1);
    let plan = stage.store.claim(hints[0].hint.task, "worker", LONG_SECONDS).await.unwrap().unwrap();
    assert_eq!((plan.kind, plan.job.id), (TaskKind::Plan, small.id));

    // Each claim makes room for one more.
    stage.store.claim(first[0].hint.task, "worker", LONG_SECONDS).await.unwrap().unwrap();
    stage.store.claim(first[1].hint.task, "worker", LONG_SECONDS).await.unwrap().unwrap();
    assert_eq!(stage.store.take_hints(100, 20).await.unwrap().len(), 2);

    // Whoever has fewer out goes first.
    neighbour.accepted().await;
    stage.store.mark_published(&[first[2].id]).await.unwrap();
    let next = stage.store.take_hints(1, 40).await.unwrap();
    let plan = stage.store.claim(next[0].hint.task, "worker", LONG_SECONDS).await.unwrap().unwrap();
    assert_eq!(plan.job.requested_by, neighbour.user);

    stage.store.cancel(noisy.job_uuid).await.unwrap().unwrap();
    assert!(stage.store.take_hints(100, 100).await.unwrap().is_empty());
}

/// The queue lost its messages.
pub async fn lost_hints_come_again(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(3).await;
    let claimed = stage.claim_next(LONG_SECONDS).await;
    let lost = stage.next_hint().await;
    let report = stage.store.sweep(10, LONG_SECONDS).await.unwrap();
    assert_eq!((report.leases_expired, report.hints_renewed), (0, 0), "it may still be on its way");
    // Neither the claimed one nor the one that was never published needs another.
    while stage.store.sweep(10, 0).await.unwrap().hints_renewed == 0 {
        tokio::task::yield_now().await;
    }
    let again: Vec<_> =
        stage.store.take_hints(10, 10).await.unwrap().iter().map(|row| row.hint.task).collect();
    assert_eq!(again.len(), 2);
    assert!(again.contains(&lost) && !again.contains(&claimed.task));
}

/// Whatever becomes of a task, its next hint knows the job's trace.
pub async fn hints_know_their_trace(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.accepted().await;
    let place = stage.new_job().traceparent;
    assert!(place.is_some() && job.traceparent == place);
    let next = async || loop {
        if let Some(row) = stage.store.take_hints(1, 10).await.unwrap().pop() {
            stage.store.mark_published(&[row.id]).await.unwrap();
            assert_eq!(row.hint.traceparent, place);
            return row.hint.task;
        }
        tokio::task::yield_now().await;
    };
    let plan = next().await;
    let plan = stage.store.claim(plan, "worker", LONG_SECONDS).await.unwrap().unwrap();
    assert_eq!(plan.job.traceparent, place);
    let report = PlanReport { partitions: vec!["0..".to_owned()], ..PlanReport::default() };
    stage.store.commit_plan(plan.task, plan.fence, &report).await.unwrap().unwrap();
    let part = next().await;
    let held = stage.store.claim(part, "worker", LONG_SECONDS).await.unwrap().unwrap();
    stage.store.release(part, held.fence).await.unwrap().unwrap();
    assert_eq!(next().await, part, "released");
    stage.store.claim(part, "worker", 0).await.unwrap().unwrap();
    stage.sweep_one().await;
    assert_eq!(next().await, part, "its lease ran out");
    while stage.store.sweep(10, 0).await.unwrap().hints_renewed == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(next().await, part, "its message was lost");
    let untraced = stage.submit(&NewJob { traceparent: None, ..stage.new_job() }).await;
    assert_eq!(untraced.traceparent, None);
}

/// No hint leads to a refusal.
pub async fn a_retry_has_no_hint_until_due(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    stage.running(1).await;
    let part = stage.claim_next(LONG_SECONDS).await;
    stage.store.fail(part.task, part.fence, ErrorClass::Throttled, "slow down").await.unwrap().unwrap();
    assert_eq!(stage.hint_now().await, None);
    assert_eq!(stage.store.sweep(10, 0).await.unwrap().hints_renewed, 0);
}
