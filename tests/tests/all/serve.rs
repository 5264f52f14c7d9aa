//! `spanfleet serve` on the embedded defaults: the same jobs with no server at all.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::json;
use spanfleet_tests::{
    Client, Process,
    command::{spanfleet, spanfleet_with},
    corpora::harbour,
};

use crate::support::{manifest, only_sha256};

const PATIENCE: Duration = Duration::from_mins(1);

/// Starts `serve` in a folder and finds its address and token in what it prints.
pub(crate) fn start(folder: &Path) -> (Process, Client) {
    start_with(folder, &[])
}

/// The same with settings.
pub(crate) fn start_with(folder: &Path, env: &[(&str, &str)]) -> (Process, Client) {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let serve = Process::spanfleet("serve", folder).envs(env).args(["serve", "--listen", "127.0.0.1:0"]);
    let mut serve = serve.start();
    let line = serve.wait_for_line("spanfleet serves", PATIENCE);
    let (url, token) = line.rsplit_once("/#token=").unwrap();
    let url = url.rsplit_once(' ').unwrap().1.to_owned();
    (serve, Client { url, token: token.trim().to_owned() })
}

#[test]
fn a_laptop_serves_jobs() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let said = spanfleet(work.path(), &["import", &corpus, "--project", "harbour"]).ok();
    assert!(said.out.contains("12 new"), "{}", said.out);
    let (mut serve, api) = start(work.path());
    assert_eq!(fs::read_to_string(work.path().join("spanfleet-data/token")).unwrap().trim(), api.token);

    let env = [("SPANFLEET_URL".to_owned(), api.url.clone())];
    let args =
        ["jobs", "create", "--project", "harbour", "--format", "conll", "--set", "partitions=3", "--wait"];
    let uuid = spanfleet_with(work.path(), &env, &args).ok().out.trim().to_owned();
    assert_eq!(uuid.len(), 36, "{uuid}");
    spanfleet_with(work.path(), &env, &["jobs", "download", &uuid, "--out", "fetched"]).ok();
    spanfleet(work.path(), &["-q", "export", &corpus, "--format", "conll", "--out", "direct"]).ok();
    let sha = |folder: &str| only_sha256(&manifest(&work.path().join(folder)));
    assert_eq!(sha("fetched"), sha("direct"));

    assert!(spanfleet_with(work.path(), &env, &["jobs", "list"]).ok().out.contains(&uuid));
    assert!(spanfleet_with(work.path(), &env, &["jobs", "show", &uuid]).ok().out.contains("completed"));
    assert_eq!(
        api.job(&uuid)["download_count"],
        api.get(&format!("/export/jobs/{uuid}/files")).json()["files"].as_array().unwrap().len()
    );
    serve.signal(Signal::TERM);
    assert!(serve.wait_for_end(PATIENCE).success());
}

#[test]
fn links_of_a_directory_work_and_can_not_be_forged() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (_serve, api) = start(work.path());
    let uuid = api.create(&json!({"project": "harbour", "format": "csv"}));
    api.wait_for(&uuid, "completed", PATIENCE);
    let reply = api.get(&format!("/export/jobs/{uuid}/download"));
    assert_eq!(reply.status, 302);
    let link = reply.header("location").to_owned();
    let stranger = Client { url: api.url.clone(), token: String::new() };
    let whole = stranger.get(&link);
    assert_eq!(whole.status, 200);
    assert_eq!(whole.body.len().to_string(), whole.header("content-length"));
    let rest = stranger.call("GET", &link, None, &[("range", "bytes=10-")]);
    assert_eq!((rest.status, rest.body.as_slice()), (206, &whole.body[10..]));
    stranger.get(&link.replace("train.csv", "manifest.json")).is_problem(403, "not valid");
    assert_eq!(api.job(&uuid)["download_count"], 1);
}

#[test]
fn whoever_asked_is_told_of_the_end() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let env = [("SPANFLEET_WEBHOOK_SECRET", "canary-of-a-secret"), ("SPANFLEET_WEBHOOK_PRIVATE", "true")];
    let (serve, api) = start_with(work.path(), &env);
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook?key=canary-of-a-key", receiver.local_addr().unwrap());
    let uuid = api.create(&json!({"project": "harbour", "format": "csv", "webhook_url": address}));
    // The first call fails, hence a second one.
    let mut calls = Vec::new();
    for status in ["500 Internal Server Error", "204 No Content"] {
        let (mut stream, _) = receiver.accept().unwrap();
        calls.push(read_request(&mut stream));
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    }
    for (at, (head, body)) in calls.iter().enumerate() {
        let told: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&told["event"], &told["job"]["job_uuid"]), (&json!("job.completed"), &json!(uuid)));
        assert_eq!(told["delivery"], format!("{uuid}-{}", at + 1));
        assert!(head.contains("x-spanfleet-signature: t=") && head.contains(",v1="), "{head}");
    }
    assert!(!serve.output().contains("canary"), "{}", serve.output());
    api.post("/export/create-job", &json!({"project": "harbour", "format": "csv", "webhook_url": "ftp://x"}))
        .is_problem(422, "webhook_url");
}

/// Head, in lower case, and body of one HTTP request.
fn read_request(stream: &mut TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        head.push_str(&line.to_lowercase());
        line.clear();
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[test]
fn broken_promises_are_found() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (_serve, api) = start(work.path());
    let uuid = api.create(&json!({"project": "harbour", "format": "csv"}));
    api.wait_for(&uuid, "completed", PATIENCE);
    let fsck = |flags: &[&str]| spanfleet(work.path(), &[&["fsck"], flags].concat());
    assert!(fsck(&["--deep"]).ok().out.contains("1 jobs, 0 violations"));
    let file = work.path().join("spanfleet-data/artifacts").join(&uuid).join("train.csv");
    let mut bytes = fs::read(&file).unwrap();
    bytes[0] ^= 1;
    fs::write(&file, &bytes).unwrap();
    fsck(&[]).ok();
    let said = fsck(&["--deep"]);
    assert!(said.out.contains("I1") && said.out.contains("SHA-256"), "{}", said.out);
    said.fails(1, "promises");
    fs::remove_file(&file).unwrap();
    let said = fsck(&["--json"]);
    assert!(said.out.contains("is gone"), "{}", said.out);
    said.fails(1, "promises");
}

#[test]
fn orphans_are_found_and_only_they_are_deleted() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (_serve, api) = start(work.path());
    let uuid = api.create(&json!({"project": "harbour", "format": "csv"}));
    api.wait_for(&uuid, "completed", PATIENCE);
    let artifacts = work.path().join("spanfleet-data/artifacts");
    let late = artifacts.join(&uuid).join("parts/0.7.train");
    let unknown = artifacts.join("00000000-0000-4000-8000-000000000000/train.csv");
    let notes = artifacts.join("notes.txt");
    for file in [&late, &unknown, &notes] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "left behind").unwrap();
    }
    let fsck = |flags: &[&str]| spanfleet(work.path(), &[&["fsck", "--orphans"], flags].concat()).ok().out;
    assert!(fsck(&[]).contains("0 orphans"), "they are young");
    let said = fsck(&["--older-than", "0"]);
    assert!(said.contains("parts/0.7.train") && said.contains("no such job"), "{said}");
    assert!(said.contains("2 orphans of 22 bytes left where they are"), "{said}");
    assert!(late.exists() && unknown.exists());
    fsck(&["--older-than", "0", "--delete"]);
    assert!(!late.exists() && !unknown.exists() && notes.exists());
    assert!(fsck(&["--older-than", "0", "--json"]).starts_with("[]"));
    spanfleet(work.path(), &["fsck", "--deep"]).ok();
}

#[test]
fn an_import_twice_changes_nothing() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    spanfleet(work.path(), &["import", &corpus, "--project", "harbour"]).ok();
    let again = spanfleet(work.path(), &["import", &corpus, "--project", "harbour", "--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((&report["texts_new"], &report["texts_unchanged"]), (&json!(0), &json!(12)), "{report}");
}

#[test]
fn doctor_is_content_with_the_defaults() {
    let work = tempfile::tempdir().unwrap();
    let said = spanfleet(work.path(), &["doctor"]).ok();
    assert_eq!(said.out.lines().filter(|line| line.starts_with("ok")).count(), 3, "{}", said.out);
}

#[test]
fn lines_about_a_task_name_it() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (serve, api) = start_with(work.path(), &[("SPANFLEET_LOG_FORMAT", "json")]);
    let uuid =
        api.create(&json!({"project": "harbour", "format": "conll", "export_parameters": {"partitions": 2}}));
    api.wait_for(&uuid, "completed", PATIENCE);
    let ends = || {
        let said = serve.output();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.filter(|line| line["message"] == "end").map(|line| line["span"].clone()).collect::<Vec<_>>()
    };
    spanfleet_tests::wait_until("the last task has said its end", PATIENCE, || ends().len() == 4);
    for span in ends() {
        assert_eq!(span["job"], uuid.as_str());
        assert!(span["fence"].is_u64() && span["partition"].is_u64() && span["kind"].is_string(), "{span}");
    }
}
