//! Values on their way into statements and out of rows, the same for every driver.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use spanfleet_core::Timestamp;
use uuid::Uuid;

use crate::{MetastoreError, MetastoreErrorKind};

/// A value for a statement. An absent one still has a type, which PostgreSQL wants to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// A whole number.
    Integer(Option<i64>),
    /// A fraction.
    Float(Option<f64>),
    /// Text; also JSON, times and UUIDs, which the statement casts.
    Text(Option<String>),
    /// Yes or no.
    Boolean(bool),
}

impl Parameter {
    /// A stored form as JSON text.
    pub fn json(value: &impl Serialize) -> Result<Parameter, MetastoreError> {
        serde_json::to_string(value).map(Parameter::from).map_err(|error| {
            MetastoreError::new(MetastoreErrorKind::Corrupt, "a value can't be written as JSON")
                .because(error)
        })
    }
}

impl From<bool> for Parameter {
    fn from(value: bool) -> Parameter {
        Parameter::Boolean(value)
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Parameter {
        Parameter::Float(Some(value))
    }
}

impl From<Option<f64>> for Parameter {
    fn from(value: Option<f64>) -> Parameter {
        Parameter::Float(value)
    }
}

impl From<u64> for Parameter {
    fn from(value: u64) -> Parameter {
        Parameter::Integer(Some(value.cast_signed()))
    }
}

macro_rules! integers {
    ($($number:ty),+) => {$(
        impl From<$number> for Parameter {
            fn from(value: $number) -> Parameter {
                Parameter::Integer(Some(value.into()))
            }
        }
        impl From<Option<$number>> for Parameter {
            fn from(value: Option<$number>) -> Parameter {
                Parameter::Integer(value.map(Into::into))
            }
        }
    )+};
}
integers!(i32, u32, i64);

impl From<&str> for Parameter {
    fn from(value: &str) -> Parameter {
        Parameter::Text(Some(storable(value)))
    }
}

impl From<String> for Parameter {
    fn from(value: String) -> Parameter {
        Parameter::from(value.as_str())
    }
}

impl From<Option<&str>> for Parameter {
    fn from(value: Option<&str>) -> Parameter {
        Parameter::Text(value.map(storable))
    }
}

impl From<Uuid> for Parameter {
    fn from(value: Uuid) -> Parameter {
        Parameter::Text(Some(value.to_string()))
    }
}

impl From<Option<Timestamp>> for Parameter {
    fn from(value: Option<Timestamp>) -> Parameter {
        Parameter::Text(value.map(|moment| moment.to_string()))
    }
}

/// PostgreSQL's text can't hold NUL, which the message about a broken text may well quote.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// A whole number; also yes and no where the database has no type for them.
    Integer(i64),
    /// A fraction.
    Float(f64),
    /// Text; also JSON and times where the database has no type for them.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// A time.
    Time(Timestamp),
    /// JSON.
    Json(Value),
}

/// A row by the names of its columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    cells: Vec<(String, Cell)>,
}

impl Row {
    /// Made by drivers.
    pub fn new(cells: Vec<(String, Cell)>) -> Row {
        Row { cells }
    }

    /// A value of a column.
    pub fn get<T: FromCell>(&self, column: &str) -> Result<T, MetastoreError> {
        let cell = self.cell(column)?;
        T::from_cell(cell).ok_or_else(|| corrupt(column, cell))
    }

    /// A word that stands for a state.
    pub fn word<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, MetastoreError> {
        let cell = self.cell(column)?;
        String::from_cell(cell).and_then(|word| parse(&word)).ok_or_else(|| corrupt(column, cell))
    }

    /// A stored form.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, MetastoreError> {
        let parsed = match self.cell(column)? {
            Cell::Json(value) => T::deserialize(value),
            Cell::Text(text) => serde_json::from_str(text),
            cell => return Err(corrupt(column, cell)),
        };
        parsed.map_err(|error| {
            MetastoreError::new(
                MetastoreErrorKind::Corrupt,
                format!("column `{column}` holds JSON of another form"),
            )
            .because(error)
        })
    }

    fn cell(&self, column: &str) -> Result<&Cell, MetastoreError> {
        let found = self.cells.iter().find(|(name, _)| name == column);
        found.map(|(_, cell)| cell).ok_or_else(|| {
            MetastoreError::new(
                MetastoreErrorKind::Corrupt,
                format!("the statement returns no column `{column}`"),
            )
        })
    }
}

fn corrupt(column: &str, cell: &Cell) -> MetastoreError {
    MetastoreError::new(
        MetastoreErrorKind::Corrupt,
        format!(
            "column `{column}` holds `{cell:?}`, which this version can't read; a newer one may have written it"
        ),
    )
}

/// Types that a cell may hold.
pub trait FromCell: Sized {
    /// The value, if the cell holds one of this type.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Option<T>> {
        if *cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl FromCell for $number {
            fn from_cell(cell: &Cell) -> Option<$number> {
                if let Cell::Integer(value) = cell { (*value).try_into().ok() } else { None }
            }
        }
    )+};
}
numbers!(i32, u32, i64, u64);

impl FromCell for f64 {
    fn from_cell(cell: &Cell) -> Option<f64> {
        match cell {
            Cell::Float(value) => Some(*value),
            Cell::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }
}

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<bool> {
        match cell {
            Cell::Boolean(value) => Some(*value),
            Cell::Integer(value) => Some(*value != 0),
            _ => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<String> {
        if let Cell::Text(text) = cell { Some(text.clone()) } else { None }
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: &Cell) -> Option<Timestamp> {
        match cell {
            Cell::Time(moment) => Some(*moment),
            Cell::Text(text) => Timestamp::parse(text),
            _ => None,
        }
    }
}

impl FromCell for Uuid {
    fn from_cell(cell: &Cell) -> Option<Uuid> {
        if let Cell::Text(text) = cell { text.parse().ok() } else { None }
    }
}

impl FromCell for Value {
    fn from_cell(cell: &Cell) -> Option<Value> {
        match cell {
            Cell::Json(value) => Some(value.clone()),
            Cell::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}

impl FromCell for Map<String, Value> {
    fn from_cell(cell: &Cell) -> Option<Map<String, Value>> {
        if let Value::Object(map) = Value::from_cell(cell)? { Some(map) } else { None }
    }
}
