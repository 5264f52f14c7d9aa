//! The fleet on real servers: one dispatcher, several workers, PostgreSQL, RabbitMQ, S3.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use spanfleet_tests::{
    Client, Fleet,
    command::{spanfleet, spanfleet_with},
    corpora::{harbour, repeated_corpus},
    fleet::settings,
    shared, wait_until,
};

use crate::support::{assert_nothing_vanished, manifest, only_sha256};

const PATIENCE: Duration = Duration::from_mins(1);
/// A large export on two busy cores, in an unoptimised build.
const LONG_PATIENCE: Duration = Duration::from_mins(15);

fn texts_of_the_large_export() -> usize {
    std::env::var("SPANFLEET_TEST_TEXTS").map_or(200_000, |texts| texts.parse().unwrap())
}

#[test]
fn a_fleet_loses_a_worker_and_no_byte() {
    let work = tempfile::tempdir().unwrap();
    let corpus = repeated_corpus(work.path(), texts_of_the_large_export());
    let corpus = corpus.to_str().unwrap();
    let fleet = Fleet::start(shared().fresh_bucket(), corpus);
    let mut workers =
        [fleet.worker("worker-1", "1"), fleet.worker("worker-2", "1"), fleet.worker("worker-3", "1")];
    let uuid = fleet.api.create(&json!({
        "project": "news", "format": "conll", "include_relations": true,
        "export_parameters": {"compression": "gzip", "compression_level": 1, "partitions": 40}
    }));
    wait_until("a fifth is done", LONG_PATIENCE, || fleet.done(&uuid) >= 8);
    workers[0].kill9();
    wait_until("half is done", LONG_PATIENCE, || fleet.done(&uuid) >= 20);
    workers[1].signal(Signal::TERM);
    assert!(workers[1].wait_for_end(PATIENCE).success(), "{}", workers[1].output());
    let job = fleet.api.wait_for(&uuid, "completed", LONG_PATIENCE);
    assert_eq!(job["partitions"]["total"], 40);

    fleet.download(&uuid, "fleet");
    let set = "compression_level=1";
    let args = [
        "-q",
        "export",
        corpus,
        "-f",
        "conll",
        "--include-relations",
        "--compression",
        "gzip",
        "-s",
        set,
        "-s",
        "partitions=40",
        "--jobs",
        "1",
        "-o",
        "direct",
    ];
    spanfleet(fleet.work.path(), &args).ok();
    let (fleets, direct) =
        (manifest(&fleet.work.path().join("fleet")), manifest(&fleet.work.path().join("direct")));
    assert_nothing_vanished(&fleets);
    assert_eq!(fleets["counts"], direct["counts"]);
    assert_eq!(only_sha256(&fleets), only_sha256(&direct));
    spanfleet_with(fleet.work.path(), &fleet.env, &["fsck", "--deep"]).ok();
}

#[test]
fn links_count_and_expire() {
    let fleet = Fleet::start(shared().fresh_bucket(), &harbour());
    let _worker = fleet.worker("worker", "2");
    let uuid = fleet.api.create(&json!({"project": "news", "format": "jsonl", "expires_in": 20}));
    fleet.api.wait_for(&uuid, "completed", PATIENCE);
    let stranger = Client { url: fleet.api.url.clone(), token: String::new() };
    for downloads in 1..=2 {
        let reply = fleet.api.get(&format!("/export/jobs/{uuid}/download"));
        assert_eq!(reply.status, 302);
        let link = reply.header("location").to_owned();
        assert!(link.starts_with(&fleet.bucket.server.endpoint), "{link}");
        let fetched = stranger.get(&link);
        assert_eq!(fetched.status, 200);
        assert!(fetched.header("content-disposition").contains("train.jsonl"));
        assert_eq!(fetched.body.split(|byte| *byte == b'\n').count() - 1, 12);
        assert_eq!(fleet.api.job(&uuid)["download_count"], downloads);
        assert!(!fleet.dispatcher.output().contains("X-Amz-Signature"));
    }
    wait_until("the export has expired", PATIENCE, || fleet.api.job(&uuid)["status"] == "expired");
    fleet.api.get(&format!("/export/jobs/{uuid}/download")).is_problem(410, "expired");
    wait_until("the prefix is empty", PATIENCE, || fleet.bucket.keys().is_empty());
}

#[test]
fn a_cancelled_job_leaves_nothing() {
    let work = tempfile::tempdir().unwrap();
    let corpus = repeated_corpus(work.path(), 5_000);
    let fleet = Fleet::start(shared().fresh_bucket(), corpus.to_str().unwrap());
    let _worker = fleet.worker("worker", "1");
    let uuid = fleet
        .api
        .create(&json!({"project": "news", "format": "jsonl", "export_parameters": {"partitions": 30}}));
    wait_until("it has begun", PATIENCE, || fleet.done(&uuid) >= 1);
    let reply = fleet.api.post(&format!("/export/jobs/{uuid}/cancel"), &json!({}));
    assert_eq!(reply.json()["status"], "cancelled");
    wait_until("the store is empty", PATIENCE, || fleet.bucket.keys().is_empty());
    assert_eq!(fleet.api.job(&uuid)["status"], "cancelled");
    assert!(fleet.bucket.unfinished_uploads().is_none_or(|uploads| uploads == 0));
}

#[test]
fn the_bytes_are_the_laptops_in_every_format() {
    let fleet = Fleet::start(shared().fresh_bucket(), &harbour());
    let _worker = fleet.worker("worker", "2");
    let corpus = harbour();
    for format in ["jsonl", "json", "csv", "conll"] {
        let uuid = fleet.api.create(&json!({"project": "news", "format": format, "include_relations": true, "export_parameters": {"partitions": 3}}));
        fleet.api.wait_for(&uuid, "completed", PATIENCE);
        let theirs = fleet.api.get(&format!("/export/jobs/{uuid}/manifest")).json();
        spanfleet(
            fleet.work.path(),
            &["-q", "export", &corpus, "-f", format, "--include-relations", "-o", "direct"],
        )
        .ok();
        assert_eq!(
            only_sha256(&theirs),
            only_sha256(&manifest(&fleet.work.path().join("direct"))),
            "{format}"
        );
    }
}

#[test]
fn an_annotation_database_is_an_input() {
    let fleet = Fleet::start(shared().fresh_bucket(), &harbour());
    let database = fleet.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1.clone();
    let corpus = harbour();
    let filters = [
        "--filter",
        "label_ids=VESSEL,PERSON",
        "--filter",
        "date_from=2026-03-02",
        "--filter",
        "annotator_ids=maria",
    ];
    let mut shas = Vec::new();
    for input in [corpus, format!("{database}#news")] {
        let mut args = vec!["-q", "export", &input, "-f", "jsonl", "--include-relations", "-o", "out"];
        args.extend(filters);
        spanfleet(fleet.work.path(), &args).ok();
        let manifest = manifest(&fleet.work.path().join("out"));
        assert_nothing_vanished(&manifest);
        shas.push(only_sha256(&manifest));
    }
    assert_eq!(shas[0], shas[1]);
    let missing = format!("{database}#nowhere");
    spanfleet(fleet.work.path(), &["export", &missing, "-f", "jsonl", "-o", "out"]).fails(1, "`news`");
}

#[test]
fn an_old_s3_takes_exports_too() {
    let Some(radosgw) = &shared().radosgw else { return println!("skipped: radosgw is not installed") };
    let work = tempfile::tempdir().unwrap();
    let corpus = repeated_corpus(work.path(), 3_000);
    let bucket = radosgw.fresh_bucket();
    let fleet =
        Fleet::start_with(bucket, corpus.to_str().unwrap(), &[("SPANFLEET_S3_CHECKSUM", "when_required")]);
    let _worker = fleet.worker("worker", "2");
    let uuid = fleet.api.create(&json!({"project": "news", "format": "jsonl", "include_relations": true, "export_parameters": {"partitions": 5}}));
    fleet.api.wait_for(&uuid, "completed", LONG_PATIENCE);
    fleet.download(&uuid, "fleet");
    spanfleet(
        fleet.work.path(),
        &["-q", "export", corpus.to_str().unwrap(), "-f", "jsonl", "--include-relations", "-o", "direct"],
    )
    .ok();
    assert_eq!(
        only_sha256(&manifest(&fleet.work.path().join("fleet"))),
        only_sha256(&manifest(&fleet.work.path().join("direct")))
    );
}

#[test]
fn wrong_connections_are_named() {
    let work = tempfile::tempdir().unwrap();
    let bucket = shared().fresh_bucket();
    let env = settings(&bucket);
    let with = |name: &str, value: &str| {
        let mut env = env.clone();
        env.retain(|(known, _)| known != name);
        env.push((name.to_owned(), value.to_owned()));
        env
    };
    let run = |env: &[(String, String)], args: &[&str]| spanfleet_with(work.path(), env, args);
    run(&env, &["import", &harbour(), "--project", "news"]).fails(1, "spanfleet migrate");
    run(&env, &["dispatcher", "--listen", "127.0.0.1:0"]).fails(1, "spanfleet migrate");
    run(&env, &["migrate"]).ok();
    let no_bucket = with("ARTIFACTS_URL", "s3://no-such-bucket-here/exports");
    assert!(run(&no_bucket, &["doctor"]).out.contains("no-such-bucket-here"));
    run(&no_bucket, &["export", &harbour(), "-f", "jsonl", "-o", "s3://no-such-bucket-here/x"])
        .fails(1, "no-such-bucket-here");
    let wrong_key = with("AWS_SECRET_ACCESS_KEY", "canary-of-a-secret");
    let said = run(&wrong_key, &["doctor"]);
    assert!(said.out.contains("AWS_SECRET_ACCESS_KEY") && !said.out.contains("canary"), "{}", said.out);
    let broker = env.iter().find(|(name, _)| name == "AMQP_URL").unwrap().1.replacen(
        "test:test",
        "test:canary-of-a-secret",
        1,
    );
    let said = run(&with("AMQP_URL", &broker), &["doctor"]);
    assert!(said.out.contains("AMQP_URL") && !said.out.contains("canary"), "{}", said.out);
}
