//! Exports shaped for training: steps, annotators, splits, templates, previews.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use spanfleet_tests::{command::spanfleet, corpora::harbour};

use crate::{
    serve::start,
    support::{assert_nothing_vanished, manifest},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// Exports a corpus as JSON lines and returns its records.
fn records(folder: &Path, corpus: &str, flags: &[&str]) -> Vec<Value> {
    let mut args = vec!["-q", "export", corpus, "--format", "jsonl", "--include-relations", "--out", "out"];
    args.extend(flags);
    spanfleet(folder, &args).ok();
    assert_nothing_vanished(&manifest(&folder.join("out")));
    let lines = fs::read_to_string(folder.join("out/train.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn surfaces(record: &Value) -> Vec<String> {
    let text: Vec<char> = record["text"].as_str().unwrap().chars().collect();
    let of = |annotation: &Value| {
        let at = |key: &str| annotation[key].as_u64().map(|at| at as usize);
        at("start").zip(at("end")).map(|(start, end)| text[start..end].iter().collect())
    };
    record["annotations"].as_array().unwrap().iter().filter_map(of).collect()
}

const CORPUS: &str = r#"{"id":"1","text":"Ada  met\n Bo Li. Bo left.","annotations":[{"start":0,"end":3,"label":"PER","annotator":"ann","confidence":0.9},{"start":10,"end":15,"label":"PER","annotator":"ann","confidence":0.2},{"start":0,"end":3,"label":"PER","annotator":"bob"},{"start":10,"end":12,"label":"ORG","annotator":"bob"}]}
{"id":"2","text":"Ada  met\n Bo Li. Bo left.","annotations":[{"start":17,"end":19,"label":"PER","annotator":"ann"}]}
{"id":"3","text":"Nobody."}
"#;

fn corpus(folder: &Path) -> String {
    let path = folder.join("corpus.jsonl");
    fs::write(&path, CORPUS).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn offsets_move_along_with_every_step() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path());
    let steps = r#"preprocessing=["collapse_whitespace","split_sentences","lowercase","drop_unannotated"]"#;
    let found = records(work.path(), &corpus, &["--set", steps]);
    let shown: Vec<_> =
        found.iter().map(|record| (record["id"].as_str().unwrap(), surfaces(record).join("|"))).collect();
    assert_eq!(shown, [("1#0", "ada|bo li|ada|bo".to_owned()), ("2#1", "bo".to_owned())]);
}

#[test]
fn duplicates_and_the_unsure_are_counted_losses() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path());
    for partitions in ["partitions=1", "partitions=3"] {
        let steps = r#"preprocessing=["deduplicate",{"min_confidence":0.5}]"#;
        let found = records(work.path(), &corpus, &["--set", steps, "--set", partitions]);
        let ids: Vec<_> = found.iter().map(|record| record["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["1", "3"]);
        let losses = manifest(&work.path().join("out"))["losses"].clone();
        let counts: BTreeMap<String, u64> = losses
            .as_array()
            .unwrap()
            .iter()
            .map(|loss| {
                let key = format!("{} {}", loss["reason"].as_str().unwrap(), loss["kind"].as_str().unwrap());
                (key, loss["count"].as_u64().unwrap())
            })
            .collect();
        let expected = [("adjudicated annotation", 1), ("duplicate annotation", 1), ("duplicate text", 1)];
        assert_eq!(counts, expected.map(|(key, count)| (key.to_owned(), count)).into());
    }
}

#[test]
fn annotators_agree_or_have_texts_of_their_own() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path());
    let found = records(work.path(), &corpus, &["--set", "annotators=majority"]);
    assert_eq!(surfaces(&found[0]), ["Ada"]);
    let found = records(work.path(), &corpus, &["--set", "annotators=each"]);
    let ids: Vec<_> = found.iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1@ann", "1@bob", "2@ann", "3"]);
}

#[test]
fn a_group_falls_into_one_split_whether_metadata_is_exported_or_not() {
    let work = tempfile::tempdir().unwrap();
    let lines: String = (0..200)
        .map(|at| {
            json!({"id": format!("t{at}"), "text": "x", "metadata": {"doc": at / 10}}).to_string() + "\n"
        })
        .collect();
    fs::write(work.path().join("groups.jsonl"), lines).unwrap();
    let split = r#"split={"train":0.5,"test":0.5,"group_by":"metadata.doc"}"#;
    let args = [
        "-q",
        "export",
        "groups.jsonl",
        "--format",
        "jsonl",
        "--no-metadata",
        "--set",
        split,
        "--out",
        "out",
    ];
    spanfleet(work.path(), &args).ok();
    let mut splits: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for split in ["train", "test"] {
        let text = fs::read_to_string(work.path().join(format!("out/{split}.jsonl"))).unwrap();
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            assert!(record["metadata"].is_null());
            let number: u64 = record["id"].as_str().unwrap()[1..].parse().unwrap();
            splits.entry(number / 10).or_default().push(split);
        }
    }
    assert_eq!(splits.len(), 20);
    for of_group in splits.values_mut() {
        of_group.dedup();
        assert_eq!(of_group.len(), 1);
    }
}

#[test]
fn wrong_steps_are_usage_errors() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path());
    let export = |set: &str| {
        spanfleet(work.path(), &["export", &corpus, "--format", "jsonl", "--set", set, "--out", "out"])
    };
    export("preprocessing=[\"shout\"]").fails(2, "split_sentences");
    export("annotators=loudest").fails(2, "majority");
}

#[test]
fn a_template_stands_for_a_format_and_brings_its_loader() {
    let work = tempfile::tempdir().unwrap();
    let template = "scikit_learn/language_modeling";
    let args = ["-q", "export", &harbour(), "--template", template, "--out", "out"];
    spanfleet(work.path(), &args).ok();
    assert_eq!(manifest(&work.path().join("out"))["options"]["template"], template);
    let script = fs::read_to_string(work.path().join("out/load.py")).unwrap();
    let listed = spanfleet(work.path(), &["templates", "--json"]).ok().out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let listed = listed["templates"].as_array().unwrap();
    // Five frameworks and `custom`, five tasks each.
    assert_eq!(listed.len(), 30);
    assert!(listed.iter().any(|row| row["template"] == template && row["example_usage"] == script.as_str()));
    let compiled =
        Command::new("python3").args(["-m", "py_compile", "out/load.py"]).current_dir(work.path()).status();
    assert!(compiled.unwrap().success());
}

#[test]
fn the_manifest_carries_a_data_card() {
    let work = tempfile::tempdir().unwrap();
    let corpus = corpus(work.path());
    let card = |flags: &[&str]| {
        let mut args = vec!["-q", "export", &corpus, "--format", "conll", "--out", "out"];
        args.extend(flags);
        spanfleet(work.path(), &args).ok();
        manifest(&work.path().join("out"))["card"].clone()
    };
    let found = card(&[]);
    // Of text 1, conll writes one of two equal spans and one of two that overlap.
    let labels =
        json!([{"label": "PER", "annotations": 3, "texts": 2, "share": 1.0, "splits": {"train": 3}}]);
    assert_eq!(found["labels"], labels);
    assert_eq!(found["splits"], json!({"train": {"texts": 3, "annotations": 3}}));
    assert_eq!((&found["text_chars"]["max"], &found["text_chars"]["p50"]), (&json!(25), &json!(25)));
    assert_eq!((&found["span_chars"]["min"], &found["span_chars"]["max"]), (&json!(2), &json!(5)));
    let ann = json!({"name": "ann", "texts": 2, "annotations": 3});
    assert_eq!((&found["annotators"][0], &found["annotators_in_all"]), (&ann, &json!(2)));
    // Only text 1 has two annotators: they share one extent of three, with the same label.
    let agreement = json!({"texts": 1, "units": 3, "f1": 0.5, "labels": {"ORG": 0.0, "PER": 0.6667},
        "krippendorff_alpha": found["agreement"]["krippendorff_alpha"]});
    assert_eq!(found["agreement"], agreement);
    assert!(found["leakage"].is_null());
    for partitions in ["partitions=1", "partitions=3"] {
        assert_eq!(card(&["--set", partitions]), found, "{partitions}");
    }
    // Texts 1 and 2 are the same; whatever the split, they leak when they fall apart.
    let split = |salt: usize| format!("train=0.{salt},dev=0.{}", 10 - salt);
    let leaks = (1..10).map(|salt| card(&["--split", &split(salt)])["leakage"]["texts"].as_u64().unwrap());
    let leaks: Vec<u64> = leaks.collect();
    assert!(leaks.contains(&2) && leaks.iter().all(|texts| [0, 2].contains(texts)), "{leaks:?}");
}

#[test]
fn stratified_splits_hold_and_stay() {
    let work = tempfile::tempdir().unwrap();
    let export = |texts: usize, flags: &[&str]| -> (BTreeMap<String, String>, Value) {
        let line = |nth: usize| {
            let label = if nth.is_multiple_of(25) { "RARE" } else { "COMMON" };
            format!(
                "{{\"id\":\"t{nth}\",\"text\":\"Ada\",\"annotations\":[{{\"start\":0,\"end\":3,\"label\":\"{label}\"}}]}}\n"
            )
        };
        fs::write(work.path().join("in.jsonl"), (0..texts).map(line).collect::<String>()).unwrap();
        let mut args = vec!["-q", "export", "in.jsonl", "--format", "jsonl", "--out", "out", "--split"];
        args.push("train=0.8,dev=0.1,test=0.1,stratify_by=label,tolerance=0.02");
        args.extend(flags);
        spanfleet(work.path(), &args).ok();
        let of_split = |split: &str| {
            let lines =
                fs::read_to_string(work.path().join(format!("out/{split}.jsonl"))).unwrap_or_default();
            let ids = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone());
            ids.map(|id| (id.as_str().unwrap().to_owned(), split.to_owned())).collect::<Vec<_>>()
        };
        let splits = ["train", "dev", "test"].into_iter().flat_map(of_split).collect();
        (splits, manifest(&work.path().join("out"))["card"].clone())
    };
    let (first, card) = export(500, &[]);
    assert_eq!(card["stratification"]["is_within_tolerance"], true, "{card:#}");
    let rare = card["labels"].as_array().unwrap().iter().find(|label| label["label"] == "RARE").unwrap();
    assert_eq!(rare["splits"], json!({"train": 16, "dev": 2, "test": 2}));
    let (later, _) = export(900, &["--set", "partitions=7"]);
    assert!(later.len() == 900 && first.iter().all(|(id, split)| later[id] == *split));
    // Whatever the filter.
    let (filtered, _) = export(900, &["--filter", "labels=RARE", "--filter", "has_annotations=true"]);
    assert!(filtered.len() == 36 && filtered.iter().all(|(id, split)| later[id] == *split));
}

#[test]
fn a_preview_is_the_beginning_of_the_export() {
    let work = tempfile::tempdir().unwrap();
    let said = spanfleet(work.path(), &["preview", &harbour(), "--format", "conll", "-n", "2"]).ok();
    spanfleet(work.path(), &["-q", "export", &harbour(), "--format", "conll", "--out", "out"]).ok();
    let whole = fs::read_to_string(work.path().join("out/train.conll")).unwrap();
    assert!(whole.starts_with(&said.out) && said.out.len() > 10, "{}", said.out);
    assert!(said.err.contains("texts        2 of 2"), "{}", said.err);
}

#[test]
fn the_api_previews_counts_templates_and_tells_events() {
    let work = tempfile::tempdir().unwrap();
    spanfleet(work.path(), &["import", &harbour(), "--project", "harbour"]).ok();
    let (_serve, api) = start(work.path());
    let shown = api.post("/export/preview?texts=1", &json!({"project": "harbour", "format": "jsonl"}));
    assert_eq!(shown.status, 200);
    let shown = shown.json();
    assert_eq!((&shown["encoding"], &shown["counts"]["texts"]), (&json!("utf-8"), &json!(1)));
    assert_eq!(shown["content"].as_str().unwrap().lines().count(), 1);
    assert_eq!(shown["selected"], json!({"texts": 12, "annotations": 60}));
    let vessels = json!({"labels": ["VESSEL"], "has_annotations": true});
    let asked = json!({"project": "harbour", "format": "jsonl", "filter_criteria": vessels});
    let created = api.post("/export/create-job", &asked).json();
    let matched = created["selected"].clone();
    assert_eq!(matched["annotations"], 5);
    let uuid = created["job_uuid"].as_str().unwrap();
    let job = api.wait_for(uuid, "completed", PATIENCE);
    assert_eq!(job["selected"], matched);
    assert_eq!(job["counts"]["texts_selected"], matched["texts"]);
    api.post("/export/preview?texts=0", &json!({"project": "harbour", "format": "jsonl"}))
        .is_problem(422, "texts");
    api.post("/export/preview", &json!({"project": "nowhere", "format": "jsonl"}))
        .is_problem(403, "project_id");

    let template = "spacy/language_modeling";
    let uuid = api.create(&json!({"project": "harbour", "template": template}));
    api.wait_for(&uuid, "completed", PATIENCE);
    let rows = api.get("/export/templates/ml?framework=spacy&task_type=language_modeling").json();
    assert_eq!(rows[0]["usage_count"], 1);
    api.post("/export/create-job", &json!({"project": "harbour", "template": "a/b"}))
        .is_problem(404, "template");

    let path = format!("/export/jobs/{uuid}/events");
    let events = String::from_utf8(api.get(&path).body).unwrap();
    let id = events.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    assert!(events.contains("event: end") && events.contains(&uuid), "{events}");
    let again = api.call("GET", &path, None, &[("last-event-id", &id)]);
    assert_eq!((again.status, again.body.len()), (200, 0));
}

#[test]
fn the_api_describes_itself() {
    let work = tempfile::tempdir().unwrap();
    let (_serve, api) = start(work.path());
    let stranger = spanfleet_tests::Client { url: api.url.clone(), token: String::new() };
    let described = stranger.get("/openapi.json").json();
    assert_eq!(described["openapi"], "3.1.0");
    for (path, calls) in described["paths"].as_object().unwrap() {
        let path = path.replace("{job_uuid}", "00000000-0000-4000-8000-000000000000");
        for method in calls.as_object().unwrap().keys() {
            // It exists and wants a token.
            let reply = stranger.call(&method.to_uppercase(), &path, None, &[]);
            reply.is_problem(401, "Bearer");
        }
    }
    spanfleet(work.path(), &["health", "--url", &api.url]).ok();
    spanfleet(work.path(), &["health", "--url", "http://127.0.0.1:1"]).fails(1, "healthz");
}
