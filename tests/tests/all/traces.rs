//! One trace for each job, as a receiver of OTLP sees it.

use std::{collections::BTreeSet, time::Duration};

use rustix::process::Signal;
use serde_json::json;
use spanfleet_tests::{
    Fleet, Process,
    corpora::harbour,
    shared,
    traces::{Span, TraceReceiver},
};
use sqlx::{Connection as _, PgConnection};

const PATIENCE: Duration = Duration::from_mins(4);
/// A secret: what the receiver asks for.
const AUTHORIZATION: &str = "Bearer canary-of-a-secret";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
/// Every attribute that a span may have: ids, numbers and words of our own.
const ATTRIBUTES: [&str; 9] = [
    "fence",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "job",
    "kind",
    "outcome",
    "partition",
    "task",
];

fn start(receiver: &TraceReceiver) -> Fleet {
    let headers = format!("authorization={AUTHORIZATION}");
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=tests"),
        ("SPANFLEET_LEASE_SECONDS", "3"),
        ("SPANFLEET_REHINT_SECONDS", "2"),
    ];
    Fleet::start_with(shared().fresh_bucket(), &harbour(), &settings)
}

/// Asks for an export of four partitions as a step of the caller's trace.
fn ask(fleet: &Fleet) -> String {
    let order = json!({"project": "news", "format": "jsonl", "export_parameters": {"partitions": 4}});
    let traceparent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", traceparent.as_str())];
    let reply = fleet.api.call("POST", "/export/create-job", Some(order.to_string()), &headers);
    reply.json()["job_uuid"].as_str().unwrap().to_owned()
}

fn stop(process: &mut Process) {
    process.signal(Signal::TERM);
    assert!(process.wait_for_end(PATIENCE).success(), "{}", process.output());
    assert!(!process.output().contains("canary"), "{}", process.output());
}

/// One worker is killed in its first partition, one ends a partition and then stalls, one does the rest.
#[test]
fn a_job_is_one_trace_over_all_that_work_on_it_and_die() {
    let receiver = TraceReceiver::start(AUTHORIZATION);
    let mut fleet = start(&receiver);
    let uuid = ask(&fleet);
    let mut victim = fleet.worker_with("victim", "1", &[("SPANFLEET_CRASH_AT", "worker-part-written")]);
    assert!(!victim.wait_for_end(PATIENCE).success());
    let mut first = fleet.worker_with("first", "1", &[("SPANFLEET_STALL_AT", "worker-part-committed")]);
    first.wait_for_line("stalled at", PATIENCE);
    let mut second = fleet.worker("second", "1");
    fleet.api.wait_for(&uuid, "completed", PATIENCE);
    first.signal(Signal::CONT);
    // Whoever ends sends its last spans first.
    for process in [&mut first, &mut second, &mut fleet.dispatcher] {
        stop(process);
    }

    let spans = receiver.of_trace(TRACE);
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    for step in ["send", "hint", "claim", "task", "encode", "upload", "seal", "commit"] {
        assert!(!named(step).is_empty(), "no `{step}` among {spans:#?}");
    }
    let [request] = named("POST /export/create-job")[..] else { panic!("one request: {spans:#?}") };
    assert_eq!((request.parent.as_str(), &*request.attributes["http.response.status_code"]), (CALLER, "201"));
    // From the seal back to the caller, over three processes.
    let mut line = vec![named("seal")[0]];
    while let Some(parent) = spans.iter().find(|span| span.id == line[line.len() - 1].parent) {
        line.push(parent);
    }
    let names: Vec<&str> = line.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["seal", "task", "hint", "send", "POST /export/create-job"]);

    let tasks = named("task");
    assert!(tasks.iter().all(|task| task.attributes["job"] == uuid), "{tasks:#?}");
    let done: BTreeSet<&str> = tasks
        .iter()
        .filter(|task| task.attributes["kind"] == "encode")
        .map(|task| task.attributes["partition"].as_str())
        .collect();
    assert_eq!(done, BTreeSet::from(["0", "1", "2", "3"]));
    assert!(tasks.iter().any(|task| task.attributes["fence"] == "2"), "what the victim held: {tasks:#?}");
    let workers: BTreeSet<&str> =
        tasks.iter().map(|task| task.resource["service.instance.id"].as_str()).collect();
    assert!(workers.len() >= 2, "{workers:?}");
    assert_tells_only_what_it_may(&spans);
}

fn assert_tells_only_what_it_may(spans: &[Span]) {
    for span in spans {
        let attributes = span.attributes.keys().all(|key| ATTRIBUTES.contains(&key.as_str()));
        assert!(attributes && span.events == 0, "{span:#?}");
        let service = &span.resource["service.name"];
        assert!(["spanfleet-dispatcher", "spanfleet-worker"].contains(&service.as_str()), "{span:#?}");
        assert_eq!(span.resource["deployment.environment.name"], "tests");
    }
}

/// Rows that a version without traces wrote have no place in any; the job still knows its own.
#[test]
fn hints_of_an_older_version_lose_no_trace() {
    let receiver = TraceReceiver::start(AUTHORIZATION);
    let fleet = start(&receiver);
    let database = fleet.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1.clone();
    let forget = "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.traceparent = NULL; RETURN NEW; END';
        CREATE TRIGGER forget BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION forget()";
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection = PgConnection::connect(&database).await.unwrap();
        sqlx::raw_sql(forget).execute(&mut connection).await.unwrap();
    });
    let mut worker = fleet.worker("worker", "2");
    let uuid = ask(&fleet);
    fleet.api.wait_for(&uuid, "completed", PATIENCE);
    stop(&mut worker);
    let spans = receiver.of_trace(TRACE);
    assert!(spans.iter().all(|span| span.name != "hint"), "{spans:#?}");
    let tasks = spans.iter().filter(|span| span.name == "task").count();
    assert_eq!(tasks, 6, "a plan, four partitions, a seal: {spans:#?}");
}

#[test]
fn what_can_t_be_exported_is_told_with_its_mend() {
    let fleet = Fleet::start(shared().fresh_bucket(), &harbour());
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let mut worker = fleet.worker_with("grpc", "1", &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert_eq!(worker.wait_for_end(PATIENCE).code(), Some(2), "{}", worker.output());
    assert!(worker.output().contains("allowed: http/protobuf"), "{}", worker.output());
    // A receiver that is away holds up nothing; the log says so.
    let mut worker = fleet.worker_with("away", "2", &[endpoint, ("OTEL_BSP_SCHEDULE_DELAY", "50")]);
    let uuid = ask(&fleet);
    fleet.api.wait_for(&uuid, "completed", PATIENCE);
    worker.wait_for_line("ExportError", PATIENCE);
    stop(&mut worker);
}
