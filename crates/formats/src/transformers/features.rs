//! Columns in the words of `datasets`: as JSON in the files' own schema, as YAML in `README.md`.
//!
//! `List` would say it better than `Sequence`, but versions before 4 don't know it. A list of structs is a bare
//! list: `Sequence` of a struct is something else there, a struct of lists.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::support::table::{Column, Kind};

/// Features as they stand under `huggingface` in the metadata of a schema.
pub(super) fn to_json(columns: &[Column]) -> Value {
    let feature = |column: &Column| (column.name.to_owned(), kind_to_json(&column.kind));
    Value::Object(columns.iter().map(feature).collect::<Map<_, _>>())
}

fn kind_to_json(kind: &Kind) -> Value {
    match kind {
        Kind::Label(names) => json!({"names": &**names, "_type": "ClassLabel"}),
        Kind::List(of) if matches!(**of, Kind::Struct(_)) => json!([kind_to_json(of)]),
        Kind::List(of) => json!({"feature": kind_to_json(of), "_type": "Sequence"}),
        Kind::Struct(columns) => to_json(columns),
        scalar => json!({"dtype": dtype(scalar), "_type": "Value"}),
    }
}

fn dtype(kind: &Kind) -> &'static str {
    match kind {
        Kind::Float => "float64",
        Kind::Time => "timestamp[us, tz=UTC]",
        Kind::Integer | Kind::Label(_) => "int64",
        Kind::Text | Kind::List(_) | Kind::Struct(_) => "string",
    }
}

/// Appends features as a list of YAML, every line indented by so many spaces.
pub(super) fn write_yaml(columns: &[Column], indent: usize, out: &mut String) {
    for column in columns {
        // Writing into memory can't fail.
        let _ = writeln!(out, "{:indent$}- name: {}", "", column.name);
        write_kind(&column.kind, indent + 2, out);
    }
}

fn write_kind(kind: &Kind, indent: usize, out: &mut String) {
    let _ = match kind {
        Kind::Label(names) => {
            return write_key("dtype", |out| write_names(names, indent + 2, out), indent, out);
        }
        Kind::Struct(columns) => {
            return write_key("struct", |out| write_yaml(columns, indent, out), indent, out);
        }
        Kind::List(of) => match &**of {
            Kind::Struct(columns) => {
                return write_key("list", |out| write_yaml(columns, indent, out), indent, out);
            }
            Kind::Label(names) => {
                return write_key("sequence", |out| write_names(names, indent + 2, out), indent, out);
            }
            Kind::List(_) => {
                return write_key("sequence", |out| write_kind(of, indent + 2, out), indent, out);
            }
            scalar => writeln!(out, "{:indent$}sequence: {}", "", dtype(scalar)),
        },
        scalar => writeln!(out, "{:indent$}dtype: {}", "", dtype(scalar)),
    };
}

fn write_key(key: &str, write_value: impl FnOnce(&mut String), indent: usize, out: &mut String) {
    let _ = writeln!(out, "{:indent$}{key}:", "");
    write_value(out);
}

fn write_names(names: &[String], indent: usize, out: &mut String) {
    let _ = writeln!(out, "{:indent$}class_label:", "");
    let _ = match names {
        [] => writeln!(out, "{:indent$}  names: []", ""),
        _ => writeln!(out, "{:indent$}  names:", ""),
    };
    for (id, name) in names.iter().enumerate() {
        let _ = writeln!(out, "{:indent$}    '{id}': {}", "", quoted(name));
    }
}

/// A text in double quotes. Without them `NO` would be false; what YAML takes for a line break, or does not take
/// at all, is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        let is_odd = character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if is_odd => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
