//! Rows of a Parquet file to lines, numbers of a `ClassLabel` to its names.

use std::{
    fs::File,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use parquet::file::{
    metadata::KeyValue,
    reader::{FileReader, SerializedFileReader},
};
use serde_json::{Deserializer, Value, json};

use super::KEY;
use crate::format::Open;

/// Writes a line for each row. A file that breaks off ends in a line that says why.
pub(super) fn unpack(open: &Open<'_>, out: &mut dyn Write) -> io::Result<()> {
    let file = open()?;
    // The decoder of a broken page may give up by a panic.
    let unpacked = catch_unwind(AssertUnwindSafe(|| unpack_all(file, out)));
    match unpacked.unwrap_or_else(|_| Err(Failure::Broken("its pages are damaged".to_owned()))) {
        Ok(()) => Ok(()),
        Err(Failure::Output(error)) => Err(error),
        Err(Failure::Broken(reason)) => writeln!(out, "{}", json!({KEY: {"broken": reason}})),
    }
}

/// What went wrong: with the file that is read, or with the lines that are written.
enum Failure {
    Broken(String),
    Output(io::Error),
}

impl From<parquet::errors::ParquetError> for Failure {
    fn from(error: parquet::errors::ParquetError) -> Failure {
        Failure::Broken(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

fn unpack_all(file: File, out: &mut dyn Write) -> Result<(), Failure> {
    let reader = SerializedFileReader::new(file)?;
    let features = features(reader.metadata().file_metadata().key_value_metadata());
    for row in reader.get_row_iter(None)? {
        let mut row = row?.to_json_value();
        name(&mut row, &features);
        writeln!(out, "{}", json!({KEY: {"row": row}}))?;
    }
    Ok(())
}

/// The features of a dataset: in the file's own metadata, or in the Arrow schema that it carries.
fn features(metadata: Option<&Vec<KeyValue>>) -> Value {
    let value = |key: &str| {
        let pairs = metadata.into_iter().flatten();
        pairs.filter(|pair| pair.key == key).find_map(|pair| pair.value.as_deref())
    };
    let own = || serde_json::from_str::<Value>(value("huggingface")?).ok();
    let carried = || in_schema(&STANDARD.decode(value("ARROW:schema")?).ok()?);
    let info = own().or_else(carried).unwrap_or_default();
    info.pointer("/info/features").cloned().unwrap_or_default()
}

/// The Arrow schema is a FlatBuffer, which keeps strings as they are.
fn in_schema(schema: &[u8]) -> Option<Value> {
    let begin = b"{\"info\"";
    let at = schema.windows(begin.len()).position(|window| window == begin)?;
    Deserializer::from_slice(&schema[at..]).into_iter::<Value>().next()?.ok()
}

/// Puts names for numbers, as deep as features say.
fn name(value: &mut Value, feature: &Value) {
    match (value, feature) {
        (Value::Array(list), Value::Array(of)) => {
            let of = of.first().unwrap_or(&Value::Null);
            for item in list {
                name(item, of);
            }
        }
        (value, Value::Object(feature)) => match feature.get("_type").and_then(Value::as_str) {
            Some("ClassLabel") => {
                let names = feature.get("names").and_then(Value::as_array);
                let named = value.as_i64().map(|number| usize::try_from(number).ok());
                if let (Some(number), Some(names)) = (named, names) {
                    *value = number.and_then(|number| names.get(number)).cloned().unwrap_or_default();
                }
            }
            Some(_) => {
                let Some(of) = feature.get("feature") else { return };
                match value {
                    Value::Array(list) => list.iter_mut().for_each(|item| name(item, of)),
                    // A sequence of structs is kept as a struct of lists.
                    Value::Object(lists) => {
                        for (key, list) in lists {
                            let of = of.get(key).unwrap_or(&Value::Null);
                            list.as_array_mut().into_iter().flatten().for_each(|item| name(item, of));
                        }
                    }
                    _ => {}
                }
            }
            None => {
                for (key, member) in value.as_object_mut().into_iter().flatten() {
                    name(member, feature.get(key).unwrap_or(&Value::Null));
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names_as_deep_as_features_say() {
        let label = json!({"_type": "ClassLabel", "names": ["O", "B-PER"]});
        let features = json!({
            "tags": {"_type": "Sequence", "feature": label}, "label": label,
            "spans": [{"start": {"_type": "Value"}, "label": label}],
            "old": {"_type": "Sequence", "feature": {"label": label, "n": {"_type": "Value"}}}
        });
        let mut row = json!({"tags": [1, 0, -1], "label": 9, "spans": [{"start": 1, "label": 1}],
            "old": {"label": [0], "n": [0]}, "n": 1});
        name(&mut row, &features);
        let expected = json!({"tags": ["B-PER", "O", null], "label": null,
            "spans": [{"start": 1, "label": "B-PER"}], "old": {"label": ["O"], "n": [0]}, "n": 1});
        assert_eq!(row, expected);
    }

    #[test]
    fn features_are_found_in_the_arrow_schema() {
        let schema = b"\x10\x00huggingface\x00{\"info\": {\"features\": {\"a\": 1}}}\x00\x00";
        let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        let metadata = vec![pair("ARROW:schema", STANDARD.encode(schema))];
        assert_eq!(features(Some(&metadata)), json!({"a": 1}));
        assert_eq!(features(None), Value::Null);
    }
}
