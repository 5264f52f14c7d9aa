//! What formats in JSON share: recognising them, framing them, and reading one record after another as a value.

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use compact_str::{CompactString, ToCompactString, format_compact};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::{
    format::{Dialect, Parse},
    intern::Interner,
    made::Made,
    place::{Fault, FileNames, utf8},
    records::{BYTE_ORDER_MARK, Framing, Position, Record, Records},
};

/// The first record of a file, as far as the head shows it.
#[derive(Debug, Default)]
pub(crate) struct Sketch {
    /// The keys of the first record, each with the first byte of its value.
    keys: Vec<(String, u8)>,
    /// The first record, when it lies in the head as a whole.
    pub(crate) value: Option<Value>,
    /// Whether the first record is an array.
    pub(crate) is_array: bool,
}

impl Sketch {
    /// Looks at the beginning of a file.
    pub(crate) fn of(head: &[u8]) -> Sketch {
        let solid = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
        if !matches!(solid.first(), Some(b'{' | b'[')) {
            return Sketch::default();
        }
        let mut records = Records::new(head, Framing::Values { under: None }, Position::default());
        let Ok(Some(record)) = records.next_record() else { return Sketch::default() };
        Sketch {
            keys: keys(record.bytes),
            value: serde_json::from_slice(record.bytes).ok(),
            is_array: record.bytes.first() == Some(&b'['),
        }
    }

    /// Whether the record has a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.first_byte(key).is_some()
    }

    /// Whether it has one of several keys.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// The first byte of the value of a key.
    pub(crate) fn first_byte(&self, key: &str) -> Option<u8> {
        self.keys.iter().find(|(known, _)| known == key).map(|(_, first)| *first)
    }

    /// A member of the record, when it is known as a whole.
    pub(crate) fn member(&self, key: &str) -> Option<&Value> {
        self.value.as_ref()?.get(key)
    }
}

/// The keys of an object, which may be cut off anywhere.
fn keys(object: &[u8]) -> Vec<(String, u8)> {
    let (mut found, mut depth, mut at) = (Vec::new(), 0_u32, 0);
    while at < object.len() {
        match object[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(object, at);
                let rest = object.get(end..).unwrap_or_default().trim_ascii_start();
                if depth == 1
                    && let Some(value) = rest.strip_prefix(b":")
                    && let Some(first) = value.trim_ascii_start().first()
                {
                    found.push((serde_json::from_slice(&object[at..end]).unwrap_or_default(), *first));
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// One past the quote that ends the string that begins at a quote.
fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Reads one record's value.
pub(crate) type ReadValue = fn(Value, &mut Context<'_>) -> Result<(), String>;

/// What a record is read with.
pub(crate) struct Context<'c> {
    pub(crate) names: &'c mut Interner,
    pub(crate) files: &'c FileNames,
    /// The number of the record in its file, from 1.
    pub(crate) ordinal: u64,
    pub(crate) made: &'c mut Made,
}

impl Context<'_> {
    /// The id of the record's text, where it states none.
    pub(crate) fn id(&self) -> CompactString {
        format_compact!("{}-{}", self.files.stem, self.ordinal)
    }

    /// Metadata that every text has.
    pub(crate) fn metadata(&self) -> Map<String, Value> {
        let mut metadata = Map::new();
        metadata.insert("file".to_owned(), Value::from(&*self.files.name));
        metadata
    }
}

/// A file of JSON values.
#[derive(Debug)]
struct Values {
    framing: Framing,
    read: ReadValue,
}

/// The dialect of a file that stands at its beginning. Lines are told from values by the first line: where it is
/// a whole object, a broken line spoils no other.
pub(crate) fn dialect(
    input: &mut dyn BufRead,
    under: Option<&'static str>,
    read: ReadValue,
) -> io::Result<Arc<dyn Dialect>> {
    let framing = framing(input.fill_buf()?, under);
    Ok(Arc::new(Values { framing, read }))
}

fn framing(head: &[u8], under: Option<&'static str>) -> Framing {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_cut = line.len() == head.len();
    let is_whole = |line| serde_json::from_slice::<IgnoredAny>(line).is_ok();
    let is_lines = head.starts_with(b"{") && (is_whole(line) || is_cut);
    match under {
        Some(key) if Sketch::of(head).has(key) => Framing::Values { under },
        _ if is_lines => Framing::Lines,
        _ => Framing::Values { under },
    }
}

impl Dialect for Values {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn parser(&self) -> Box<dyn Parse> {
        Box::new(ValueParser { names: Interner::default(), read: self.read })
    }
}

struct ValueParser {
    names: Interner,
    read: ReadValue,
}

impl Parse for ValueParser {
    fn parse(&mut self, record: &Record<'_>, names: &FileNames, made: &mut Made) -> Result<(), Fault> {
        let text = utf8(record.bytes)?;
        let value = serde_json::from_str(text).map_err(|error| fault_of(text, &error))?;
        let ordinal = record.at.text + 1;
        let mut context = Context { names: &mut self.names, files: names, ordinal, made };
        (self.read)(value, &mut context).map_err(|reason| Fault::at(0, 1, reason))
    }
}

fn fault_of(text: &str, error: &serde_json::Error) -> Fault {
    let shown = error.to_string();
    let reason = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(reason, _)| reason);
    let reason = if error.is_eof() { "the record ends within its JSON" } else { reason };
    let line_at = error.line().saturating_sub(1);
    let line = text.split('\n').nth(line_at).unwrap_or_default();
    let byte_at = line.floor_char_boundary(error.column().saturating_sub(1));
    Fault::at(line_at as u64, line[..byte_at].chars().count() as u64 + 1, reason)
}

/// An id: a string, or a number as its digits.
pub(crate) fn id_of(value: &Value) -> Option<CompactString> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.to_compact_string()),
        Value::Number(number) => Some(number.to_compact_string()),
        _ => None,
    }
}

/// The id under a key.
pub(crate) fn id_at(value: &Value, key: &str) -> Option<CompactString> {
    value.get(key).and_then(id_of)
}

/// The string under a key.
pub(crate) fn str_at<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// The offset under a key: a whole number that is not negative.
pub(crate) fn offset_at(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(offset_of)
}

/// A whole number that is not negative; some tools write `3.0`.
pub(crate) fn offset_of(value: &Value) -> Option<u64> {
    let as_float = || value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0);
    value.as_u64().or_else(|| as_float().map(|number| number as u64))
}

/// The list under a key; empty when there is none.
pub(crate) fn list_at<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Takes a string out of an object.
pub(crate) fn take_text(object: &mut Map<String, Value>, key: &str) -> Option<String> {
    match object.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => {
            object.shift_remove(key);
            Some(text)
        }
        Some(other) => {
            object.insert(key.to_owned(), other);
            None
        }
        None => None,
    }
}

/// Appends to a list under a key.
pub(crate) fn push(map: &mut Map<String, Value>, key: &str, value: Value) {
    match map.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(list) => list.push(value),
        // An attribute of that very name came first.
        other => *other = Value::Array(vec![other.take(), value]),
    }
}

/// Sets a key; a second value of the same name makes a list of them.
pub(crate) fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    if map.contains_key(key) {
        push(map, key, value);
    } else {
        map.insert(key.to_owned(), value);
    }
}

/// An object, or the reason why a record is none.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(format!("a record has to be an object, not {}", kind_of(&other))),
    }
}

/// What a value is, for people.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sketch_shows_the_keys_of_a_record_that_is_cut_off() {
        let sketch = Sketch::of(b"\xef\xbb\xbf [ {\"a\\\"b\": {\"x\": 1}, \"data\" : [ {\"y\": \"");
        assert_eq!(sketch.keys, [("a\"b".to_owned(), b'{'), ("data".to_owned(), b'[')]);
        assert!(sketch.value.is_none() && !sketch.is_array);
        assert!(Sketch::of(b"[[\"a\", {}]]").is_array);
        assert!(Sketch::of(b"words").keys.is_empty());
    }

    #[test]
    fn lines_are_told_from_values() {
        let values = Framing::Values { under: None };
        assert_eq!(framing(b"{\"a\":1}\n{bad\n", None), Framing::Lines);
        assert_eq!(framing(b"{\n\"a\":1}\n", None), values);
        assert_eq!(framing(b"[{\"a\":1}]\n", None), values);
        let under = Framing::Values { under: Some("data") };
        assert_eq!(framing(b"{\"data\":[]}\n", Some("data")), under);
        assert_eq!(framing(b"{\"context\":\"\"}\n{}", Some("data")), Framing::Lines);
    }
}
