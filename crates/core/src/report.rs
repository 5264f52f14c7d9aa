//! What came of a part, and what stands in a manifest. Stored and sent forms.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::card::{Card, CardCounts};
use crate::losses::{Change, Counts, Entry, Ledger, Loss};

/// What one partition wrote. Kept by the metastore, hence small: examples beyond the first few stand in an
/// object of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartReport {
    /// What was selected and written.
    pub counts: Counts,
    /// What was dropped, with the first examples.
    #[serde(default)]
    pub losses: Vec<Entry<Loss>>,
    /// What was changed, with the first examples.
    #[serde(default)]
    pub changes: Vec<Entry<Change>>,
    /// Labels that were written, sorted.
    #[serde(default)]
    pub labels: Vec<String>,
    /// One object per split that has texts here, by name.
    #[serde(default)]
    pub files: Vec<PartFile>,
    /// The object with the examples for `losses.jsonl`, where there is anything to show.
    #[serde(default)]
    pub examples_key: Option<String>,
    /// Bytes of `examples_key`.
    #[serde(default)]
    pub examples_bytes: u64,
    /// What was counted for the data card.
    #[serde(default)]
    pub card: CardCounts,
    /// The object with sketches of the texts, where there may be several splits.
    #[serde(default)]
    pub sketches_key: Option<String>,
    /// Bytes of `sketches_key`.
    #[serde(default)]
    pub sketches_bytes: u64,
    /// Texts that it numbers.
    #[serde(default)]
    pub sketched_texts: u64,
}

impl PartReport {
    /// The report's ledger, with the examples that it holds.
    pub fn ledger(&self) -> Ledger {
        Ledger::from_entries(self.counts, self.losses.clone(), self.changes.clone())
    }

    /// Every object that the part wrote, with its size in bytes.
    pub fn objects(&self) -> impl Iterator<Item = (&str, u64)> {
        let files = self.files.iter().map(|file| (file.key.as_str(), file.bytes));
        let examples = self.examples_key.as_deref().map(|key| (key, self.examples_bytes));
        let sketches = self.sketches_key.as_deref().map(|key| (key, self.sketches_bytes));
        files.chain(examples).chain(sketches)
    }
}

/// One object of a part: the texts of one split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartFile {
    /// The split.
    pub split: String,
    /// Its key in the artifact store, relative to the store's root.
    pub key: String,
    /// Size, compressed.
    pub bytes: u64,
    /// SHA-256 of the object, in hex.
    pub sha256: String,
    /// Texts in it.
    pub texts: u64,
    /// Annotations in it.
    pub annotations: u64,
    /// Its first and last block, or its only one; none without texts.
    #[serde(default)]
    pub blocks: Vec<BlockNotes>,
}

/// What the format's `seal` needs to know of a block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockNotes {
    /// Texts in it.
    pub texts: u64,
    /// What its encoder noted.
    #[serde(default)]
    pub notes: Value,
}

/// `manifest.json`, as the contract has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version that wrote it.
    pub spanfleet_version: String,
    /// The job.
    pub job_uuid: String,
    /// The format.
    pub format: ManifestFormat,
    /// Export parameters as asked for.
    pub options: Map<String, Value>,
    /// The filter as asked for.
    pub filter: Map<String, Value>,
    /// Inclusions as asked for.
    pub include: crate::Include,
    /// When the selection was taken.
    pub snapshot: Snapshot,
    /// Labels that were written, sorted.
    pub labels: Vec<String>,
    /// What was selected and written.
    pub counts: Counts,
    /// What was dropped.
    pub losses: Vec<Entry<Loss>>,
    /// What was written, but not as annotated.
    pub changes: Vec<Entry<Change>>,
    /// Labels, lengths, annotators and their agreement.
    #[serde(default)]
    pub card: Card,
    /// The data files, in order.
    pub files: Vec<ManifestFile>,
    /// Files beside the data: `losses.jsonl`, label lists, loader scripts.
    #[serde(default)]
    pub beside: Vec<ManifestFile>,
}

/// The format in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFormat {
    /// Name of the catalogue entry.
    pub name: String,
    /// Its `format_type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version of the layout.
    pub version: String,
}

/// When the selection was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The planner's moment: rows that came later are not in the export.
    pub taken_at: crate::Timestamp,
}

/// One file in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Path below the job's root, with `/`.
    pub path: String,
    /// The split it belongs to; absent for files beside the data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub split: Option<String>,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Texts in it.
    pub texts: u64,
    /// Annotations in it.
    pub annotations: u64,
}
