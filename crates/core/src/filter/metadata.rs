//! Conditions on the metadata of texts.

use serde_json::{Number, Value};

use crate::OptionError;

/// A field of the metadata and the values that it may have.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataCondition {
    /// The field as a path of keys, none of which holds a quote or a backslash.
    pub path: Vec<String>,
    /// Any of these.
    pub values: Vec<MetadataValue>,
}

/// A string, a number or a flag. A number in the metadata is compared as a number, and anything else as text: so
/// `2024` is found as a number and as a string, whichever the filter says.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataValue(Value);

impl MetadataCondition {
    /// Reads `metadata.a.b` with a value, or several of them.
    pub(super) fn read(key: &str, value: &Value) -> Result<MetadataCondition, OptionError> {
        let refuse = |allowed: &str| OptionError::value("filter", key, value, allowed);
        let path: Vec<String> = key.split('.').skip(1).map(str::to_owned).collect();
        if path.iter().any(|name| name.is_empty() || name.contains(['"', '\\', '\0'])) {
            return Err(refuse("a field such as metadata.source, its name without quotes and backslashes"));
        }
        let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if !list.iter().all(|value| value.is_string() || value.is_number() || value.is_boolean()) {
            return Err(refuse("a string, a number, true or false, or a list of them"));
        }
        Ok(MetadataCondition { path, values: list.iter().cloned().map(MetadataValue).collect() })
    }

    /// One entry of a filter.
    pub(super) fn to_json(&self) -> (String, Value) {
        let values = || self.values.iter().map(|value| value.0.clone());
        let value = match self.values.as_slice() {
            [only] => only.0.clone(),
            _ => values().collect(),
        };
        (format!("metadata.{}", self.path.join(".")), value)
    }

    /// Whether the whole metadata of a text has one of the values there.
    pub fn takes(&self, metadata: &Value) -> bool {
        let found = self.path.iter().try_fold(metadata, |value, key| value.get(key));
        found.is_some_and(|found| self.values.iter().any(|value| value.is(found)))
    }
}

impl MetadataValue {
    /// The value as text.
    pub fn text(&self) -> String {
        self.0.as_str().map_or_else(|| self.0.to_string(), str::to_owned)
    }

    /// The value as a number, in the digits of JSON, where it reads as one.
    pub fn number(&self) -> Option<Number> {
        match &self.0 {
            Value::Number(number) => Some(number.clone()),
            Value::String(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    fn is(&self, found: &Value) -> bool {
        match found {
            Value::Number(found) => self.number().is_some_and(|wanted| wanted.as_f64() == found.as_f64()),
            Value::String(found) => *found == self.text(),
            Value::Bool(found) => found.to_string() == self.text(),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        }
    }
}
