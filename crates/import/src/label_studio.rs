//! Label Studio's JSON export: an array of tasks, or one task.
//!
//! | in the file | becomes |
//! | --- | --- |
//! | `data` | the text (see below); every other member stands in `metadata.data` |
//! | a region with `labels` and offsets | a span for each label; `value.text` is compared |
//! | `choices` of the whole text | labels of it; of a region, an attribute of its span |
//! | `relation` | a relation, or two where it points both ways |
//! | other results of a region | attributes of its span; of the text, `metadata.other_results` |
//! | `completed_by` of an annotation | the annotator: its e-mail address, else its number |
//! | annotations that were cancelled | `metadata.cancelled` |
//! | `predictions` | taken only where a task has no annotations, by annotator `prediction:<model>` |
//!
//! The configuration that says which member of `data` is the text is no part of an export. It is the string under
//! `text`; else the one that results name as their source; else one whose key contains `text`; else the longest.
//! Addresses of files are no texts. Offsets count UTF-16 units; regions in the tree of an HTML text are refused.

mod results;

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use compact_str::CompactString;
use serde_json::{Map, Value};
use spanfleet_core::Timestamp;

use crate::{
    draft::{Draft, Unit},
    format::{Dialect, Entry, FormatOptions, Layout},
    json::{self, Context, Sketch, id_at, id_of, list_at, object, str_at},
};
use results::Annotation;

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "label-studio",
    about: "Label Studio JSON",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

fn recognises(head: &[u8]) -> bool {
    Sketch::of(head).first_byte("data") == Some(b'{')
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, None, read)
}

fn read(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    let mut task = object(value)?;
    let data = task.shift_remove("data").ok_or("`data` is missing")?;
    let mut data = object(data).map_err(|reason| format!("`data`: {reason}"))?;
    let mut annotations = Vec::new();
    for key in ["annotations", "completions"] {
        annotations.extend(take_list(&mut task, key));
    }
    let predictions = take_list(&mut task, "predictions");
    let key = text_key(&data, annotations.iter().chain(&predictions))
        .ok_or("`data` holds no text: none of its members is a string that is no address")?;
    let text = json::take_text(&mut data, &key).unwrap_or_default();
    let mut metadata = context.metadata();
    metadata.insert("data".to_owned(), Value::Object(data));
    let id = task.get("id").and_then(id_of).unwrap_or_else(|| context.id());
    let mut draft = Draft::new(text, Unit::Utf16, context.names);
    let mut beside = Beside::default();
    add_all(&annotations, &predictions, &mut draft, &mut beside);
    beside.put_into(&mut metadata);
    metadata.extend(kept(task));
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// What has no place in annotations and relations.
#[derive(Default)]
struct Beside {
    other_results: Vec<Value>,
    cancelled: Vec<Value>,
}

impl Beside {
    fn put_into(self, metadata: &mut Map<String, Value>) {
        for (key, list) in [("other_results", self.other_results), ("cancelled", self.cancelled)] {
            if !list.is_empty() {
                metadata.insert(key.to_owned(), Value::Array(list));
            }
        }
    }
}

fn take_list(task: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match task.shift_remove(key) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

fn add_all(annotations: &[Value], predictions: &[Value], draft: &mut Draft<'_>, beside: &mut Beside) {
    let is_cancelled =
        |annotation: &&Value| annotation.get("was_cancelled").is_some_and(|cancelled| *cancelled == true);
    beside.cancelled = annotations.iter().filter(is_cancelled).cloned().collect();
    for annotation in annotations.iter().filter(|annotation| !is_cancelled(annotation)) {
        let annotator = annotator(annotation);
        add(annotation, annotator.as_deref(), draft, beside);
    }
    if annotations.is_empty() {
        for prediction in predictions {
            let model = id_at(prediction, "model_version").unwrap_or_default();
            add(prediction, Some(&format!("prediction:{model}")), draft, beside);
        }
    }
}

fn add(annotation: &Value, annotator: Option<&str>, draft: &mut Draft<'_>, beside: &mut Beside) {
    draft.begin_scope();
    let created_at = str_at(annotation, "created_at").and_then(Timestamp::parse);
    let is_truth = annotation.get("ground_truth").is_some_and(|truth| *truth == true);
    let made = Annotation { annotator, created_at, is_truth };
    made.add(list_at(annotation, "result"), draft, &mut beside.other_results);
}

fn annotator(annotation: &Value) -> Option<CompactString> {
    let by = annotation.get("completed_by")?;
    let of_person = || ["email", "username", "id"].iter().find_map(|key| id_at(by, key));
    id_of(by).or_else(of_person)
}

/// The key of `data` under which the text stands.
fn text_key<'v>(data: &Map<String, Value>, annotations: impl Iterator<Item = &'v Value>) -> Option<String> {
    let is_text = |key: &str| data.get(key).and_then(Value::as_str).is_some_and(|text| !is_address(text));
    if is_text("text") {
        return Some("text".to_owned());
    }
    let results = annotations.flat_map(|annotation| list_at(annotation, "result"));
    let sources = results.filter_map(|result| str_at(result, "source")?.strip_prefix('$'));
    if let Some(source) = sources.into_iter().find(|source| is_text(source)) {
        return Some(source.to_owned());
    }
    let texts = || data.iter().filter(|(key, _)| is_text(key));
    let named = texts().find(|(key, _)| key.to_ascii_lowercase().contains("text"));
    let longest = || texts().max_by_key(|(_, text)| text.as_str().map_or(0, str::len));
    named.or_else(longest).map(|(key, _)| key.clone())
}

fn is_address(text: &str) -> bool {
    let begins = ["http://", "https://", "s3://", "gs://", "azure-blob://", "/data/"];
    begins.iter().any(|begin| text.starts_with(begin)) && !text.contains(char::is_whitespace)
}

/// Members of a task that say something about the text; counts of what Label Studio did are left out.
fn kept(task: Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    task.into_iter().filter(|(key, value)| {
        matches!(key.as_str(), "meta" | "inner_id" | "project" | "file_upload") && !value.is_null()
    })
}
