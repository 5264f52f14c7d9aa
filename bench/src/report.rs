//! What the parts measured, kept as JSON in `target/bench`, and rendered as `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bars::Bars;
use crate::plot::Plot;

/// One part of the report.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// Paragraphs and tables, in order.
    pub(crate) body: Vec<String>,
    pub(crate) plots: Vec<Plot>,
    pub(crate) bars: Vec<Bars>,
}

impl Section {
    pub(crate) fn new(title: &str) -> Section {
        Section { title: title.to_owned(), ..Section::default() }
    }

    pub(crate) fn say(&mut self, paragraph: impl Into<String>) {
        self.body.push(paragraph.into());
    }

    /// A table; numbers stand right.
    pub(crate) fn table(&mut self, columns: &[&str], rows: &[Vec<String>]) {
        let is_number = |at: usize| {
            rows.iter().any(|row| row[at].starts_with(|first: char| first.is_ascii_digit())) && at > 0
        };
        let rule: Vec<&str> =
            (0..columns.len()).map(|at| if is_number(at) { "--:" } else { "---" }).collect();
        let mut table = format!("| {} |\n| {} |", columns.join(" | "), rule.join(" | "));
        for row in rows {
            // Writing to a string does not fail.
            let _ = write!(table, "\n| {} |", row.join(" | "));
        }
        eprintln!("{table}");
        self.say(table);
    }
}

/// Keeps a part's section until the report is written.
pub(crate) fn keep(part: &str, section: &Section) {
    let folder = kept();
    fs::create_dir_all(&folder).expect("the folder can be made");
    let json = serde_json::to_string_pretty(section).expect("a section is JSON");
    fs::write(folder.join(format!("{part}.json")), json).expect("the folder can be written");
}

/// Renders everything that was kept.
pub(crate) fn write() {
    let docs = root().join("docs");
    fs::create_dir_all(docs.join("performance")).expect("the folder can be made");
    let mut page = String::from(HEAD);
    page.push_str(&machine());
    for part in crate::parts::names() {
        let Ok(json) = fs::read(kept().join(format!("{part}.json"))) else {
            // Writing to a string does not fail.
            let _ = write!(page, "\n## {part}\n\nNot measured yet: `make bench PARTS={part}`.\n");
            continue;
        };
        let section: Section = serde_json::from_slice(&json).expect("it was kept by this program");
        // Writing to a string does not fail.
        let _ = write!(page, "\n## {}\n\n{}\n", section.title, section.body.join("\n\n"));
        let mut show = |name: &str, title: &str, draw: &dyn Fn(&Path)| {
            let name = format!("performance/{name}.svg");
            draw(&docs.join(&name));
            let _ = write!(page, "\n![{title}]({name})\n");
        };
        section.plots.iter().for_each(|plot| show(&plot.name, &plot.title, &|path| plot.draw(path)));
        section.bars.iter().for_each(|bars| show(&bars.name, &bars.title, &|path| bars.draw(path)));
    }
    fs::write(docs.join("performance.md"), page).expect("docs can be written");
}

const HEAD: &str = "# How fast it is\n\n\
    Written by `make bench` from its own runs: nothing here is typed by hand. Medians, and in brackets the least and the \
    most; a ratio is the median of the ratios of rounds, and both its sides are measured in the same round. CPU is that \
    of all processes named, user and system; walls are noisy on shared cores, CPU is steadier.\n\n";

/// The machine and the versions.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let said = |program: &str, argument: &str| {
        let output = std::process::Command::new(program).arg(argument).output();
        output
            .map_or_else(|_| "unknown".to_owned(), |it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
    };
    format!(
        "{cores} cores of {} · {} · {} · RabbitMQ, an S3 server of the test harness and everything measured on the same \
         machine.\n",
        model.trim_start_matches([' ', '\t', ':']),
        said("psql", "--version"),
        said("rustc", "--version"),
    )
}

fn kept() -> PathBuf {
    root().join("target/bench")
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").to_owned()
}
