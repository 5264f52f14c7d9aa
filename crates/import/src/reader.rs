//! The documents of a file, one at a time; what can't be read is handed out with its reason.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

use spanfleet_core::{Document, Kind, TextLimit};

use crate::{
    format::{Dialect, Parse},
    made::{Made, Refusal},
    place::{Fault, FileNames, Place, ReadError, Rejected},
    records::{Position, Record, Records, SHOWN_BYTES},
};

/// Documents from the bytes of one file or of a piece of it.
pub struct Reader<R> {
    records: Records<R>,
    parser: Box<dyn Parse>,
    names: FileNames,
    made: Made,
    rejected: VecDeque<Rejected>,
    limit: TextLimit,
}

impl<R: BufRead> Reader<R> {
    /// Reads on from a position; `input` stands there already.
    pub fn new(input: R, dialect: &dyn Dialect, names: &FileNames, from: Position) -> Reader<R> {
        let records = Records::new(input, dialect.framing(), from);
        let (made, rejected) = (Made::default(), VecDeque::new());
        let limit = TextLimit::default();
        Reader { records, parser: dialect.parser(), names: names.clone(), made, rejected, limit }
    }

    /// The same with another limit: a record that is longer is rejected, and only its beginning was held.
    #[must_use]
    pub fn limited(self, limit: TextLimit) -> Reader<R> {
        Reader { records: self.records.limited(limit), limit, ..self }
    }

    /// The next document, or what was rejected; `None` at the end. What is rejected of a record comes before its
    /// documents, so that whoever stops there takes nothing of it.
    pub fn next_document(&mut self) -> io::Result<Option<Result<Document, Rejected>>> {
        loop {
            if let Some(rejected) = self.rejected.pop_front() {
                return Ok(Some(Err(rejected)));
            }
            if let Some(document) = self.made.documents.pop_front() {
                return Ok(Some(Ok(document)));
            }
            let Some(record) = self.records.next_record()? else { return Ok(None) };
            self.made.clear();
            let parsed = if record.oversized {
                Err(Fault::at(0, 1, format!("the record is longer than {}", self.limit)))
            } else {
                self.parser.parse(&record, &self.names, &mut self.made)
            };
            match parsed {
                Ok(()) => {
                    let refusals = self.made.refusals.drain(..).enumerate();
                    self.rejected.extend(
                        refusals.map(|(nth, refusal)| reject_part(&self.names, &record, nth, refusal)),
                    );
                }
                Err(fault) => {
                    self.made.clear();
                    return Ok(Some(Err(reject(&self.names, &record, fault))));
                }
            }
        }
    }
}

fn reject(names: &FileNames, record: &Record<'_>, fault: Fault) -> Rejected {
    let shown = if record.oversized { record.bytes.len().min(SHOWN_BYTES) } else { record.bytes.len() };
    let text = String::from_utf8_lossy(&record.bytes[..shown]).trim_end_matches(['\n', '\r']).to_owned();
    let refusal = Refusal { kind: Kind::Text, part: text, fault };
    reject_part(names, record, 0, refusal)
}

fn reject_part(names: &FileNames, record: &Record<'_>, nth: usize, refusal: Refusal) -> Rejected {
    let Refusal { kind, part, fault } = refusal;
    let column_before = if fault.line == 0 { record.at.column } else { 0 };
    let place = Place {
        file: names.shown.clone(),
        line: record.at.line + fault.line + 1,
        column: column_before + fault.column,
    };
    let error = ReadError { place, reason: fault.reason };
    Rejected { kind, record: part, error, key: (record.at.byte, nth as u32) }
}
