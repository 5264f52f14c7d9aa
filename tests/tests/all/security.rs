//! Who may see what, and what nobody may see. The calls come from the API's own description, so that none can be
//! forgotten.

use std::{fs, path::Path};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use spanfleet_tests::{
    Client,
    command::{spanfleet, spanfleet_with},
    corpora::harbour,
};

use crate::serve::start;

/// What anybody may call: nothing of a project is in it, or the signature in the address is the permission.
const PUBLIC: [&str; 3] = ["/", "/openapi.json", "/artifacts/{job_uuid}/{*path}"];

/// Every call that takes a token, as method and path.
fn calls(api: &Client) -> Vec<(String, String)> {
    let document = api.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap().iter();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods: Vec<String> = methods.as_object().unwrap().keys().cloned().collect();
        methods.into_iter().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.flat_map(of_path).filter(|(_, path)| path.starts_with("/export/")).collect()
}

#[test]
fn every_route_is_described() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = start(work.path());
    let described = calls(&api);
    let router = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/dispatcher/src/http/mod.rs");
    let routes = fs::read_to_string(router).unwrap();
    let routes: Vec<&str> =
        routes.split(".route(\"").skip(1).map(|route| route.split_once('"').unwrap().0).collect();
    assert!(routes.len() > PUBLIC.len());
    for route in routes.iter().filter(|route| !PUBLIC.contains(route)) {
        assert!(described.iter().any(|(_, path)| path == route), "{route} is not in the API's description");
    }
}

/// Every call × nobody, a wrong token, a stranger's token.
#[test]
fn every_endpoint_refuses_strangers() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (_serve, owner) = start(work.path());
    let order = json!({"project": "harbour", "format": "jsonl"});
    let uuid = owner.create(&order);
    owner.wait_for(&uuid, "completed", std::time::Duration::from_mins(1));
    let with = |token: &str| Client { url: owner.url.clone(), token: token.to_owned() };
    let stranger = with(spanfleet(work.path(), &["token", "create", "--user", "eve"]).ok().out.trim());
    let before = owner.job(&uuid);
    let all = calls(&owner);
    assert!(all.len() >= 13, "{all:?}");
    for (method, path) in &all {
        let call = |client: &Client| {
            let body = (method == "POST").then(|| order.to_string());
            client.call(method, &path.replace("{job_uuid}", &uuid), body, &[])
        };
        for nobody in [with(""), with("sf_wrong"), with(&owner.token.to_uppercase())] {
            call(&nobody).is_problem(401, "token");
        }
        let reply = call(&stranger);
        match path.as_str() {
            _ if path.contains("{job_uuid}") => reply.is_problem(404, "no such job"),
            _ if method == "POST" => reply.is_problem(403, "no access"),
            "/export/jobs" => assert_eq!(reply.json()["jobs"], json!([])),
            "/export/formats" | "/export/templates/ml" => assert_eq!(reply.status, 200),
            _ => panic!("say here what a stranger gets of {method} {path}"),
        }
    }
    assert_eq!(owner.job(&uuid), before, "a stranger changed something");
}

/// Neither tokens nor signatures of links are in the database, the logs or what commands print.
#[test]
fn secrets_are_kept_nowhere() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (serve, api) = start(work.path());
    let uuid = api.create(&json!({"project": "harbour", "format": "jsonl"}));
    api.wait_for(&uuid, "completed", std::time::Duration::from_mins(1));
    let reply = api.get(&format!("/export/jobs/{uuid}/download"));
    let (_, signature) = reply.header("location").split_once("signature=").unwrap();
    let listed = spanfleet(work.path(), &["token", "list", "--json"]).ok().out;
    let mut said = format!("{listed}{}", serve.output().replace(&format!("/#token={}", api.token), ""));
    for entry in fs::read_dir(work.path().join("spanfleet-data")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("spanfleet.db") {
            said.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
        }
    }
    for secret in [api.token.as_str(), signature] {
        assert!(!said.contains(secret), "a secret is kept or said");
    }
}

/// What nobody may ever read.
const CANARY: &str = "canary-of-a-secret";
/// Settings that are wrong or lead to nobody, each with a secret in it. Nothing listens on port 9.
const WRONG: [(&str, &str); 14] = [
    ("DATABASE_URL", "postgres://ada:canary-of-a-secret@127.0.0.1:9/x"),
    ("DATABASE_URL", "postgres://ada:canary-of-a-secret@127.0.0.1:port/x"),
    ("DATABASE_URL", "postgres://127.0.0.1:9/x?user=ada&password=canary-of-a-secret"),
    ("DATABASE_URL", "postgres://ada:canary-of-a-secret@127.0.0.1:9/x?sslmode=wrong"),
    ("DATABASE_URL", "postgres:ada:canary-of-a-secret@127.0.0.1/x"),
    ("DATABASE_URL", "mysql://ada:canary-of-a-secret@127.0.0.1/x"),
    ("AMQP_URL", "amqp://ada:canary-of-a-secret@127.0.0.1:9/%2f"),
    ("AMQP_URL", "amqps://ada:canary-of-a-secret@127.0.0.1:9/%2f"),
    ("AMQP_URL", "amqp://ada:canary-of-a-secret@127.0.0.1:port/%2f"),
    ("AMQP_URL", "amqp://ada:canary-of-a-secret@127.0.0.1:9/%2f?heartbeat=never"),
    ("AMQP_URL", "http://ada:canary-of-a-secret@127.0.0.1:9/"),
    ("ARTIFACTS_URL", "s3://bucket/x"),
    ("ARTIFACTS_URL", "s3://ada:canary-of-a-secret@bucket/x"),
    ("ARTIFACTS_URL", "ftp://ada:canary-of-a-secret@127.0.0.1/x"),
];

/// Bad addresses and refused connections are told without their secrets, however much is logged.
#[test]
fn secrets_of_connections_are_never_said() {
    let work = tempfile::tempdir().unwrap();
    let around = [
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "ada"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
        ("AWS_SESSION_TOKEN", CANARY),
        ("SPANFLEET_LOG", "trace"),
    ];
    for (name, value) in WRONG {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut env: Vec<(String, String)> = around.iter().map(owned).collect();
        env.push(owned(&(name, value)));
        let input = format!("{value}#news");
        let mut commands = vec![vec!["doctor"]];
        if name == "DATABASE_URL" {
            commands.extend([vec!["migrate"], vec!["export", &input, "-f", "jsonl", "-o", "out"]]);
        }
        for args in commands {
            let said = spanfleet_with(work.path(), &env, &args);
            let words = format!("{}{}", said.out, said.err);
            assert!(
                !said.status.success() && !words.contains("canary"),
                "{name}={value}, {args:?}:\n{words}"
            );
        }
    }
}

/// Labels, ids and file names as strange as can be, and the paths that come of them.
#[test]
fn labels_and_file_names_reach_no_path() {
    let strange = prop_oneof![
        Just("../../etc/passwd".to_owned()),
        Just("/absolute".to_owned()),
        Just("a/b\\c".to_owned()),
        Just("..".to_owned()),
        Just("CON.".to_owned()),
        "[ -~]{1,20}",
        "\\PC{1,12}",
    ];
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(strange.clone(), strange.clone(), strange), |(id, label, name)| {
            check_paths(&id, &label, &name);
            Ok(())
        })
        .unwrap();
}

fn check_paths(id: &str, label: &str, name: &str) {
    let work = tempfile::tempdir().unwrap();
    let plain: String = name.chars().filter(|letter| !matches!(letter, '/' | '\0')).collect();
    let corpus = work.path().join(format!("x{plain}.jsonl"));
    let annotations = json!([{"start": 0, "end": 3, "label": label}]);
    let lines = [
        json!({"id": id, "text": "Ada met Bo.", "annotations": annotations}),
        json!({"id": "other", "text": "Bo."}),
    ];
    fs::write(&corpus, lines.map(|line| format!("{line}\n")).concat()).unwrap();
    for format in ["jsonl", "conll", "spacy", "brat", "webanno"] {
        let args = ["-q", "export", corpus.to_str().unwrap(), "-f", format, "-o", format];
        let said = spanfleet(work.path(), &args);
        if !said.status.success() {
            // Refused by name is fine; what was not refused must be safe.
            continue;
        }
        let out = work.path().join(format);
        for file in files(&out) {
            let path = file.strip_prefix(&out).unwrap().to_str().unwrap().to_owned();
            assert!(is_safe(&path, true), "{format} writes `{path}` for {id:?}, {label:?}");
            if file.extension().is_some_and(|extension| extension == "zip") {
                for entry in entries(&fs::read(&file).unwrap()) {
                    assert!(is_safe(&entry, false), "{format} packs `{entry}` for {id:?}, {label:?}");
                }
            }
        }
    }
    // The corpus and the folders of exports; nothing landed beside them.
    let beside = fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(beside.filter(|path| path.is_file()).collect::<Vec<_>>(), [corpus]);
}

/// Stays below its folder; a key is of plain letters too.
fn is_safe(path: &str, is_key: bool) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let safe = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && !segment.contains(['\\', '\0', ':'])
            && (!is_key || segment.chars().all(plain))
    };
    path.split('/').all(safe)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The names in a zip's central directory.
fn entries(zip: &[u8]) -> Vec<String> {
    let short = |at: usize| usize::from(u16::from_le_bytes([zip[at], zip[at + 1]]));
    let headers = zip.windows(4).enumerate().filter(|(_, window)| window == b"PK\x01\x02").map(|(at, _)| at);
    headers.map(|at| String::from_utf8_lossy(&zip[at + 46..at + 46 + short(at + 28)]).into_owned()).collect()
}
