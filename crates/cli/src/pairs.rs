//! `key=value` on the command line, as JSON.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// `--set key=value`: the value is JSON if it reads as JSON, else a string. The last one of a key wins.
pub(crate) fn options(pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut map = Map::new();
    for pair in pairs {
        let (key, value) = cut("--set", pair)?;
        map.insert(key.to_owned(), json_or_text(value));
    }
    Ok(map)
}

/// `--filter key=value`: ids may have commas between, and a key that comes again adds ids.
pub(crate) fn filters(pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut map: Map<String, Value> = Map::new();
    for pair in pairs {
        let (key, value) = cut("--filter", pair)?;
        let ids = match json_or_text(value) {
            Value::String(text) if key.ends_with("_ids") => {
                text.split(',').map(|id| json_or_text(id.trim())).collect()
            }
            Value::Array(ids) => ids,
            single => vec![single],
        };
        match map.get_mut(key) {
            Some(Value::Array(known)) => known.extend(ids),
            _ if key.ends_with("_ids") => drop(map.insert(key.to_owned(), Value::Array(ids))),
            _ => drop(map.insert(key.to_owned(), Value::from(value))),
        }
    }
    Ok(map)
}

/// `--split train=0.8,dev=0.2`, or `--split metadata.FIELD`.
pub(crate) fn split(text: &str) -> Result<Value, Failure> {
    if text.starts_with("metadata.") {
        return Ok(serde_json::json!({ "by": text }));
    }
    let mut shares = Map::new();
    for pair in text.split(',') {
        let (name, share) = cut("--split", pair)?;
        shares.insert(name.to_owned(), json_or_text(share));
    }
    Ok(Value::Object(shares))
}

fn cut<'p>(flag: &str, pair: &'p str) -> Result<(&'p str, &'p str), Failure> {
    let cut = pair.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
    cut.filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| Failure::usage(format!("`{flag} {pair}` is not `key=value`")))
}

fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(pairs: &[&str]) -> Vec<String> {
        pairs.iter().map(|pair| (*pair).to_owned()).collect()
    }

    #[test]
    fn values_are_json_or_text() {
        let map = options(&strings(&["label_scheme=IO", "batch_size=5", "columns=[\"token\"]"])).unwrap();
        assert_eq!(
            Value::Object(map).to_string(),
            r#"{"label_scheme":"IO","batch_size":5,"columns":["token"]}"#
        );
        assert!(options(&strings(&["x"])).is_err());
    }

    #[test]
    fn ids_gather() {
        let map =
            filters(&strings(&["label_ids=PER,ORG", "label_ids=LOC", "text_ids=3", "date_from=2026-01-02"]))
                .unwrap();
        let expected = r#"{"label_ids":["PER","ORG","LOC"],"text_ids":[3],"date_from":"2026-01-02"}"#;
        assert_eq!(Value::Object(map).to_string(), expected);
    }

    #[test]
    fn splits() {
        assert_eq!(split("train=0.8,dev=0.2").unwrap().to_string(), r#"{"train":0.8,"dev":0.2}"#);
        assert_eq!(split("metadata.split").unwrap().to_string(), r#"{"by":"metadata.split"}"#);
    }
}
