//! A task for each text.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use spanfleet_core::{Annotation, CharIndex, Document, Extent, Ledger, Loss, Order, Relation};

use super::Words;
use crate::EncodeError;
use crate::support::{
    json_file::{Records, Sink, finite, raw},
    labels::span_of,
    names::LabelNames,
    utf16::Utf16Index,
};

pub(super) struct Tasks {
    names: LabelNames,
    chars: CharIndex,
    units: Utf16Index,
    words: Words,
}

#[derive(Serialize)]
struct Task<'d> {
    id: &'d str,
    data: Data<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'d RawValue>,
    annotations: Vec<Completed<'d>>,
}

#[derive(Serialize)]
struct Data<'d> {
    text: &'d str,
}

/// What one annotator said.
#[derive(Serialize)]
struct Completed<'d> {
    #[serde(rename = "completed_by", skip_serializing_if = "Option::is_none")]
    person: Option<Email<'d>>,
    was_cancelled: bool,
    ground_truth: bool,
    result: Vec<Item<'d>>,
}

#[derive(Serialize)]
struct Email<'d> {
    email: &'d str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'d> {
    Said(Said<'d>),
    Related(Related<'d>),
}

/// A region, or the choices of the whole text.
#[derive(Serialize)]
struct Said<'d> {
    id: &'d str,
    from_name: &'static str,
    to_name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: What<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'d RawValue>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What<'d> {
    Span { start: u32, end: u32, text: &'d str, labels: [Arc<str>; 1] },
    Choices { choices: Vec<Arc<str>> },
}

#[derive(Serialize)]
struct Related<'d> {
    #[serde(rename = "type")]
    kind: &'static str,
    from_id: &'d str,
    to_id: &'d str,
    direction: &'static str,
    labels: [&'d str; 1],
}

impl Tasks {
    pub(super) fn new(order: &Order) -> Tasks {
        Tasks {
            names: LabelNames::new(&order.options),
            chars: CharIndex::default(),
            units: Utf16Index::default(),
            words: Words::default(),
        }
    }
}

impl Records for Tasks {
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.chars.rebuild(&document.text);
        self.units.rebuild(&document.text);
        let mut people = People::default();
        for annotation in &document.annotations {
            let person = people.place(annotation);
            let said = match annotation.extent {
                Extent::Text => self.choose(annotation, &mut people.all[person]),
                _ => self.region(document, annotation).map(|region| {
                    people.homes.insert(&annotation.id, person);
                    people.all[person].regions.push(region);
                }),
            };
            match said {
                Ok(()) => ledger.counts.annotations_written += 1,
                Err(loss) => ledger.lose_annotation(loss, &document.id, &annotation.id),
            }
        }
        for relation in &document.relations {
            match people.relate(relation) {
                Ok(()) => {
                    insert(&mut self.words.relations, &relation.kind);
                    ledger.counts.relations_written += 1;
                }
                Err(loss) => ledger.lose_relation(loss, &document.id, relation),
            }
        }
        ledger.counts.texts += 1;
        sink.record(&Task {
            id: &document.id,
            data: Data { text: &document.text },
            meta: raw(document.metadata.as_ref()),
            annotations: people.all.into_iter().filter_map(Person::completed).collect(),
        });
        Ok(())
    }

    fn notes(&self) -> Value {
        serde_json::to_value(&self.words).unwrap_or_default()
    }
}

impl Tasks {
    fn region<'d>(&mut self, document: &'d Document, annotation: &'d Annotation) -> Result<Said<'d>, Loss> {
        let (start, end) = span_of(annotation, &self.chars)?;
        let label = self.names.written(&annotation.label);
        insert(&mut self.words.labels, &label);
        let text = self.chars.slice(&document.text, start, end).unwrap_or_default();
        let (start, end) = (self.units.units(start), self.units.units(end));
        let value = What::Span { start, end, text, labels: [label] };
        Ok(said(annotation, "label", "labels", value))
    }

    /// Adds a label of the whole text to what its annotator chose.
    fn choose<'d>(&mut self, annotation: &'d Annotation, person: &mut Person<'d>) -> Result<(), Loss> {
        let label = self.names.written(&annotation.label);
        if !person.chosen.insert(label.clone()) {
            return Err(Loss::Duplicate);
        }
        insert(&mut self.words.choices, &label);
        person.choices.push(label);
        person.choice.get_or_insert(annotation);
        Ok(())
    }
}

fn said<'d>(
    annotation: &'d Annotation,
    from_name: &'static str,
    kind: &'static str,
    value: What<'d>,
) -> Said<'d> {
    Said {
        id: &annotation.id,
        from_name,
        to_name: "text",
        kind,
        value,
        score: finite(annotation.confidence),
        meta: raw(annotation.attributes.as_ref()),
    }
}

fn insert(words: &mut BTreeSet<String>, word: &str) {
    if !words.contains(word) {
        words.insert(word.to_owned());
    }
}

/// Who annotated a text, in the order of their first annotations.
#[derive(Default)]
struct People<'d> {
    all: Vec<Person<'d>>,
    places: HashMap<Option<&'d str>, usize>,
    /// Whose the regions are, by their ids.
    homes: HashMap<&'d str, usize>,
    /// Whose labels of the whole text there are, by their ids: relations can't point to them.
    chosen: HashSet<&'d str>,
}

#[derive(Default)]
struct Person<'d> {
    name: Option<&'d str>,
    regions: Vec<Said<'d>>,
    choices: Vec<Arc<str>>,
    chosen: HashSet<Arc<str>>,
    /// The first of the annotations that are choices.
    choice: Option<&'d Annotation>,
    relations: Vec<Related<'d>>,
}

impl<'d> People<'d> {
    fn place(&mut self, annotation: &'d Annotation) -> usize {
        if annotation.extent == Extent::Text {
            self.chosen.insert(&annotation.id);
        }
        let name = annotation.annotator.as_deref();
        *self.places.entry(name).or_insert_with(|| {
            self.all.push(Person { name, ..Person::default() });
            self.all.len() - 1
        })
    }

    fn relate(&mut self, relation: &'d Relation) -> Result<(), Loss> {
        let ends = [&relation.source, &relation.target];
        if ends.iter().any(|end| self.chosen.contains(end.as_str())) {
            return Err(Loss::Unrepresentable);
        }
        let [source, target] = ends.map(|end| self.homes.get(end.as_str()).copied());
        let (source, target) = source.zip(target).ok_or(Loss::EndpointMissing)?;
        if source != target {
            return Err(Loss::Unrepresentable);
        }
        self.all[source].relations.push(Related {
            kind: "relation",
            from_id: &relation.source,
            to_id: &relation.target,
            direction: "right",
            labels: [&relation.kind],
        });
        Ok(())
    }
}

impl<'d> Person<'d> {
    /// What they said; none when all of it was lost.
    fn completed(self) -> Option<Completed<'d>> {
        let choices = What::Choices { choices: self.choices };
        let choices = self.choice.map(|choice| said(choice, "choice", "choices", choices));
        let items = self.regions.into_iter().chain(choices).map(Item::Said);
        let result: Vec<Item<'d>> = items.chain(self.relations.into_iter().map(Item::Related)).collect();
        let person = self.name.map(|email| Email { email });
        (!result.is_empty()).then_some(Completed {
            person,
            was_cancelled: false,
            ground_truth: false,
            result,
        })
    }
}
