//! Port: where documents come from. Schema, plan (partitions by text), read (a stream).
//!
//! Drivers: [`corpus`] (files cut by byte ranges, here), `spanfleet-source-postgres`, `spanfleet-source-sqlite`.
//! All pass [`contract`].

pub mod contract;
pub mod corpus;
mod filtered;
pub mod load;

pub use corpus::{CorpusSource, InputChoice, InvalidRecords};
pub use filtered::FileFilter;

use std::time::Duration;

use async_trait::async_trait;
pub use spanfleet_core::schema::SelectionCount;
use spanfleet_core::{Document, Filter, Include, ProjectId, Schema, Timestamp, options::Partitions};
use tokio::sync::mpsc;

/// Where documents come from. The same selection, planned once, reads the same documents in the same order,
/// however often and in however many partitions.
#[async_trait]
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Cuts a selection into partitions. A text is never split. An empty selection has no partitions.
    async fn plan(&self, selection: &Selection, cut: &Cut) -> Result<Plan, SourceError>;

    /// Bounds that begin with the first so many texts of a selection, at once; `None` where nothing is selected.
    /// There may be more in them.
    async fn first(&self, selection: &Selection, texts: usize) -> Result<Option<Bounds>, SourceError>;

    /// Streams the documents of one partition, in order, in batches of about [`BATCH_BYTES`]. Dropping the
    /// receiver stops the reading. The stream ends after the first error.
    async fn read(&self, selection: &Selection, bounds: &Bounds) -> Result<DocumentStream, SourceError>;

    /// How many texts and annotations a selection matches; `None` where that takes more than the effort.
    async fn count(
        &self,
        selection: &Selection,
        effort: Effort,
    ) -> Result<Option<SelectionCount>, SourceError>;

    /// Whether the source can be reached; the error says how to mend it.
    async fn check(&self) -> Result<(), SourceError>;
}

/// Which documents, and how much of each.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The project in a database. Corpus files have none.
    pub project: ProjectId,
    /// Which texts and annotations.
    pub filter: Filter,
    /// What to read beside texts and annotations.
    pub include: Include,
}

/// How a selection is to be cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// How many pieces.
    pub partitions: Partitions,
    /// Whether the format has to know every label before the first document.
    pub needs_labels: bool,
    /// Whether partitions may begin only at texts that begin a block (`spanfleet_core::begins_block` of the
    /// text's id), the first one aside: so compressed bytes don't depend on the cut. There may then be fewer
    /// partitions than asked for.
    pub at_blocks: bool,
}

/// A selection cut into partitions.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Where each partition begins and ends, in order of texts.
    pub partitions: Vec<Bounds>,
    /// The labels as annotated (paths), if they were asked for or are known anyway.
    pub schema: Schema,
    /// When the selection was taken; rows that come later are left out.
    pub taken_at: Option<Timestamp>,
}

/// Where a partition begins and ends: JSON that only its source understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds(pub String);

/// What a count may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// At most this time, and no reading of documents.
    Quick(Duration),
    /// Whatever it takes: files are read once.
    Whole,
}

/// Documents in batches; each batch is at most [`BATCH_BYTES`] or one document.
pub type DocumentStream = mpsc::Receiver<Result<Vec<Document>, SourceError>>;

/// Bytes of text and annotations in a batch: large enough that a channel hop costs nothing, small enough that a
/// slot holds a few of them.
pub const BATCH_BYTES: usize = 128 * 1024;
/// Batches that wait between reader and encoder.
pub const BATCHES_WAITING: usize = 2;
/// What `auto` aims at: some tenths of a second of work for one slot. Small, so that partitions of a job of a few
/// hundred megabytes are as large as those of any job, and a worker's memory is the same for both; not smaller, since
/// each costs connections, a claim and a report.
pub const PARTITION_BYTES: u64 = 8 * 1024 * 1024;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// The data can't be read as it is; names the place and the mend. No retry helps.
    Invalid,
    /// The set-up is wrong: no such file, missing table, wrong password.
    Configuration,
    /// May work next time.
    Transient,
}

/// An error of the source. Its text holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What to do next.
    pub kind: SourceErrorKind,
    /// The place and the reason, as a lower-case sentence.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error without a cause below it.
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> SourceError {
        SourceError { kind, message: message.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
        self.source = Some(source.into());
        self
    }
}
