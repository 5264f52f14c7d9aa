//! Tables of nested columns: one description of a row, and its Arrow columns, Parquet files and JSON lines.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `columns` | cells to Arrow arrays, a batch at a time |
//! | `files` | batches to bytes: Parquet, Arrow's file and stream, JSON lines |
//! | `lines` | cells to JSON |
//! | `writer` | rows to a file in bounded memory |
//!
//! Every column and every item of a list may be null, even where none is: Hugging Face's `datasets` forgets the
//! names of labels in columns that may not.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use spanfleet_core::Timestamp;

mod columns;
mod files;
mod lines;
mod writer;

pub use columns::{Columns, arrow_schema};
pub use files::{Container, TableError};
pub use writer::{TableNotes, TableWriter};

/// The type of a column's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits, signed.
    Integer,
    /// 64 bits: 0.9 reads back as 0.9.
    Float,
    /// Microseconds in UTC.
    Time,
    /// The place of a name in this list; -1 for none.
    Label(Arc<[String]>),
    /// Any number of values.
    List(Box<Kind>),
    /// Named values.
    Struct(Vec<Column>),
}

/// A named column, or a named value of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
}

impl Column {
    /// A column of that name and type.
    pub fn new(name: &'static str, kind: Kind) -> Column {
        Column { name, kind }
    }
}

impl Kind {
    /// A list of values of one type.
    pub fn list(of: Kind) -> Kind {
        Kind::List(Box::new(of))
    }

    /// A list of structs.
    pub fn list_of(columns: Vec<Column>) -> Kind {
        Kind::list(Kind::Struct(columns))
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Not known.
    Null,
    /// For [`Kind::Text`].
    Text(&'a str),
    /// For [`Kind::Integer`] and [`Kind::Label`].
    Integer(i64),
    /// For [`Kind::Float`].
    Float(f64),
    /// For [`Kind::Time`].
    Time(Timestamp),
    /// For [`Kind::List`].
    List(Vec<Cell<'a>>),
    /// For [`Kind::Struct`], in the order of its columns.
    Struct(Vec<Cell<'a>>),
}

impl<'a> Cell<'a> {
    /// A text, if there is one.
    pub fn text(text: Option<&'a str>) -> Cell<'a> {
        text.map_or(Cell::Null, Cell::Text)
    }

    /// A number, if there is one.
    pub fn integer(number: Option<impl Into<i64>>) -> Cell<'a> {
        number.map_or(Cell::Null, |number| Cell::Integer(number.into()))
    }

    /// A number, if there is one.
    pub fn float(number: Option<f64>) -> Cell<'a> {
        number.map_or(Cell::Null, Cell::Float)
    }

    /// A list of what an iterator gives.
    pub fn list(cells: impl Iterator<Item = Cell<'a>>) -> Cell<'a> {
        Cell::List(cells.collect())
    }

    /// Bytes that it takes in Arrow's memory, nulls apart.
    pub fn bytes(&self) -> u64 {
        match self {
            Cell::Null => 1,
            Cell::Text(text) => 4 + text.len() as u64,
            Cell::Integer(_) | Cell::Float(_) | Cell::Time(_) => 8,
            Cell::List(cells) => 4 + cells.iter().map(Cell::bytes).sum::<u64>(),
            Cell::Struct(cells) => cells.iter().map(Cell::bytes).sum(),
        }
    }
}

/// JSON Schema of a row, as every format's row in `export_formats` has one.
pub fn row_schema(title: &str, columns: &[Column]) -> Value {
    let mut schema = object_schema(columns);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

fn object_schema(columns: &[Column]) -> Value {
    let property = |column: &Column| (column.name.to_owned(), kind_schema(&column.kind));
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    let properties: Map<String, Value> = columns.iter().map(property).collect();
    json!({"type": ["object", "null"], "required": names, "properties": properties})
}

fn kind_schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({"type": ["string", "null"]}),
        Kind::Integer => json!({"type": ["integer", "null"]}),
        Kind::Float => json!({"type": ["number", "null"]}),
        Kind::Time => json!({"type": ["string", "null"], "format": "date-time"}),
        Kind::Label(_) => {
            json!({"type": ["integer", "null"], "minimum": -1, "description": "place in the list of labels"})
        }
        Kind::List(of) => json!({"type": ["array", "null"], "items": kind_schema(of)}),
        Kind::Struct(columns) => object_schema(columns),
    }
}

#[cfg(test)]
mod tests;
