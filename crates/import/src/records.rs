//! Where the records of a file begin, found without reading what they mean.
//!
//! A file may be cut at the [`Position`] of any record: whoever reads on from there with the same position
//! counts lines, texts and documents as if it had read the whole file.

use std::io::{self, BufRead};

use memchr::memchr;
use serde::{Deserialize, Serialize};
use spanfleet_core::TextLimit;

/// What makes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A line that is not blank.
    Lines,
    /// Lines up to a blank one; `-DOCSTART-` lines stand between records.
    Blocks {
        /// Whether a line that begins with `#` is a comment.
        comments: bool,
    },
    /// JSON values: the elements of an array, or values that follow one another.
    Values {
        /// When given, the array that stands under this key of the file's one object, as `data` in SQuAD.
        under: Option<&'static str>,
    },
    /// The whole file.
    Whole,
}

/// How much of a file lies before a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes.
    pub byte: u64,
    /// Lines.
    pub line: u64,
    /// Texts, good or bad.
    pub text: u64,
    /// Document starts (`-DOCSTART-` or `# newdoc`).
    pub document: u64,
    /// Code points of its line; counted in JSON values only, other records begin with a line.
    #[serde(default)]
    pub column: u64,
    /// Whether it lies in the array that holds the records of a JSON file.
    #[serde(default)]
    pub is_inside: bool,
}

/// One record as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub struct Record<'b> {
    /// Its lines.
    pub bytes: &'b [u8],
    /// What lies before it.
    pub at: Position,
    /// The number of the document it belongs to, from 1; 0 when the file names no documents.
    pub document: u64,
    /// Whether it is longer than the limit and `bytes` is only its beginning.
    pub oversized: bool,
}

/// How much of an oversized record is shown.
pub(crate) const SHOWN_BYTES: usize = 1000;

/// The records of a file, one at a time in one buffer.
#[derive(Debug)]
pub struct Records<R> {
    pub(crate) input: R,
    framing: Framing,
    pub(crate) limit_bytes: usize,
    pub(crate) buffer: Vec<u8>,
    pub(crate) oversized: bool,
    pub(crate) position: Position,
}

enum Line {
    End,
    Blank,
    DocumentStart,
    Comment { starts_document: bool },
    Columns,
}

impl<R: BufRead> Records<R> {
    /// Reads on from a position; `input` stands there already.
    pub fn new(input: R, framing: Framing, from: Position) -> Records<R> {
        let limit_bytes = TextLimit::default().bytes() as usize;
        Records { input, framing, limit_bytes, buffer: Vec::new(), oversized: false, position: from }
    }

    /// The same with another limit of a record's bytes.
    #[must_use]
    pub fn limited(self, limit: TextLimit) -> Records<R> {
        Records { limit_bytes: limit.bytes() as usize, ..self }
    }

    /// The next record; `None` at the end.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        match self.framing {
            Framing::Lines => self.next_line(),
            Framing::Blocks { comments } => self.next_block(comments),
            Framing::Values { under } => self.next_value(under),
            Framing::Whole => self.next_file(),
        }
    }

    fn next_file(&mut self) -> io::Result<Option<Record<'_>>> {
        self.clear();
        let at = self.position;
        while self.append_line()? > 0 {}
        if is_blank(&self.buffer) {
            return Ok(None);
        }
        self.position.text += 1;
        Ok(Some(self.record(at, at.document)))
    }

    fn next_line(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            self.clear();
            let at = self.position;
            if self.append_line()? == 0 {
                return Ok(None);
            }
            if !is_blank(&self.buffer) {
                self.position.text += 1;
                return Ok(Some(self.record(at, at.document)));
            }
        }
    }

    fn next_block(&mut self, comments: bool) -> io::Result<Option<Record<'_>>> {
        self.clear();
        let (mut at, mut has_tokens) = (self.position, false);
        loop {
            let line_start = self.buffer.len();
            let read_bytes = self.append_line()?;
            let line = classify(&self.buffer[line_start..], read_bytes, comments);
            match line {
                Line::End | Line::Blank | Line::DocumentStart if has_tokens => {
                    self.buffer.truncate(line_start);
                    self.position.text += 1;
                    let document = self.position.document;
                    self.position.document += u64::from(matches!(line, Line::DocumentStart));
                    return Ok(Some(self.record(at, document)));
                }
                Line::End => return Ok(None),
                Line::Blank | Line::DocumentStart => {
                    self.position.document += u64::from(matches!(line, Line::DocumentStart));
                    self.clear();
                    at = self.position;
                }
                Line::Comment { starts_document } => self.position.document += u64::from(starts_document),
                Line::Columns => has_tokens = true,
            }
            self.forget_oversized();
        }
    }

    pub(crate) fn record(&self, at: Position, document: u64) -> Record<'_> {
        Record { bytes: &self.buffer, at, document, oversized: self.oversized }
    }

    pub(crate) fn clear(&mut self) {
        if self.oversized {
            // Few are: what they took goes back.
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        self.oversized = false;
    }

    /// Makes room for the line that may end an oversized block.
    fn forget_oversized(&mut self) {
        if self.buffer.len() >= self.limit_bytes {
            self.oversized = true;
            self.buffer.truncate(SHOWN_BYTES.min(self.limit_bytes / 2));
        }
    }

    /// Appends the next line with its newline, as far as the limit allows; returns the bytes read.
    fn append_line(&mut self) -> io::Result<u64> {
        let mut read_bytes = 0;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let newline = memchr(b'\n', available);
            let used = newline.map_or(available.len(), |at| at + 1);
            let room = self.limit_bytes.saturating_sub(self.buffer.len());
            self.oversized |= used > room;
            self.buffer.extend_from_slice(&available[..used.min(room)]);
            self.input.consume(used);
            read_bytes += used as u64;
            if newline.is_some() || used == 0 {
                break;
            }
        }
        if self.position.byte == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        self.position.byte += read_bytes;
        self.position.line += u64::from(read_bytes > 0);
        Ok(read_bytes)
    }
}

pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
pub(crate) const DOCUMENT_START: &[u8] = b"-DOCSTART-";

fn classify(line: &[u8], read_bytes: u64, comments: bool) -> Line {
    if read_bytes == 0 {
        Line::End
    } else if is_blank(line) {
        Line::Blank
    } else if is_document_start(line) {
        Line::DocumentStart
    } else if comments && line[0] == b'#' {
        let words = line[1..].trim_ascii_start();
        Line::Comment { starts_document: words.starts_with(b"newdoc") }
    } else {
        Line::Columns
    }
}

/// White space only. Not the wider white space of Unicode: a token may well be a no-break space.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

pub(crate) fn is_document_start(line: &[u8]) -> bool {
    let rest = line.strip_prefix(DOCUMENT_START);
    rest.is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &str, framing: Framing, limit: usize) -> Vec<(String, Position, u64, bool)> {
        let mut records = Records::new(input.as_bytes(), framing, Position::default());
        records.limit_bytes = limit;
        let mut out = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            let text = String::from_utf8_lossy(record.bytes).into_owned();
            out.push((text, record.at, record.document, record.oversized));
        }
        out
    }

    const BLOCKS: Framing = Framing::Blocks { comments: true };

    #[test]
    fn lines_skip_blank_ones_and_the_byte_order_mark() {
        let found = all("\u{feff}a\n \r\n\nb", Framing::Lines, 100);
        let seen: Vec<_> = found.iter().map(|(text, at, ..)| (text.as_str(), at.line, at.text)).collect();
        assert_eq!(seen, [("a\n", 0, 0), ("b", 3, 1)]);
    }

    #[test]
    fn blocks_count_documents() {
        let found = all(
            "-DOCSTART-\n\na O\nb O\n-DOCSTART-\tO\nc O\n\n\n# newdoc id = x\n# text = d\nd O",
            BLOCKS,
            100,
        );
        let seen: Vec<_> =
            found.iter().map(|(text, at, document, _)| (text.as_str(), at.line, *document)).collect();
        assert_eq!(seen, [("a O\nb O\n", 2, 1), ("c O\n", 5, 2), ("# newdoc id = x\n# text = d\nd O", 8, 3)]);
    }

    #[test]
    fn what_is_too_long_is_marked_and_passed() {
        let found = all("aaaaaaaaaaaaaaaaaaaaaaa\nb\n", Framing::Lines, 10);
        assert_eq!(found.iter().map(|found| found.3).collect::<Vec<_>>(), [true, false]);
        let found = all("a O\na O\na O\na O\na O\n\nb O\n", BLOCKS, 12);
        assert_eq!(found.iter().map(|found| found.3).collect::<Vec<_>>(), [true, false]);
        assert_eq!(found[1].0, "b O\n");
    }

    #[test]
    fn reading_on_from_any_record_is_reading_the_whole() {
        let input = "-DOCSTART-\n\na O\n-DOCSTART-\nb O\n\n# newdoc\n\nc O\n\n";
        let whole = all(input, BLOCKS, 100);
        for (nth, (_, at, ..)) in whole.iter().enumerate() {
            let rest = &input.as_bytes()[at.byte as usize..];
            let mut records = Records::new(rest, BLOCKS, *at);
            for expected in &whole[nth..] {
                let record = records.next_record().unwrap().unwrap();
                assert_eq!((record.at, record.document), (expected.1, expected.2));
            }
        }
    }
}
