//! Driver: corpus files, cut by byte ranges on record boundaries.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `inputs` | what the user named, as a list of files in order |
//! | `spool` | standard input and compressed files, laid down where they can be cut |
//! | `file` | one file: its names, its format, opening it |
//! | `cut` | where partitions begin and end |
//! | `read` | the documents of a partition, on a thread of their own |
//! | `rejects` | records that can't be read |
//!
//! That two texts bear the same id is not noticed here: it would take memory for every id. Import notices.

mod cut;
mod file;
mod inputs;
mod read;
mod rejects;
mod spool;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use spanfleet_core::{Schema, TextLimit, Timestamp, options::Partitions};
use spanfleet_import::{FormatOptions, InputFormat};
use tokio::sync::mpsc;

use crate::{
    BATCHES_WAITING, Bounds, Cut, DocumentStream, Effort, FileFilter, Plan, Selection, SelectionCount,
    Source, SourceError, SourceErrorKind,
};
use file::CorpusFile;
use rejects::Rejects;

/// How the inputs are to be read.
#[derive(Clone, Debug, Default)]
pub struct InputChoice {
    /// Their format; `None` tells it by content, file by file.
    pub format: Option<InputFormat>,
    /// Choices that some formats offer.
    pub options: FormatOptions,
    /// How long a text may be.
    pub text_limit: TextLimit,
}

/// What becomes of a record that can't be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InvalidRecords {
    /// It stops the reading, with file, line, column and reason.
    #[default]
    Stop,
    /// It goes into this file, one JSON object a line: `file`, `line`, `column`, `kind` (`text`, `annotation` or
    /// `relation`), `reason`, `record`.
    SetAside(PathBuf),
}

/// Documents from corpus files.
#[derive(Clone, Debug)]
pub struct CorpusSource(Arc<Inputs>);

#[derive(Debug)]
struct Inputs {
    files: Vec<CorpusFile>,
    rejects: Rejects,
}

impl CorpusSource {
    /// Finds the files behind the inputs: files, folders, or `-` for standard input. Blocks while it spools
    /// standard input and compressed files.
    pub fn open(
        inputs: &[PathBuf],
        choice: &InputChoice,
        invalid: &InvalidRecords,
    ) -> Result<CorpusSource, SourceError> {
        let reject_file = match invalid {
            InvalidRecords::Stop => None,
            InvalidRecords::SetAside(path) => Some(path.as_path()),
        };
        let files = inputs::list(inputs, choice, reject_file)?;
        Ok(CorpusSource(Arc::new(Inputs { files, rejects: Rejects::open(reject_file)? })))
    }

    /// How many records were set aside so far; one that is read again counts once.
    pub fn rejected(&self) -> u64 {
        self.0.rejects.count()
    }

    /// The files that are read, in order, as errors name them.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        self.0.files.iter().map(|file| &*file.names.shown)
    }
}

impl Inputs {
    fn plan(&self, selection: &Selection, cut: Cut) -> Result<Plan, SourceError> {
        let blocks_of = cut.at_blocks.then(|| FileFilter::new(&selection.filter, &selection.include));
        let ranges = cut::ranges(&self.files, cut.partitions, blocks_of.as_ref())?;
        let schema =
            if cut.needs_labels { read::schema(self, selection, &ranges)? } else { Schema::default() };
        let partitions = ranges.iter().map(|range| range.to_bounds()).collect::<Result<Vec<_>, _>>()?;
        Ok(Plan { partitions, schema, taken_at: self.taken_at() })
    }

    fn count(&self, selection: &Selection) -> Result<SelectionCount, SourceError> {
        let ranges = cut::ranges(&self.files, Partitions::Auto, None)?;
        let found = read::survey::<SelectionCount>(self, selection, &ranges)?;
        let add = |all: SelectionCount, one: SelectionCount| SelectionCount {
            texts: all.texts + one.texts,
            annotations: all.annotations + one.annotations,
        };
        Ok(found.into_iter().fold(SelectionCount::default(), add))
    }

    /// When the newest file was written, so that the same files make the same manifest; standard input has no
    /// such time.
    fn taken_at(&self) -> Option<Timestamp> {
        let times: Option<Vec<Timestamp>> = self.files.iter().map(|file| file.modified_at).collect();
        times?.into_iter().max()
    }
}

#[async_trait]
impl Source for CorpusSource {
    async fn plan(&self, selection: &Selection, cut: &Cut) -> Result<Plan, SourceError> {
        let (inputs, selection, cut) = (self.0.clone(), selection.clone(), *cut);
        let planning = tokio::task::spawn_blocking(move || inputs.plan(&selection, cut));
        planning.await.map_err(|error| broken("planning", error))?
    }

    async fn read(&self, selection: &Selection, bounds: &Bounds) -> Result<DocumentStream, SourceError> {
        let range = cut::Range::from_bounds(bounds)?;
        let filter = FileFilter::new(&selection.filter, &selection.include);
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
        let inputs = self.0.clone();
        tokio::task::spawn_blocking(move || read::stream(&inputs, &filter, &range, &sender));
        Ok(receiver)
    }

    async fn first(&self, selection: &Selection, _: usize) -> Result<Option<Bounds>, SourceError> {
        // One partition begins where the files do: nothing is looked for.
        let cut = Cut { partitions: Partitions::Count(1), needs_labels: false, at_blocks: false };
        Ok(self.plan(selection, &cut).await?.partitions.into_iter().next())
    }

    async fn count(
        &self,
        selection: &Selection,
        effort: Effort,
    ) -> Result<Option<SelectionCount>, SourceError> {
        if effort != Effort::Whole {
            return Ok(None);
        }
        let (inputs, selection) = (self.0.clone(), selection.clone());
        let counting = tokio::task::spawn_blocking(move || inputs.count(&selection));
        counting.await.map_err(|error| broken("counting", error))?.map(Some)
    }

    async fn check(&self) -> Result<(), SourceError> {
        let inputs = self.0.clone();
        let checking =
            tokio::task::spawn_blocking(move || inputs.files.iter().try_for_each(CorpusFile::check));
        checking.await.map_err(|error| broken("checking", error))?
    }
}

fn broken(what: &str, error: tokio::task::JoinError) -> SourceError {
    SourceError::new(SourceErrorKind::Transient, format!("{what} of the input files broke off"))
        .because(error)
}

/// What failed on a file, by what the user can do about it.
fn io_error(path: &Path, what: &str, error: std::io::Error) -> SourceError {
    use std::io::ErrorKind::{IsADirectory, NotFound, PermissionDenied};
    let kind = match error.kind() {
        NotFound | PermissionDenied | IsADirectory => SourceErrorKind::Configuration,
        _ => SourceErrorKind::Transient,
    };
    SourceError::new(kind, format!("can't {what} `{}`: {error}", path.display())).because(error)
}

#[cfg(test)]
mod tests;
