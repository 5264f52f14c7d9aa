//! The lines of an `.ann` file together with their text to one document.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use spanfleet_core::{Annotation, CharIndex, Document, Extent, Json, Kind, Relation};

use super::{
    conf::Hierarchy,
    lines::{Line, Numbered, parse},
};
use crate::{
    intern::Interner,
    json::{push, put},
    place::Fault,
};

/// What of a file could not be taken.
type Refused = Vec<(Kind, Fault)>;

/// The document of one text, and what of its lines could not be taken.
pub(super) fn document(
    id: &str,
    text: String,
    file: &str,
    hierarchy: &Hierarchy,
) -> Result<(Document, Refused), Fault> {
    let lines = parse(file)?;
    let mut standoff = Standoff::default();
    refuse_twins(&lines)?;
    standoff.add_spans(&text, &lines, hierarchy);
    standoff.add_events(&lines);
    for (number, line) in &lines {
        standoff.add(*number, line);
    }
    let refused = std::mem::take(&mut standoff.refused);
    Ok((standoff.finish(id, text), refused))
}

#[derive(Default)]
struct Standoff<'a> {
    names: Interner,
    annotations: Vec<Annotation>,
    attributes: Vec<Map<String, Value>>,
    /// Where an id leads: spans to themselves, events to their trigger.
    index: HashMap<&'a str, usize>,
    relations: Vec<Relation>,
    /// Arguments of events follow the relations.
    arguments: Vec<Relation>,
    /// What has no place in annotations and relations, under `metadata.brat_…`.
    beside: Map<String, Value>,
    refused: Refused,
}

fn refuse_twins(lines: &[Numbered<'_>]) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    for (number, line) in lines {
        let id = match line {
            Line::Chain { .. } => continue,
            Line::Span { id, .. }
            | Line::Relation { id, .. }
            | Line::Event { id, .. }
            | Line::Attribute { id, .. }
            | Line::Normalization { id, .. }
            | Line::Note { id, .. } => id,
        };
        if !seen.insert(id) {
            return Err(Fault::at(
                *number,
                1,
                format!("the id `{id}` stands twice; ids are unique within a file"),
            ));
        }
    }
    Ok(())
}

impl<'a> Standoff<'a> {
    fn refuse(&mut self, number: u64, kind: Kind, reason: String) {
        self.refused.push((kind, Fault::at(number, 1, reason)));
    }

    fn add_spans(&mut self, text: &str, lines: &[Numbered<'a>], hierarchy: &Hierarchy) {
        let chars = CharIndex::new(text);
        for (number, line) in lines {
            let Line::Span { id, kind, pieces, text: stated } = line else { continue };
            if let Err(reason) = compare(text, &chars, pieces, stated) {
                self.refuse(*number, Kind::Annotation, format!("`{id}`: {reason}"));
                continue;
            }
            self.index.insert(id, self.annotations.len());
            let extent = match pieces.as_slice() {
                &[(start, end)] => Extent::Span { start, end },
                _ => Extent::Fragments(pieces.clone()),
            };
            self.attributes.push(Map::new());
            self.annotations.push(Annotation {
                id: (*id).into(),
                extent,
                label: self.names.get(hierarchy.path(kind)),
                annotator: None,
                confidence: None,
                attributes: None,
                created_at: None,
            });
        }
    }

    /// Events before everything else: relations, notes and other events point to them from anywhere in the file.
    fn add_events(&mut self, lines: &[Numbered<'a>]) {
        for (number, line) in lines {
            let Line::Event { id, trigger, .. } = line else { continue };
            match self.resolve(trigger) {
                Ok(at) => drop(self.index.insert(id, at)),
                Err(reason) => self.refuse(*number, Kind::Annotation, reason),
            }
        }
    }

    fn add(&mut self, number: u64, line: &Line<'a>) {
        match line {
            Line::Span { .. } => {}
            Line::Relation { id, kind, arguments } => self.add_relation(number, id, kind, arguments),
            Line::Event { id, kind, trigger, arguments } => {
                self.add_event(number, id, kind, trigger, arguments);
            }
            Line::Chain { kind, members } => self.add_chain(number, kind, members),
            Line::Attribute { id, name, target, value } => {
                let value = value.map_or(Value::Bool(true), Value::from);
                match self.index.get(target) {
                    Some(at) => put(&mut self.attributes[*at], name, value),
                    None => self.set_beside("brat_attributes", json!([id, name, target, value])),
                }
            }
            Line::Normalization { id, kind, target, entry, text } => match self.index.get(target) {
                Some(at) => push(&mut self.attributes[*at], "normalizations", json!([kind, entry, text])),
                None => self.set_beside("brat_normalizations", json!([id, kind, target, entry, text])),
            },
            Line::Note { id, kind, target, text } => {
                match self.index.get(target).filter(|_| target.starts_with('T')) {
                    Some(at) => push(&mut self.attributes[*at], "notes", json!([kind, text])),
                    None => self.set_beside("brat_notes", json!([id, kind, target, text])),
                }
            }
        }
    }

    fn add_relation(&mut self, number: u64, id: &str, kind: &str, arguments: &[(&str, &str); 2]) {
        match self.relation(arguments[0].1, arguments[1].1, kind) {
            Ok(relation) => self.relations.push(relation),
            Err(reason) => return self.refuse(number, Kind::Relation, reason),
        }
        let [first, second] = arguments.map(|(role, target)| json!([role, target]));
        self.set_beside("brat_relations", json!([id, kind, first, second]));
    }

    fn add_event(&mut self, number: u64, id: &str, kind: &str, trigger: &str, arguments: &[(&str, &str)]) {
        let mut line = vec![json!(id), json!(kind), json!(trigger)];
        for (role, target) in arguments {
            match self.relation(trigger, target, role) {
                Ok(argument) => self.arguments.push(argument),
                Err(reason) => {
                    self.refuse(number, Kind::Relation, reason);
                    continue;
                }
            }
            line.push(json!([role, target]));
        }
        if self.index.contains_key(trigger) {
            self.set_beside("brat_events", Value::Array(line));
        }
    }

    fn add_chain(&mut self, number: u64, kind: &str, members: &[&str]) {
        for pair in members.windows(2) {
            match self.relation(pair[0], pair[1], kind) {
                Ok(relation) => self.relations.push(relation),
                Err(reason) => self.refuse(number, Kind::Relation, reason),
            }
        }
    }

    fn relation(&mut self, source: &str, target: &str, kind: &str) -> Result<Relation, String> {
        let [source, target] =
            [self.resolve(source)?, self.resolve(target)?].map(|at| self.annotations[at].id.clone());
        Ok(Relation { source, target, kind: self.names.get(kind), confidence: None })
    }

    fn resolve(&self, id: &str) -> Result<usize, String> {
        self.index.get(id).copied().ok_or_else(|| format!("`{id}` is no span or event of this file"))
    }

    fn set_beside(&mut self, key: &str, line: Value) {
        push(&mut self.beside, key, line);
    }

    fn finish(mut self, id: &str, text: String) -> Document {
        for (annotation, attributes) in self.annotations.iter_mut().zip(self.attributes) {
            annotation.attributes =
                (!attributes.is_empty()).then(|| Json::from_value(&Value::Object(attributes)));
        }
        self.relations.append(&mut self.arguments);
        self.beside.insert("file".to_owned(), Value::from(id));
        Document {
            id: id.into(),
            text,
            metadata: Some(Json::from_value(&Value::Object(self.beside))),
            annotations: self.annotations,
            relations: self.relations,
            tokens: None,
        }
    }
}

/// Whether a span covers the text it states: its pieces joined by one space.
fn compare(text: &str, chars: &CharIndex, pieces: &[(u32, u32)], stated: &str) -> Result<(), String> {
    let mut covered = String::new();
    for (nth, (start, end)) in pieces.iter().enumerate() {
        if start > end {
            return Err(format!("start {start} lies past end {end}"));
        }
        let length = chars.chars();
        let lies = || format!("end {end} lies past the text, which has {length} code points");
        covered.push_str(if nth > 0 { " " } else { "" });
        covered.push_str(chars.slice(text, *start, *end).ok_or_else(lies)?);
    }
    // brat itself writes a space for a line break within a span.
    if covered == stated || covered.replace(['\n', '\r'], " ") == stated {
        return Ok(());
    }
    Err(format!("covers `{covered}` but states `{stated}`; offsets count code points of the .txt as it is"))
}
