//! What one transaction takes, and one hint on its way to the broker.

use std::sync::Arc;
use std::time::Instant;

use spanfleet_core::{Hint, TaskId, report::PartReport};
use spanfleet_metastore::{Metastore as _, PlanReport, contract::Stage};
use spanfleet_metastore_postgres::PostgresMetastore;
use spanfleet_queue::Queue as _;
use spanfleet_queue_rabbitmq::{RabbitQueue, RabbitSettings};
use spanfleet_simulate::costs::Metastore;
use spanfleet_tests::shared;

const PARTS: u32 = 2000;
const TIMES: u32 = 500;
const LEASE_SECONDS: u32 = 3600;

/// One after the other, on an otherwise idle database, with the driver's own time.
pub(crate) fn measure() -> (Metastore, f64) {
    tokio::runtime::Runtime::new().expect("a runtime can be made").block_on(measure_async())
}

async fn measure_async() -> (Metastore, f64) {
    let url = shared().fresh_database();
    let store = Arc::new(PostgresMetastore::connect(&url, 8).await.expect("the database is there"));
    let stage = Stage::new(store.clone()).await;
    stage.accepted().await;
    let plan = stage.claim_next(LEASE_SECONDS).await;
    let partitions = (0..PARTS).map(|part| format!("{part}..")).collect();
    let report = PlanReport { partitions, ..PlanReport::default() };
    let begun = Instant::now();
    store.commit_plan(plan.task, plan.fence, &report).await.expect("it commits").expect("it is ours");
    let plan_row_ms = milliseconds(begun) / f64::from(PARTS);

    let begun = Instant::now();
    let hints = store.take_hints(TIMES, TIMES).await.expect("hints wait");
    store
        .mark_published(&hints.iter().map(|hint| hint.id).collect::<Vec<_>>())
        .await
        .expect("they are marked");
    let hint_ms = milliseconds(begun) / hints.len() as f64;

    let mut claims = Vec::new();
    let begun = Instant::now();
    for row in &hints {
        let claim = store
            .claim(row.hint.task, "forecast", LEASE_SECONDS)
            .await
            .expect("it answers")
            .expect("it waits");
        store.note_attempt(claim.task, claim.fence, "parts/0").await.expect("it is noted");
        claims.push(claim);
    }
    let claim_ms = milliseconds(begun) / claims.len() as f64;
    let begun = Instant::now();
    for claim in &claims {
        store
            .heartbeat(claim.task, claim.fence, LEASE_SECONDS)
            .await
            .expect("it answers")
            .expect("it is ours");
    }
    let heartbeat_ms = milliseconds(begun) / claims.len() as f64;
    let begun = Instant::now();
    for claim in &claims {
        let report = PartReport::default();
        store.commit_part(claim.task, claim.fence, &report).await.expect("it answers").expect("it is ours");
    }
    let commit_ms = milliseconds(begun) / claims.len() as f64;
    let begun = Instant::now();
    for _ in 0..TIMES {
        store.take_hints(TIMES, 0).await.expect("it answers");
    }
    let look_ms = milliseconds(begun) / f64::from(TIMES);
    let metastore = Metastore { claim_ms, heartbeat_ms, commit_ms, look_ms, hint_ms, plan_row_ms };
    (metastore, publish_ms().await)
}

async fn publish_ms() -> f64 {
    let settings = RabbitSettings::new(shared().fresh_vhost());
    let queue = RabbitQueue::connect(settings).await.expect("the broker is there");
    let hints: Vec<Hint> = (0..i64::from(PARTS)).map(|task| TaskId(task).into()).collect();
    let begun = Instant::now();
    queue.send(&hints).await.expect("it confirms");
    milliseconds(begun) / hints.len() as f64
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
