//! A line of corpus JSONL as serde reads it, borrowed from the line wherever no escape forbids it.

use std::{borrow::Cow, fmt};

use compact_str::{CompactString, ToCompactString};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    #[serde(default)]
    pub(super) id: Option<Id>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) annotations: Option<Vec<Labelled<'a>>>,
    #[serde(borrow, default)]
    pub(super) relations: Option<Vec<Related<'a>>>,
    #[serde(default)]
    pub(super) tokens: Option<Vec<Word>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labelled<'a> {
    #[serde(default)]
    pub(super) id: Option<Id>,
    #[serde(default)]
    pub(super) start: Option<u32>,
    #[serde(default)]
    pub(super) end: Option<u32>,
    #[serde(default)]
    pub(super) fragments: Option<Vec<(u32, u32)>>,
    #[serde(borrow, default)]
    pub(super) label: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) label_path: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) annotator: Option<Text<'a>>,
    #[serde(default)]
    pub(super) confidence: Option<Number>,
    #[serde(borrow, default)]
    pub(super) attributes: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) created_at: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Related<'a> {
    pub(super) source: Id,
    pub(super) target: Id,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(default)]
    pub(super) confidence: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    pub(super) start: u32,
    pub(super) end: u32,
    #[serde(default)]
    pub(super) pos: Option<Short>,
    #[serde(default)]
    pub(super) lemma: Option<Short>,
    #[serde(default)]
    pub(super) chunk: Option<Short>,
}

/// A string, borrowed unless it holds escapes. (`Option<Cow<str>>` would always copy.)
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

/// An id: a string, or a whole number as people often write it, kept as its digits.
pub(super) struct Id(pub(super) CompactString);

/// A short string that is kept.
pub(super) struct Short(pub(super) CompactString);

/// A number read to the last digit, which serde's own reading of floats does not promise.
pub(super) struct Number(pub(super) f64);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text<'a>, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = Text<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        from.deserialize_str(Strings)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Id, D::Error> {
        struct Ids;
        impl Visitor<'_> for Ids {
            type Value = Id;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an id: a string or a whole number")
            }
            fn visit_str<E: Error>(self, id: &str) -> Result<Id, E> {
                Ok(Id(id.into()))
            }
            fn visit_u64<E: Error>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id.to_compact_string()))
            }
            fn visit_i64<E: Error>(self, id: i64) -> Result<Id, E> {
                Ok(Id(id.to_compact_string()))
            }
        }
        from.deserialize_any(Ids)
    }
}

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Short, D::Error> {
        struct Strings;
        impl Visitor<'_> for Strings {
            type Value = Short;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Short, E> {
                Ok(Short(text.into()))
            }
        }
        from.deserialize_str(Strings)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
        let raw = <&RawValue>::deserialize(from)?.get();
        // JSON forbids NaN, but Rust would read the word.
        let is_number = raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let value = raw.parse().ok().filter(|value: &f64| is_number && value.is_finite());
        value.map(Number).ok_or_else(|| D::Error::custom(format!("`{raw}` is not a finite number")))
    }
}
