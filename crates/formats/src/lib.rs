//! Documents to bytes. Pure: one file per format, one catalogue line each.
//!
//! A file is `head + join(parts, glue) + tail`. Encoding a part and sealing a file are the two halves of one
//! narrow trait. Sealing all parts together gives one file; sealing each alone gives shards.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`catalogue`] | every format there is, by name |
//! | [`shape`] | what every document goes through before any encoder: selection, adjudication, labels |
//! | `jsonl`, `json`, `xml`, `csv`, `conll`, `spacy`, `tfrecord`, `arrow`, `parquet`, `transformers`, `brat` | one format each |
//! | `spacy_json`, `squad`, `gliner`, `prodigy`, `doccano`, `label_studio`, `webanno`, `chat` | one format each |
//! | [`templates`] | a format with parameters and a loader for each framework and task |
//! | [`support`] | tokenizers, label sequences, records, compression, framing |
//!
//! To add a format: write `name.rs` with a `pub(crate) const ENTRY: Entry`, declare it here, and give it its
//! line in [`catalogue`]. The laws in `laws.rs` run over it from then on.

mod arrow;
mod brat;
pub mod catalogue;
mod chat;
mod conll;
mod csv;
mod doccano;
mod gliner;
mod json;
mod jsonl;
mod label_studio;
mod parquet;
mod prodigy;
pub mod shape;
mod spacy;
mod spacy_json;
mod squad;
pub mod support;
pub mod templates;
mod tfrecord;
mod transformers;
mod webanno;
mod xml;

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

use std::{collections::BTreeSet, ops::Range};

use serde_json::Value;
use spanfleet_core::{Document, Ledger, OptionError, Order, Schema, card::Card, options::Compression};

pub use catalogue::{all, find, open};
pub use shape::Shaper;

/// What the catalogue says of a format.
#[derive(Clone, Debug)]
pub struct FormatInfo {
    /// Unique name, as in `--format`.
    pub name: &'static str,
    /// The specification's `format_type`.
    pub kind: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// File extension without the dot, before that of a compression.
    pub extension: &'static str,
    /// Extensions of the forms that an option may choose instead, with their dots inside.
    pub other_extensions: &'static [&'static str],
    /// `Content-Type` without compression.
    pub media_type: &'static str,
    /// Version of the layout; grows when the same data would give other bytes.
    pub version: &'static str,
    /// Whether several parts make one file, or each is a shard of its own.
    pub layout: Layout,
    /// Whether an encoder has to know every label before the first document.
    pub needs_labels: bool,
    /// What an encoder holds between texts.
    pub memory: Memory,
    /// Ready for training without conversion.
    pub is_ml_ready: bool,
    /// Can be written and read as a stream.
    pub supports_streaming: bool,
    /// What its files may be compressed with, the default first.
    pub compressions: &'static [Compression],
    /// Where the compression takes place.
    pub compressed: Compressed,
    /// JSON Schema of one record, row or line.
    pub schema: fn() -> Value,
}

impl FormatInfo {
    /// Every extension that a data file may have, without the first dot: `csv`, `csv.gz`, `csv.zst`.
    pub fn extensions(&self) -> Vec<String> {
        let around: BTreeSet<&str> = self
            .compressions
            .iter()
            .map(|compression| support::compress::extension(self.around(*compression)))
            .collect();
        let own = around.into_iter().map(|ending| format!("{}{ending}", self.extension));
        own.chain(self.other_extensions.iter().map(|&other| other.to_owned())).collect()
    }

    /// What stands around the file when an order asks for a compression: nothing where it is inside.
    pub fn around(&self, asked: Compression) -> Compression {
        match self.compressed {
            Compressed::Around => asked,
            Compressed::Inside => Compression::None,
        }
    }
}

/// Where the compression of a file takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compressed {
    /// Gzip members or Zstandard frames around it; its name says so.
    Around,
    /// A codec of the format's own, inside; the file keeps its name.
    Inside,
}

/// What an encoder holds between texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Buffers, which grow with the widest text and not with their number.
    Buffers,
    /// The rows of one batch, of a few megabytes at most or one text, and an index of the batches before.
    Batch,
    /// What it made of its part, until `finish`: a small multiple of the part's texts.
    Part,
}

/// How parts become files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `train.ext`: one file per split, however many parts made it.
    OneFile,
    /// `data/train-00000-of-00004.ext`: a file per part.
    Shards,
    /// `train/part-00000.ext`: a file per part, in a folder that readers take as a whole.
    Folder,
}

impl Layout {
    /// The path of a file below the job's root, from its split, its place among the split's files, and its ending.
    pub fn path(self, split: &str, place: usize, files: usize, ending: &str) -> String {
        match self {
            Layout::OneFile => format!("{split}.{ending}"),
            Layout::Shards => format!("data/{split}-{place:05}-of-{files:05}.{ending}"),
            Layout::Folder => format!("{split}/part-{place:05}.{ending}"),
        }
    }
}

/// One output format, ready for one order. Pure: the same documents give the same bytes, always.
pub trait Format: Send + Sync {
    /// What the catalogue says of it.
    fn info(&self) -> &FormatInfo;
    /// Starts a part.
    fn start(&self, schema: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError>;
    /// What stands around non-empty parts in a file. Without parts: a valid empty file.
    fn seal(&self, schema: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError>;
    /// What its readers call a split; two that they call the same are one.
    fn split_name<'s>(&self, split: &'s str) -> &'s str {
        split
    }
    /// The single files that a part bundles, from its notes: what `bundle=none` hands out. None where files are no
    /// bundles.
    fn members(&self, _notes: &Value) -> Result<Vec<Member>, EncodeError> {
        Ok(Vec::new())
    }
    /// Files beside the data that tell of the whole job: path below the job's root, content. Asked for once, when
    /// every data file stands.
    fn beside(&self, _schema: &Schema, _outcome: &Outcome<'_>) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }
}

/// A file that a part of a bundle holds, such as a zip's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, without a folder.
    pub name: String,
    /// Where its bytes stand in the part, deflated (RFC 1951).
    pub deflated: Range<u64>,
    /// Its size when inflated.
    pub bytes: u64,
    /// Texts that it stands for; a text's second file stands for none.
    pub texts: u64,
    /// Annotations in it.
    pub annotations: u64,
}

/// Encodes one part.
pub trait PartEncoder: Send {
    /// Appends a document; the caller empties `out` when it likes. The ledger gets what is written (texts,
    /// tokens, annotations, relations), lost and changed; what was selected is counted by the caller.
    ///
    /// Labels come as the corpus has them; [`support::names::LabelNames`] knows how they are written.
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError>;
    /// Ends the part. Returns notes: what `seal` will need to know of it.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Value, EncodeError>;
}

/// What came of a whole job.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The data files, in the manifest's order.
    pub files: Vec<SealedFile>,
    /// Labels that were written, sorted.
    pub labels: &'a [String],
    /// What was selected, written, lost and changed.
    pub ledger: &'a Ledger,
    /// Labels, lengths, annotators and their agreement.
    pub card: &'a Card,
}

/// A data file of a job that has ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SealedFile {
    /// Path below the job's root, with `/`.
    pub path: String,
    /// The split, as its readers call it.
    pub split: String,
    /// Size as it stands, compressed.
    pub bytes: u64,
    /// Texts in it.
    pub texts: u64,
    /// Annotations in it.
    pub annotations: u64,
    /// What its parts' encoders noted, in order: for a file of one part, that part's notes.
    pub notes: Vec<Value>,
}

/// What `seal` knows of a part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartSummary {
    /// Texts in it; never 0.
    pub texts: u64,
    /// What its encoder's `finish` returned.
    pub notes: Value,
}

/// What stands around the parts of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// Before the first part.
    pub head: Vec<u8>,
    /// Between parts: `glue[i]` follows part `i`; one fewer than parts.
    pub glue: Vec<Vec<u8>>,
    /// After the last part.
    pub tail: Vec<u8>,
    /// Files beside the data: path below the job's root, content.
    pub beside: Vec<(String, Vec<u8>)>,
}

/// Why a document can't be encoded.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EncodeError {
    /// The text's id, where it is one text's fault.
    pub text: Option<String>,
    /// The place, the reason and the mend.
    pub message: String,
}

impl EncodeError {
    /// One text's fault.
    pub fn about(text: &str, message: impl Into<String>) -> EncodeError {
        EncodeError { text: Some(text.to_owned()), message: message.into() }
    }
}

/// Makes formats; one line of the catalogue.
pub struct Entry {
    /// What it is.
    pub info: FormatInfo,
    /// Makes the format for an order.
    pub make: fn(&Order) -> Result<Box<dyn Format>, OptionError>,
}
