//! The results of one annotation.

use compact_str::CompactString;
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Timestamp};

use crate::{
    draft::{Draft, Stated, Wanted},
    json::{id_at, list_at, offset_at, str_at},
};

/// What holds for all results of an annotation.
pub(super) struct Annotation<'a> {
    pub(super) annotator: Option<&'a str>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) is_truth: bool,
}

impl Annotation<'_> {
    /// Adds results: spans before what hangs on them, wherever they stand.
    pub(super) fn add(&self, results: &[Value], draft: &mut Draft<'_>, others: &mut Vec<Value>) {
        let kind = |result: &Value| str_at(result, "type").unwrap_or_default().to_owned();
        for result in results.iter().filter(|result| kind(result).ends_with("labels")) {
            self.add_region(result, &kind(result), draft);
        }
        for result in results {
            match kind(result).as_str() {
                "relation" => relate(result, draft),
                kind if kind.ends_with("labels") => {}
                kind => self.add_other(result, kind, draft, others),
            }
        }
    }

    /// A span for each of its labels.
    fn add_region(&self, result: &Value, kind: &str, draft: &mut Draft<'_>) {
        let source = || result.to_string();
        let value = result.get("value").unwrap_or(&Value::Null);
        let labels = words(list_at(value, kind));
        if labels.is_empty() {
            let reason = format!("annotation: `value.{kind}` holds no label");
            return draft.refuse(Kind::Annotation, source(), reason);
        }
        let Some((start, end)) = offset_at(value, "start").zip(offset_at(value, "end")) else {
            let reason = format!(
                "annotation: `{kind}` without offsets into the text; regions of HTML and of dialogues are not read"
            );
            return draft.refuse(Kind::Annotation, source(), reason);
        };
        for label in &labels {
            let stated = Stated {
                surface: str_at(value, "text"),
                ..self.stated(result, Wanted::Span(start, end), label)
            };
            draft.add(stated, source);
        }
    }

    fn stated<'s>(&'s self, result: &Value, extent: Wanted, label: &'s str) -> Stated<'s> {
        let mut attributes = Map::new();
        for key in ["from_name", "meta"] {
            attributes.extend(result.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        if self.is_truth {
            attributes.insert("ground_truth".to_owned(), Value::Bool(true));
        }
        Stated {
            id: id_at(result, "id"),
            annotator: self.annotator,
            confidence: result.get("score").and_then(Value::as_f64),
            attributes,
            created_at: self.created_at,
            ..Stated::new(extent, label)
        }
    }

    /// Choices, answers and ratings, of a region or of the whole text.
    fn add_other(&self, result: &Value, kind: &str, draft: &mut Draft<'_>, others: &mut Vec<Value>) {
        let value = result.get("value").unwrap_or(&Value::Null);
        let place = id_at(result, "id").and_then(|id| draft.place(&id));
        if let Some(place) = place.filter(|_| value.get("start").is_some()) {
            let name = str_at(result, "from_name").unwrap_or(kind);
            return draft.set_attribute(place, name, value.get(kind).unwrap_or(value).clone());
        }
        let choices = words(list_at(value, "choices"));
        if kind != "choices" || choices.is_empty() || value.get("start").is_some() {
            return others.push(result.clone());
        }
        for choice in &choices {
            draft.add(self.stated(result, Wanted::Text, choice), || result.to_string());
        }
    }
}

/// Labels; nested choices are lists and become paths.
fn words(list: &[Value]) -> Vec<CompactString> {
    let path = |parts: &Vec<Value>| parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("/");
    let word = |value: &Value| match value {
        Value::String(word) => Some(CompactString::from(word)),
        Value::Array(parts) => Some(CompactString::from(path(parts))),
        _ => None,
    };
    list.iter().filter_map(word).collect()
}

fn relate(result: &Value, draft: &mut Draft<'_>) {
    let Some((from, to)) = id_at(result, "from_id").zip(id_at(result, "to_id")) else {
        let reason = "relation: `from_id` or `to_id` is missing".to_owned();
        return draft.refuse(Kind::Relation, result.to_string(), reason);
    };
    let mut kinds = words(list_at(result, "labels"));
    if kinds.is_empty() {
        kinds.push("relation".into());
    }
    let direction = str_at(result, "direction").unwrap_or("right");
    for kind in &kinds {
        if direction != "left" {
            draft.relate(&from, &to, kind, || result.to_string());
        }
        if direction != "right" {
            draft.relate(&to, &from, kind, || result.to_string());
        }
    }
}
