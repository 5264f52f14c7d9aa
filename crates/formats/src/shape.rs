//! What every document goes through before any encoder: it is counted, adjudicated, preprocessed, and cut to what
//! the order includes. Labels keep their annotated form; encoders ask [`LabelNames`] for the written one.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `adjudicate` | whose annotations are taken |
//! | `rewrite` | steps that change the text, offsets moved along |
//! | `cut` | steps that cut a text into several |

mod adjudicate;
mod cut;
mod rewrite;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use spanfleet_core::{
    Annotation, Change, Document, Ledger, Loss, Order, Schema,
    document::Relation,
    options::{Annotators, Step},
};

use crate::support::{names::LabelNames, tokenize::Tokenizer};

/// Shapes the documents of one part.
pub struct Shaper {
    order: Order,
    schema: Schema,
    duplicates: HashSet<String>,
    names: LabelNames,
    tokenizer: Tokenizer,
    /// Documents between two steps.
    waiting: Vec<Document>,
}

impl Shaper {
    /// For one order and what its plan found.
    pub fn new(order: &Order, schema: &Schema) -> Shaper {
        Shaper {
            order: order.clone(),
            schema: Schema { duplicates: Vec::new(), moved: BTreeMap::new(), ..schema.clone() },
            duplicates: schema.duplicates.iter().cloned().collect(),
            names: LabelNames::new(&order.options),
            tokenizer: Tokenizer::new(order.options.tokenizer),
            waiting: Vec::new(),
        }
    }

    /// Counts what was selected, takes it through the order's policies and steps, and pushes what is to be
    /// encoded: usually one document, several where a step cuts it, none where one leaves it out.
    ///
    /// A relation without both its ends, whoever dropped them, is lost as `endpoint_missing`.
    pub fn shape(&mut self, mut document: Document, ledger: &mut Ledger, out: &mut Vec<Document>) {
        if !self.order.include.relations {
            document.relations.clear();
        }
        ledger.counts.texts_selected += 1;
        ledger.counts.annotations_selected += document.annotations.len() as u64;
        ledger.counts.relations_selected += document.relations.len() as u64;
        if self.duplicates.contains(document.id.as_str()) {
            return ledger.lose_document(Loss::Duplicate, &document);
        }
        let first = out.len();
        self.adjudicate(document, ledger, out);
        for document in &mut out[first..] {
            let Document { id, annotations, relations, .. } = document;
            annotations.retain(|annotation| self.keeps(annotation, id, ledger));
            drop_dangling(annotations, relations, id, ledger);
        }
        for at in 0..self.order.options.preprocessing.len() {
            let step = self.order.options.preprocessing[at];
            self.waiting.extend(out.drain(first..));
            let mut waiting = std::mem::take(&mut self.waiting);
            waiting.drain(..).for_each(|document| self.step(&step, document, ledger, out));
            self.waiting = waiting;
        }
        for document in &mut out[first..] {
            let Document { id, annotations, relations, .. } = &mut *document;
            drop_dangling(annotations, relations, id, ledger);
            if !self.order.include.metadata {
                strip_metadata(document);
            }
        }
    }

    /// Labels that were handed to the encoder so far, as written, sorted.
    pub fn labels(&self) -> Vec<String> {
        self.names.all_written().into_iter().collect()
    }

    /// What the plan found, with labels as they will be written.
    pub fn schema(&self) -> Schema {
        let mut names = LabelNames::new(&self.order.options);
        for label in &self.schema.labels {
            names.of(&Arc::from(label.as_str()));
        }
        let relation_types =
            if self.order.include.relations { self.schema.relation_types.clone() } else { Vec::new() };
        Schema { labels: names.all_written().into_iter().collect(), relation_types, ..self.schema.clone() }
    }

    fn keeps(&mut self, annotation: &Annotation, text: &str, ledger: &mut Ledger) -> bool {
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

    fn adjudicate(&mut self, document: Document, ledger: &mut Ledger, out: &mut Vec<Document>) {
        let annotators = &self.order.options.annotators;
        // Only a vote asks which labels are alike; nobody else pays for the list.
        let voted = if *annotators == Annotators::Majority { &document.annotations[..] } else { &[] };
        let labels: Vec<u32> =
            voted.iter().map(|annotation| self.names.of(&annotation.label).number).collect();
        adjudicate::adjudicate(annotators, document, &labels, ledger, out);
    }

    fn step(&mut self, step: &Step, mut document: Document, ledger: &mut Ledger, out: &mut Vec<Document>) {
        match *step {
            Step::NormalizeUnicode(_) | Step::CollapseWhitespace | Step::Lowercase => {
                rewrite::rewrite(step, &mut document, ledger);
                out.push(document);
            }
            Step::SplitSentences => cut::sentences(document, ledger, out),
            Step::Window(window) => cut::windows(document, window, &mut self.tokenizer, ledger, out),
            Step::DropUnannotated if document.annotations.is_empty() => {
                ledger.lose_document(Loss::Adjudicated, &document);
            }
            Step::MinConfidence(least) => {
                drop_unsure(&mut document, least, ledger);
                out.push(document);
            }
            // Duplicates are known before the first document: they are left out at the door.
            Step::DropUnannotated | Step::Deduplicate(_) => out.push(document),
        }
    }
}

fn drop_unsure(document: &mut Document, least: f64, ledger: &mut Ledger) {
    let Document { id, annotations, .. } = document;
    annotations.retain(|annotation| {
        let is_sure = annotation.confidence.is_none_or(|confidence| confidence >= least);
        if !is_sure {
            ledger.lose_annotation(Loss::Adjudicated, id, &annotation.id);
        }
        is_sure
    });
}

fn strip_metadata(document: &mut Document) {
    document.metadata = None;
    for annotation in &mut document.annotations {
        annotation.attributes = None;
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
