//! Compressors on the lines of CoNLL and JSON.

use std::path::Path;
use std::process::Command;

use crate::bare::{self, Bare, Sink};
use crate::plot::{Line, Plot};
use crate::report::{Section, root};
use crate::stage::{Figures, database, fleet, runs};

const TEXTS: usize = 20_000;
/// What of the lines is compressed.
const MOST_BYTES: usize = 32 << 20;
const NATIVE: &[(&str, &[i32])] =
    &[("zlib-rs", &[1, 3, 6, 9]), ("libdeflate", &[1, 2, 3, 4, 5, 6, 7, 9]), ("zstd", &[1, 3, 6, 9])];
/// Compressors that are measured through their Python wheels.
const WHEELS: &[(&str, &[i32])] = &[("isa-l", &[1, 2, 3]), ("zlib-ng", &[1, 3, 6, 9])];

/// Measures them.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("Compression");
    let fleet = fleet(TEXTS);
    section.say(
        "On one core; MB of lines per CPU second. All of them get 256 KiB at once, as the product gives them, but for \
         zlib-rs and zstd, which stream. ISA-L and zlib-ng are measured through their Python wheels.",
    );
    for format in ["conll", "jsonl"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let plain = Bare { format: format.to_owned(), compressor: "none".to_owned(), level: 0, threads: 1 };
        bare::run(&plain, database(&fleet), folder.path());
        let path = bare::file(folder.path(), 0);
        let file = std::fs::OpenOptions::new().write(true).open(&path);
        let bytes = path.metadata().map_or(0, |metadata| metadata.len()).min(MOST_BYTES as u64);
        file.and_then(|file| file.set_len(bytes)).expect("the file can be cut");
        compare(format, &path, bytes as f64, &mut section);
    }
    section
}

fn compare(format: &str, path: &Path, bytes: f64, section: &mut Section) {
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    let native = NATIVE.iter().map(|it| (it, native as fn(&str, i32, &Path) -> (f64, f64)));
    let wheels = WHEELS.iter().map(|it| (it, wheel as fn(&str, i32, &Path) -> (f64, f64)));
    for ((name, levels), compress) in native.chain(wheels) {
        let mut points = Vec::new();
        for level in *levels {
            let measured: Vec<(f64, f64)> = (0..runs()).map(|_| compress(name, *level, path)).collect();
            let speed: Figures = measured.iter().map(|(seconds, _)| bytes / seconds / 1e6).collect();
            let ratio = bytes / measured[0].1;
            points.push((ratio, speed.median()));
            rows.push(vec![
                format!("{name} {level}"),
                format!("{:.0}", speed.median()),
                format!("{ratio:.2}"),
            ]);
        }
        lines.push(Line { name: (*name).to_owned(), points });
    }
    section.table(&[format, "MB per CPU second", "ratio"], &rows);
    section.plots.push(Plot {
        name: format!("compression-{format}"),
        title: format!("Compression of {format}: above and right is better"),
        x: "ratio".to_owned(),
        y: "MB per CPU second".to_owned(),
        lines,
    });
}

/// CPU seconds and bytes of a compressor in this process's child.
fn native(name: &str, level: i32, path: &Path) -> (f64, f64) {
    let this = std::env::current_exe().expect("this program has a path");
    said(Command::new(this).args(["compress", name, &level.to_string()]).arg(path))
}

/// The same for one that Python has.
fn wheel(name: &str, level: i32, path: &Path) -> (f64, f64) {
    let peers = root().join("bench/peers/gzips.py");
    let python = root().join(".venv/bench/bin/python");
    said(Command::new(python).arg(peers).args([name, &level.to_string()]).arg(path))
}

fn said(command: &mut Command) -> (f64, f64) {
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(|number| number.parse().expect("it says numbers"));
    (numbers.next().expect("it says seconds"), numbers.next().expect("it says bytes"))
}

/// `bench compress`: compresses a file; prints CPU seconds without reading it, and bytes.
pub(crate) fn compress(name: &str, level: i32, path: &Path) {
    let content = std::fs::read(path).expect("the file can be read");
    let out = tempfile::NamedTempFile::new().expect("a file can be made");
    let begun = crate::cpu::own();
    let mut sink = Sink::create(out.path(), name, level).expect("the file can be made");
    for block in content.chunks(Sink::block_bytes()) {
        sink.write(block).expect("the file can be written");
    }
    sink.finish().expect("the file can be written");
    let bytes = out.path().metadata().map_or(0, |metadata| metadata.len());
    println!("{} {bytes}", crate::cpu::own() - begun);
}
