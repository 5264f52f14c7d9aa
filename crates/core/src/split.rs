//! Which split a text falls into: by a stable hash of its id, or by its metadata.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Document;

/// The split of a text when none was asked for, as Hugging Face names a lone split.
pub const LONE_SPLIT: &str = "train";

/// How texts are dealt to splits.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Split {
    /// Everything is `train`.
    #[default]
    None,
    /// Names with shares that sum to 1, in the order asked for.
    Shares(Vec<(String, f64)>),
    /// The value of a metadata field, as a path of keys; texts without it are `train`.
    Metadata(Vec<String>),
}

impl Split {
    /// The split of one text; the same for ever, whatever else is exported with it.
    ///
    /// Fails with the offending value when a metadata field holds no usable split name.
    pub fn of(&self, document: &Document) -> Result<String, String> {
        match self {
            Split::None => Ok(LONE_SPLIT.to_owned()),
            Split::Shares(shares) => Ok(by_hash(shares, &document.id).to_owned()),
            Split::Metadata(path) => by_metadata(path, document),
        }
    }
}

/// Whether a name can be a split's: what `datasets` accepts, and safe in a file name.
pub fn is_split_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

fn by_hash<'s>(shares: &'s [(String, f64)], id: &str) -> &'s str {
    let digest = Sha256::digest(id.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    // 53 bits: every value is an exact f64 in [0, 1).
    let point = (u64::from_be_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64;
    let mut end = 0.0;
    for (name, share) in shares {
        end += share;
        if point < end {
            return name;
        }
    }
    shares.iter().rev().find(|(_, share)| *share > 0.0).map_or(LONE_SPLIT, |(name, _)| name)
}

fn by_metadata(path: &[String], document: &Document) -> Result<String, String> {
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    match document.metadata.as_ref().and_then(|metadata| metadata.member(&keys)) {
        None | Some(Value::Null) => Ok(LONE_SPLIT.to_owned()),
        Some(Value::String(name)) if is_split_name(&name) => Ok(name),
        Some(other) => Err(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str) -> Document {
        Document { id: id.into(), ..Document::default() }
    }

    #[test]
    fn shares_hold_and_stay() {
        let split = Split::Shares(vec![("train".into(), 0.8), ("dev".into(), 0.1), ("test".into(), 0.1)]);
        let train = (0..10_000).filter(|n| split.of(&document(&format!("t{n}"))).unwrap() == "train").count();
        assert!((7_800..8_200).contains(&train), "{train}");
        assert_eq!(split.of(&document("doc-1")), split.of(&document("doc-1")));
    }

    #[test]
    fn metadata_names_are_checked() {
        let split = Split::Metadata(vec!["split".into()]);
        let mut text = document("a");
        assert_eq!(split.of(&text), Ok("train".into()));
        text.metadata = crate::Json::parse(r#"{"split":"dev"}"#).ok();
        assert_eq!(split.of(&text), Ok("dev".into()));
        text.metadata = crate::Json::parse(r#"{"split":"../x"}"#).ok();
        assert!(split.of(&text).is_err());
    }
}
