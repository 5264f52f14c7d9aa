//! A text with what people said about it. Offsets count Unicode code points, end exclusive.

use std::sync::Arc;

use compact_str::CompactString;
use serde_json::value::RawValue;

use crate::Timestamp;

/// One text and everything annotated on it, in input order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The corpus's own id of the text, or the database's where there is none.
    pub id: CompactString,
    /// The text, exactly as annotated; never normalized.
    pub text: String,
    /// A JSON object about the text; `None` when there is none or it was not asked for.
    pub metadata: Option<Json>,
    /// Labelled spans and labels of the whole text.
    pub annotations: Vec<Annotation>,
    /// Typed, directed pairs of annotations.
    pub relations: Vec<Relation>,
    /// Gold tokenization; `None` when the corpus has none.
    pub tokens: Option<Vec<Token>>,
}

impl Document {
    /// Whether it has different labels of the whole text.
    pub fn has_several_labels(&self) -> bool {
        let mut labels = self.annotations.iter().filter(|it| it.extent == Extent::Text).map(|it| &it.label);
        labels.next().is_some_and(|first| labels.any(|label| label != first))
    }
}

/// One label on one extent, by one annotator.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Unique within its document.
    pub id: CompactString,
    /// What part of the text is labelled.
    pub extent: Extent,
    /// The label; a path such as `EVENT/Attack` when labels form a hierarchy.
    pub label: Arc<str>,
    /// Who made it, if known.
    pub annotator: Option<Arc<str>>,
    /// Between 0 and 1 by convention; any finite number is kept.
    pub confidence: Option<f64>,
    /// A JSON object of free attributes.
    pub attributes: Option<Json>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// What part of a text an annotation labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extent {
    /// The whole text (a document-level label).
    Text,
    /// Code points `start..end`. May be empty or out of range in real data; encoders count that.
    Span {
        /// First code point.
        start: u32,
        /// One past the last code point.
        end: u32,
    },
    /// Several pieces in the source's order, each `start..end`; never empty.
    Fragments(Vec<(u32, u32)>),
}

impl Extent {
    /// The smallest `(start, end)` that covers the extent; `None` for a label of the whole text.
    pub fn hull(&self) -> Option<(u32, u32)> {
        match self {
            Extent::Text => None,
            Extent::Span { start, end } => Some((*start, *end)),
            Extent::Fragments(pieces) => {
                let start = pieces.iter().map(|piece| piece.0).min()?;
                let end = pieces.iter().map(|piece| piece.1).max()?;
                Some((start, end))
            }
        }
    }
}

/// A typed, directed pair of annotations of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// The id of the annotation it starts from.
    pub source: CompactString,
    /// The id of the annotation it points to.
    pub target: CompactString,
    /// The relation's type.
    pub kind: Arc<str>,
    /// Between 0 and 1 by convention.
    pub confidence: Option<f64>,
}

/// One gold token: code points `start..end`, with what the corpus knows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// First code point.
    pub start: u32,
    /// One past the last code point.
    pub end: u32,
    /// Part of speech.
    pub pos: Option<CompactString>,
    /// Lemma.
    pub lemma: Option<CompactString>,
    /// Syntactic chunk tag.
    pub chunk: Option<CompactString>,
}

/// A JSON value kept as compact text, so that keys keep their order and numbers their digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    /// Compacts valid JSON text (white space outside strings goes). Fails on anything that is not JSON.
    pub fn parse(text: &str) -> Result<Json, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text).map(Json::from_raw)
    }

    /// From a value that serde has already checked.
    pub fn from_raw(raw: &RawValue) -> Json {
        Json(compact(raw.get()).into_boxed_str())
    }

    /// From a parsed value.
    pub fn from_value(value: &serde_json::Value) -> Json {
        Json(value.to_string().into_boxed_str())
    }

    /// The compact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the empty object.
    pub fn is_empty_object(&self) -> bool {
        &*self.0 == "{}"
    }

    /// An escape in JSON text that is half of a surrogate pair: no character, so nobody can read it as text.
    pub fn half_character(text: &str) -> Option<&str> {
        let unit = |escape: &str| u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            let escape = &rest[at..];
            let bytes = match unit(escape) {
                // What follows a backslash is ASCII, or else this is no JSON.
                None => 2,
                Some(0xd800..0xdc00) if escape.get(6..).and_then(unit).is_some_and(is_second_half) => 12,
                Some(0xd800..0xe000) => return escape.get(..6),
                Some(_) => 6,
            };
            rest = escape.get(bytes..).unwrap_or_default();
        }
        None
    }

    /// The parsed value.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }

    /// One member of an object, by a path of keys such as `["meta", "split"]`.
    pub fn member(&self, path: &[&str]) -> Option<serde_json::Value> {
        let mut value = self.to_value();
        for key in path {
            value = value.get_mut(key)?.take();
        }
        Some(value)
    }
}

fn is_second_half(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

/// Drops the white space outside strings of text that is known to be JSON.
fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_keeps_strings_keys_and_digits() {
        let json = Json::parse("{ \"b\" : \"a \\\" { b\\\\\" ,\n \"a\": [1.50, 2e3] }").unwrap();
        assert_eq!(json.as_str(), r#"{"b":"a \" { b\\","a":[1.50,2e3]}"#);
    }

    #[test]
    fn halves_of_characters_are_found() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(Json::half_character(text), expected);
        check(r#"{"a":"\ud83d\ude00 \u0000 é \n"}"#, None);
        check(r#"{"a":"\\ud800"}"#, None);
        check(r#"{"a":"x\uD83d"}"#, Some(r"\uD83d"));
        check(r#"{"a":"\\\ude00"}"#, Some(r"\ude00"));
        check(r#"{"\ud83d\ud83d\ude00":1}"#, Some(r"\ud83d"));
    }

    #[test]
    fn hull_covers_fragments_in_any_order() {
        assert_eq!(Extent::Fragments(vec![(8, 10), (0, 3)]).hull(), Some((0, 10)));
        assert_eq!(Extent::Text.hull(), None);
    }
}
