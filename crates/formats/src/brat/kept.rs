//! What an import of brat kept in a text's metadata: events, the roles of relations, and what hung on them.
//!
//! | member | line |
//! | --- | --- |
//! | `brat_events` | `[id, type, trigger, [role, target]…]` |
//! | `brat_relations` | `[id, type, [role, target], [role, target]]` |
//! | `brat_attributes` | `[id, name, target, value]` |
//! | `brat_normalizations` | `[id, reference, target, entry, text]` |
//! | `brat_notes` | `[id, type, target, text]` |
//!
//! Arguments of events are relations of the text, from the trigger to what fills the role. Each is told once: in the
//! line of its event, else in a line of its own.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;
use spanfleet_core::{Document, Json};

/// A role and what fills it: a span, or an event.
pub(super) type Argument = (String, String);

/// An event. Its type is that of its trigger.
pub(super) struct Event {
    pub(super) id: String,
    pub(super) trigger: String,
    pub(super) arguments: Vec<Argument>,
}

/// A relation with the roles that it had.
pub(super) struct KeptRelation {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) ends: [Argument; 2],
}

/// Lines of the original that annotations and relations don't tell whole.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) events: Vec<Event>,
    pub(super) relations: Vec<KeptRelation>,
    /// Target, name and value.
    pub(super) attributes: Vec<(String, String, Value)>,
    /// Target, and what stands in the attributes of a span otherwise.
    pub(super) normalizations: Vec<(String, Value)>,
    pub(super) notes: Vec<(String, Value)>,
}

impl Kept {
    /// Of a document; members of another form are passed over.
    pub(super) fn of(document: &Document) -> Kept {
        // Most corpora have no such member: a search spares reading the whole object.
        let metadata = document.metadata.as_ref();
        let metadata =
            metadata.filter(|json| memchr::memmem::find(json.as_str().as_bytes(), b"\"brat_").is_some());
        let Some(metadata) = metadata.map(Json::to_value) else { return Kept::default() };
        let mut kept = Kept::default();
        kept.events.extend(lines(&metadata, "brat_events").filter_map(event));
        kept.relations.extend(lines(&metadata, "brat_relations").filter_map(relation));
        let attribute = |line: &[Value]| match line {
            [_, name, target, value] => Some((word(target)?, word(name)?, value.clone())),
            _ => None,
        };
        kept.attributes.extend(lines(&metadata, "brat_attributes").filter_map(attribute));
        let normalization = |line: &[Value]| match line {
            [_, kind, target, rest @ ..] => Some((word(target)?, list(kind, rest))),
            _ => None,
        };
        kept.normalizations.extend(lines(&metadata, "brat_normalizations").filter_map(normalization));
        kept.notes.extend(lines(&metadata, "brat_notes").filter_map(normalization));
        kept
    }

    /// The triggers of events, by the events' ids.
    pub(super) fn triggers(&self) -> HashMap<&str, &str> {
        self.events.iter().map(|event| (event.id.as_str(), event.trigger.as_str())).collect()
    }
}

fn lines<'m>(metadata: &'m Value, key: &str) -> impl Iterator<Item = &'m [Value]> {
    let lines = metadata.get(key).and_then(Value::as_array).map(Vec::as_slice);
    lines.unwrap_or_default().iter().filter_map(|line| line.as_array().map(Vec::as_slice))
}

fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn argument(value: &Value) -> Option<Argument> {
    match value.as_array()?.as_slice() {
        [role, target] => Some((word(role)?, word(target)?)),
        _ => None,
    }
}

fn event(line: &[Value]) -> Option<Event> {
    let [id, _, trigger, arguments @ ..] = line else { return None };
    let arguments = arguments.iter().filter_map(argument).collect();
    Some(Event { id: word(id)?, trigger: word(trigger)?, arguments })
}

fn relation(line: &[Value]) -> Option<KeptRelation> {
    let [id, kind, first, second] = line else { return None };
    Some(KeptRelation { id: word(id)?, kind: word(kind)?, ends: [argument(first)?, argument(second)?] })
}

fn list(first: &Value, rest: &[Value]) -> Value {
    std::iter::once(first).chain(rest).cloned().collect()
}

/// The relations of a text that no line tells yet, by source, type and target.
pub(super) struct Untold<'d> {
    places: HashMap<(&'d str, &'d str, &'d str), VecDeque<usize>>,
}

impl<'d> Untold<'d> {
    pub(super) fn new(document: &'d Document) -> Untold<'d> {
        let mut places: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (at, relation) in document.relations.iter().enumerate() {
            let key = (relation.source.as_str(), &*relation.kind, relation.target.as_str());
            places.entry(key).or_default().push_back(at);
        }
        Untold { places }
    }

    /// Takes one out; returns its place among the text's relations.
    pub(super) fn take(&mut self, source: &'d str, kind: &'d str, target: &'d str) -> Option<usize> {
        self.places.get_mut(&(source, kind, target))?.pop_front()
    }

    /// Takes the last one out: arguments of events stand behind the relations.
    pub(super) fn take_last(&mut self, source: &'d str, kind: &'d str, target: &'d str) -> Option<usize> {
        self.places.get_mut(&(source, kind, target))?.pop_back()
    }
}

/// The span that an id leads to: an event's trigger, or the span itself.
pub(super) fn span<'k>(triggers: &HashMap<&'k str, &'k str>, id: &'k str) -> &'k str {
    triggers.get(id).copied().unwrap_or(id)
}
