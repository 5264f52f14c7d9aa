//! What a format has no place for, counted.

use std::{collections::HashSet, sync::Arc};

use spanfleet_core::{Annotation, Document, Extent, Ledger, Loss};

use crate::support::names::LabelNames;

/// Loses relations.
pub(crate) fn lose_relations(document: &Document, ledger: &mut Ledger) {
    for relation in &document.relations {
        ledger.lose_relation(Loss::Unrepresentable, &document.id, relation);
    }
}

/// Loses labels of the whole text.
pub(crate) fn lose_text_labels(document: &Document, ledger: &mut Ledger) {
    for annotation in of_texts(document) {
        ledger.lose_annotation(Loss::Unrepresentable, &document.id, &annotation.id);
    }
}

/// Loses everything but labels of the whole text.
pub(crate) fn lose_spans(document: &Document, ledger: &mut Ledger) {
    for annotation in document.annotations.iter().filter(|annotation| annotation.extent != Extent::Text) {
        ledger.lose_annotation(Loss::Unrepresentable, &document.id, &annotation.id);
    }
}

/// Labels of the whole text as they are written, each once, in the order of annotations.
pub(crate) fn text_labels(document: &Document, names: &mut LabelNames, ledger: &mut Ledger) -> Vec<Arc<str>> {
    let (mut labels, mut known) = (Vec::new(), HashSet::new());
    for annotation in of_texts(document) {
        let label = names.written(&annotation.label);
        if known.insert(label.clone()) {
            ledger.counts.annotations_written += 1;
            labels.push(label);
        } else {
            ledger.lose_annotation(Loss::Duplicate, &document.id, &annotation.id);
        }
    }
    labels
}

fn of_texts(document: &Document) -> impl Iterator<Item = &Annotation> {
    document.annotations.iter().filter(|annotation| annotation.extent == Extent::Text)
}
