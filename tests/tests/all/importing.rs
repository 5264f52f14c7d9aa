//! Inputs as people have them: compressed, through a pipe, broken off and begun again.

use std::{fs, io::Write as _, path::Path, process::Command, time::Duration};

use serde_json::Value;
use spanfleet_tests::{
    Process,
    command::{Said, spanfleet},
    corpora::{corpora, repeated_corpus},
    process::program_of_the_tests,
    wait::wait_until,
};

const PATIENCE: Duration = Duration::from_mins(2);

/// An original of each format that comes in one file.
const ORIGINALS: [&str; 8] = [
    "btc-en-f/corpus.jsonl",
    "btc-en-f/original/f.conll",
    "multileg-en/original",
    "prodigy-emerson/original/emerson_annotated_text.jsonl",
    "labelstudio-examples/original/named_entity/tasks.json",
    "xquad-zh/original",
    "webanno-curation-suite/original/simpleRelGovStackedTest/user1.tsv",
    "spacy-json-demos/original",
];

/// The texts of an export with what is on them, without the ids, which files give by their names.
fn texts(said: &Said, out: &Path) -> Vec<(Value, Vec<Value>)> {
    assert!(said.status.success(), "{}", said.err);
    let lines = fs::read_to_string(out.join("train.jsonl")).unwrap();
    let bones = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let annotations = record["annotations"].as_array().unwrap().iter();
        let bones = annotations.map(|it| serde_json::json!([it["start"], it["end"], it["label"]]));
        (record["text"].clone(), bones.collect())
    };
    lines.lines().map(bones).collect()
}

fn first_file(path: &Path) -> std::path::PathBuf {
    if path.is_file() {
        return path.to_owned();
    }
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().find(|path| path.is_file()).unwrap()
}

/// Through `-`, from the beginning of a file.
fn piped(folder: &Path, input: &Path, args: &[&str]) -> Said {
    let mut command = Command::new(program_of_the_tests("spanfleet"));
    command.current_dir(folder).args(args).stdin(fs::File::open(input).unwrap());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { status: output.status, out: text(&output.stdout), err: text(&output.stderr) }
}

fn gzipped(folder: &Path, input: &Path) -> std::path::PathBuf {
    let name = input.file_name().unwrap().to_string_lossy();
    let path = folder.join(format!("{name}.gz"));
    let mut gzip = Command::new("gzip");
    let output = gzip.arg("-c").arg(input).output().unwrap();
    fs::File::create(&path).unwrap().write_all(&output.stdout).unwrap();
    path
}

#[test]
fn every_format_comes_compressed_and_through_a_pipe() {
    let Some(folder) = corpora() else { return };
    for original in ORIGINALS {
        let work = tempfile::tempdir().unwrap();
        let input = first_file(&folder.join(original));
        let export = |input: &str| {
            ["-q", "export", input, "-f", "jsonl", "-o", "out", "--skip-invalid", "bad"].map(str::to_owned)
        };
        let run = |input: &str| {
            let args = export(input);
            spanfleet(work.path(), &args.each_ref().map(String::as_str))
        };
        let out = work.path().join("out");
        let plain = texts(&run(&input.to_string_lossy()), &out);
        assert!(!plain.is_empty(), "{original}");
        let compressed = gzipped(work.path(), &input);
        assert_eq!(texts(&run(&compressed.to_string_lossy()), &out), plain, "{original}, compressed");
        for (input, how) in [(&input, "piped"), (&compressed, "compressed and piped")] {
            let args = export("-");
            let said = piped(work.path(), input, &args.each_ref().map(String::as_str));
            assert_eq!(texts(&said, &out), plain, "{original}, {how}");
        }
    }
}

/// Packed files too: a DocBin and Parquet are exported, and come back in each way.
#[test]
fn packed_formats_come_compressed_and_through_a_pipe() {
    let work = tempfile::tempdir().unwrap();
    let corpus = spanfleet_tests::corpora::harbour();
    for (format, file) in [
        ("spacy", "packed/train/part-00000.spacy"),
        ("transformers", "packed/data/train-00000-of-00001.parquet"),
    ] {
        let args = ["-q", "export", &corpus, "-f", format, "--set", "partitions=1", "-o", "packed"];
        spanfleet(work.path(), &args).ok();
        let input = work.path().join(file);
        let out = work.path().join("out");
        let args = |input: &str| ["-q", "export", input, "-f", "jsonl", "-o", "out"].map(str::to_owned);
        let run = |input: &str| spanfleet(work.path(), &args(input).each_ref().map(String::as_str));
        let plain = texts(&run(file), &out);
        assert_eq!(plain.len(), 12, "{format}");
        let compressed = gzipped(work.path(), &input);
        assert_eq!(texts(&run(&compressed.to_string_lossy()), &out), plain, "{format}, compressed");
        for input in [&input, &compressed] {
            let said = piped(work.path(), input, &args("-").each_ref().map(String::as_str));
            assert_eq!(texts(&said, &out), plain, "{format}, piped");
        }
    }
}

#[test]
fn an_import_that_was_killed_goes_on_and_a_second_one_changes_nothing() {
    let work = tempfile::tempdir().unwrap();
    let corpus = repeated_corpus(work.path(), 20_000);
    let args = ["import", corpus.to_str().unwrap(), "--project", "news", "--json"];
    let mut first = Process::spanfleet("import", work.path()).args(args).start();
    let database = work.path().join("spanfleet-data/spanfleet.db-wal");
    wait_until("something is loaded", PATIENCE, || {
        fs::metadata(&database).is_ok_and(|about| about.len() > 4_000_000) || !first.is_running()
    });
    first.kill9();
    let import = || -> Value { serde_json::from_str(&spanfleet(work.path(), &args).ok().out).unwrap() };
    let count = |report: &Value, key: &str| report[key].as_u64().unwrap();
    let rest = import();
    assert_eq!(count(&rest, "texts"), 20_000);
    assert!(count(&rest, "texts_unchanged") > 0, "nothing was kept of the first: {rest}");
    assert_eq!(count(&rest, "texts_updated"), 0);
    let again = import();
    assert_eq!((count(&again, "texts_unchanged"), count(&again, "annotations")), (20_000, 0));

    // A text that changed is replaced, and nothing else.
    let content = fs::read_to_string(&corpus).unwrap();
    let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
    let mut line: Value = serde_json::from_str(&lines[7]).unwrap();
    line["annotations"].as_array_mut().unwrap().clear();
    line["relations"] = Value::Array(Vec::new());
    lines[7] = line.to_string();
    fs::write(&corpus, lines.join("\n")).unwrap();
    let changed = import();
    assert_eq!((count(&changed, "texts_updated"), count(&changed, "texts_unchanged")), (1, 19_999));
}
