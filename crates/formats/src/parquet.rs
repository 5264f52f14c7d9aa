//! Parquet: a row per text with nested columns, `data/train-00000-of-00004.parquet`. See
//! [`record_table`](crate::support::record_table) for the columns.
//!
//! A row group has `batch_size` rows, or fewer where they hold 4 MiB. Compression is the codec of its columns.

use spanfleet_core::{Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    framing::same_glue,
    record_table::{self, RecordTable},
    table::Container,
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Parquet { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "parquet",
    kind: "arrow",
    title: "Parquet: a row per text with nested columns, for pandas, DuckDB, Spark and pyarrow",
    extension: "parquet",
    other_extensions: &[],
    media_type: "application/vnd.apache.parquet",
    version: "1",
    layout: Layout::Shards,
    needs_labels: false,
    memory: Memory::Batch,
    is_ml_ready: true,
    // Readers begin at the end of the file.
    supports_streaming: false,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Inside,
    schema: record_table::schema,
};

struct Parquet {
    order: Order,
}

impl Format for Parquet {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(RecordTable::begin(Container::Parquet, &self.order)?))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let is_empty = parts.is_empty();
        let head =
            if is_empty { RecordTable::empty_file(Container::Parquet, &self.order)? } else { Vec::new() };
        Ok(Envelope { head, glue: same_glue(b"", parts), ..Envelope::default() })
    }
}
