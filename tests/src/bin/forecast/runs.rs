//! Jobs on real workers, and what they took of whom.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use spanfleet_simulate::costs::Corpus;
use spanfleet_tests::corpora::repeated_corpus;
use spanfleet_tests::daemon::free_port;
use spanfleet_tests::{Client, Fleet, Process, shared};
use sqlx::{Connection as _, PgConnection, Row as _};

const PATIENCE: Duration = Duration::from_hours(1);
const FORMAT: &str = "conll";
const COMPRESSION: &str = "gzip";
/// Of this kernel, as of any that runs here.
const TICKS_PER_SECOND: f64 = 100.0;

/// A fleet with a corpus.
pub(crate) struct Stand {
    fleet: Fleet,
    planned_bytes: u64,
}

/// What a job took.
pub(crate) struct Run {
    pub(crate) corpus: Corpus,
    pub(crate) partitions: u32,
    /// From the job's creation to its end, by the database's clock.
    pub(crate) seconds: f64,
    pub(crate) plan_seconds: f64,
    /// Of all partitions, one after the other.
    pub(crate) encode_seconds: f64,
    pub(crate) seal_seconds: f64,
    /// Seconds of cores until the seal began; of all workers.
    pub(crate) worker_cpu: f64,
    pub(crate) database_cpu: f64,
    pub(crate) store_cpu: f64,
    /// Writing requests of a partition.
    pub(crate) requests: f64,
}

/// Cores of this machine.
pub(crate) fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1, usize::from) as f64
}

/// When, where and with what: for people.
pub(crate) fn measured() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let build = std::env::var("SPANFLEET_BIN").map_or("unoptimised", |_| "release");
    let date = std::process::Command::new("date").arg("+%F").output().expect("there is a date");
    let date = String::from_utf8_lossy(&date.stdout).trim().to_owned();
    format!(
        "{date}, spanfleet {version} ({build}), {} cores shared by all, PostgreSQL, RabbitMQ, s3s-fs",
        cores()
    )
}

/// What the jobs write: for people.
pub(crate) fn format() -> String {
    format!("{FORMAT}, {COMPRESSION}")
}

impl Stand {
    pub(crate) fn start(texts: usize) -> Stand {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let corpus = repeated_corpus(folder.path(), texts);
        let fleet = Fleet::start(shared().fresh_bucket(), &corpus.to_string_lossy());
        let planned_bytes = planned_bytes(&fleet);
        Stand { fleet, planned_bytes }
    }

    /// Runs a job of so many partitions on so many workers with one slot each.
    pub(crate) fn run(&self, workers: u32, partitions: u32) -> Run {
        let ports: Vec<u16> = (0..workers).map(|_| free_port()).collect();
        let processes: Vec<Process> = ports.iter().map(|port| self.worker(*port)).collect();
        let pids = || processes.iter().map(Process::pid);
        let before = Usage::now(pids());
        let uuid = self.fleet.api.create(&json!({
            "project": "news", "format": FORMAT, "include_relations": true,
            "export_parameters": {"compression": COMPRESSION, "partitions": partitions}
        }));
        // Where a text is worth several partitions there are fewer than were asked for.
        let mut total = 0;
        spanfleet_tests::wait_until("the partitions are done", PATIENCE, || {
            let counts = self.fleet.api.job(&uuid)["partitions"].clone();
            total = counts["total"].as_u64().unwrap_or(0);
            total > 0 && counts["done"] == total
        });
        let (after, requests) = (Usage::now(pids()), ports.iter().map(|port| requests(*port)).sum::<f64>());
        let job = self.fleet.api.wait_for(&uuid, "completed", PATIENCE);
        let times = self.times(&uuid);
        Run {
            corpus: self.corpus(&uuid, &job),
            partitions: total as u32,
            worker_cpu: after.workers - before.workers,
            database_cpu: after.database - before.database,
            store_cpu: after.store - before.store,
            requests: requests / total as f64,
            ..times
        }
    }

    fn worker(&self, metrics: u16) -> Process {
        let listen = format!("127.0.0.1:{metrics}");
        let mut worker = Process::spanfleet(&format!("worker-{metrics}"), self.fleet.work.path())
            .envs(self.fleet.env.iter().cloned())
            .env("SPANFLEET_LEASE_SECONDS", "60")
            .args(["worker", "--slots", "1", "--metrics-listen", &listen])
            .start();
        worker.wait_for_port(metrics, PATIENCE);
        worker
    }

    fn corpus(&self, uuid: &str, job: &Value) -> Corpus {
        let manifest = self.fleet.api.get(&format!("/export/jobs/{uuid}/manifest")).json();
        let count = |key: &str| manifest["counts"][key].as_u64().expect("a manifest counts");
        Corpus {
            texts: count("texts_selected"),
            annotations: count("annotations_selected"),
            planned_bytes: self.planned_bytes,
            artifact_bytes: job["output_file_size"].as_u64().expect("a finished job has a size"),
        }
    }

    /// By the clock of the database, to the microsecond.
    fn times(&self, uuid: &str) -> Run {
        let query = "SELECT kind, sum(extract(epoch FROM t.ended_at - t.claimed_at))::float8 AS seconds,
            extract(epoch FROM max(t.ended_at) - min(j.created_at))::float8 AS since
            FROM export_partitions t JOIN export_jobs j ON j.id = t.job_id WHERE j.job_uuid = $1::uuid GROUP BY kind";
        let rows = ask(&self.fleet, async |database| {
            sqlx::query(query).bind(uuid).fetch_all(database).await.expect("the job has tasks")
        });
        let of = |kind: &str, column: &str| -> f64 {
            let row =
                rows.iter().find(|row| row.get::<&str, _>("kind") == kind).expect("each kind has tasks");
            row.get(column)
        };
        Run {
            corpus: Corpus { texts: 0, annotations: 0, planned_bytes: 0, artifact_bytes: 0 },
            partitions: 0,
            seconds: of("finalize", "since"),
            plan_seconds: of("plan", "seconds"),
            encode_seconds: of("encode", "seconds"),
            seal_seconds: of("finalize", "seconds"),
            worker_cpu: 0.0,
            database_cpu: 0.0,
            store_cpu: 0.0,
            requests: 0.0,
        }
    }
}

fn ask<T>(fleet: &Fleet, question: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
    let url = &fleet.env.iter().find(|(name, _)| name == "DATABASE_URL").expect("a fleet has a database").1;
    tokio::runtime::Runtime::new().expect("a runtime can be made").block_on(async {
        let mut connection = PgConnection::connect(url).await.expect("the database is there");
        question(&mut connection).await
    })
}

/// As the planner estimates: bytes of texts, and what it takes an annotation for.
fn planned_bytes(fleet: &Fleet) -> u64 {
    let query = "SELECT (SELECT sum(octet_length(content)) FROM texts)::int8 AS texts,
        (SELECT count(*) FROM annotations)::int8 AS annotations";
    let row =
        ask(fleet, async |database| sqlx::query(query).fetch_one(database).await.expect("there are texts"));
    let (texts, annotations): (i64, i64) = (row.get("texts"), row.get("annotations"));
    texts.cast_unsigned() + annotations.cast_unsigned() * spanfleet_source::load::cut::ANNOTATION_BYTES
}

/// Requests that wrote something, as a worker's metrics count them.
fn requests(metrics: u16) -> f64 {
    let worker = Client { url: format!("http://127.0.0.1:{metrics}"), token: String::new() };
    let text = String::from_utf8_lossy(&worker.get("/metrics").body).into_owned();
    let writes = ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
    let is_write = |line: &&str| writes.iter().any(|op| line.contains(&format!("op=\"{op}\"")));
    let counts =
        text.lines().filter(|line| line.starts_with("spanfleet_s3_request_seconds_count")).filter(is_write);
    counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Seconds of cores that processes have had.
struct Usage {
    workers: f64,
    database: f64,
    store: f64,
}

impl Usage {
    fn now(workers: impl Iterator<Item = u32>) -> Usage {
        let of = |name: &str| ours(name).iter().map(|stat| stat.seconds).sum();
        Usage {
            workers: workers.filter_map(Stat::read).map(|stat| stat.seconds).sum(),
            database: of("postgres"),
            store: of("s3-server"),
        }
    }
}

/// What the kernel tells of a process.
struct Stat {
    name: String,
    parent: u32,
    /// Its own, and of its children that have ended.
    seconds: f64,
}

impl Stat {
    fn read(pid: u32) -> Option<Stat> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, tail) = text.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let ticks = (11..15).filter_map(|field| fields.get(field)?.parse::<f64>().ok()).sum::<f64>();
        Some(Stat {
            name: head.split_once('(')?.1.to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            seconds: ticks / TICKS_PER_SECOND,
        })
    }
}

/// Processes of a name under the `with-servers` that started us: others on this machine have servers too.
fn ours(name: &str) -> Vec<Stat> {
    let root = Stat::read(std::process::id()).map_or(0, |stat| stat.parent);
    let pids = fs::read_dir("/proc")
        .expect("the kernel tells")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(Stat::read).filter(|stat| stat.name == name && descends(stat.parent, root)).collect()
}

fn descends(mut pid: u32, root: u32) -> bool {
    while pid != root {
        match Stat::read(pid) {
            Some(stat) if pid > 1 => pid = stat.parent,
            _ => return false,
        }
    }
    true
}
