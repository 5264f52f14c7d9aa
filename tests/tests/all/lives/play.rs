//! A metastore and the reference, side by side.

use std::collections::HashMap;

use serde_json::json;
use spanfleet_core::{
    TaskId,
    job::{Phase, TaskKind, TaskState},
    losses::Counts,
    promises::broken,
    report::{ManifestFile, PartFile, PartReport},
};
use spanfleet_dispatcher::fsck::facts;
use spanfleet_metastore::{FinalReport, NewJob, PlanReport, Submitted, contract::Stage};
use sqlx::{AnyPool, AssertSqlSafe};
use uuid::Uuid;

use super::{
    command::Command,
    reference::{RefJob, RefTask},
};

/// Nothing is due, and no lease ends, by the passing of real time.
const LONG_SECONDS: u32 = 100_000;
const PAST: &str = "'2000-01-01T00:00:00.000Z'";
const MANY: u32 = 100_000;

/// A claim that was made: perhaps long lost.
#[derive(Clone, Copy)]
struct Claim {
    job: usize,
    at: usize,
    task: TaskId,
    fence: u64,
}

/// One life: a user's jobs.
pub(super) struct Play<'s> {
    stage: Stage,
    clock: &'s AnyPool,
    jobs: Vec<RefJob>,
    ids: HashMap<(usize, TaskKind, u32), TaskId>,
    claims: Vec<Claim>,
}

impl<'s> Play<'s> {
    pub(super) async fn new(stage: &Stage, clock: &'s AnyPool) -> Play<'s> {
        let stage = stage.with_user(&Uuid::new_v4().to_string()).await;
        Play { stage, clock, jobs: Vec::new(), ids: HashMap::new(), claims: Vec::new() }
    }

    /// Asks both, and compares answers and rows.
    pub(super) async fn step(&mut self, command: &Command) {
        match *command {
            Command::Submit { key, is_other } => self.submit(key, is_other).await,
            Command::Claim { task } => self.claim(task).await,
            Command::TakeHints => self.take_hints().await,
            Command::LeasesEnd => self.leases_end().await,
            Command::BackoffsEnd => self.backoffs_end().await,
            Command::Sweep => {
                self.stage.store.sweep(MANY, LONG_SECONDS).await.unwrap();
                self.jobs.iter_mut().for_each(RefJob::sweep);
            }
            Command::Heartbeat { .. }
            | Command::Commit { .. }
            | Command::Release { .. }
            | Command::Fail { .. } => {
                self.report(command).await;
            }
            Command::Cancel { job }
            | Command::Retry { job }
            | Command::Expire { job }
            | Command::Emptied { job }
            | Command::Download { job } => self.change(command, job).await,
        }
        self.compare().await;
    }

    async fn submit(&mut self, key: Option<u8>, is_other: bool) {
        let mut job = self.stage.new_job();
        let prefix = self.stage.user.0;
        job.idempotency_key = key.map(|key| format!("{prefix}-{key}"));
        job.include.metadata = is_other;
        let before = self.jobs.iter().find(|known| key.is_some() && known.key == key);
        match self.stage.store.submit(&job).await.unwrap() {
            Submitted::New(row) => {
                assert!(before.is_none(), "a second job for the key {key:?}");
                self.jobs.push(RefJob::new(row.job_uuid, row.id, key, is_other));
            }
            Submitted::Same(row) => {
                assert!(before.is_some_and(|known| known.uuid == row.job_uuid && known.is_other == is_other));
            }
            Submitted::Conflict => assert!(before.is_some_and(|known| known.is_other != is_other)),
        }
        // The public id repeats as well.
        let again = NewJob { idempotency_key: None, ..job };
        if let Some(known) = self.jobs.last().filter(|known| known.uuid == again.job_uuid) {
            let same = self.stage.store.submit(&again).await.unwrap();
            assert!(matches!(same, Submitted::Same(row) if row.job_uuid == known.uuid));
        }
    }

    async fn claim(&mut self, choice: usize) {
        let all: Vec<(usize, usize)> = self
            .jobs
            .iter()
            .enumerate()
            .flat_map(|(job, known)| (0..known.tasks.len()).map(move |at| (job, at)))
            .collect();
        let Some(&(job, at)) = all.get(choice % all.len().max(1)) else { return };
        let task = self.id(job, at);
        let expected = self.jobs[job].claim(at);
        let claimed = self.stage.store.claim(task, "worker", LONG_SECONDS).await.unwrap();
        assert_eq!(claimed.as_ref().map(|assignment| assignment.fence).map_err(|refusal| *refusal), expected);
        if let Ok(fence) = expected {
            self.stage.store.note_attempt(task, fence, "parts").await.unwrap();
            self.claims.push(Claim { job, at, task, fence });
        }
    }

    /// What a holder, or one that believes so, says of its task.
    async fn report(&mut self, command: &Command) {
        let (Command::Heartbeat { claim }
        | Command::Commit { claim, .. }
        | Command::Release { claim }
        | Command::Fail { claim, .. }) = command
        else {
            return;
        };
        // The latest claims are the interesting ones.
        let Some(&claim) = self.claims.iter().rev().nth(claim % self.claims.len().clamp(1, 6)) else {
            return;
        };
        let Claim { job, at, task, fence } = claim;
        let (store, known) = (&self.stage.store, &mut self.jobs[job]);
        let (answer, expected) = match *command {
            Command::Commit { parts, .. } => {
                let kind = known.tasks[at].kind;
                let number = known.tasks[at].number;
                let expected = known.commit(at, fence, parts);
                let answer = match kind {
                    TaskKind::Plan => store.commit_plan(task, fence, &plan(parts)).await,
                    TaskKind::Encode => {
                        store.commit_part(task, fence, &part(known.uuid, number, fence)).await
                    }
                    TaskKind::Finalize => store.commit_final(task, fence, &sealed()).await,
                };
                (answer, expected)
            }
            Command::Release { .. } => (store.release(task, fence).await, known.release(at, fence)),
            Command::Fail { class, .. } => {
                (store.fail(task, fence, class, "a reason").await, known.fail(at, fence, class))
            }
            _ => (store.heartbeat(task, fence, LONG_SECONDS).await, known.heartbeat(at, fence)),
        };
        assert_eq!(answer.unwrap(), expected);
    }

    async fn change(&mut self, command: &Command, choice: usize) {
        let count = self.jobs.len().max(1);
        let Some(known) = self.jobs.get_mut(choice % count) else { return };
        let store = &self.stage.store;
        let changed = |answer: Option<(spanfleet_metastore::JobRow, bool)>| answer.unwrap().1;
        match command {
            Command::Cancel { .. } => {
                assert_eq!(changed(store.cancel(known.uuid).await.unwrap()), known.cancel());
            }
            Command::Retry { .. } => {
                assert_eq!(changed(store.retry(known.uuid).await.unwrap()), known.retry());
            }
            Command::Expire { .. } => {
                assert_eq!(changed(store.expire_now(known.uuid).await.unwrap()), known.expire());
            }
            Command::Emptied { .. } => {
                store.finish_expiry(known.uuid).await.unwrap();
                known.emptied();
            }
            _ => {
                let counted =
                    store.record_download(known.uuid, self.stage.user, "train.jsonl").await.unwrap();
                assert_eq!(counted, known.head.phase == Phase::Succeeded);
            }
        }
    }

    /// Whoever is named in a hint waits and is due.
    async fn take_hints(&mut self) {
        let taken = self.stage.store.take_hints(MANY, MANY).await.unwrap();
        for hint in &taken {
            let Some((&(job, kind, number), _)) = self.ids.iter().find(|(_, id)| **id == hint.hint.task)
            else {
                continue;
            };
            let task = self.task(job, kind, number);
            assert!(task.has_hint && task.is_due && task.state == TaskState::Ready, "{task:?}");
        }
        self.stage.store.mark_published(&taken.iter().map(|hint| hint.id).collect::<Vec<_>>()).await.unwrap();
    }

    async fn leases_end(&mut self) {
        self.run(&format!("UPDATE export_partitions SET lease_until = {PAST} WHERE state = 'leased'")).await;
        let tasks = self.jobs.iter_mut().flat_map(|job| &mut job.tasks);
        tasks.filter(|task| task.state == TaskState::Leased).for_each(|task| task.is_lease_over = true);
    }

    async fn backoffs_end(&mut self) {
        self.run(&format!("UPDATE export_partitions SET next_attempt_at = {PAST} WHERE state = 'ready'"))
            .await;
        self.run(&format!("UPDATE outbox SET due_at = {PAST}")).await;
        let tasks = self.jobs.iter_mut().flat_map(|job| &mut job.tasks);
        tasks.filter(|task| task.state == TaskState::Ready).for_each(|task| task.is_due = true);
    }

    async fn run(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(self.clock).await.unwrap();
    }

    /// Every row is as the reference has it, and every promise holds.
    async fn compare(&mut self) {
        for job in 0..self.jobs.len() {
            let known = &self.jobs[job];
            let row = self.stage.store.job(known.uuid).await.unwrap().unwrap();
            assert_eq!(row.head, known.head);
            let rows = self.stage.store.tasks(known.id, TaskId(0), MANY).await.unwrap();
            assert_eq!(rows.len(), known.tasks.len());
            for row in &rows {
                self.ids.insert((job, row.task.kind, row.number), row.id);
                let task = self.task(job, row.task.kind, row.number);
                let stands =
                    (row.task.state, row.task.fence, row.task.attempts, row.task.crashes, row.has_hint);
                assert_eq!(
                    stands,
                    (task.state, task.fence, task.attempts, task.crashes, task.has_hint),
                    "{task:?}"
                );
            }
            let artifacts = row.files.len();
            let facts: Vec<_> = rows.iter().map(facts).collect();
            assert_eq!(broken(&row.head, artifacts, &facts), []);
        }
    }

    fn task(&self, job: usize, kind: TaskKind, number: u32) -> &RefTask {
        self.jobs[job].tasks.iter().find(|task| task.kind == kind && task.number == number).unwrap()
    }

    fn id(&self, job: usize, at: usize) -> TaskId {
        let task = &self.jobs[job].tasks[at];
        self.ids[&(job, task.kind, task.number)]
    }
}

fn plan(parts: u32) -> PlanReport {
    PlanReport { partitions: (0..parts).map(|number| number.to_string()).collect(), ..PlanReport::default() }
}

fn part(job: Uuid, number: u32, fence: u64) -> PartReport {
    let key = format!("{job}/parts/{number}.{fence}.train");
    let file = PartFile { split: "train".to_owned(), key, bytes: 1, texts: 1, ..PartFile::default() };
    let counts = Counts { texts: 1, texts_selected: 1, ..Counts::default() };
    PartReport { counts, files: vec![file], ..PartReport::default() }
}

fn sealed() -> FinalReport {
    let path = "manifest.json".to_owned();
    FinalReport {
        files: vec![ManifestFile {
            path,
            split: None,
            bytes: 1,
            sha256: String::new(),
            texts: 0,
            annotations: 0,
        }],
        output_file_path: "manifest.json".to_owned(),
        output_file_size: 1,
        output_format_version: "1".to_owned(),
        compression_used: "none".to_owned(),
        summary: json!({"counts": {}, "losses": [], "changes": []}),
    }
}
