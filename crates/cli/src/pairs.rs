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

/// `--filter key=value`: ids and labels may have commas between, a key that comes again adds to them, and
/// `text_ids=@FILE` takes ids from a file, one a line.
pub(crate) fn filters(pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut map: Map<String, Value> = Map::new();
    for pair in pairs {
        let (key, value) = cut("--filter", pair)?;
        let values = match json_or_text(value) {
            Value::Array(values) => values,
            _ if key.ends_with("_ids") => ids(key, value)?,
            _ if key == "labels" => value.split(',').map(|name| Value::from(name.trim())).collect(),
            // Numbers and flags read as well from their words, which keep their digits.
            _ => vec![Value::from(value)],
        };
        let is_list = key.ends_with("_ids") || key == "labels" || key.starts_with("metadata.");
        match map.get_mut(key) {
            Some(Value::Array(known)) => known.extend(values),
            _ if is_list => drop(map.insert(key.to_owned(), Value::Array(values))),
            _ => drop(map.insert(key.to_owned(), Value::from(value))),
        }
    }
    Ok(map)
}

fn ids(key: &str, value: &str) -> Result<Vec<Value>, Failure> {
    let Some(path) = value.strip_prefix('@') else {
        return Ok(value.split(',').map(|id| json_or_text(id.trim())).collect());
    };
    let content = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("--filter {key}: can't read `{path}`: {error}")))?;
    Ok(content.lines().map(str::trim).filter(|line| !line.is_empty()).map(json_or_text).collect())
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
    fn labels_and_metadata_keep_their_words() {
        let pairs = ["labels=PER, 7", "metadata.year=1e3", "metadata.year=x,y", "has_annotations=true"];
        let expected = r#"{"labels":["PER","7"],"metadata.year":["1e3","x,y"],"has_annotations":"true"}"#;
        assert_eq!(Value::Object(filters(&strings(&pairs)).unwrap()).to_string(), expected);
    }

    #[test]
    fn ids_come_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "doc-1\r\n\n7\n\"7\"\n").unwrap();
        let pair = format!("text_ids=@{}", file.path().display());
        let expected = r#"{"text_ids":["doc-1",7,"7"]}"#;
        assert_eq!(Value::Object(filters(&[pair]).unwrap()).to_string(), expected);
        let missing = filters(&strings(&["text_ids=@/no/such/file"])).unwrap_err();
        assert!(missing.to_string().contains("/no/such/file"));
    }

    #[test]
    fn splits() {
        assert_eq!(split("train=0.8,dev=0.2").unwrap().to_string(), r#"{"train":0.8,"dev":0.2}"#);
        assert_eq!(split("metadata.split").unwrap().to_string(), r#"{"by":"metadata.split"}"#);
    }
}
