//! Rows to a file in bounded memory.

use serde::{Deserialize, Serialize};
use spanfleet_core::Options;

use super::{
    Cell, Column, Container, TableError,
    columns::{Columns, arrow_schema},
    files::File,
    lines,
};

/// Cells that make a batch before `batch_size` rows do: what wide texts may hold of a worker's memory.
const BATCH_BYTES: u64 = 4 << 20;
/// Offsets within a column have 32 bits, signed; a batch that is not full may hold a row of this size too.
const MOST_ROW_BYTES: u64 = (1 << 31) - (2 * BATCH_BYTES);

/// What a part's table came to. Kept in the part's notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableNotes {
    /// Rows; they need not be as many as texts.
    pub rows: u64,
    /// Bytes of their cells, uncompressed.
    pub bytes: u64,
}

/// Writes the rows of one file.
pub struct TableWriter {
    columns: Vec<Column>,
    waiting: Columns,
    waiting_bytes: u64,
    batch_size: usize,
    file: Option<File>,
    notes: TableNotes,
}

impl TableWriter {
    /// Begins a file of these columns, with metadata for its schema.
    pub fn begin(
        container: Container,
        columns: Vec<Column>,
        metadata: Option<(&str, String)>,
        options: &Options,
    ) -> Result<TableWriter, TableError> {
        let schema = arrow_schema(&columns, metadata);
        Ok(TableWriter {
            file: File::begin(container, &schema, options)?,
            waiting: Columns::new(&columns, schema),
            waiting_bytes: 0,
            batch_size: options.batch_size,
            notes: TableNotes::default(),
            columns,
        })
    }

    /// Adds a row: a cell for every column, in their order.
    pub fn push(&mut self, row: &[Cell<'_>], out: &mut Vec<u8>) -> Result<(), TableError> {
        let bytes = row.iter().map(Cell::bytes).sum();
        self.notes.rows += 1;
        self.notes.bytes += bytes;
        if self.file.is_none() {
            lines::write_object(&self.columns, row, out);
            out.push(b'\n');
            return Ok(());
        }
        if bytes > MOST_ROW_BYTES {
            return Err(TableError::TooLarge(bytes));
        }
        self.waiting.push(row);
        self.waiting_bytes += bytes;
        if self.waiting.rows() >= self.batch_size || self.waiting_bytes >= BATCH_BYTES {
            self.write_batch(out)?;
        }
        Ok(())
    }

    fn write_batch(&mut self, out: &mut Vec<u8>) -> Result<(), TableError> {
        self.waiting_bytes = 0;
        let batch = self.waiting.take()?;
        match &mut self.file {
            Some(file) => file.write(&batch, out),
            None => Ok(()),
        }
    }

    /// Ends the file.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<TableNotes, TableError> {
        if self.waiting.rows() > 0 {
            self.write_batch(out)?;
        }
        if let Some(file) = self.file {
            file.finish(out)?;
        }
        Ok(self.notes)
    }
}
