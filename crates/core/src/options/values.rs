//! Values of parameters as they are read: from JSON, or as people write them in `--set`.

use serde_json::{Map, Value};

use super::{Annotators, Column, Hierarchy, OptionError, Partitions, Step};
use crate::{
    Split,
    split::{Shares, is_split_name},
};

/// `true` and `"true"` are the same word.
pub(super) fn worded(value: &Value) -> Value {
    value.as_bool().map_or_else(|| value.clone(), |flag| Value::from(flag.to_string()))
}

/// `2.0` and `"2.0"` are the same version.
pub(super) fn numbered(value: &Value) -> Value {
    value.as_f64().map_or_else(|| value.clone(), |number| Value::from(format!("{number:.1}")))
}

pub(super) fn flag(key: &str, value: &Value) -> Result<bool, OptionError> {
    match worded(value).as_str() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => Err(OptionError::value("option", key, value, "true, false")),
    }
}

pub(super) fn whole(key: &str, value: &Value, least: u64, most: u64) -> Result<u64, OptionError> {
    let number = value.as_u64().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        OptionError::value("option", key, value, format!("a whole number from {least} to {most}"))
    })
}

pub(super) fn partitions(key: &str, value: &Value) -> Result<Partitions, OptionError> {
    if value.as_str() == Some("auto") {
        return Ok(Partitions::Auto);
    }
    let count = whole(key, value, 1, 100_000);
    count
        .map(|count| Partitions::Count(count as u32))
        .map_err(|_| OptionError::value("option", key, value, "auto, or a whole number from 1 to 100000"))
}

/// A JSON object; `none` for nothing.
pub(super) fn object(
    key: &str,
    value: &Value,
    allowed: &str,
) -> Result<Option<Map<String, Value>>, OptionError> {
    match value {
        Value::Object(object) => Ok(Some(object.clone())),
        Value::String(word) if word == "none" => Ok(None),
        _ => Err(OptionError::value("option", key, value, allowed)),
    }
}

/// Any text; `none` for nothing.
pub(super) fn word(key: &str, value: &Value, allowed: &str) -> Result<Option<String>, OptionError> {
    let word = value.as_str().ok_or_else(|| OptionError::value("option", key, value, allowed))?;
    Ok((word != "none").then(|| word.to_owned()))
}

pub(super) fn annotators(key: &str, value: &Value) -> Result<Annotators, OptionError> {
    let refuse =
        || OptionError::value("option", key, value, "all, majority, each, or {\"only\": [\"name\", …]}");
    match value.as_str() {
        Some("all") => return Ok(Annotators::All),
        Some("majority") => return Ok(Annotators::Majority),
        Some("each") => return Ok(Annotators::Each),
        _ => {}
    }
    let map = value.as_object().filter(|map| map.len() == 1).ok_or_else(refuse)?;
    let names = map.get("only").and_then(Value::as_array).ok_or_else(refuse)?;
    let name = |name: &Value| name.as_str().map(str::to_owned).ok_or_else(refuse);
    Ok(Annotators::Only(names.iter().map(name).collect::<Result<_, _>>()?))
}

pub(super) fn split(key: &str, value: &Value) -> Result<Split, OptionError> {
    let refuse = |allowed: &str| OptionError::value("option", key, value, allowed);
    if value.as_str() == Some("none") {
        return Ok(Split::None);
    }
    let map =
        value.as_object().ok_or_else(|| refuse("none, shares by name, or {\"by\": \"metadata.FIELD\"}"))?;
    if let Some(by) = map.get("by") {
        return Ok(Split::Metadata(metadata_path(by).ok_or_else(|| refuse("{\"by\": \"metadata.FIELD\"}"))?));
    }
    let group_by = map.get("group_by").map(|field| {
        metadata_path(field).ok_or_else(|| refuse("`group_by` of a field such as \"metadata.doc\""))
    });
    let tolerance = tolerance(map)
        .ok_or_else(|| refuse("\"stratify_by\": \"label\", with a `tolerance` from 0.001 to 0.5"))?;
    let share = |(name, share): (&String, &Value)| {
        let share = share.as_f64().filter(|share| (0.0..=1.0).contains(share));
        share.filter(|_| is_split_name(name)).map(|share| (name.clone(), share))
    };
    let shares: Option<Vec<_>> =
        map.iter().filter(|(name, _)| !SPLIT_WORDS.contains(&name.as_str())).map(share).collect();
    let shares = shares.ok_or_else(|| refuse("names of letters, digits and _, with shares from 0 to 1"))?;
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    if (sum - 1.0).abs() > 1e-6 {
        return Err(refuse("shares that sum to 1"));
    }
    Ok(Split::Shares(Shares { shares, group_by: group_by.transpose()?, tolerance }))
}

/// Keys beside the names of splits.
const SPLIT_WORDS: [&str; 3] = ["group_by", "stratify_by", "tolerance"];
/// How far a label's texts may be from the shares unless said otherwise.
const TOLERANCE: f64 = 0.05;

/// The tolerance of a stratified split, `Some(None)` for others; `None` where it makes no sense.
#[allow(clippy::option_option)] // wrong, absent, present
fn tolerance(map: &Map<String, Value>) -> Option<Option<f64>> {
    let tolerance = map.get("tolerance").map_or(Some(TOLERANCE), Value::as_f64)?;
    match map.get("stratify_by") {
        None => map.get("tolerance").is_none().then_some(None),
        Some(by) => (by == "label" && (0.001..=0.5).contains(&tolerance)).then_some(Some(tolerance)),
    }
}

/// `metadata.a.b` as the keys `a`, `b`.
pub(super) fn metadata_path(field: &Value) -> Option<Vec<String>> {
    let path = field.as_str()?.strip_prefix("metadata.")?;
    (!path.is_empty()).then(|| path.split('.').map(str::to_owned).collect())
}

/// The step that a least confidence is.
pub(super) fn min_confidence(key: &str, value: &Value) -> Result<Option<Step>, OptionError> {
    if value.as_str() == Some("none") {
        return Ok(None);
    }
    let least = value.as_f64().filter(|least| least.is_finite());
    let refuse = || OptionError::value("option", key, value, "none, or a number");
    least.map(|least| Some(Step::MinConfidence(least))).ok_or_else(refuse)
}

pub(super) fn label_map(key: &str, value: &Value) -> Result<Vec<(String, Option<String>)>, OptionError> {
    let refuse = || OptionError::value("option", key, value, "{\"OLD\": \"NEW\"} or {\"OLD\": null}");
    let rename = |(old, new): (&String, &Value)| match new {
        Value::Null => Ok((old.clone(), None)),
        Value::String(new) if !new.is_empty() => Ok((old.clone(), Some(new.clone()))),
        _ => Err(refuse()),
    };
    value.as_object().ok_or_else(refuse)?.iter().map(rename).collect()
}

pub(super) fn hierarchy(key: &str, value: &Value) -> Result<Hierarchy, OptionError> {
    match value.as_str() {
        Some("leaf") => return Ok(Hierarchy::Leaf),
        Some("path") => return Ok(Hierarchy::Path),
        Some("root") => return Ok(Hierarchy::Root),
        _ => {}
    }
    let depth = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get("depth")?.as_u64());
    match depth {
        Some(depth @ 1..=64) => Ok(Hierarchy::Depth(depth as usize)),
        _ => Err(OptionError::value("option", key, value, "leaf, path, root, {\"depth\": n}")),
    }
}

/// A list, or the names with commas between.
pub(super) fn columns(key: &str, value: &Value) -> Result<Vec<Column>, OptionError> {
    let names: Vec<Value> = match value {
        Value::Array(names) => names.clone(),
        Value::String(names) => names.split(',').map(|name| Value::from(name.trim())).collect(),
        _ => Vec::new(),
    };
    if names.is_empty() {
        return Err(OptionError::value("option", key, value, "a list of token, label, pos, lemma, chunk"));
    }
    names.iter().map(|name| Column::read(key, name)).collect()
}
