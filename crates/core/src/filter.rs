//! Which texts and annotations were asked for.

use serde_json::{Map, Value};

use crate::{Json, OptionError, Timestamp};

mod metadata;
#[cfg(test)]
mod tests;

pub use metadata::{MetadataCondition, MetadataValue};

/// An id as a filter names it: a number is a row of the database, a string the corpus's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// A database id. In corpus files, which have none, its decimal form is compared as a name.
    Number(i64),
    /// An external id, a label, or an annotator's name.
    Name(String),
}

impl Id {
    /// Whether a corpus's own name is meant.
    pub fn is_named(&self, name: &str) -> bool {
        match self {
            Id::Number(number) => name.parse() == Ok(*number),
            Id::Name(wanted) => wanted == name,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Id::Number(number) => Value::from(*number),
            Id::Name(name) => Value::from(name.as_str()),
        }
    }
}

/// The filter of an export. `None` means no condition; all conditions have to hold.
///
/// `text_ids`, `metadata` and `has_annotations` choose texts; the others choose annotations, and texts without a
/// chosen annotation stay as negative examples unless `has_annotations` is true. What a filter leaves out is not
/// selected, hence no loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Only these texts.
    pub text_ids: Option<Vec<Id>>,
    /// Only annotations with these labels.
    pub label_ids: Option<Vec<Id>>,
    /// Only annotations by these people.
    pub annotator_ids: Option<Vec<Id>>,
    /// Only annotations made at this instant or later.
    pub date_from: Option<Timestamp>,
    /// Only annotations made at this instant or earlier.
    pub date_to: Option<Timestamp>,
    /// Only annotations with labels of these names: whole paths, or last components.
    pub labels: Option<Vec<String>>,
    /// Only annotations that at least this share of a text's annotators made: the same extent under the same
    /// label. Both are counted among the annotations that the other conditions choose; whoever has no name counts
    /// as one person.
    pub min_agreement: Option<f64>,
    /// Only texts with a chosen annotation, or only those without.
    pub has_annotations: Option<bool>,
    /// Only texts whose metadata says so.
    pub metadata: Vec<MetadataCondition>,
}

/// The keys of a filter: those of the specification in its order, then the others.
pub const FILTER_KEYS: &[&str] = &[
    "text_ids",
    "label_ids",
    "annotator_ids",
    "date_from",
    "date_to",
    "labels",
    "min_agreement",
    "has_annotations",
    "metadata.FIELD",
];

impl Filter {
    /// Reads `filter_criteria`. Unknown keys and bad values are refused by name; `null` is no condition.
    pub fn from_json(map: &Map<String, Value>) -> Result<Filter, OptionError> {
        let mut filter = Filter::default();
        for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                "text_ids" => filter.text_ids = Some(ids(key, value)?),
                "label_ids" => filter.label_ids = Some(ids(key, value)?),
                "annotator_ids" => filter.annotator_ids = Some(ids(key, value)?),
                "date_from" => filter.date_from = Some(date(key, value)?),
                "date_to" => filter.date_to = Some(date(key, value)?),
                "labels" => filter.labels = Some(names(key, value)?),
                "min_agreement" => filter.min_agreement = Some(share(key, value)?),
                "has_annotations" => filter.has_annotations = Some(flag(key, value)?),
                _ if key.starts_with("metadata.") => {
                    filter.metadata.push(MetadataCondition::read(key, value)?);
                }
                _ => return Err(OptionError::unknown("filter", key, FILTER_KEYS.join(", "))),
            }
        }
        Ok(filter)
    }

    /// The filter as it stands in jobs and manifests; keys without a condition are left out.
    pub fn to_json(&self) -> Map<String, Value> {
        let list = |ids: &Vec<Id>| ids.iter().map(Id::to_json).collect();
        let moment = |date: Timestamp| Value::from(date.to_string());
        let conditions = [
            ("text_ids", self.text_ids.as_ref().map(list)),
            ("label_ids", self.label_ids.as_ref().map(list)),
            ("annotator_ids", self.annotator_ids.as_ref().map(list)),
            ("date_from", self.date_from.map(moment)),
            ("date_to", self.date_to.map(moment)),
            ("labels", self.labels.as_ref().map(|names| Value::from(names.clone()))),
            ("min_agreement", self.min_agreement.map(Value::from)),
            ("has_annotations", self.has_annotations.map(Value::from)),
        ];
        let mut map = Map::new();
        for (key, value) in conditions {
            map.extend(value.map(|value| (key.to_owned(), value)));
        }
        map.extend(self.metadata.iter().map(MetadataCondition::to_json));
        map
    }

    /// Whether annotations are left out by any condition.
    pub fn narrows_annotations(&self) -> bool {
        self.label_ids.is_some()
            || self.labels.is_some()
            || self.annotator_ids.is_some()
            || self.date_from.is_some()
            || self.date_to.is_some()
            || self.min_agreement.is_some()
    }

    /// Whether texts are left out by what stands in their metadata.
    pub fn takes_metadata(&self, metadata: Option<&Json>) -> bool {
        if self.metadata.is_empty() {
            return true;
        }
        let value = metadata.map_or(Value::Null, Json::to_value);
        self.metadata.iter().all(|condition| condition.takes(&value))
    }
}

fn ids(key: &str, value: &Value) -> Result<Vec<Id>, OptionError> {
    let refuse = || OptionError::value("filter", key, value, "a list of ids: numbers or strings");
    let id = |value: &Value| match value {
        Value::Number(number) => number.as_i64().map(Id::Number).ok_or_else(refuse),
        Value::String(name) => Ok(Id::Name(name.clone())),
        _ => Err(refuse()),
    };
    match value {
        Value::Array(list) => list.iter().map(id).collect(),
        one => Ok(vec![id(one)?]),
    }
}

fn date(key: &str, value: &Value) -> Result<Timestamp, OptionError> {
    let refuse = || {
        OptionError::value("filter", key, value, "a date or an RFC 3339 time, such as 2026-01-02T03:04:05Z")
    };
    value.as_str().and_then(Timestamp::parse).ok_or_else(refuse)
}

/// A list of names, or one; a number is its digits.
fn names(key: &str, value: &Value) -> Result<Vec<String>, OptionError> {
    let refuse = || OptionError::value("filter", key, value, "a list of label names");
    let name = |value: &Value| match value {
        Value::String(name) => Ok(name.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(refuse()),
    };
    match value {
        Value::Array(list) => list.iter().map(name).collect(),
        one => Ok(vec![name(one)?]),
    }
}

fn share(key: &str, value: &Value) -> Result<f64, OptionError> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let share = number.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| OptionError::value("filter", key, value, "a share of annotators from 0 to 1"))
}

fn flag(key: &str, value: &Value) -> Result<bool, OptionError> {
    match (value.as_bool(), value.as_str()) {
        (Some(flag), _) => Ok(flag),
        (_, Some("true")) => Ok(true),
        (_, Some("false")) => Ok(false),
        _ => Err(OptionError::value("filter", key, value, "true, false")),
    }
}
