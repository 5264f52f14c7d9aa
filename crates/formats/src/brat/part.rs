//! The texts of one part, two entries of the zip each.

use std::collections::HashMap;
use std::io;

use serde_json::Value;
use spanfleet_core::{Change, Document, Ledger, Loss, Order};

use super::kept::{Event, Kept, KeptRelation, Untold, span};
use super::lines::Lines;
use super::names::type_name;
use super::notes::{PartNotes, Vocabulary};
use super::text::BratText;
use crate::support::{file_names::file_stem, names::LabelNames, zip::ZipWriter};
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
        let before = ledger.counts.annotations_written;
        let numbers = self.spans(document, ledger);
        self.relations(document, &numbers, ledger);
        let annotations = ledger.counts.annotations_written - before;
        self.write(document, annotations as u32, out).map_err(|error| {
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

    /// Writes events with their arguments, then relations, then what was known of either.
    fn relations(&mut self, document: &Document, numbers: &HashMap<&str, u32>, ledger: &mut Ledger) {
        let kept = if document.metadata.is_some() { Kept::of(document) } else { Kept::default() };
        let triggers = kept.triggers();
        let (mut untold, mut told) = (Untold::new(document), vec![false; document.relations.len()]);
        // What the ids of the original are called here.
        let mut names: HashMap<&str, String> =
            numbers.iter().map(|(id, number)| (*id, format!("T{number}"))).collect();
        let written = kept.events.iter().filter(|event| numbers.contains_key(event.trigger.as_str()));
        let written: Vec<&Event> = written.collect();
        for (at, event) in written.iter().enumerate() {
            names.insert(&event.id, format!("E{}", at + 1));
        }
        for event in written {
            let mut arguments = Vec::with_capacity(event.arguments.len());
            for (role, target) in &event.arguments {
                let filler =
                    names.get(target.as_str()).filter(|_| numbers.contains_key(span(&triggers, target)));
                let Some(filler) = filler else { continue };
                if let Some(place) = untold.take_last(&event.trigger, role, span(&triggers, target)) {
                    told[place] = true;
                    ledger.counts.relations_written += 1;
                    arguments.push((role.as_str(), filler.as_str()));
                }
            }
            self.event(document, numbers, event, &arguments);
        }
        let mut roles: HashMap<usize, &KeptRelation> = HashMap::new();
        for relation in &kept.relations {
            let [(_, source), (_, target)] = &relation.ends;
            if let Some(place) = untold.take(span(&triggers, source), &relation.kind, span(&triggers, target))
            {
                roles.insert(place, relation);
            }
        }
        for (place, relation) in document.relations.iter().enumerate().filter(|(place, _)| !told[*place]) {
            let (source, target) = (numbers.get(&*relation.source), numbers.get(&*relation.target));
            let (Some(source), Some(target)) = (source, target) else {
                ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
                continue;
            };
            self.words.relation(&relation.kind);
            let ends = [("Arg1", format!("T{source}")), ("Arg2", format!("T{target}"))];
            let original = roles.get(&place);
            let ends = original.and_then(|original| original_ends(original, &names)).unwrap_or(ends);
            let number = self.lines.relation(&type_name(&relation.kind), &ends);
            if let Some(original) = original {
                names.insert(&original.id, format!("R{number}"));
            }
            ledger.counts.relations_written += 1;
        }
        self.lines.about_others(&kept, &names, &mut self.words);
    }

    fn event(
        &mut self,
        document: &Document,
        numbers: &HashMap<&str, u32>,
        event: &Event,
        arguments: &[(&str, &str)],
    ) {
        let number = numbers.get(event.trigger.as_str());
        let trigger = document.annotations.iter().find(|annotation| annotation.id == event.trigger);
        let (Some(number), Some(trigger)) = (number, trigger) else { return };
        let name = self.names.of(&trigger.label);
        let label = name.written.as_deref().unwrap_or(&name.path);
        self.words.event(label, arguments.iter().map(|(role, _)| *role));
        self.lines.event(&type_name(label), *number, arguments);
    }

    fn write(&mut self, document: &Document, annotations: u32, out: &mut Vec<u8>) -> io::Result<()> {
        let stem = file_stem(&document.id);
        let files = [("txt", &self.text.content, 1, 0), ("ann", &self.lines.content, 0, annotations)];
        for (ending, content, texts, annotations) in files {
            let mut entry = self.zip.write(&format!("{stem}.{ending}"), content.as_bytes(), out)?;
            (entry.texts, entry.annotations) = (texts, annotations);
            entry.store(&mut self.table);
        }
        Ok(())
    }
}

/// The ends of a relation as the original names them; `None` where its roles can't stand in a line.
fn original_ends<'k>(
    original: &'k KeptRelation,
    names: &HashMap<&str, String>,
) -> Option<[(&'k str, String); 2]> {
    let [(first, source), (second, target)] = &original.ends;
    let is_role = |role: &str| type_name(role) == role && !role.is_empty();
    if first == second || !is_role(first) || !is_role(second) {
        return None;
    }
    let name = |id: &str| names.get(id).cloned();
    Some([(first, name(source)?), (second, name(target)?)])
}
