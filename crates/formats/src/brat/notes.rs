//! What `seal` needs to know of a part: its entries in the zip, and the words that `annotation.conf` declares.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use crate::support::zip::{self, ZipEntry};

/// Values that are declared of one attribute: more are free text, which brat has no list for.
const MOST_VALUES: usize = 200;

/// The words of some texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Vocabulary {
    /// Labels as the order writes them.
    pub(super) labels: BTreeSet<String>,
    /// Labels of triggers, with the roles of their events, without the numbers at their ends.
    #[serde(default)]
    pub(super) events: BTreeMap<String, BTreeSet<String>>,
    /// Types of relations.
    pub(super) relations: BTreeSet<String>,
    /// Values by the attribute's name; none for one that is there or not.
    pub(super) attributes: BTreeMap<String, BTreeSet<String>>,
}

impl Vocabulary {
    pub(super) fn label(&mut self, label: &str) {
        insert(&mut self.labels, label);
    }

    pub(super) fn relation(&mut self, kind: &str) {
        insert(&mut self.relations, kind);
    }

    pub(super) fn event<'r>(&mut self, label: &str, roles: impl Iterator<Item = &'r str>) {
        let known = self.events.entry(label.to_owned()).or_default();
        roles.for_each(|role| insert(known, role.trim_end_matches(|end: char| end.is_ascii_digit())));
    }

    pub(super) fn attribute(&mut self, name: &str, value: Option<&str>) {
        if !self.attributes.contains_key(name) {
            self.attributes.insert(name.to_owned(), BTreeSet::new());
        }
        let values = self.attributes.get_mut(name);
        if let (Some(values), Some(value)) = (values, value) {
            insert(values, value);
            cap(values);
        }
    }

    /// Adds the words of another part.
    pub(super) fn merge(&mut self, other: Vocabulary) {
        self.labels.extend(other.labels);
        self.relations.extend(other.relations);
        for (label, roles) in other.events {
            self.events.entry(label).or_default().extend(roles);
        }
        for (name, values) in other.attributes {
            let own = self.attributes.entry(name).or_default();
            own.extend(values);
            cap(own);
        }
    }
}

/// Keeps the first values in their order: the same ones, however texts are cut into parts.
fn cap(values: &mut BTreeSet<String>) {
    while values.len() > MOST_VALUES {
        values.pop_last();
    }
}

fn insert(set: &mut BTreeSet<String>, word: &str) {
    if !set.contains(word) {
        set.insert(word.to_owned());
    }
}

/// The notes of one part.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct PartNotes {
    #[serde(flatten)]
    pub(super) words: Vocabulary,
    /// Entries, deflated, in base64: most of them is names that are alike.
    entries: String,
}

impl PartNotes {
    /// From a table of stored entries.
    pub(super) fn new(words: Vocabulary, table: &[u8]) -> io::Result<PartNotes> {
        Ok(PartNotes { words, entries: zip::note_entries(table)? })
    }

    /// The part's entries; `None` when the notes are broken.
    pub(super) fn entries(&self) -> Option<Vec<ZipEntry>> {
        zip::noted_entries(&self.entries)
    }
}
