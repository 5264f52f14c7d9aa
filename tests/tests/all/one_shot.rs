//! `spanfleet export` on a laptop.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use spanfleet_tests::{command::spanfleet, corpora::harbour, process::program_of_the_tests};

use crate::support::{assert_nothing_vanished, manifest, only_sha256};

#[test]
fn the_bytes_do_not_depend_on_jobs_and_partitions() {
    let work = tempfile::tempdir().unwrap();
    for format in ["jsonl", "json", "csv", "conll"] {
        let mut shas = Vec::new();
        for (jobs, partitions) in [("1", "1"), ("1", "5"), ("4", "5"), ("2", "12"), ("4", "auto")] {
            let partitions = format!("partitions={partitions}");
            let corpus = harbour();
            let args = [
                "-q",
                "export",
                &corpus,
                "--format",
                format,
                "--include-relations",
                "--jobs",
                jobs,
                "--set",
                &partitions,
                "--out",
                "out",
            ];
            spanfleet(work.path(), &args).ok();
            shas.push(only_sha256(&manifest(&work.path().join("out"))));
        }
        shas.dedup();
        assert_eq!(shas.len(), 1, "{format}");
    }
}

#[test]
fn compressed_files_hold_the_same() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    for (compression, ending) in [("none", ""), ("gzip", ".gz"), ("zstd", ".zst")] {
        let args = [
            "-q",
            "export",
            &corpus,
            "--format",
            "conll",
            "--compression",
            compression,
            "--set",
            "partitions=4",
            "--out",
            compression,
        ];
        spanfleet(work.path(), &args).ok();
        assert!(work.path().join(compression).join(format!("train.conll{ending}")).is_file());
    }
    let plain = fs::read(work.path().join("none/train.conll")).unwrap();
    let gzip = Command::new("gzip").arg("-dc").arg(work.path().join("gzip/train.conll.gz")).output().unwrap();
    assert!(gzip.status.success() && gzip.stdout == plain);
}

#[test]
fn a_jsonl_export_is_a_corpus_again() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let set = "hierarchy=path";
    spanfleet(
        work.path(),
        &["-q", "export", &corpus, "-f", "jsonl", "--include-relations", "-s", set, "-o", "first"],
    )
    .ok();
    spanfleet(
        work.path(),
        &[
            "-q",
            "export",
            "first/train.jsonl",
            "-f",
            "jsonl",
            "--include-relations",
            "-s",
            set,
            "-o",
            "second",
        ],
    )
    .ok();
    let read = |folder: &str| fs::read(work.path().join(folder).join("train.jsonl")).unwrap();
    assert!(read("first") == read("second"));
}

#[test]
fn standard_input_is_an_input() {
    let work = tempfile::tempdir().unwrap();
    let mut command = Command::new(program_of_the_tests("spanfleet"));
    command.current_dir(work.path()).args(["-q", "export", "-", "--format", "conll", "--out", "out"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(harbour()).unwrap()).unwrap();
    assert!(child.wait().unwrap().success());
    let corpus = harbour();
    spanfleet(work.path(), &["-q", "export", &corpus, "--format", "conll", "--out", "file"]).ok();
    assert_eq!(
        only_sha256(&manifest(&work.path().join("out"))),
        only_sha256(&manifest(&work.path().join("file")))
    );
}

#[test]
fn splits_share_the_texts_and_stay() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let args = [
        "-q",
        "export",
        &corpus,
        "-f",
        "jsonl",
        "--split",
        "train=0.5,dev=0.5",
        "-s",
        "partitions=3",
        "-o",
        "out",
    ];
    spanfleet(work.path(), &args).ok();
    let first = manifest(&work.path().join("out"));
    let files = first["files"].as_array().unwrap();
    assert_eq!(files.iter().map(|file| file["texts"].as_u64().unwrap()).sum::<u64>(), 12);
    assert_eq!(
        files.iter().map(|file| file["path"].as_str().unwrap()).collect::<Vec<_>>(),
        ["dev.jsonl", "train.jsonl"]
    );
    let args = [
        "-q",
        "export",
        &corpus,
        "-f",
        "jsonl",
        "--split",
        "train=0.5,dev=0.5",
        "-s",
        "partitions=1",
        "-o",
        "again",
    ];
    spanfleet(work.path(), &args).ok();
    assert_eq!(first["files"], manifest(&work.path().join("again"))["files"]);
}

#[test]
fn filters_and_inclusions_hold() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    let export = |filters: &[&str]| {
        let mut args = vec!["-q", "export", &corpus, "-f", "jsonl", "-o", "out"];
        args.extend(filters);
        spanfleet(work.path(), &args).ok();
        let manifest = manifest(&work.path().join("out"));
        assert_nothing_vanished(&manifest);
        let count = |key: &str| manifest["counts"][key].as_u64().unwrap();
        (count("texts"), count("annotations_written"), count("relations_written"))
    };
    assert_eq!(export(&[]), (12, 60, 0));
    assert_eq!(export(&["--include-relations"]), (12, 60, 8));
    assert_eq!(export(&["--filter", "text_ids=gazette-004,letters-002"]), (2, 6, 0));
    assert_eq!(export(&["--filter", "annotator_ids=jonas"]), (12, 4, 0));
    assert_eq!(export(&["--filter", "label_ids=VESSEL"]).1, 5);
    assert_eq!(export(&["--filter", "date_to=2026-03-01"]).1, 0);
    assert_eq!(
        export(&["--filter", "date_from=2026-03-01", "--filter", "date_to=2026-03-01T23:59:59Z"]).1,
        5
    );
    assert_eq!(export(&["--filter", "labels=VESSEL"]).1, 5);
    assert_eq!(export(&["--filter", "labels=VESSEL", "--filter", "has_annotations=true"]).1, 5);
    fs::write(work.path().join("ids"), "gazette-004\nletters-002\n").unwrap();
    assert_eq!(export(&["--filter", "text_ids=@ids"]), (2, 6, 0));
    let told =
        spanfleet(work.path(), &["export", &corpus, "-f", "jsonl", "-o", "out", "--filter", "text_ids=@ids"]);
    assert!(told.ok().err.contains("the filter matches 2 texts, 6 annotations"));
    export(&["--no-metadata", "--include-hierarchies"]);
    let record: serde_json::Value = serde_json::from_str(
        fs::read_to_string(work.path().join("out/train.jsonl")).unwrap().lines().next().unwrap(),
    )
    .unwrap();
    assert!(record["metadata"].is_null());
    assert_eq!(record["annotations"][1]["label_path"], "PLACE/City");
    assert_eq!(record["annotations"][1]["label"], "City");
}

#[test]
fn an_earlier_export_is_replaced_whole() {
    let work = tempfile::tempdir().unwrap();
    let corpus = harbour();
    spanfleet(
        work.path(),
        &["-q", "export", &corpus, "-f", "conll", "--split", "train=0.5,dev=0.5", "-o", "out"],
    )
    .ok();
    spanfleet(work.path(), &["-q", "export", &corpus, "-f", "csv", "-o", "out"]).ok();
    let mut names: Vec<_> =
        fs::read_dir(work.path().join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["manifest.json", "train.csv"]);
}

#[test]
fn an_empty_corpus_makes_a_valid_empty_file() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("empty.jsonl"), "").unwrap();
    spanfleet(
        work.path(),
        &["-q", "export", "empty.jsonl", "--input-format", "jsonl", "-f", "json", "-o", "out"],
    )
    .ok();
    let text = fs::read_to_string(work.path().join("out/train.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), serde_json::json!([]));
}

#[test]
fn a_bundle_is_taken_apart_when_asked() {
    let work = tempfile::tempdir().unwrap();
    for (format, endings) in [("brat", &["txt", "ann"][..]), ("webanno", &["tsv"])] {
        let zipped = format!("{format}-zip");
        for (out, bundle) in [(format, "bundle=none"), (zipped.as_str(), "bundle=zip")] {
            let set = ["--set", bundle, "--set", "partitions=3", "--split", "train=0.7,test=0.3"];
            let args = ["-q", "export", &harbour(), "--format", format, "--out", out];
            spanfleet(work.path(), &[&args[..], &set].concat()).ok();
        }
        let (single, bundle) = (manifest(&work.path().join(format)), manifest(&work.path().join(&zipped)));
        assert_nothing_vanished(&single);
        assert_eq!(single["counts"], bundle["counts"]);
        spanfleet(work.path(), &["verify", format]).ok();
        for split in ["train", "test"] {
            let folder = work.path().join(format!("{zipped}/{split}"));
            let zip = work.path().join(format!("{zipped}/{split}.zip"));
            let unzip = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(zip).arg(&folder).status();
            assert!(unzip.unwrap().success());
            for entry in fs::read_dir(work.path().join(format).join(split)).unwrap() {
                let entry = entry.unwrap();
                assert_eq!(
                    fs::read(entry.path()).unwrap(),
                    fs::read(folder.join(entry.file_name())).unwrap()
                );
            }
        }
        let files = single["files"].as_array().unwrap();
        assert_eq!(files.len(), 12 * endings.len());
        let sum = |key: &str| files.iter().map(|file| file[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!(sum("texts"), 12);
        assert_eq!(single["counts"]["annotations_written"], sum("annotations"));
    }
}

#[test]
fn an_id_that_is_no_key_needs_a_bundle() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("in.jsonl"), "{\"id\":\"a b\",\"text\":\"Ada\"}\n").unwrap();
    let args = ["export", "in.jsonl", "--format", "brat", "--set", "bundle=none", "--out", "out"];
    spanfleet(work.path(), &args).fails(1, "train/a b.txt");
    assert!(!work.path().join("out/manifest.json").exists());
}

#[test]
fn the_columns_of_conll_files_can_be_chosen() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("in.conll"), "x\tAda\tB-PER\tO\ny\tleft\tO\tB-EVENT\n\n").unwrap();
    let read = |columns: &str| {
        let args = ["-q", "preview", "in.conll", "--input-format", "conll", "--format", "jsonl"];
        spanfleet(work.path(), &[&args[..], &["--conll-columns", columns]].concat())
    };
    let labels = |columns: &str| {
        let record: serde_json::Value = serde_json::from_str(&read(columns).ok().out).unwrap();
        let of = |annotation: &serde_json::Value| annotation["label"].as_str().unwrap().to_owned();
        (
            record["text"].as_str().unwrap().to_owned(),
            record["annotations"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(),
        )
    };
    assert_eq!(labels("_,token,label,_"), ("Ada left".to_owned(), vec!["PER".to_owned()]));
    assert_eq!(labels("_,token,_,label"), ("Ada left".to_owned(), vec!["EVENT".to_owned()]));
    read("word,label").fails(2, "`word`");
    read("label").fails(2, "`token` exactly once");
}
