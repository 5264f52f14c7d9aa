//! Arrow IPC: a row per text with nested columns. See [`record_table`](crate::support::record_table) for them.
//!
//! | `arrow_ipc` | file | who opens it |
//! | --- | --- | --- |
//! | `file` | `data/train-00000-of-00004.arrow` | `pyarrow.ipc.open_file`, pandas, polars, `load_dataset("arrow")` |
//! | `stream` | `data/train-00000-of-00004.arrows` | `pyarrow.ipc.open_stream`, `load_dataset("arrow")`, `Dataset.from_file` |
//!
//! A record batch has `batch_size` rows, or fewer where they hold 4 MiB. Compression is that of its buffers, which
//! Arrow knows with Zstandard.

use spanfleet_core::{
    OptionError, Order, Schema,
    options::{ArrowIpc, Compression},
};

use crate::support::{
    framing::same_glue,
    record_table::{self, RecordTable},
    table::Container,
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry = Entry { info: FILE, make };

const FILE: FormatInfo = FormatInfo {
    name: "arrow",
    kind: "arrow",
    title: "Arrow IPC, file or stream: a row per text with nested columns",
    extension: "arrow",
    other_extensions: &[STREAM_EXTENSION],
    media_type: "application/vnd.apache.arrow.file",
    version: "1",
    layout: Layout::Shards,
    needs_labels: false,
    memory: Memory::Batch,
    is_ml_ready: true,
    supports_streaming: true,
    // The format knows no gzip.
    compressions: &[Compression::None, Compression::Zstd],
    compressed: Compressed::Inside,
    schema: record_table::schema,
};

const STREAM: FormatInfo = FormatInfo {
    extension: STREAM_EXTENSION,
    other_extensions: &[],
    media_type: "application/vnd.apache.arrow.stream",
    ..FILE
};
const STREAM_EXTENSION: &str = "arrows";

struct Arrow {
    order: Order,
    info: FormatInfo,
    container: Container,
}

#[expect(clippy::unnecessary_wraps, reason = "every entry is made so")]
fn make(order: &Order) -> Result<Box<dyn Format>, OptionError> {
    let (info, container) = match order.options.arrow_ipc {
        ArrowIpc::File => (FILE, Container::ArrowFile),
        ArrowIpc::Stream => (STREAM, Container::ArrowStream),
    };
    Ok(Box::new(Arrow { order: order.clone(), info, container }))
}

impl Format for Arrow {
    fn info(&self) -> &FormatInfo {
        &self.info
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(RecordTable::begin(self.container, &self.order)?))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let is_empty = parts.is_empty();
        let head = if is_empty { RecordTable::empty_file(self.container, &self.order)? } else { Vec::new() };
        Ok(Envelope { head, glue: same_glue(b"", parts), ..Envelope::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::open;
    use crate::testing::order;

    #[test]
    fn the_option_chooses_the_ending() {
        let extension = |options| open(&order("arrow", options)).unwrap().info().extension;
        assert_eq!(extension("{}"), "arrow");
        assert_eq!(extension(r#"{"arrow_ipc":"stream"}"#), "arrows");
    }

    #[test]
    fn gzip_is_refused() {
        let error = open(&order("arrow", r#"{"compression":"gzip"}"#)).err().unwrap().to_string();
        assert_eq!(error, "option `compression` can't be `gzip`; allowed: none, zstd with arrow");
    }
}
