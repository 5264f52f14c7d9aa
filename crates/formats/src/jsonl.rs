//! JSON lines: one neutral record per line. Holds everything; what is read back is what was selected.

use std::sync::Arc;

use serde_json::Value;
use spanfleet_core::{Document, Ledger, Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    custom::{CustomRecords, Rules},
    framing::same_glue,
    record,
    record::RecordWriter,
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry = Entry {
    info: INFO,
    make: |order| Ok(Box::new(JsonLines { order: order.clone(), rules: Rules::of(order)? })),
};

const INFO: FormatInfo = FormatInfo {
    name: "jsonl",
    kind: "jsonl",
    title: "JSON lines: one text with everything on it per line",
    extension: "jsonl",
    other_extensions: &[],
    media_type: "application/x-ndjson",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Buffers,
    is_ml_ready: true,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema: record::schema,
};

struct JsonLines {
    order: Order,
    rules: Option<Arc<Rules>>,
}

struct JsonLinesPart {
    records: RecordWriter,
}

/// The same by the rules of a user-defined format.
struct CustomPart {
    records: CustomRecords,
}

impl Format for JsonLines {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(match &self.rules {
            None => Box::new(JsonLinesPart { records: RecordWriter::new(&self.order) }),
            Some(rules) => Box::new(CustomPart { records: CustomRecords::new(&self.order, rules.clone()) }),
        })
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(Envelope { glue: same_glue(b"", parts), ..Envelope::default() })
    }
}

impl PartEncoder for JsonLinesPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.records.write(document, out, ledger);
        out.push(b'\n');
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}

impl PartEncoder for CustomPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.records.write(document, ledger, |value| {
            out.extend_from_slice(value);
            out.push(b'\n');
        })
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}
