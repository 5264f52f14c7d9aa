//! Which split a text falls into: by a stable hash of its id, or by its metadata.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Document;

mod stratify;

pub use stratify::Stratifier;

/// The split of a text when none was asked for, as Hugging Face names a lone split.
pub const LONE_SPLIT: &str = "train";

/// How texts are dealt to splits.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Split {
    /// Everything is `train`.
    #[default]
    None,
    /// By a stable hash.
    Shares(Shares),
    /// The value of a metadata field, as a path of keys; texts without it are `train`.
    Metadata(Vec<String>),
}

/// Shares of a hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Names with shares that sum to 1, in the order asked for.
    pub shares: Vec<(String, f64)>,
    /// The metadata field, as a path of keys, whose value is hashed in place of the text's id: all texts of a
    /// group fall together. A text without it is a group of its own.
    pub group_by: Option<Vec<String>>,
    /// When given, texts are stratified by label: how far each label's texts may be from the shares, as a share.
    pub tolerance: Option<f64>,
}

impl Shares {
    /// What is hashed: the group of a text, or its id.
    fn key<'d>(&self, document: &'d Document) -> Cow<'d, str> {
        let group = self.group_by.as_deref().and_then(|path| member(path, document));
        match group {
            None | Some(Value::Null) => Cow::Borrowed(document.id.as_str()),
            Some(Value::String(name)) => Cow::Owned(name),
            Some(other) => Cow::Owned(other.to_string()),
        }
    }

    fn of(&self, document: &Document, moved: &BTreeMap<String, String>) -> String {
        let key = self.key(document);
        moved.get(&*key).unwrap_or_else(|| &self.shares[self.by_hash(&key)].0).clone()
    }

    /// The place of the split that a hash gives; there is at least one.
    fn by_hash(&self, key: &str) -> usize {
        let digest = Sha256::digest(key.as_bytes());
        let mut first = [0_u8; 8];
        first.copy_from_slice(&digest[..8]);
        // 53 bits: every value is an exact f64 in [0, 1).
        let point = (u64::from_be_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64;
        let mut end = 0.0;
        let found = self.shares.iter().position(|(_, share)| {
            end += share;
            point < end
        });
        found.or_else(|| self.shares.iter().rposition(|(_, share)| *share > 0.0)).unwrap_or(0)
    }
}

impl Split {
    /// Whether it reads metadata, whatever else is to be exported.
    pub fn needs_metadata(&self) -> bool {
        match self {
            Split::None => false,
            Split::Shares(shares) => shares.group_by.is_some(),
            Split::Metadata(_) => true,
        }
    }

    /// The split of one text; the same for ever, whatever else is exported with it. `moved` are the keys that a
    /// [`Stratifier`] put elsewhere.
    ///
    /// Fails with the offending value when a metadata field holds no usable split name.
    pub fn of(&self, document: &Document, moved: &BTreeMap<String, String>) -> Result<String, String> {
        match self {
            Split::None => Ok(LONE_SPLIT.to_owned()),
            Split::Shares(shares) => Ok(shares.of(document, moved)),
            Split::Metadata(path) => by_metadata(path, document),
        }
    }
}

/// Whether a name can be a split's: what `datasets` accepts, and safe in a file name.
pub fn is_split_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

fn by_metadata(path: &[String], document: &Document) -> Result<String, String> {
    match member(path, document) {
        None | Some(Value::Null) => Ok(LONE_SPLIT.to_owned()),
        Some(Value::String(name)) if is_split_name(&name) => Ok(name),
        Some(other) => Err(other.to_string()),
    }
}

fn member(path: &[String], document: &Document) -> Option<Value> {
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    document.metadata.as_ref()?.member(&keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str) -> Document {
        Document { id: id.into(), ..Document::default() }
    }

    fn of(split: &Split, document: &Document) -> Result<String, String> {
        split.of(document, &BTreeMap::new())
    }

    #[test]
    fn shares_hold_and_stay() {
        let shares = vec![("train".into(), 0.8), ("dev".into(), 0.1), ("test".into(), 0.1)];
        let split = Split::Shares(Shares { shares, group_by: None, tolerance: None });
        let train =
            (0..10_000).filter(|n| of(&split, &document(&format!("t{n}"))).unwrap() == "train").count();
        assert!((7_800..8_200).contains(&train), "{train}");
        assert_eq!(of(&split, &document("doc-1")), of(&split, &document("doc-1")));
    }

    #[test]
    fn a_group_falls_together() {
        let shares = vec![("train".into(), 0.5), ("dev".into(), 0.5)];
        let split = Split::Shares(Shares { shares, group_by: Some(vec!["doc".into()]), tolerance: None });
        let in_group = |id: &str, metadata: &str| {
            let metadata = crate::Json::parse(metadata).ok();
            of(&split, &Document { metadata, ..document(id) }).unwrap()
        };
        for group in 0..20 {
            let metadata = format!("{{\"doc\":{group}}}");
            let first = in_group("t", &metadata);
            assert!((0..20).all(|n| in_group(&format!("t{n}"), &metadata) == first));
        }
        let groups = (0..20).map(|n| in_group("t", &format!("{{\"doc\":{n}}}")));
        assert_eq!(groups.filter(|split| split == "dev").count(), 7);
    }

    #[test]
    fn metadata_names_are_checked() {
        let split = Split::Metadata(vec!["split".into()]);
        let mut text = document("a");
        assert_eq!(of(&split, &text), Ok("train".into()));
        text.metadata = crate::Json::parse(r#"{"split":"dev"}"#).ok();
        assert_eq!(of(&split, &text), Ok("dev".into()));
        text.metadata = crate::Json::parse(r#"{"split":"../x"}"#).ok();
        assert!(of(&split, &text).is_err());
    }
}
