//! doccano JSONL, or a JSON array of the same records.
//!
//! | in the file | becomes |
//! | --- | --- |
//! | `[0, 3, "PER"]` in `label`, `labels`, `entities`, `spans` | a span |
//! | `{"id", "start_offset", "end_offset", "label"}` there | a span with its id |
//! | a string in `label`, `labels`, `cats` | a label of the whole text |
//! | `annotations` of a file of all users | the same, with `user<n>` as the annotator |
//! | `relations` with `from_id`, `to_id`, `type` | relations |
//! | every other key | metadata |
//!
//! Offsets count UTF-16 units: doccano stores what its page counts, which are units of JavaScript's strings even where
//! they are called code points there (doccano/v-annotator `Text.ts`, its test `check codepoint length`; doccano issue
//! 2290). A project that counts grapheme clusters exports those; nothing in its file says so. The format states no
//! surfaces, so nothing can be compared.

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::Kind;

use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    format::{Dialect, Entry, FormatOptions, Layout},
    json::{self, Context, Sketch, id_at, id_of, object, offset_of, str_at, take_text},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "doccano",
    about: "doccano JSONL",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

/// Lists that may hold labels.
const LISTS: [&str; 5] = ["label", "labels", "entities", "spans", "cats"];

fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head);
    let has_list = LISTS.iter().any(|key| sketch.first_byte(key) == Some(b'['));
    let is_own = sketch.has_any(&["annotation_approver", "Comments", "column_label"]);
    sketch.has("text") && (has_list || is_own || is_labelled(&sketch))
}

/// Annotations of doccano, where they are seen as a whole.
fn is_labelled(sketch: &Sketch) -> bool {
    let annotations = sketch.member("annotations").and_then(Value::as_array);
    annotations.is_some_and(|list| list.iter().any(|item| item.get("start_offset").is_some()))
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, None, read)
}

fn read(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    let mut record = object(value)?;
    let text = take_text(&mut record, "text").ok_or("`text` is missing, or no string")?;
    let id = record.shift_remove("id").as_ref().and_then(id_of).unwrap_or_else(|| context.id());
    let mut metadata = context.metadata();
    let mut draft = Draft::new(text, Unit::Utf16, context.names);
    for key in LISTS.iter().chain(&["annotations"]) {
        match record.shift_remove(*key) {
            Some(Value::Array(items)) => {
                let rest: Vec<Value> = items.into_iter().filter_map(|item| label(item, &mut draft)).collect();
                if !rest.is_empty() {
                    metadata.insert((*key).to_owned(), Value::Array(rest));
                }
            }
            Some(Value::Null) | None => {}
            Some(other) => drop(label(other, &mut draft)),
        }
    }
    if let Some(relations) = record.shift_remove("relations") {
        for relation in relations.as_array().into_iter().flatten() {
            relate(relation, &mut draft);
        }
    }
    metadata.extend(record);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// Takes one item of a list of labels; what is no label comes back.
fn label(item: Value, draft: &mut Draft<'_>) -> Option<Value> {
    let wanted = match &item {
        Value::String(_) | Value::Number(_) => Some((Wanted::Text, id_of(&item))),
        Value::Array(parts) => match parts.as_slice() {
            [start, end, label] => span(offset_of(start), offset_of(end)).zip(Some(id_of(label))),
            _ => None,
        },
        Value::Object(object) if !object.contains_key("label") => return Some(item),
        Value::Object(_) => of_object(&item).zip(Some(id_at(&item, "label"))),
        Value::Null | Value::Bool(_) => None,
    };
    let source = || item.to_string();
    let Some((extent, Some(label))) = wanted else {
        let form = "labels are strings, `[start, end, label]`, or objects with `start_offset`, `end_offset`, `label`";
        draft.refuse(Kind::Annotation, source(), format!("annotation: no label that is known; {form}"));
        return None;
    };
    let user = id_at(&item, "user").map(|user| named(&user));
    let attributes = others(&item, &["id", "label", "start_offset", "end_offset", "start", "end", "user"]);
    let stated = Stated {
        id: id_at(&item, "id"),
        annotator: user.as_deref(),
        attributes,
        surface: str_at(&item, "text"),
        ..Stated::new(extent, &label)
    };
    draft.add(stated, source);
    None
}

/// doccano numbers its users; a bare number would say nothing.
fn named(user: &str) -> CompactString {
    let is_number = user.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format_compact!("user{user}") } else { user.into() }
}

fn of_object(item: &Value) -> Option<Wanted> {
    let either = |long: &str, short: &str| item.get(long).or_else(|| item.get(short));
    match (either("start_offset", "start"), either("end_offset", "end")) {
        (None, None) => Some(Wanted::Text),
        (Some(start), Some(end)) => span(offset_of(start), offset_of(end)),
        _ => None,
    }
}

fn span(start: Option<u64>, end: Option<u64>) -> Option<Wanted> {
    Some(Wanted::Span(start?, end?))
}

fn others(item: &Value, known: &[&str]) -> Map<String, Value> {
    let members = item.as_object().into_iter().flatten();
    members
        .filter(|(key, _)| !known.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn relate(relation: &Value, draft: &mut Draft<'_>) {
    let ends = id_at(relation, "from_id").zip(id_at(relation, "to_id"));
    draft.relate_parts(ends, id_at(relation, "type"), "`from_id`, `to_id` or `type`", relation);
}
