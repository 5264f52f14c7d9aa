//! What every document goes through before any encoder: it is counted, adjudicated, and cut to what the order
//! includes. Labels keep their annotated form; encoders ask [`LabelNames`] for the written one.

use std::{collections::HashSet, sync::Arc};

use spanfleet_core::{
    Annotation, Change, Document, Ledger, Loss, Order, Schema, document::Relation, options::Annotators,
};

use crate::support::names::LabelNames;

/// Shapes the documents of one part.
pub struct Shaper {
    order: Order,
    names: LabelNames,
}

impl Shaper {
    /// For one order.
    pub fn new(order: &Order) -> Shaper {
        Shaper { order: order.clone(), names: LabelNames::new(&order.options) }
    }

    /// Counts what was selected, then drops what the order's annotators and label map leave out, and clears
    /// what it does not include.
    ///
    /// A relation without both its ends, whoever dropped them, is lost as `endpoint_missing`.
    pub fn shape(&mut self, document: &mut Document, ledger: &mut Ledger) {
        if !self.order.include.relations {
            document.relations.clear();
        }
        ledger.counts.texts_selected += 1;
        ledger.counts.annotations_selected += document.annotations.len() as u64;
        ledger.counts.relations_selected += document.relations.len() as u64;
        let Document { id, annotations, relations, metadata, .. } = document;
        annotations.retain(|annotation| self.keeps(annotation, id, ledger));
        drop_dangling(annotations, relations, id, ledger);
        if !self.order.include.metadata {
            *metadata = None;
            for annotation in annotations.iter_mut() {
                annotation.attributes = None;
            }
        }
    }

    /// Labels that were handed to the encoder so far, as written, sorted.
    pub fn labels(&self) -> Vec<String> {
        self.names.all_written().into_iter().collect()
    }

    /// The schema of a selection with its labels as they will be written.
    pub fn schema(&self, schema: &Schema) -> Schema {
        let mut names = LabelNames::new(&self.order.options);
        for label in &schema.labels {
            names.of(&Arc::from(label.as_str()));
        }
        let relation_types =
            if self.order.include.relations { schema.relation_types.clone() } else { Vec::new() };
        Schema {
            labels: names.all_written().into_iter().collect(),
            relation_types,
            is_multi_label: schema.is_multi_label,
        }
    }

    fn keeps(&mut self, annotation: &Annotation, text: &str, ledger: &mut Ledger) -> bool {
        if !is_chosen(&self.order.options.annotators, annotation) {
            ledger.lose_annotation(Loss::Adjudicated, text, &annotation.id);
            return false;
        }
        let name = self.names.of(&annotation.label);
        if name.written.is_none() {
            ledger.lose_annotation(Loss::LabelDropped, text, &annotation.id);
            return false;
        }
        if name.is_renamed {
            ledger.change_annotation(Change::Relabelled, text, &annotation.id);
        }
        true
    }
}

fn is_chosen(annotators: &Annotators, annotation: &Annotation) -> bool {
    match annotators {
        Annotators::All => true,
        Annotators::Only(names) => annotation
            .annotator
            .as_deref()
            .is_some_and(|annotator| names.iter().any(|name| name == annotator)),
    }
}

fn drop_dangling(annotations: &[Annotation], relations: &mut Vec<Relation>, text: &str, ledger: &mut Ledger) {
    if relations.is_empty() {
        return;
    }
    let ids: HashSet<&str> = annotations.iter().map(|annotation| annotation.id.as_str()).collect();
    relations.retain(|relation| {
        let is_whole = ids.contains(relation.source.as_str()) && ids.contains(relation.target.as_str());
        if !is_whole {
            ledger.lose_relation(Loss::EndpointMissing, text, relation);
        }
        is_whole
    });
}

#[cfg(test)]
mod tests;
