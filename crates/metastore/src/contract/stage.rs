//! What most stories begin with: a user with a project, a format, jobs at a certain point.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use spanfleet_core::{
    Include, ProjectId, TaskId, TraceParent, UserId,
    job::{Phase, TaskKind},
    losses::Counts,
    report::{BlockNotes, ManifestFile, PartFile, PartReport},
};
use uuid::Uuid;

use crate::{Assignment, FinalReport, FormatRow, JobRow, Metastore, NewJob, PlanReport, Submitted};

/// Nobody waits for these leases to end.
pub(super) const LONG_SECONDS: u32 = 3600;

/// Every back-off and every lease that a story waits for is over by then: what has not come does not come.
const PATIENCE: Duration = Duration::from_mins(2);

/// A metastore with a user, a project and a format.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The metastore.
    pub store: Arc<dyn Metastore>,
    /// A user.
    pub user: UserId,
    /// A project.
    pub project: ProjectId,
    /// A format's id.
    pub format: i32,
}

/// A format for tests.
pub(super) fn format_row(name: &str) -> FormatRow {
    FormatRow {
        id: 0,
        format_name: name.to_owned(),
        format_type: "jsonl".to_owned(),
        format_schema: json!({"type": "object"}),
        transformation_rules: object(json!({"compression": "gzip"})),
        output_structure: json!({}),
        is_ml_ready: true,
        supports_streaming: true,
        compression_options: json!(["none", "gzip"]),
        file_extensions: vec!["jsonl".to_owned(), "ndjson".to_owned()],
        metadata: json!({"title": "JSON \"lines\""}),
    }
}

/// The map of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// A report with something of everything.
pub(super) fn part_report(number: u32) -> PartReport {
    let file = PartFile {
        split: "train".to_owned(),
        key: format!("parts/{number}.1/train"),
        bytes: 10,
        sha256: "ab".repeat(32),
        texts: 2,
        annotations: 3,
        blocks: vec![BlockNotes { texts: 1, notes: json!({"rows": [1, 2]}) }],
    };
    PartReport {
        counts: Counts { texts: 2, texts_selected: 2, ..Counts::default() },
        files: vec![file],
        ..PartReport::default()
    }
}

/// What a finalizer says.
pub(super) fn final_report() -> FinalReport {
    let file = ManifestFile {
        path: "train.jsonl".to_owned(),
        split: Some("train".to_owned()),
        bytes: 20,
        sha256: "cd".repeat(32),
        texts: 4,
        annotations: 6,
    };
    FinalReport {
        files: vec![file],
        output_file_path: "job/manifest.json".to_owned(),
        output_file_size: 20,
        output_format_version: "1".to_owned(),
        compression_used: "none".to_owned(),
        summary: json!({"counts": {"texts": 4}, "losses": [], "changes": []}),
    }
}

impl Stage {
    /// Sets the stage in an empty metastore.
    pub async fn new(store: Arc<dyn Metastore>) -> Stage {
        store.migrate().await.unwrap();
        let user = store.ensure_user("ada", false).await.unwrap();
        let project = store.ensure_project("news").await.unwrap().id;
        store.sync_formats(&[format_row("jsonl")]).await.unwrap();
        let format = store.formats().await.unwrap()[0].id;
        Stage { store, user, project, format }
    }

    /// The same stage for another user.
    pub async fn with_user(&self, name: &str) -> Stage {
        let user = self.store.ensure_user(name, false).await.unwrap();
        Stage { user, ..self.clone() }
    }

    /// A job to be submitted.
    pub fn new_job(&self) -> NewJob {
        NewJob {
            job_uuid: Uuid::new_v4(),
            project: self.project,
            requested_by: self.user,
            export_format_id: self.format,
            export_parameters: object(json!({"split": {"train": 0.8, "dev": 0.2}})),
            options: object(json!({"split": {"train": 0.8, "dev": 0.2}, "compression": "gzip"})),
            filter_criteria: object(json!({"text_ids": ["a", "b"]})),
            include: Include { metadata: false, relations: true, hierarchies: false },
            expires_in_seconds: 604_800,
            idempotency_key: None,
            traceparent: TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            template_id: None,
            webhook_url: None,
        }
    }

    /// Submits a job that must be new.
    pub async fn submit(&self, job: &NewJob) -> JobRow {
        match self.store.submit(job).await.unwrap() {
            Submitted::New(row) => *row,
            other => panic!("expected a new job, got {other:?}"),
        }
    }

    /// An accepted job.
    pub async fn accepted(&self) -> JobRow {
        self.submit(&self.new_job()).await
    }

    /// A running job of so many partitions.
    pub async fn running(&self, parts: u32) -> JobRow {
        let job = self.accepted().await;
        self.plan(parts).await;
        self.row(&job).await
    }

    /// A job whose partitions are all done.
    pub async fn finalizing(&self, parts: u32) -> JobRow {
        let job = self.running(parts).await;
        for _ in 0..parts {
            self.encode_next().await;
        }
        self.row(&job).await
    }

    /// A completed job.
    pub async fn succeeded(&self) -> JobRow {
        let job = self.finalizing(2).await;
        self.finalize().await;
        self.row(&job).await
    }

    /// Claims the next task, which must be a plan, and commits it.
    pub async fn plan(&self, parts: u32) {
        let plan = self.claim_next(LONG_SECONDS).await;
        assert_eq!(plan.kind, TaskKind::Plan);
        let report = PlanReport {
            partitions: (0..parts).map(|n| format!("{n}..")).collect(),
            ..PlanReport::default()
        };
        self.store.commit_plan(plan.task, plan.fence, &report).await.unwrap().unwrap();
    }

    /// Claims the next task, which must be a partition, and commits it.
    pub async fn encode_next(&self) {
        let part = self.claim_next(LONG_SECONDS).await;
        assert_eq!(part.kind, TaskKind::Encode);
        self.store.commit_part(part.task, part.fence, &part_report(part.number)).await.unwrap().unwrap();
    }

    /// Claims the next task, which must be a finalize task, and commits it.
    pub async fn finalize(&self) {
        let seal = self.claim_next(LONG_SECONDS).await;
        assert_eq!(seal.kind, TaskKind::Finalize);
        self.store.commit_final(seal.task, seal.fence, &final_report()).await.unwrap().unwrap();
    }

    /// Claims the next task that is due; waits until one is.
    pub async fn claim_next(&self, lease_seconds: u32) -> Assignment {
        let task = self.next_hint().await;
        self.store.claim(task, "worker-1", lease_seconds).await.unwrap().unwrap()
    }

    /// Takes and marks the next hint that is due; waits until there is one.
    pub async fn next_hint(&self) -> TaskId {
        let begun = Instant::now();
        loop {
            if let Some(task) = self.hint_now().await {
                return task;
            }
            assert!(begun.elapsed() < PATIENCE, "no hint came due");
            tokio::task::yield_now().await;
        }
    }

    /// Takes and marks the next hint, if one is due.
    pub async fn hint_now(&self) -> Option<TaskId> {
        let taken = self.store.take_hints(1, u32::MAX).await.unwrap();
        let hint = taken.first()?;
        self.store.mark_published(&[hint.id]).await.unwrap();
        Some(hint.hint.task)
    }

    /// The job as it is now.
    pub async fn row(&self, job: &JobRow) -> JobRow {
        let row = self.store.job(job.job_uuid).await.unwrap().unwrap();
        assert!(Phase::ALL.contains(&row.head.phase));
        row
    }

    /// The job's phase now.
    pub async fn phase(&self, job: &JobRow) -> Phase {
        self.row(job).await.head.phase
    }

    /// Sweeps until a lease was ended.
    pub async fn sweep_one(&self) {
        let begun = Instant::now();
        while self.store.sweep(100, LONG_SECONDS).await.unwrap().leases_expired == 0 {
            assert!(begun.elapsed() < PATIENCE, "no lease ran out");
            tokio::task::yield_now().await;
        }
    }
}
