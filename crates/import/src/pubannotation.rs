//! PubAnnotation JSON: a document, an array of documents, or one a line.
//!
//! | in the file | becomes |
//! | --- | --- |
//! | `text` | a text; its id is made of `sourcedb`, `sourceid` and `divid` |
//! | `denotations` | spans; one of several parts is a discontinuous span |
//! | `blocks` | the same with `"kind": "block"` |
//! | `relations` | relations between them |
//! | `attributes`, `modifications` | attributes of what they are about; those of relations stand in the metadata |
//! | `tracks` | all of these from several projects |
//! | `project` | the annotator |
//! | every other key | metadata |
//!
//! Offsets count code points. The format states no surfaces, so nothing can be compared.

use std::{
    collections::HashMap,
    io::{self, BufRead},
    sync::Arc,
};

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::Kind;

use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    format::{Dialect, Entry, FormatOptions, Layout},
    json::{self, Context, Sketch, id_at, object, offset_at, push, put, str_at, take_text},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "pubannotation",
    about: "PubAnnotation JSON",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

/// What a document may hold of its own or once for each project.
const LISTS: [&str; 5] = ["denotations", "blocks", "relations", "attributes", "modifications"];

fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head);
    let has_list = ["denotations", "tracks"].iter().any(|key| sketch.first_byte(key) == Some(b'['));
    sketch.has("text") && (has_list || sketch.has("sourcedb") && sketch.has("sourceid"))
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, None, read)
}

fn read(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    let mut record = object(value)?;
    let text = take_text(&mut record, "text").ok_or("`text` is missing, or no string")?;
    let id = id_in(&Value::Object(record.clone())).unwrap_or_else(|| context.id());
    let mut metadata = context.metadata();
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    let tracks = list(&mut record, "tracks")?;
    Track::take(&mut record)?.add_to(&mut draft, &mut metadata);
    for track in tracks {
        draft.begin_scope();
        Track::take(&mut object(track)?)?.add_to(&mut draft, &mut metadata);
    }
    metadata.extend(record);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// Where the text comes from, as PubAnnotation names it.
fn id_in(record: &Value) -> Option<CompactString> {
    let (base, source) = (id_at(record, "sourcedb")?, id_at(record, "sourceid")?);
    Some(match id_at(record, "divid") {
        Some(division) => format_compact!("{base}:{source}:{division}"),
        None => format_compact!("{base}:{source}"),
    })
}

fn list(record: &mut Map<String, Value>, key: &str) -> Result<Vec<Value>, String> {
    match record.shift_remove(key) {
        Some(Value::Array(list)) => Ok(list),
        Some(Value::Null) | None => Ok(Vec::new()),
        Some(other) => Err(format!("`{key}` has to be a list, not {}", json::kind_of(&other))),
    }
}

/// What one project says of a text.
struct Track {
    project: Option<CompactString>,
    /// In the order of [`LISTS`].
    lists: [Vec<Value>; LISTS.len()],
}

impl Track {
    fn take(record: &mut Map<String, Value>) -> Result<Track, String> {
        let mut lists = std::array::from_fn(|_| Vec::new());
        for (key, taken) in LISTS.iter().zip(&mut lists) {
            *taken = list(record, key)?;
        }
        let project = record.get("project").and_then(Value::as_str).map(CompactString::from);
        Ok(Track { project, lists })
    }

    fn add_to(self, draft: &mut Draft<'_>, metadata: &mut Map<String, Value>) {
        let [denotations, blocks, relations, attributes, modifications] = self.lists;
        let mut traits = Traits::default();
        for item in attributes {
            traits.add(item, "subj", metadata);
        }
        for item in modifications {
            traits.add(item, "obj", metadata);
        }
        let project = self.project.as_deref();
        for item in &denotations {
            denote(item, project, traits.of(item), draft);
        }
        for block in &blocks {
            let mut attributes = traits.of(block);
            put(&mut attributes, "kind", Value::from("block"));
            denote(block, project, attributes, draft);
        }
        for relation in &relations {
            let ends = id_at(relation, "subj").zip(id_at(relation, "obj"));
            draft.relate_parts(ends, id_at(relation, "pred"), "`subj`, `obj` or `pred`", relation);
        }
        traits.leave(metadata);
    }
}

/// Attributes by the id of what they are about.
#[derive(Default)]
struct Traits {
    by_id: HashMap<CompactString, Vec<Value>>,
}

impl Traits {
    /// Takes an attribute, or a modification, which names what it is about where an attribute has its value.
    fn add(&mut self, item: Value, about: &str, metadata: &mut Map<String, Value>) {
        match id_at(&item, about).filter(|_| str_at(&item, "pred").is_some()) {
            Some(id) => self.by_id.entry(id).or_default().push(item),
            None => push(metadata, "attributes", item),
        }
    }

    /// The attributes of an item.
    fn of(&mut self, item: &Value) -> Map<String, Value> {
        let mut attributes = Map::new();
        let own = id_at(item, "id").and_then(|id| self.by_id.remove(&id));
        for stated in own.into_iter().flatten() {
            let value = if stated.get("subj").is_some() { stated.get("obj").cloned() } else { None };
            put(&mut attributes, str_at(&stated, "pred").unwrap_or_default(), value.unwrap_or(true.into()));
        }
        attributes
    }

    /// Lays what is about no span with the metadata, as it stands.
    fn leave(self, metadata: &mut Map<String, Value>) {
        let mut left: Vec<(CompactString, Vec<Value>)> = self.by_id.into_iter().collect();
        left.sort_by(|one, other| one.0.cmp(&other.0));
        left.into_iter().flat_map(|(_, items)| items).for_each(|item| push(metadata, "attributes", item));
    }
}

fn denote(item: &Value, project: Option<&str>, attributes: Map<String, Value>, draft: &mut Draft<'_>) {
    let source = || item.to_string();
    let Some((extent, label)) = item.get("span").and_then(extent).zip(id_at(item, "obj")) else {
        let form = "a denotation has `span` with `begin` and `end`, or a list of those, and `obj`";
        return draft.refuse(Kind::Annotation, source(), format!("annotation: {form}"));
    };
    let stated =
        Stated { id: id_at(item, "id"), annotator: project, attributes, ..Stated::new(extent, &label) };
    draft.add(stated, source);
}

fn extent(span: &Value) -> Option<Wanted> {
    let piece = |span: &Value| offset_at(span, "begin").zip(offset_at(span, "end"));
    let Value::Array(pieces) = span else { return piece(span).map(|(begin, end)| Wanted::Span(begin, end)) };
    match pieces.as_slice() {
        [] => None,
        [only] => piece(only).map(|(begin, end)| Wanted::Span(begin, end)),
        several => several.iter().map(piece).collect::<Option<Vec<_>>>().map(Wanted::Pieces),
    }
}

#[cfg(test)]
mod tests;
