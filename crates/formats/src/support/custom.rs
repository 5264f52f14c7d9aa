//! Records of user-defined formats: made by a jq filter, held to a JSON Schema.

use std::sync::Arc;

use spanfleet_core::{Document, Ledger, Loss, OptionError, Order};

use crate::EncodeError;
use crate::support::{
    jq::Jq,
    record::{RecordWriter, count},
    record_schema::RecordSchema,
};

/// What an order asks of its records beyond the neutral form.
pub struct Rules {
    jq: Option<Jq>,
    schema: Option<RecordSchema>,
}

impl Rules {
    /// The rules of an order, if it has any.
    pub fn of(order: &Order) -> Result<Option<Arc<Rules>>, OptionError> {
        let jq = order.options.jq.as_deref().map(Jq::new).transpose()?;
        let schema = order.options.record_schema.as_ref().map(RecordSchema::new).transpose()?;
        Ok((jq.is_some() || schema.is_some()).then(|| Arc::new(Rules { jq, schema })))
    }

    /// Hands each value that a record becomes to `found`, checked.
    fn run(&self, record: &[u8], mut found: impl FnMut(&[u8])) -> Result<(), String> {
        let mut checked = |value: &[u8]| {
            if let Some(schema) = &self.schema {
                let fits = schema.check(value);
                fits.map_err(|reason| format!("a record does not fit the format's schema {reason}"))?;
            }
            found(value);
            Ok(())
        };
        match &self.jq {
            Some(jq) => jq.run(record, checked),
            None => checked(record),
        }
    }
}

/// Records as an order's rules make them.
pub struct CustomRecords {
    records: RecordWriter,
    rules: Arc<Rules>,
    record: Vec<u8>,
}

impl CustomRecords {
    /// Under an order's labels.
    pub fn new(order: &Order, rules: Arc<Rules>) -> CustomRecords {
        CustomRecords { records: RecordWriter::new(order), rules, record: Vec::new() }
    }

    /// Hands each value of a document to `found`. A document without any is lost whole.
    pub fn write(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        mut found: impl FnMut(&[u8]),
    ) -> Result<(), EncodeError> {
        self.record.clear();
        self.records.write(document, &mut self.record, &mut Ledger::default());
        let mut is_empty = true;
        let ran = self.rules.run(&self.record, |value| {
            is_empty = false;
            found(value);
        });
        ran.map_err(|reason| EncodeError::about(&document.id, reason))?;
        if is_empty {
            ledger.lose_document(Loss::Adjudicated, document);
        } else {
            count(document, ledger);
        }
        Ok(())
    }
}
