//! Cells and rows under RFC 4180.

use spanfleet_core::Json;

/// Characters at which a spreadsheet takes a cell for a formula, full-width forms included (OWASP's list).
const FORMULA_STARTS: &[char] = &['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Small: the writer's buffer is made anew for every text.
const BUFFER_BYTES: usize = 1 << 12;

/// Writes the rows of one text.
pub(super) struct RowWriter<'o> {
    writer: ::csv::Writer<&'o mut Vec<u8>>,
    is_spreadsheet_safe: bool,
    was_cleaned: bool,
}

impl<'o> RowWriter<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>, is_spreadsheet_safe: bool) -> RowWriter<'o> {
        let mut builder = ::csv::WriterBuilder::new();
        builder.terminator(::csv::Terminator::CRLF).buffer_capacity(BUFFER_BYTES);
        RowWriter { writer: builder.from_writer(out), is_spreadsheet_safe, was_cleaned: false }
    }

    /// A cell with somebody's words, which a spreadsheet must not run.
    pub(super) fn text(&mut self, cell: &str) -> ::csv::Result<()> {
        if self.is_spreadsheet_safe && cell.starts_with(FORMULA_STARTS) {
            self.was_cleaned = true;
            return self.writer.write_field(format!("'{cell}"));
        }
        self.writer.write_field(cell)
    }

    /// A cell that never starts like a formula, or is a number.
    pub(super) fn plain(&mut self, cell: &[u8]) -> ::csv::Result<()> {
        self.writer.write_field(cell)
    }

    pub(super) fn json(&mut self, json: Option<&Json>) -> ::csv::Result<()> {
        self.plain(json.map_or("", Json::as_str).as_bytes())
    }

    pub(super) fn number(&mut self, number: Option<u32>) -> ::csv::Result<()> {
        match number {
            Some(number) => self.plain(itoa::Buffer::new().format(number).as_bytes()),
            None => self.empty(1),
        }
    }

    pub(super) fn empty(&mut self, cells: usize) -> ::csv::Result<()> {
        (0..cells).try_for_each(|_| self.plain(b""))
    }

    /// Ends the row.
    pub(super) fn end(&mut self) -> ::csv::Result<()> {
        self.writer.write_record(None::<&[u8]>)
    }

    /// Writes what is left; says whether a cell was changed for a spreadsheet's sake.
    pub(super) fn finish(mut self) -> ::csv::Result<bool> {
        self.writer.flush()?;
        Ok(self.was_cleaned)
    }
}
