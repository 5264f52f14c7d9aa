//! The API's answers to wrong and strange requests, on the embedded defaults: the rooms above the ports are
//! the same in the fleet.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use spanfleet_tests::{Client, Process, command::spanfleet, corpora::harbour, wait_until};

use crate::serve::start;

const PATIENCE: Duration = Duration::from_mins(1);
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// A server with one project, and a user who may use it.
fn with_member(folder: &Path) -> (Process, Client) {
    spanfleet(folder, &["import", &harbour(), "--project", "harbour"]).ok();
    let token = spanfleet(folder, &["token", "create", "--user", "ada", "--project", "harbour"]).ok().out;
    let (serve, api) = start(folder);
    (serve, Client { url: api.url, token: token.trim().to_owned() })
}

fn project_id(api: &Client) -> Value {
    let uuid = api.create(&json!({"project": "harbour", "format": "jsonl"}));
    api.job(&uuid)["project_id"].clone()
}

#[test]
fn requests_are_refused_by_name() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let project_id = project_id(&api);
    let create = |body: Value| api.post("/export/create-job", &body);
    create(json!({"project_id": project_id, "format": "word"})).is_problem(404, "format");
    create(json!({"project_id": project_id, "export_format_id": 999})).is_problem(404, "export_format_id");
    create(json!({"project_id": project_id})).is_problem(422, "export_format_id");
    create(json!({"project_id": "one", "format": "conll"})).is_problem(422, "project_id");
    create(json!({"project_id": project_id, "format": "conll", "colour": 1})).is_problem(422, "colour");
    create(json!({"project_id": project_id, "format": "conll", "export_parameters": {"label_scheme": "X"}}))
        .is_problem(422, "export_parameters.label_scheme");
    create(json!({"project_id": project_id, "format": "conll", "filter_criteria": {"texts": [1]}}))
        .is_problem(422, "filter_criteria.texts");
    create(json!({"project_id": project_id, "format": "conll", "expires_in": 0}))
        .is_problem(422, "expires_in");
    create(json!({"project_id": 999, "format": "conll"})).is_problem(403, "project_id");
    api.call("POST", "/export/create-job", Some("{".to_owned()), &[]).is_problem(400, "body");
    api.get(&format!("/export/jobs/{NOBODY}")).is_problem(404, "no such job");
    api.get("/export/jobs/not-a-uuid").is_problem(404, "no such job");
    api.get("/export/jobs?limit=0").is_problem(422, "limit");
    api.get("/export/jobs?status=lost").is_problem(422, "status");
    api.get("/nowhere").is_problem(404, "path");
    api.call("DELETE", "/export/formats", None, &[]).is_problem(405, "method");
    let large = format!("{{\"project_id\":1,\"format\":\"{}\"}}", "x".repeat(9 << 20));
    api.call("POST", "/export/create-job", Some(large), &[]).is_problem(413, "8 MiB");
}

#[test]
fn nobody_gets_in_without_a_token() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let uuid = api.create(&json!({"project": "harbour", "format": "jsonl"}));
    let project_id = api.job(&uuid)["project_id"].clone();
    let short = spanfleet(
        work.path(),
        &["token", "create", "--user", "bo", "--project", "harbour", "--expires-in", "1"],
    )
    .ok();
    let with = |token: &str| Client { url: api.url.clone(), token: token.to_owned() };
    let expiring = with(short.out.trim());
    for stranger in [with(""), with("sf_wrong")] {
        for path in ["/export/formats", "/export/templates/ml", "/export/jobs"] {
            stranger.get(path).is_problem(401, "token");
        }
    }
    wait_until("the token has expired", PATIENCE, || expiring.get("/export/formats").status == 401);
    expiring.get("/export/formats").is_problem(401, "expired");

    let other = with(spanfleet(work.path(), &["token", "create", "--user", "eve"]).ok().out.trim());
    for path in ["", "/files", "/manifest", "/download"] {
        other.get(&format!("/export/jobs/{uuid}{path}")).is_problem(404, "no such job");
    }
    for action in ["cancel", "retry"] {
        other.post(&format!("/export/jobs/{uuid}/{action}"), &json!({})).is_problem(404, "no such job");
    }
    other.call("DELETE", &format!("/export/jobs/{uuid}"), None, &[]).is_problem(404, "no such job");
    other
        .post("/export/create-job", &json!({"project_id": project_id, "format": "jsonl"}))
        .is_problem(403, "no access");
    other
        .post("/export/create-job", &json!({"project_id": 12345, "format": "jsonl"}))
        .is_problem(403, "no access");
    assert_eq!(other.get("/export/jobs").json()["jobs"], json!([]));
}

#[test]
fn a_revoked_token_is_no_token() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    assert_eq!(api.get("/export/jobs").status, 200);
    let listed = spanfleet(work.path(), &["token", "list", "--json"]).ok().out;
    assert!(!listed.contains(&api.token));
    let tokens: Value = serde_json::from_str(&listed).unwrap();
    let own = tokens.as_array().unwrap().iter().find(|token| token["user"] == "ada").unwrap();
    spanfleet(work.path(), &["token", "revoke", &own["id"].to_string()]).ok();
    api.get("/export/jobs").is_problem(401, "revoked");
    spanfleet(work.path(), &["token", "revoke", "999"]).fails(1, "999");
}

#[test]
fn the_same_key_is_the_same_job() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let ask = |format: &str| {
        let body = json!({"project": "harbour", "format": format}).to_string();
        api.call("POST", "/export/create-job", Some(body), &[("idempotency-key", "k1")])
    };
    let (first, second) = (ask("jsonl"), ask("jsonl"));
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.json()["job_uuid"], second.json()["job_uuid"]);
    ask("conll").is_problem(409, "Idempotency-Key");
}

#[test]
fn the_specification_endpoints_answer() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let formats = api.get("/export/formats").json();
    let conll = formats.as_array().unwrap().iter().find(|format| format["format_name"] == "conll").unwrap();
    for column in [
        "format_type",
        "format_schema",
        "transformation_rules",
        "output_structure",
        "is_ml_ready",
        "supports_streaming",
        "compression_options",
        "file_extensions",
        "metadata",
    ] {
        assert!(!conll[column].is_null(), "{column} in {conll:#}");
    }
    assert!(
        api.get("/export/formats?ml_ready=true").json().as_array().unwrap().len()
            < formats.as_array().unwrap().len()
    );
    assert!(api.get("/export/templates/ml?framework=spacy").json().is_array());
    let uuid = api.create(&json!({
        "project": "harbour", "export_format_id": conll["id"], "export_parameters": {"compression": "gzip"},
        "filter_criteria": {}, "include_metadata": true, "include_relations": true, "include_hierarchies": false
    }));
    let job = api.wait_for(&uuid, "completed", PATIENCE);
    assert_eq!(job["compression_used"], "gzip");
    assert_eq!(job["progress_percentage"], 100.0);
    assert!(job["output_file_path"].as_str().unwrap().ends_with("train.conll.gz"));
    assert!(job["losses"].as_array().unwrap().iter().any(|loss| loss["reason"] == "overlap"));
    assert!(job["completed_at"].as_str().unwrap().ends_with('Z'));
    let manifest = api.get(&format!("/export/jobs/{uuid}/manifest")).json();
    assert_eq!(manifest["job_uuid"], uuid.as_str());
    assert_eq!(manifest["format"]["type"], "conll");
    let page = api.get("/export/jobs?limit=1").json();
    assert_eq!(page["jobs"][0]["job_uuid"], uuid.as_str());
    for probe in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(Client { url: api.url.clone(), token: String::new() }.get(probe).status, 200, "{probe}");
    }
}

#[test]
fn jobs_are_listed_by_cursor() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let mut created: Vec<String> =
        (0..5).map(|_| api.create(&json!({"project": "harbour", "format": "jsonl"}))).collect();
    created.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/export/jobs?limit=2{cursor}")).json();
        seen.extend(
            page["jobs"].as_array().unwrap().iter().map(|job| job["job_uuid"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, created);
}

#[test]
fn an_export_expires() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let uuid = api.create(&json!({"project": "harbour", "format": "jsonl", "expires_in": 3}));
    api.get(&format!("/export/jobs/{uuid}/files"));
    wait_until("the export has expired", PATIENCE, || api.job(&uuid)["status"] == "expired");
    api.get(&format!("/export/jobs/{uuid}/download")).is_problem(410, "expired");
    let folder = work.path().join("spanfleet-data/artifacts").join(&uuid);
    wait_until("the folder is gone", PATIENCE, || !folder.exists());
}

#[test]
fn a_poison_text_fails_the_job_with_its_id_and_a_removed_job_is_gone() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = with_member(work.path());
    let poison = api
        .create(&json!({"project": "harbour", "format": "conll", "export_parameters": {"overlap": "error"}}));
    let job = api.wait_for(&poison, "failed", PATIENCE);
    assert!(job["error_message"].as_str().unwrap().contains("gazette-002"), "{job:#}");
    api.get(&format!("/export/jobs/{poison}/download")).is_problem(409, "failed");
    api.post(&format!("/export/jobs/{poison}/cancel"), &json!({})).is_problem(409, "failed");
    let good = api.create(&json!({"project": "harbour", "format": "csv"}));
    api.wait_for(&good, "completed", PATIENCE);
    assert_eq!(api.call("DELETE", &format!("/export/jobs/{good}"), None, &[]).json()["status"], "expired");
    api.get(&format!("/export/jobs/{good}/download")).is_problem(410, "expired");
}
