//! The model of the fleet, held against the fleet.

use std::{collections::HashMap, sync::Arc};

use spanfleet_core::{TaskId, job::TaskKind};
use spanfleet_metastore::{Metastore, PlanReport, contract::Stage};
use spanfleet_metastore_sqlite::SqliteMetastore;
use spanfleet_simulate::admission::{Desk, admit};
use spanfleet_tests::command::spanfleet;

const LEASE_SECONDS: u32 = 3600;

/// The one rule that the model says anew, since the drivers have it in SQL.
#[tokio::test]
async fn hints_leave_as_the_drivers_let_them() {
    let store: Arc<dyn Metastore> = Arc::new(SqliteMetastore::open("sqlite::memory:").await.unwrap());
    let ada = Stage::new(store.clone()).await;
    for stage in [&ada, &ada.with_user("bo").await, &ada.with_user("cy").await] {
        stage.accepted().await;
    }
    let plans = store.take_hints(3, 1).await.unwrap();
    let (mut desks, mut owners) = (Vec::new(), HashMap::new());
    for (user, (row, parts)) in plans.iter().zip([5, 40, 9]).enumerate() {
        let plan = store.claim(row.hint.task, "model", LEASE_SECONDS).await.unwrap().unwrap();
        let partitions = (0..parts).map(|part| format!("{part}..")).collect();
        let report = PlanReport { partitions, ..PlanReport::default() };
        store.commit_plan(plan.task, plan.fence, &report).await.unwrap().unwrap();
        let tasks = store.tasks(plan.job.id, TaskId(0), 100).await.unwrap();
        let waiting = tasks.iter().filter(|task| task.task.kind == TaskKind::Encode).map(|task| task.id);
        owners.extend(waiting.clone().map(|task| (task, user)));
        desks.push(Desk { waiting: waiting.collect(), out: 0 });
    }
    for (limit, most_per_user) in [(4, 2), (1, 3), (100, 3), (5, 9), (2, 9), (200, 12), (200, 64)] {
        let rows = store.take_hints(limit, most_per_user).await.unwrap();
        store.mark_published(&rows.iter().map(|row| row.id).collect::<Vec<_>>()).await.unwrap();
        let mut sent: Vec<TaskId> = rows.iter().map(|row| row.hint.task).collect();
        let mut admitted = admit(&mut desks, limit as usize, most_per_user);
        sent.sort();
        admitted.sort();
        assert_eq!(sent, admitted, "{limit} at once, {most_per_user} of each user");
        // Every third is claimed, which makes room.
        for task in sent.iter().step_by(3) {
            store.claim(*task, "model", LEASE_SECONDS).await.unwrap().unwrap();
            desks[owners[task]].out -= 1;
        }
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    let work = tempfile::tempdir().unwrap();
    let args = ["simulate", "--annotations", "1e7", "--workers", "1,2,4", "--losses-per-day", "24", "--json"];
    let answer = spanfleet(work.path(), &args).ok().out;
    assert_eq!(answer, spanfleet(work.path(), &args).ok().out);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let seconds: Vec<f64> = answer["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            assert_eq!(run["outcome"]["failed_jobs"], 0);
            run["outcome"]["seconds"].as_f64().unwrap()
        })
        .collect();
    assert!(seconds[0] > seconds[1] && seconds[1] > seconds[2], "{seconds:?}");
    let table = spanfleet(work.path(), &["simulate", "--workers", "4"]).ok().out;
    assert!(table.contains("limit") && table.contains("costs measured"), "{table}");
}

#[test]
fn what_can_t_be_asked_is_told() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("costs.json"), "{\"encode\": {}}").unwrap();
    for (args, words) in [
        (["--workers", "0"], "0 is not in 1..=100000"),
        (["--annotations", "many"], "give a number"),
        (["--costs", "nowhere.json"], "make simulate-check"),
        (["--costs", "costs.json"], "holds no costs"),
    ] {
        spanfleet(work.path(), &["simulate", args[0], args[1]]).fails(2, words);
    }
}
