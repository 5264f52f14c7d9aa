//! One JSON array of neutral records, a record per line.

use std::sync::Arc;

use serde_json::{Value, json};
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
    make: |order| Ok(Box::new(JsonArray { order: order.clone(), rules: Rules::of(order)? })),
};

const INFO: FormatInfo = FormatInfo {
    name: "json",
    kind: "json",
    title: "JSON: one array of texts with everything on them",
    extension: "json",
    other_extensions: &[],
    media_type: "application/json",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Buffers,
    is_ml_ready: false,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema,
};

const GLUE: &[u8] = b",\n";

struct JsonArray {
    order: Order,
    rules: Option<Arc<Rules>>,
}

struct JsonArrayPart {
    records: RecordWriter,
    is_begun: bool,
}

/// The same by the rules of a user-defined format.
struct CustomPart {
    records: CustomRecords,
    is_begun: bool,
}

fn schema() -> Value {
    let mut item = record::schema();
    let dialect = item.as_object_mut().and_then(|item| item.shift_remove("$schema"));
    json!({"$schema": dialect, "title": "Texts with their annotations", "type": "array", "items": item})
}

impl Format for JsonArray {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(match &self.rules {
            None => Box::new(JsonArrayPart { records: RecordWriter::new(&self.order), is_begun: false }),
            Some(rules) => {
                let records = CustomRecords::new(&self.order, rules.clone());
                Box::new(CustomPart { records, is_begun: false })
            }
        })
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        if parts.is_empty() {
            return Ok(Envelope { head: b"[]\n".to_vec(), ..Envelope::default() });
        }
        Ok(Envelope {
            head: b"[\n".to_vec(),
            glue: same_glue(GLUE, parts),
            tail: b"\n]\n".to_vec(),
            ..Envelope::default()
        })
    }
}

impl PartEncoder for JsonArrayPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        if std::mem::replace(&mut self.is_begun, true) {
            out.extend_from_slice(GLUE);
        }
        self.records.write(document, out, ledger);
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
        let is_begun = &mut self.is_begun;
        self.records.write(document, ledger, |value| {
            if std::mem::replace(is_begun, true) {
                out.extend_from_slice(GLUE);
            }
            out.extend_from_slice(value);
        })
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}
