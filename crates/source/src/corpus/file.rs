//! One file of a corpus: its names, its format, opening it.

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom, Take},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use spanfleet_core::{Document, Kind, TextLimit, Timestamp};
use spanfleet_import::{
    Dialect, FileNames, FormatOptions, InputFormat, Layout, Place, Position, ReadError, Reader, Records,
    Rejected,
    brat::{self, Pair},
};
use tempfile::TempPath;

use super::io_error;
use crate::{SourceError, SourceErrorKind};

/// One file, or one pair of them, that documents come from.
#[derive(Debug)]
pub(super) struct CorpusFile {
    pub(super) names: FileNames,
    /// Where its bytes lie.
    pub(super) bytes_at: BytesAt,
    /// Its length when it was found; of a pair, both lengths.
    pub(super) bytes: u64,
    /// When it was last written; `None` for standard input.
    pub(super) modified_at: Option<Timestamp>,
    pub(super) content: Content,
    pub(super) text_limit: TextLimit,
}

/// Where the bytes of a file lie.
#[derive(Debug)]
pub(super) enum BytesAt {
    /// In the file itself.
    Named(PathBuf),
    /// In a copy that goes when this goes.
    Spooled(TempPath),
}

impl BytesAt {
    pub(super) fn path(&self) -> &Path {
        match self {
            BytesAt::Named(path) => path,
            BytesAt::Spooled(path) => path,
        }
    }
}

#[derive(Debug)]
pub(super) enum Content {
    /// Many records in one file.
    Records(InputFormat, FormatOptions, OnceLock<Arc<dyn Dialect>>),
    /// One text, with its annotations in the other file if there is one.
    Pair(Box<PairContent>),
}

/// What is known of a pair beside its text.
#[derive(Debug)]
pub(super) struct PairContent {
    pub(super) id: String,
    pub(super) annotations: Option<(PathBuf, FileNames)>,
    /// From the `annotation.conf` that lies nearest.
    pub(super) hierarchy: Arc<brat::Hierarchy>,
}

/// Enough that the disk is asked rarely; a partition has one of these.
const BUFFER_BYTES: usize = 256 * 1024;

type Bytes = BufReader<Take<File>>;

impl CorpusFile {
    /// The path of its bytes.
    pub(super) fn path(&self) -> &Path {
        self.bytes_at.path()
    }

    /// Whether the file is there as it was found.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        let length = |path: &Path| std::fs::metadata(path).map(|about| about.len());
        let mut bytes = length(self.path()).map_err(|error| io_error(self.path(), "read", error))?;
        if let Content::Pair(pair) = &self.content
            && let Some((path, _)) = &pair.annotations
        {
            bytes += length(path).map_err(|error| io_error(path, "read", error))?;
        }
        if bytes != self.bytes {
            let changed = format!("`{}` changed since the export began; run it again", self.names.shown);
            return Err(SourceError::new(SourceErrorKind::Invalid, changed));
        }
        Ok(())
    }

    /// What holds for the whole file, found once; `None` for a pair.
    pub(super) fn dialect(&self) -> Result<Option<Arc<dyn Dialect>>, SourceError> {
        let Content::Records(format, options, found) = &self.content else { return Ok(None) };
        if let Some(dialect) = found.get() {
            return Ok(Some(dialect.clone()));
        }
        let Layout::Records(survey) = format.entry().layout else { return Ok(None) };
        let dialect = survey(&mut self.bytes(0, self.bytes)?, options);
        let dialect = dialect.map_err(|error| io_error(self.path(), "read", error))?;
        Ok(Some(found.get_or_init(|| dialect).clone()))
    }

    /// Its records from the beginning.
    pub(super) fn records(&self, dialect: &dyn Dialect) -> Result<Records<Bytes>, SourceError> {
        let records = Records::new(self.bytes(0, self.bytes)?, dialect.framing(), Position::default());
        Ok(records.limited(self.text_limit))
    }

    /// Its documents from one position up to a byte.
    pub(super) fn documents(
        &self,
        dialect: &dyn Dialect,
        from: Position,
        end_byte: u64,
    ) -> Result<Reader<Bytes>, SourceError> {
        self.check()?;
        let reader = Reader::new(self.bytes(from.byte, end_byte)?, dialect, &self.names, from);
        Ok(reader.limited(self.text_limit))
    }

    /// The one document of a pair, and the lines of it that could not be taken.
    pub(super) fn pair(
        &self,
        pair: &PairContent,
    ) -> Result<Result<(Document, Vec<Rejected>), Rejected>, SourceError> {
        self.check()?;
        if let Some(refusal) = self.text_limit.refusal(self.bytes) {
            let place = Place { file: self.names.shown.clone(), line: 1, column: 1 };
            let error = ReadError { place, reason: format!("the text with its annotations {refusal}") };
            return Ok(Err(Rejected { kind: Kind::Text, record: pair.id.clone(), error, key: (0, 0) }));
        }
        let all = |path: &Path| std::fs::read(path).map_err(|error| io_error(path, "read", error));
        let (notes, annotation_names) = match &pair.annotations {
            Some((path, names)) => (all(path)?, names),
            None => (Vec::new(), &self.names),
        };
        Ok(brat::read(Pair {
            id: &pair.id,
            text: all(self.path())?,
            text_names: &self.names,
            annotations: &notes,
            annotation_names,
            hierarchy: &pair.hierarchy,
        }))
    }

    fn bytes(&self, from: u64, end: u64) -> Result<Bytes, SourceError> {
        let open = || {
            let mut file = File::open(self.path())?;
            file.seek(SeekFrom::Start(from))?;
            Ok(BufReader::with_capacity(BUFFER_BYTES, file.take(end.saturating_sub(from))))
        };
        open().map_err(|error| io_error(self.path(), "read", error))
    }
}
