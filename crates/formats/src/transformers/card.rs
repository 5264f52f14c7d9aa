//! `README.md`: what `datasets` has to know before it opens a file, as YAML, and a few lines for people.
//!
//! `num_examples` is checked by `datasets` and counts rows, which need not be as many as texts. `num_bytes` is the
//! size of all cells in memory.

use std::{collections::BTreeMap, fmt::Write as _};

use spanfleet_core::options::TaskType;

mod people;

use super::features;
use crate::support::table::{Column, TableNotes};
use crate::{Outcome, SealedFile};

/// What a split came to.
#[derive(Default)]
struct SplitSize {
    rows: u64,
    bytes: u64,
    texts: u64,
    file_bytes: u64,
}

impl SplitSize {
    fn add(&mut self, file: &SealedFile) {
        for notes in &file.notes {
            let notes: TableNotes = serde_json::from_value(notes.clone()).unwrap_or_default();
            self.rows += notes.rows;
            self.bytes += notes.bytes;
        }
        self.texts += file.texts;
        self.file_bytes += file.bytes;
    }
}

/// The whole file.
pub(super) fn render(task_type: TaskType, columns: &[Column], outcome: &Outcome<'_>) -> String {
    let mut splits: BTreeMap<&str, SplitSize> = BTreeMap::new();
    for file in &outcome.files {
        splits.entry(&file.split).or_default().add(file);
    }
    splits.retain(|_, size| size.rows > 0);
    // The order that people expect; the rest by name.
    let mut splits: Vec<_> = splits.into_iter().collect();
    splits.sort_by_key(|(name, _)| {
        ["train", "validation", "test"].iter().position(|known| known == name).unwrap_or(3)
    });
    let mut out = "---\n".to_owned();
    write_configs(&splits, &mut out);
    write_info(columns, &splits, &mut out);
    out.push_str("---\n");
    write_body(task_type, &splits, &mut out);
    people::write(outcome, &mut out);
    out
}

/// Without this, splits would be guessed from words in paths.
fn write_configs(splits: &[(&str, SplitSize)], out: &mut String) {
    if splits.is_empty() {
        return;
    }
    out.push_str("configs:\n- config_name: default\n  data_files:\n");
    for (name, _) in splits {
        // Writing into memory can't fail.
        let _ = write!(out, "  - split: {}\n    path: {}\n", yaml(name), yaml(&format!("data/{name}-*")));
    }
}

fn write_info(columns: &[Column], splits: &[(&str, SplitSize)], out: &mut String) {
    out.push_str("dataset_info:\n  features:\n");
    features::write_yaml(columns, 2, out);
    let sum = |size: fn(&SplitSize) -> u64| splits.iter().map(|(_, it)| size(it)).sum::<u64>();
    if !splits.is_empty() {
        out.push_str("  splits:\n");
    }
    for (name, size) in splits {
        let _ = write!(
            out,
            "  - name: {}\n    num_bytes: {}\n    num_examples: {}\n",
            yaml(name),
            size.bytes,
            size.rows
        );
    }
    let _ =
        write!(out, "  download_size: {}\n  dataset_size: {}\n", sum(|it| it.file_bytes), sum(|it| it.bytes));
}

fn yaml(text: &str) -> String {
    features::quoted(text)
}

fn write_body(task_type: TaskType, splits: &[(&str, SplitSize)], out: &mut String) {
    let _ = write!(
        out,
        "\n# {}\n\nLabels, losses and checksums: `manifest.json`.\n\n| split | rows | texts |\n| --- | --: | --: |\n",
        task_type.as_str()
    );
    for (name, size) in splits {
        let _ = writeln!(out, "| {name} | {} | {} |", size.rows, size.texts);
    }
}
