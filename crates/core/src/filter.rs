//! Which texts and annotations were asked for.

use serde_json::{Map, Value};

use crate::{OptionError, Timestamp};

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

/// The filter of an export. `None` means no condition.
///
/// `text_ids` chooses texts; the others choose annotations, and texts without a chosen annotation stay
/// as negative examples. What a filter leaves out is not selected, hence no loss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
}

/// The keys of a filter, in the order of the specification.
pub const FILTER_KEYS: &[&str] = &["text_ids", "label_ids", "annotator_ids", "date_from", "date_to"];

impl Filter {
    /// Reads `filter_criteria`. Unknown keys and bad values are refused by name; `null` is no condition.
    pub fn from_json(map: &Map<String, Value>) -> Result<Filter, OptionError> {
        let mut filter = Filter::default();
        for (key, value) in map {
            if value.is_null() {
                continue;
            }
            match key.as_str() {
                "text_ids" => filter.text_ids = Some(ids(key, value)?),
                "label_ids" => filter.label_ids = Some(ids(key, value)?),
                "annotator_ids" => filter.annotator_ids = Some(ids(key, value)?),
                "date_from" => filter.date_from = Some(date(key, value)?),
                "date_to" => filter.date_to = Some(date(key, value)?),
                _ => return Err(OptionError::unknown("filter", key, FILTER_KEYS.join(", "))),
            }
        }
        Ok(filter)
    }

    /// The filter as it stands in jobs and manifests; keys without a condition are left out.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let lists = [
            ("text_ids", &self.text_ids),
            ("label_ids", &self.label_ids),
            ("annotator_ids", &self.annotator_ids),
        ];
        for (key, list) in lists {
            if let Some(list) = list {
                map.insert(key.to_owned(), list.iter().map(Id::to_json).collect());
            }
        }
        for (key, date) in [("date_from", self.date_from), ("date_to", self.date_to)] {
            if let Some(date) = date {
                map.insert(key.to_owned(), Value::from(date.to_string()));
            }
        }
        map
    }

    /// Whether annotations are left out by any condition.
    pub fn narrows_annotations(&self) -> bool {
        self.label_ids.is_some()
            || self.annotator_ids.is_some()
            || self.date_from.is_some()
            || self.date_to.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(json: &str) -> Result<Filter, OptionError> {
        Filter::from_json(serde_json::from_str::<Value>(json).unwrap().as_object().unwrap())
    }

    #[test]
    fn reads_what_it_writes() {
        let json = r#"{"text_ids":[1,"doc-2"],"date_from":"2026-01-02T00:00:00Z"}"#;
        assert_eq!(Value::Object(filter(json).unwrap().to_json()).to_string(), json);
    }

    #[test]
    fn refuses_by_name() {
        assert!(filter(r#"{"texts":[1]}"#).unwrap_err().to_string().contains("`texts`"));
        assert!(filter(r#"{"date_to":"soon"}"#).unwrap_err().to_string().contains("`date_to`"));
        assert!(filter(r#"{"label_ids":[1.5]}"#).unwrap_err().to_string().contains("`label_ids`"));
    }
}
