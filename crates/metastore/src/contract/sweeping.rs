//! Downloads, expiry, leftovers, gauges, and callers that go away.

use std::{future::Future, sync::Arc, task::Poll};

use spanfleet_core::job::{Phase, Refusal};
use uuid::Uuid;

use super::stage::{LONG_SECONDS, Stage};
use crate::{Metastore, NewJob};

/// Only of completed jobs, and only until they expire.
pub async fn downloads_are_counted(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let open = stage.accepted().await;
    assert!(!stage.store.record_download(open.job_uuid, stage.user, "train.jsonl").await.unwrap());
    stage.store.cancel(open.job_uuid).await.unwrap();
    let job = stage.succeeded().await;
    assert!(stage.store.record_download(job.job_uuid, stage.user, "train.jsonl").await.unwrap());
    assert!(stage.store.record_download(job.job_uuid, stage.user, "dev.jsonl").await.unwrap());
    assert!(!stage.store.record_download(Uuid::new_v4(), stage.user, "dev.jsonl").await.unwrap());
    assert_eq!(stage.row(&job).await.download_count, 2);
}

/// Marked first, and from then on no download; gone when the objects are.
pub async fn expiry(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let brief = stage.submit(&NewJob { expires_in_seconds: 0, ..stage.new_job() }).await;
    assert!(stage.store.begin_expiry(10).await.unwrap().is_empty(), "an open job does not expire");
    stage.plan(0).await;
    stage.finalize().await;
    assert!(!stage.store.record_download(brief.job_uuid, stage.user, "train.jsonl").await.unwrap());
    assert_eq!(stage.store.backlog().await.unwrap().expiry_backlog, 1);

    let kept = stage.succeeded().await;
    for _ in 0..2 {
        let expiring = stage.store.begin_expiry(10).await.unwrap();
        assert_eq!(expiring.iter().map(|job| job.id).collect::<Vec<_>>(), [brief.id]);
        assert_eq!(expiring[0].head.phase, Phase::Expiring);
        assert_eq!(expiring[0].files.len(), 1);
    }
    stage.store.finish_expiry(brief.job_uuid).await.unwrap();
    stage.store.finish_expiry(brief.job_uuid).await.unwrap();
    assert_eq!(stage.phase(&brief).await, Phase::Expired);
    assert_eq!(stage.phase(&kept).await, Phase::Succeeded);
    assert!(stage.store.begin_expiry(10).await.unwrap().is_empty());

    let (row, changed) = stage.store.expire_now(kept.job_uuid).await.unwrap().unwrap();
    assert_eq!((row.head.phase, changed), (Phase::Expiring, true));
    assert!(!stage.store.expire_now(kept.job_uuid).await.unwrap().unwrap().1);
    assert!(!stage.store.record_download(kept.job_uuid, stage.user, "train.jsonl").await.unwrap());
    assert!(stage.store.expire_now(Uuid::new_v4()).await.unwrap().is_none());
}

/// What a cancelled worker may still write is not removed under its hands.
pub async fn leftovers_wait_for_their_writers(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(2).await;
    let held = stage.claim_next(LONG_SECONDS).await;
    stage.store.cancel(job.job_uuid).await.unwrap();
    assert!(stage.store.with_leftovers(10).await.unwrap().is_empty());
    assert!(stage.store.expire_now(job.job_uuid).await.unwrap().unwrap().1);
    assert!(stage.store.begin_expiry(10).await.unwrap().is_empty());

    // A worker that stops says so; one that does not is waited for until its lease ends.
    let answer = stage.store.release(held.task, held.fence).await.unwrap();
    assert_eq!(answer, Err(Refusal::JobClosed));
    assert_eq!(stage.store.begin_expiry(10).await.unwrap().len(), 1);

    let job = stage.succeeded().await;
    let found = stage.store.with_leftovers(10).await.unwrap();
    assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), [job.id]);
    stage.store.mark_swept(job.job_uuid).await.unwrap();
    assert!(stage.store.with_leftovers(10).await.unwrap().is_empty());
}

/// Only what was tried more than once can have left something behind that the finalizer does not know of.
pub async fn only_retried_jobs_have_leftovers(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let smooth = stage.succeeded().await;
    let rough = stage.running(1).await;
    let held = stage.claim_next(LONG_SECONDS).await;
    stage.store.release(held.task, held.fence).await.unwrap().unwrap();
    stage.encode_next().await;
    stage.finalize().await;
    for job in [&smooth, &rough] {
        stage.store.mark_swept_unless_retried(job.job_uuid).await.unwrap();
    }
    let found = stage.store.with_leftovers(10).await.unwrap();
    assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), [rough.id]);
}

/// The gauges.
pub async fn backlog_counts_what_waits(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    assert_eq!(stage.store.backlog().await.unwrap().outbox_unpublished, 0);
    stage.running(4).await;
    stage.encode_next().await;
    stage.claim_next(LONG_SECONDS).await;
    let backlog = stage.store.backlog().await.unwrap();
    assert_eq!((backlog.jobs_open, backlog.outbox_unpublished, backlog.expiry_backlog), (1, 2, 0));
    let tasks: Vec<_> = backlog.tasks.iter().map(|(state, count)| (state.as_str(), *count)).collect();
    assert_eq!(tasks, [("ready", 2), ("leased", 1), ("done", 1), ("failed", 0)]);
    assert!(backlog.oldest_ready_seconds >= 0.0 && backlog.outbox_oldest_seconds >= 0.0);
    assert!(
        stage.store.now().await.unwrap() >= stage.store.now().await.unwrap()
            || stage.store.address().contains(':')
    );
}

/// Requests are dropped half way all the time. Whatever they began ends, and what comes later stands.
pub async fn callers_that_go_away_leave_nothing_open(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    for steps in 0..16 {
        for _ in 0..4 {
            drop_after(stage.store.submit(&stage.new_job()), steps).await;
        }
    }
    let after = stage.new_job();
    stage.submit(&after).await;
    for _ in 0..20 {
        assert!(stage.store.job(after.job_uuid).await.unwrap().is_some());
        assert_eq!(stage.store.cancel(after.job_uuid).await.unwrap().unwrap().0.head.phase, Phase::Cancelled);
    }
}

/// Waits for a future and drops it where it waits for the `steps`-th time: each is an answer of the database.
pub async fn drop_after<T>(future: impl Future<Output = T>, steps: usize) {
    let mut future = Box::pin(future);
    let mut waits = 0;
    std::future::poll_fn(|context| {
        if future.as_mut().poll(context).is_ready() || waits == steps {
            return Poll::Ready(());
        }
        waits += 1;
        Poll::Pending
    })
    .await;
}

/// A webhook is due once its job has ended, put off by each try, and gone when it is done.
pub async fn webhooks_are_taken_until_done(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let url = Some("https://example.org/hook".to_owned());
    let job = stage.submit(&NewJob { webhook_url: url.clone(), ..stage.new_job() }).await;
    assert!(stage.store.take_webhooks(10).await.unwrap().is_empty(), "the job runs");
    stage.store.cancel(job.job_uuid).await.unwrap();
    let due = stage.store.take_webhooks(10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((Some(&due[0].url), due[0].attempt, due[0].job.job_uuid), (url.as_ref(), 1, job.job_uuid));
    assert!(stage.store.take_webhooks(10).await.unwrap().is_empty(), "it is put off");
    stage.store.finish_webhook(job.id).await.unwrap();
    assert!(stage.store.take_webhooks(10).await.unwrap().is_empty());
}
