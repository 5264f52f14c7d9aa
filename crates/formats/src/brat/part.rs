//! The texts of one part, two entries of the zip each.

use std::collections::HashMap;
use std::io;

use serde_json::Value;
use spanfleet_core::{Change, Document, Ledger, Loss, Order};

use super::lines::Lines;
use super::names::{file_stem, type_name};
use super::notes::{PartNotes, Vocabulary};
use super::text::BratText;
use super::zip::ZipWriter;
use crate::support::names::LabelNames;
use crate::{EncodeError, PartEncoder};

pub(super) struct BratPart {
    names: LabelNames,
    text: BratText,
    lines: Lines,
    words: Vocabulary,
    zip: ZipWriter,
    /// Entries so far, as notes store them.
    table: Vec<u8>,
}

impl BratPart {
    pub(super) fn new(order: &Order) -> BratPart {
        BratPart {
            names: LabelNames::new(&order.options),
            text: BratText::default(),
            lines: Lines::default(),
            words: Vocabulary::default(),
            zip: ZipWriter::new(),
            table: Vec::new(),
        }
    }
}

impl PartEncoder for BratPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        if self.text.rebuild(&document.text) {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        self.lines.clear();
        let numbers = self.spans(document, ledger);
        self.relations(document, &numbers, ledger);
        self.write(document, out).map_err(|error| {
            EncodeError::about(
                &document.id,
                format!("text `{}` can't be put into a zip: {error}", document.id),
            )
        })?;
        ledger.counts.texts += 1;
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        let notes = PartNotes::new(self.words, &self.table);
        let notes = notes.and_then(|notes| serde_json::to_value(notes).map_err(io::Error::other));
        notes.map_err(|error| EncodeError {
            text: None,
            message: format!("can't note a part's files: {error}"),
        })
    }
}

impl BratPart {
    /// Writes a line for every span and for what is known of it; returns their numbers by the annotations' ids.
    fn spans<'d>(&mut self, document: &'d Document, ledger: &mut Ledger) -> HashMap<&'d str, u32> {
        let mut numbers = HashMap::new();
        let mut written = Vec::with_capacity(document.annotations.len());
        for annotation in &document.annotations {
            let placed = match self.text.place(&annotation.extent) {
                Ok(placed) => placed,
                Err(loss) => {
                    ledger.lose_annotation(loss, &document.id, &annotation.id);
                    continue;
                }
            };
            let name = self.names.of(&annotation.label);
            let label = name.written.as_deref().unwrap_or(&name.path);
            let kind = type_name(label);
            if kind != label {
                ledger.change_annotation(Change::Relabelled, &document.id, &annotation.id);
            }
            if placed.is_trimmed {
                ledger.change_annotation(Change::Trimmed, &document.id, &annotation.id);
            }
            self.words.label(label);
            let number = self.lines.span(&kind, &placed.fragments, &self.text.stated(&placed.fragments));
            numbers.insert(annotation.id.as_str(), number);
            written.push((number, annotation));
            ledger.counts.annotations_written += 1;
        }
        for (number, annotation) in written {
            self.lines.about_span(number, annotation, &mut self.words);
        }
        numbers
    }

    fn relations(&mut self, document: &Document, numbers: &HashMap<&str, u32>, ledger: &mut Ledger) {
        for relation in &document.relations {
            let (source, target) = (numbers.get(&*relation.source), numbers.get(&*relation.target));
            let (Some(source), Some(target)) = (source, target) else {
                ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
                continue;
            };
            self.words.relation(&relation.kind);
            self.lines.relation(&type_name(&relation.kind), *source, *target);
            ledger.counts.relations_written += 1;
        }
    }

    fn write(&mut self, document: &Document, out: &mut Vec<u8>) -> io::Result<()> {
        let stem = file_stem(&document.id);
        for (ending, content) in [("txt", &self.text.content), ("ann", &self.lines.content)] {
            let entry = self.zip.write(&format!("{stem}.{ending}"), content.as_bytes(), out)?;
            entry.store(&mut self.table);
        }
        Ok(())
    }
}
