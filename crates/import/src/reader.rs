//! The documents of a file, one at a time; records that can't be read are handed out with their reason.

use std::io::{self, BufRead};

use spanfleet_core::Document;

use crate::{
    format::{Dialect, Parse},
    place::{Fault, FileNames, Place, ReadError, Rejected},
    records::{Position, RECORD_LIMIT_BYTES, Record, Records},
};

/// Documents from the bytes of one file or of a piece of it.
pub struct Reader<R> {
    records: Records<R>,
    parser: Box<dyn Parse>,
    names: FileNames,
}

impl<R: BufRead> Reader<R> {
    /// Reads on from a position; `input` stands there already.
    pub fn new(input: R, dialect: &dyn Dialect, names: &FileNames, from: Position) -> Reader<R> {
        let records = Records::new(input, dialect.framing(), from);
        Reader { records, parser: dialect.parser(), names: names.clone() }
    }

    /// The next document or rejected record; `None` at the end.
    pub fn next_document(&mut self) -> io::Result<Option<Result<Document, Rejected>>> {
        let Some(record) = self.records.next_record()? else { return Ok(None) };
        let parsed =
            if record.oversized { Err(oversized()) } else { self.parser.parse(&record, &self.names) };
        Ok(Some(parsed.map_err(|fault| reject(&self.names, &record, fault))))
    }
}

fn oversized() -> Fault {
    let limit = RECORD_LIMIT_BYTES / (1024 * 1024 * 1024);
    Fault::at(0, 1, format!("the text is longer than {limit} GiB; split it"))
}

fn reject(names: &FileNames, record: &Record<'_>, fault: Fault) -> Rejected {
    let place =
        Place { file: names.shown.clone(), line: record.at.line + fault.line + 1, column: fault.column };
    let text = String::from_utf8_lossy(record.bytes);
    let record = text.trim_end_matches(['\n', '\r']).to_owned();
    Rejected { record, error: ReadError { place, reason: fault.reason } }
}
