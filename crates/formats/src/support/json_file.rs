//! Files of JSON records: lines, an array, or a list inside an object. What stands between two records is the same
//! within a part and between parts.

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use spanfleet_core::{Document, Json, Ledger};

use crate::support::framing::same_glue;
use crate::{EncodeError, Envelope, PartEncoder, PartSummary};

/// What stands around the records of a file.
#[derive(Debug)]
pub(crate) struct JsonFile {
    /// Before the first record.
    pub(crate) head: &'static str,
    /// Between two records.
    pub(crate) between: &'static str,
    /// After the last record.
    pub(crate) tail: &'static str,
    /// A file without records.
    pub(crate) empty: &'static str,
}

/// A record per line.
pub(crate) const LINES: JsonFile = JsonFile { head: "", between: "\n", tail: "\n", empty: "" };
/// One array, a record per line.
pub(crate) const ARRAY: JsonFile = JsonFile { head: "[\n", between: ",\n", tail: "\n]\n", empty: "[]\n" };

/// Makes records of documents. Every text, annotation and relation is counted as written or lost.
pub(crate) trait Records: Send {
    /// Appends the records of a document: usually one.
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError>;
    /// What `beside` will need to know of the part.
    fn notes(&self) -> Value {
        Value::Null
    }
}

/// Takes records.
pub(crate) struct Sink<'o> {
    out: &'o mut Vec<u8>,
    between: &'static str,
    is_begun: &'o mut bool,
}

impl Sink<'_> {
    /// Appends a record.
    pub(crate) fn record(&mut self, record: &impl Serialize) {
        if std::mem::replace(self.is_begun, true) {
            self.out.extend_from_slice(self.between.as_bytes());
        }
        // Writing into memory can't fail.
        let _written = serde_json::to_writer(&mut *self.out, record);
    }
}

impl JsonFile {
    /// Starts a part.
    pub(crate) fn start(&'static self, records: impl Records + 'static) -> Box<dyn PartEncoder> {
        Box::new(JsonPart { records, between: self.between, is_begun: false })
    }

    /// What stands around parts.
    pub(crate) fn seal(&self, parts: &[PartSummary]) -> Envelope {
        if parts.is_empty() {
            return Envelope { head: self.empty.into(), ..Envelope::default() };
        }
        Envelope {
            head: self.head.into(),
            glue: same_glue(self.between.as_bytes(), parts),
            tail: self.tail.into(),
            ..Envelope::default()
        }
    }
}

struct JsonPart<R> {
    records: R,
    between: &'static str,
    is_begun: bool,
}

impl<R: Records> PartEncoder for JsonPart<R> {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let mut sink = Sink { out, between: self.between, is_begun: &mut self.is_begun };
        self.records.write(document, &mut sink, ledger)
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(self.records.notes())
    }
}

/// JSON that is written as it stands, every digit of its numbers kept.
pub(crate) fn raw(json: Option<&Json>) -> Option<&RawValue> {
    json.filter(|json| !json.is_empty_object()).and_then(|json| serde_json::from_str(json.as_str()).ok())
}

/// A number that JSON can say.
pub(crate) fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}
