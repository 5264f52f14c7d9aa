//! `spanfleet export FILE`: against reading the same file by the fastest JSON library and writing it back.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::bare::Sink;
use crate::corpus;
use crate::cpu;
use crate::report::{Section, root};
use crate::stage::{Figures, runs};

const TEXTS: usize = 50_000;

#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    text: String,
    metadata: Option<Metadata>,
    annotations: Vec<Annotation>,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    source: String,
    lang: String,
}

#[derive(Serialize, Deserialize)]
struct Annotation {
    id: String,
    start: u32,
    end: u32,
    label: String,
    annotator: Option<String>,
    confidence: Option<f64>,
    created_at: Option<String>,
}

/// Measures it.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("One-shot exports of a file");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let corpus = corpus::generate(folder.path(), TEXTS).expect("the corpus can be written");
    let mut rows = Vec::new();
    for level in ["1", "6"] {
        let (mut bare, mut ours, mut ratios) = (Figures::default(), Figures::default(), Figures::default());
        for nth in 0..=runs() {
            let parsed = cpu_of(
                Command::new(std::env::current_exe().expect("this program has a path"))
                    .args(["parse", level])
                    .arg(&corpus)
                    .arg(folder.path().join("parsed")),
            );
            let exported =
                cpu_of(&mut export(&corpus, level, &folder.path().join(format!("out-{level}-{nth}"))));
            if nth > 0 {
                bare.push(parsed);
                ours.push(exported);
                ratios.push(exported / parsed);
            }
        }
        rows.push(vec![format!("gzip {level}"), bare.show(), ours.show(), ratios.show()]);
    }
    let megabytes = corpus.metadata().map_or(0, |metadata| metadata.len()) / 1_000_000;
    section.say(format!(
        "{TEXTS} texts in {megabytes} MB of JSON lines, exported as JSON lines with gzip. The bare loop parses each line by \
         sonic-rs into a struct, writes it back by sonic-rs and compresses by libdeflate."
    ));
    section.table(&["level", "bare CPU s", "export CPU s", "export / bare"], &rows);
    section
}

fn export(corpus: &Path, level: &str, out: &Path) -> Command {
    let program =
        std::env::var_os("SPANFLEET_BIN").map_or_else(|| root().join("target/release/spanfleet"), Into::into);
    let mut command = Command::new(program);
    command.args(["-q", "export", "-f", "jsonl", "--compression", "gzip", "--set"]);
    command.arg(format!("compression_level={level}")).arg(corpus).arg("--out").arg(out);
    command
}

fn cpu_of(command: &mut Command) -> f64 {
    let before = cpu::of_ended_children();
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    cpu::of_ended_children() - before
}

/// `bench parse`: the bare loop.
pub(crate) fn parse(level: i32, corpus: &Path, out: &Path) {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(corpus).expect("the corpus can be read"));
    let mut sink = Sink::create(out, "libdeflate", level).expect("the file can be made");
    let (mut line, mut written) = (Vec::new(), Vec::new());
    while lines.read_until(b'\n', &mut line).expect("the corpus can be read") > 0 {
        let record: Record = sonic_rs::from_slice(&line).expect("the corpus is JSON");
        sonic_rs::to_writer(&mut written, &record).expect("a record is JSON");
        written.push(b'\n');
        if written.len() >= Sink::block_bytes() {
            sink.write(&written).expect("the file can be written");
            written.clear();
        }
        line.clear();
    }
    sink.write(&written).expect("the file can be written");
    sink.finish().expect("the file can be written");
}
