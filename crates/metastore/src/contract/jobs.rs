//! Jobs as a whole.

use std::sync::Arc;

use serde_json::json;
use spanfleet_core::{
    Schema, Timestamp,
    job::{ErrorClass, Phase, Refusal, TaskKind},
    schema::SelectionCount,
};
use uuid::Uuid;

use super::stage::{LONG_SECONDS, Stage, final_report, object, part_report};
use crate::{Assignment, JobRow, JobsQuery, Metastore, PlanReport, Submitted};

/// Accepted, planned, encoded, sealed.
pub async fn a_whole_life(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let asked = stage.new_job();
    let job = stage.submit(&asked).await;
    assert_eq!((job.head.phase, job.progress_percentage), (Phase::Accepted, 0.0));
    assert_eq!((job.job_uuid, job.project, job.requested_by), (asked.job_uuid, stage.project, stage.user));
    assert_eq!((job.format_name.as_str(), job.include), ("jsonl", asked.include));
    assert_eq!((&job.options, &job.filter_criteria), (&asked.options, &asked.filter_criteria));
    // The order of splits decides which text falls where.
    assert_eq!(serde_json::to_string(&job.options).unwrap(), serde_json::to_string(&asked.options).unwrap());
    assert_eq!(job.expires_at.micros() - job.created_at.micros(), 604_800 * 1_000_000);

    let plan = stage.claim_next(LONG_SECONDS).await;
    assert_eq!((plan.kind, plan.fence, plan.bounds.as_str()), (TaskKind::Plan, 1, ""));
    assert_eq!((plan.job.job_uuid, plan.job.head.phase), (job.job_uuid, Phase::Planning));
    let (labels, relation_types) = (vec!["PER".to_owned()], vec!["met".to_owned()]);
    let duplicates = vec!["t2".to_owned()];
    let selected = Some(SelectionCount { texts: 4, annotations: 9 });
    let schema =
        Schema { labels, relation_types, is_multi_label: true, duplicates, selected, ..Schema::default() };
    let taken_at = Timestamp::parse("2026-01-02T03:04:05.123456Z");
    let report =
        PlanReport { partitions: vec!["a".to_owned(), "b".to_owned()], schema: schema.clone(), taken_at };
    stage.store.commit_plan(plan.task, plan.fence, &report).await.unwrap().unwrap();
    let row = stage.row(&job).await;
    assert_eq!((row.head.phase, row.head.parts_total), (Phase::Running, 2));
    assert_eq!((row.schema, row.as_of), (schema, taken_at));

    let part = stage.claim_next(LONG_SECONDS).await;
    assert_eq!((part.kind, part.number, part.bounds.as_str()), (TaskKind::Encode, 0, "a"));
    stage.store.commit_part(part.task, part.fence, &part_report(0)).await.unwrap().unwrap();
    let row = stage.row(&job).await;
    assert_eq!((row.head.parts_done, row.progress_percentage), (1, 47.5));
    stage.encode_next().await;
    assert_eq!(stage.phase(&job).await, Phase::Finalizing);
    check_end(&stage, &job).await;
}

async fn check_end(stage: &Stage, job: &JobRow) {
    let reports = stage.store.reports(job.id, 0, 10).await.unwrap();
    assert_eq!(reports, [(0, part_report(0)), (1, part_report(1))]);
    assert_eq!(stage.store.reports(job.id, 1, 1).await.unwrap()[0].0, 1);
    stage.finalize().await;
    let row = stage.row(job).await;
    assert_eq!((row.head.phase, row.progress_percentage), (Phase::Succeeded, 100.0));
    assert_eq!((row.files, row.summary), (final_report().files, Some(final_report().summary)));
    assert_eq!(row.output_file_path.as_deref(), Some("job/manifest.json"));
    assert_eq!((row.output_file_size, row.compression_used.as_deref()), (Some(20), Some("none")));
    assert!(row.completed_at >= Some(row.created_at) && row.updated_at >= row.created_at);
    assert!(row.processing_time_ms.unwrap() >= 0);
    assert_eq!(stage.hint_now().await, None);
    assert_eq!(stage.store.job(Uuid::new_v4()).await.unwrap(), None);
}

/// Nothing selected is an export too.
pub async fn an_empty_plan_seals_at_once(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(0).await;
    assert_eq!(job.head.phase, Phase::Finalizing);
    stage.finalize().await;
    assert_eq!(stage.phase(&job).await, Phase::Succeeded);
}

/// The same key with the same parameters is the same job; with others, a conflict; of another user, another job.
pub async fn one_key_one_job(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let mut asked = stage.new_job();
    asked.idempotency_key = Some("key".to_owned());
    let job = stage.submit(&asked).await;

    // A client that has lost the answer makes another public id.
    asked.job_uuid = Uuid::new_v4();
    let Submitted::Same(same) = stage.store.submit(&asked).await.unwrap() else { panic!("not the same") };
    assert_eq!(same.job_uuid, job.job_uuid);

    let mut other = asked.clone();
    other.options = object(json!({"compression": "none"}));
    assert!(matches!(stage.store.submit(&other).await.unwrap(), Submitted::Conflict));

    // The caller's own public id is a key as well, but not for somebody else.
    let repeated = crate::NewJob { job_uuid: job.job_uuid, idempotency_key: None, ..asked.clone() };
    assert!(matches!(stage.store.submit(&repeated).await.unwrap(), Submitted::Same(_)));
    let neighbour = stage.with_user("bo").await;
    let stolen = crate::NewJob { requested_by: neighbour.user, ..repeated };
    assert!(matches!(stage.store.submit(&stolen).await.unwrap(), Submitted::Conflict));
    let own = crate::NewJob { requested_by: neighbour.user, job_uuid: Uuid::new_v4(), ..asked };
    assert_ne!(neighbour.submit(&own).await.id, job.id);
}

/// Impatient clients send the same request many times at once.
pub async fn submits_at_once_make_one_job(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let submits: Vec<_> = (0..8)
        .map(|_| {
            let stage = stage.clone();
            let job = crate::NewJob { idempotency_key: Some("key".to_owned()), ..stage.new_job() };
            tokio::spawn(async move { stage.store.submit(&job).await.unwrap() })
        })
        .collect();
    let mut fresh = 0;
    for submit in submits {
        match submit.await.unwrap() {
            Submitted::New(_) => fresh += 1,
            Submitted::Same(_) => {}
            Submitted::Conflict => panic!("a conflict with itself"),
        }
    }
    assert_eq!(fresh, 1);
    assert_eq!(stage.store.jobs(&JobsQuery { limit: 10, ..JobsQuery::default() }).await.unwrap().len(), 1);
}

/// From every open phase; whoever holds a task is refused from then on.
pub async fn cancel_in_each_phase(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let accepted = stage.accepted().await;
    cancel(&stage, &accepted, None).await;

    let planning = stage.accepted().await;
    let plan = stage.claim_next(LONG_SECONDS).await;
    cancel(&stage, &planning, Some(&plan)).await;

    let running = stage.running(2).await;
    let part = stage.claim_next(LONG_SECONDS).await;
    cancel(&stage, &running, Some(&part)).await;

    let finalizing = stage.finalizing(1).await;
    let seal = stage.claim_next(LONG_SECONDS).await;
    cancel(&stage, &finalizing, Some(&seal)).await;
    let late = stage.store.commit_final(seal.task, seal.fence, &final_report()).await.unwrap();
    assert_eq!(late, Err(Refusal::JobClosed));
    assert_eq!(stage.phase(&finalizing).await, Phase::Cancelled);

    let succeeded = stage.succeeded().await;
    let (row, changed) = stage.store.cancel(succeeded.job_uuid).await.unwrap().unwrap();
    assert_eq!((row.head.phase, changed), (Phase::Succeeded, false));
    assert!(stage.store.cancel(Uuid::new_v4()).await.unwrap().is_none());
}

async fn cancel(stage: &Stage, job: &JobRow, held: Option<&Assignment>) {
    let (row, changed) = stage.store.cancel(job.job_uuid).await.unwrap().unwrap();
    assert_eq!((row.head.phase, changed), (Phase::Cancelled, true));
    let (_, again) = stage.store.cancel(job.job_uuid).await.unwrap().unwrap();
    assert!(!again);
    assert_eq!(stage.hint_now().await, None);
    if let Some(held) = held {
        let beat = stage.store.heartbeat(held.task, held.fence, LONG_SECONDS).await.unwrap();
        assert_eq!(beat, Err(Refusal::JobClosed));
        let commit = stage.store.commit_part(held.task, held.fence, &part_report(0)).await.unwrap();
        assert_eq!(commit, Err(Refusal::JobClosed));
        let claim = stage.store.claim(held.task, "worker-2", LONG_SECONDS).await.unwrap();
        assert_eq!(claim.unwrap_err(), Refusal::JobClosed);
    }
}

/// A retry does the failed partition only, under a higher fence.
pub async fn a_failed_job_runs_again(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.running(3).await;
    let bad = stage.claim_next(LONG_SECONDS).await;
    let failed =
        stage.store.fail(bad.task, bad.fence, ErrorClass::Poison, "text `doc-1` holds \0 NUL").await.unwrap();
    assert_eq!(failed, Ok(()));
    assert_eq!(stage.phase(&job).await, Phase::Running);
    stage.encode_next().await;
    stage.encode_next().await;
    let row = stage.row(&job).await;
    assert_eq!((row.head.phase, row.head.parts_done, row.head.parts_failed), (Phase::Failed, 2, 1));
    let reason = row.error_message.unwrap();
    assert!(reason.contains("partition 0") && reason.contains("text `doc-1`"), "{reason}");

    let (row, changed) = stage.store.retry(job.job_uuid).await.unwrap().unwrap();
    assert_eq!((row.head.phase, row.head.parts_failed, changed), (Phase::Running, 0, true));
    assert_eq!(row.error_message, None);
    assert!(!stage.store.retry(job.job_uuid).await.unwrap().unwrap().1);
    let again = stage.claim_next(LONG_SECONDS).await;
    assert_eq!((again.task, again.fence), (bad.task, bad.fence + 1));
    stage.store.commit_part(again.task, again.fence, &part_report(0)).await.unwrap().unwrap();
    stage.finalize().await;
    assert_eq!(stage.phase(&job).await, Phase::Succeeded);
}

/// The same before there are partitions, and after.
pub async fn a_failed_plan_runs_again(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let job = stage.accepted().await;
    let plan = stage.claim_next(LONG_SECONDS).await;
    stage.store.fail(plan.task, plan.fence, ErrorClass::Poison, "no such project").await.unwrap().unwrap();
    let row = stage.row(&job).await;
    assert_eq!(row.head.phase, Phase::Failed);
    assert_eq!(row.error_message.as_deref(), Some("the plan failed: no such project"));
    stage.store.retry(job.job_uuid).await.unwrap().unwrap();
    stage.plan(1).await;
    stage.encode_next().await;
    let seal = stage.claim_next(LONG_SECONDS).await;
    stage.store.fail(seal.task, seal.fence, ErrorClass::Poison, "too many parts").await.unwrap().unwrap();
    assert_eq!(stage.phase(&job).await, Phase::Failed);
    assert_eq!(stage.store.retry(job.job_uuid).await.unwrap().unwrap().0.head.phase, Phase::Finalizing);
    stage.finalize().await;
    assert_eq!(stage.phase(&job).await, Phase::Succeeded);

    // An empty plan is a plan: what failed here is the sealing.
    let empty = stage.running(0).await;
    let seal = stage.claim_next(LONG_SECONDS).await;
    stage.store.fail(seal.task, seal.fence, ErrorClass::Poison, "no such format").await.unwrap().unwrap();
    assert_eq!(stage.store.retry(empty.job_uuid).await.unwrap().unwrap().0.head.phase, Phase::Finalizing);
    stage.finalize().await;
    assert_eq!(stage.phase(&empty).await, Phase::Succeeded);
}

/// By user, project, status, and page by page.
pub async fn jobs_are_listed_newest_first(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let neighbour = stage.with_user("bo").await;
    let first = stage.accepted().await.id;
    let second = stage.accepted().await;
    let third = neighbour.accepted().await.id;
    stage.store.cancel(second.job_uuid).await.unwrap();

    let ids = async |query: JobsQuery| -> Vec<i32> {
        stage
            .store
            .jobs(&JobsQuery { limit: query.limit.max(2), ..query })
            .await
            .unwrap()
            .iter()
            .map(|job| job.id)
            .collect()
    };
    assert_eq!(ids(JobsQuery::default()).await, [third, second.id]);
    assert_eq!(ids(JobsQuery { before_id: Some(second.id), ..JobsQuery::default() }).await, [first]);
    assert_eq!(ids(JobsQuery { user: Some(stage.user), ..JobsQuery::default() }).await, [second.id, first]);
    assert_eq!(
        ids(JobsQuery { project: Some(stage.project), limit: 9, ..JobsQuery::default() }).await.len(),
        3
    );
    assert_eq!(
        ids(JobsQuery { status: Some("cancelled".to_owned()), ..JobsQuery::default() }).await,
        [second.id]
    );
    assert!(ids(JobsQuery { status: Some("completed".to_owned()), ..JobsQuery::default() }).await.is_empty());
}
