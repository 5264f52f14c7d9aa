//! Examples of losses and changes as JSON lines: what a part keeps, and what `losses.jsonl` holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spanfleet_core::{
    Ledger,
    losses::{EXAMPLES_KEPT, Example, Kind},
};

/// One line of `losses.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExampleLine {
    /// `losses` or `changes`.
    list: String,
    reason: String,
    kind: Kind,
    #[serde(flatten)]
    example: Example,
}

/// The first examples of each reason, over any number of parts in order.
#[derive(Debug, Default)]
pub(crate) struct Examples {
    by_reason: BTreeMap<(String, String, Kind), Vec<ExampleLine>>,
}

impl Examples {
    /// What one ledger holds.
    pub(crate) fn of(ledger: &Ledger) -> Examples {
        let mut examples = Examples::default();
        for entry in ledger.losses(EXAMPLES_KEPT) {
            examples.add_all("losses", entry.reason.as_str(), entry.kind, entry.examples);
        }
        for entry in ledger.changes(EXAMPLES_KEPT) {
            examples.add_all("changes", entry.reason.as_str(), entry.kind, entry.examples);
        }
        examples
    }

    fn add_all(&mut self, list: &str, reason: &str, kind: Kind, examples: Vec<Example>) {
        for example in examples {
            self.add(ExampleLine { list: list.to_owned(), reason: reason.to_owned(), kind, example });
        }
    }

    /// Adds one that comes later, unless its reason has enough.
    pub(crate) fn add(&mut self, line: ExampleLine) {
        let kept = self.by_reason.entry((line.list.clone(), line.reason.clone(), line.kind)).or_default();
        if kept.len() < EXAMPLES_KEPT {
            kept.push(line);
        }
    }

    /// All of them, losses after changes, by reason.
    pub(crate) fn to_jsonl(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for line in self.by_reason.values().flatten() {
            // A struct of strings always serializes.
            if serde_json::to_writer(&mut out, line).is_ok() {
                out.push(b'\n');
            }
        }
        out
    }
}
