//! Where partitions begin and end: at the first byte of a record, with what was counted before it.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use spanfleet_core::{Document, begins_block, options::Partitions};
use spanfleet_import::{Made, Position};

use super::{
    file::{Content, CorpusFile},
    io_error,
};
use crate::{Bounds, FileFilter, PARTITION_BYTES, SourceError, SourceErrorKind};

/// Pieces that `auto` makes at least, where each has [`WORTH_BYTES`]: a large machine has work for all cores.
const BUSY_PARTITIONS: u64 = 32;
/// Less is read faster than a partition is handed around.
const WORTH_BYTES: u64 = 1024 * 1024;
/// An artifact may have ten thousand parts in S3.
const MOST_PARTITIONS: u64 = 10_000;

/// The first text of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    /// Index of its file.
    pub(super) file: usize,
    /// Where it stands in the file.
    pub(super) at: Position,
}

/// One partition: from a text up to a byte of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    /// Of this form.
    version: u32,
    pub(super) from: Start,
    pub(super) to_file: usize,
    pub(super) to_byte: u64,
}

const VERSION: u32 = 1;

impl Range {
    pub(super) fn to_bounds(self) -> Result<Bounds, SourceError> {
        let json = serde_json::to_string(&self);
        json.map(Bounds).map_err(|error| SourceError::new(SourceErrorKind::Invalid, error.to_string()))
    }

    pub(super) fn from_bounds(bounds: &Bounds) -> Result<Range, SourceError> {
        let refuse = || {
            let reason = format!("`{}` are no bounds of corpus files of this version; plan again", bounds.0);
            SourceError::new(SourceErrorKind::Invalid, reason)
        };
        let range = serde_json::from_str::<Range>(&bounds.0).ok();
        range.filter(|range| range.version == VERSION).ok_or_else(refuse)
    }
}

/// Cuts files into partitions of almost equal bytes, each of at least one text; with a filter, only where the
/// texts that it chooses begin a block.
pub(super) fn ranges(
    files: &[CorpusFile],
    partitions: Partitions,
    blocks_of: Option<&FileFilter>,
) -> Result<Vec<Range>, SourceError> {
    let total_bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let empty = || Cutter::new(wanted(partitions, total_bytes), total_bytes, blocks_of);
    let mut cutter = empty();
    cutter.cut(files)?;
    let is_short = (cutter.starts.len() as u64) < cutter.wanted.min(cutter.texts);
    if is_short && blocks_of.is_none() && matches!(partitions, Partitions::Count(_)) {
        // Large texts took the place of several pieces; now that the texts are counted, it can be made up for.
        cutter = Cutter { texts_in_all: Some(cutter.texts), ..empty() };
        cutter.cut(files)?;
    }
    Ok(join(&cutter.starts, files.len()))
}

fn wanted(partitions: Partitions, total_bytes: u64) -> u64 {
    match partitions {
        Partitions::Count(count) => u64::from(count.max(1)),
        Partitions::Auto => {
            let busy = (total_bytes / WORTH_BYTES).clamp(1, BUSY_PARTITIONS);
            total_bytes.div_ceil(PARTITION_BYTES).clamp(busy, MOST_PARTITIONS)
        }
    }
}

/// Each partition ends where the next begins; the last one at the end of the last file.
fn join(starts: &[Start], files: usize) -> Vec<Range> {
    let ends = starts.iter().skip(1).map(|next| (next.file, next.at.byte)).chain([(files, 0)]);
    let range = |(from, (to_file, to_byte)): (&Start, (usize, u64))| Range {
        version: VERSION,
        from: *from,
        to_file,
        to_byte,
    };
    starts.iter().zip(ends).map(range).collect()
}

struct Cutter<'f> {
    wanted: u64,
    total_bytes: u64,
    /// When given, pieces begin only at texts that it chooses and that begin a block.
    blocks_of: Option<&'f FileFilter>,
    /// When known, there will be exactly as many pieces as wanted, or as there are texts.
    texts_in_all: Option<u64>,
    texts: u64,
    /// The next piece begins at the first text that may begin one, at or after `next_piece / wanted` of all
    /// bytes.
    next_piece: u64,
    starts: Vec<Start>,
}

/// Tells whether a text can be read, and both tests take it: that of its id and that of all of it. Reads it only
/// when asked, and one of a file of its own only when the first test takes its id.
type IsTaken<'t> = dyn FnMut(&dyn Fn(&str) -> bool, &dyn Fn(&Document) -> bool) -> bool + 't;

impl<'f> Cutter<'f> {
    fn new(wanted: u64, total_bytes: u64, blocks_of: Option<&'f FileFilter>) -> Cutter<'f> {
        Cutter {
            wanted,
            total_bytes,
            blocks_of,
            texts_in_all: None,
            texts: 0,
            next_piece: 0,
            starts: Vec::new(),
        }
    }

    fn cut(&mut self, files: &[CorpusFile]) -> Result<(), SourceError> {
        let mut bytes_before = 0;
        for (index, file) in files.iter().enumerate() {
            let visit = |at: Position, is_taken: &mut IsTaken<'_>| {
                self.visit(Start { file: index, at }, bytes_before + at.byte, is_taken)
            };
            if each_text(file, visit)?.is_break() {
                break;
            }
            bytes_before += file.bytes;
        }
        Ok(())
    }

    fn visit(&mut self, start: Start, byte: u64, is_taken: &mut IsTaken<'_>) -> ControlFlow<()> {
        let (byte, wanted, total) =
            (u128::from(byte), u128::from(self.wanted), u128::from(self.total_bytes.max(1)));
        let pieces_left = self.wanted - self.starts.len() as u64;
        let is_due = byte * wanted >= u128::from(self.next_piece) * total;
        let is_last_chance = self.texts_in_all.is_some_and(|all| all - self.texts <= pieces_left);
        self.texts += 1;
        if (is_due || is_last_chance) && self.may_begin(is_taken) {
            self.starts.push(start);
            self.next_piece = (byte * wanted / total) as u64 + 1;
        }
        if self.starts.len() as u64 == self.wanted {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Whether a piece may begin at a text. One that can't be read, or is left out, begins no block in a reading
    /// of everything either.
    fn may_begin(&self, is_taken: &mut IsTaken<'_>) -> bool {
        match self.blocks_of {
            Some(filter) if !self.starts.is_empty() => {
                is_taken(&begins_block, &|document| filter.chooses(document))
            }
            _ => true,
        }
    }
}

fn each_text(
    file: &CorpusFile,
    mut visit: impl FnMut(Position, &mut IsTaken<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SourceError> {
    if let Content::Pair(pair) = &file.content {
        let read = || file.pair(pair).ok()?.ok().map(|(document, _)| document);
        return Ok(visit(Position::default(), &mut |takes_id, takes| {
            takes_id(&pair.id) && read().is_some_and(|document| takes(&document))
        }));
    }
    let Some(dialect) = file.dialect()? else { return Ok(ControlFlow::Continue(())) };
    let mut records = file.records(&*dialect)?;
    let (mut parser, mut made) = (None, Made::default());
    while let Some(record) = records.next_record().map_err(|error| io_error(file.path(), "read", error))? {
        let mut is_taken = |takes_id: &dyn Fn(&str) -> bool, takes: &dyn Fn(&Document) -> bool| {
            let parser = parser.get_or_insert_with(|| dialect.parser());
            made.clear();
            let is_readable = !record.oversized && parser.parse(&record, &file.names, &mut made).is_ok();
            // Of a record with several texts, the first begins the piece.
            is_readable
                && made.documents.front().is_some_and(|document| takes_id(&document.id) && takes(document))
        };
        if visit(record.at, &mut is_taken).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
