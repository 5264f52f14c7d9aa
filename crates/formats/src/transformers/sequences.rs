//! `sequence_classification`: labels of whole texts.
//!
//! With `multi_label` every text has a list of labels; without, one label, or -1 for none. `auto` looks whether any
//! text of the selection has several. A text with several where it may have one is refused, never cut to the first.

use spanfleet_core::{Annotation, Document, Extent, Ledger, Loss, Order, Schema, options::MultiLabel};

use super::{
    classes::Classes,
    task::{Emit, Task, lose_relations},
};
use crate::EncodeError;
use crate::support::{
    names::LabelNames,
    table::{Cell, Column, Kind},
};

/// What `datasets` takes for no label.
const NO_LABEL: i64 = -1;

pub(super) struct Sequences {
    names: LabelNames,
    classes: Classes,
    is_multi_label: bool,
}

impl Sequences {
    pub(super) fn new(order: &Order, schema: &Schema) -> Sequences {
        let is_multi_label = match order.options.multi_label {
            MultiLabel::Auto => schema.is_multi_label,
            MultiLabel::Always => true,
            MultiLabel::Never => false,
        };
        let classes = Classes::new(schema.labels.clone());
        Sequences { names: LabelNames::new(&order.options), classes, is_multi_label }
    }

    /// Ids of the labels of the whole text, each once, in the order of annotations.
    fn labels(&mut self, document: &Document, ledger: &mut Ledger) -> Result<Vec<i64>, EncodeError> {
        let mut labels = Vec::new();
        for annotation in &document.annotations {
            if annotation.extent != Extent::Text {
                ledger.lose_annotation(Loss::Unrepresentable, &document.id, &annotation.id);
                continue;
            }
            let name = self.names.of(&annotation.label);
            let label = self.classes.id(name.written.as_deref().unwrap_or(&name.path), document)?;
            if labels.contains(&label) {
                ledger.lose_annotation(Loss::Duplicate, &document.id, &annotation.id);
                continue;
            }
            if !self.is_multi_label && !labels.is_empty() {
                return Err(several(document, annotation));
            }
            ledger.counts.annotations_written += 1;
            labels.push(label);
        }
        Ok(labels)
    }
}

impl Task for Sequences {
    fn columns(&self) -> Vec<Column> {
        let labels = if self.is_multi_label {
            Column::new("labels", Kind::list(self.classes.kind()))
        } else {
            Column::new("label", self.classes.kind())
        };
        vec![Column::new("id", Kind::Text), Column::new("text", Kind::Text), labels]
    }

    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError> {
        let labels = self.labels(document, ledger)?;
        let cell = if self.is_multi_label {
            Cell::list(labels.into_iter().map(Cell::Integer))
        } else {
            Cell::Integer(labels.first().copied().unwrap_or(NO_LABEL))
        };
        emit(&[Cell::Text(&document.id), Cell::Text(&document.text), cell])?;
        ledger.counts.texts += 1;
        lose_relations(document, ledger);
        Ok(())
    }

    fn label_names(&self) -> Option<Vec<String>> {
        Some(self.classes.names().to_vec())
    }
}

fn several(document: &Document, annotation: &Annotation) -> EncodeError {
    EncodeError::about(
        &document.id,
        format!(
            "text `{}` has another label beside `{}`, and `multi_label` is false; set it to true, or choose one \
             by `annotators` or `label_map`",
            document.id, annotation.label
        ),
    )
}
