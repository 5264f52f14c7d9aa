//! Cells to Arrow arrays.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef, ListArray, RecordBatch, StructArray,
    builder::{Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder},
};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::{Cell, Column, Kind};

/// The name of a list's items, as the Parquet format has it.
const ITEM: &str = "element";
const UTC: &str = "UTC";

/// The Arrow schema of a table, with metadata of the schema itself.
pub fn arrow_schema(columns: &[Column], metadata: Option<(&str, String)>) -> SchemaRef {
    let metadata: HashMap<_, _> = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Arc::new(Schema::new_with_metadata(fields(columns), metadata))
}

fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(|column| Field::new(column.name, data_type(&column.kind), true)).collect()
}

fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Integer | Kind::Label(_) => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        Kind::List(of) => DataType::List(item_field(of)),
        Kind::Struct(columns) => DataType::Struct(fields(columns)),
    }
}

fn item_field(of: &Kind) -> Arc<Field> {
    Arc::new(Field::new(ITEM, data_type(of), true))
}

/// Collects rows until they make a batch.
pub struct Columns {
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
}

impl Columns {
    /// No rows yet.
    pub fn new(columns: &[Column], schema: SchemaRef) -> Columns {
        Columns {
            schema,
            builders: columns.iter().map(|column| Builder::new(&column.kind)).collect(),
            rows: 0,
        }
    }

    /// How many rows wait.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row: a cell for every column, in their order.
    pub fn push(&mut self, row: &[Cell<'_>]) {
        debug_assert_eq!(row.len(), self.builders.len(), "a row has a cell for every column");
        for (builder, cell) in self.builders.iter_mut().zip(row) {
            builder.push(cell);
        }
        self.rows += 1;
    }

    /// Takes the rows out.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let arrays: Result<Vec<_>, _> = self.builders.iter_mut().map(Builder::take).collect();
        RecordBatch::try_new(self.schema.clone(), arrays?)
    }
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Time(TimestampMicrosecondBuilder),
    List { item: Arc<Field>, offsets: Vec<i32>, valid: NullBufferBuilder, items: Box<Builder>, length: i32 },
    Struct { fields: Fields, valid: NullBufferBuilder, members: Vec<Builder> },
}

impl Builder {
    fn new(kind: &Kind) -> Builder {
        match kind {
            Kind::Text => Builder::Text(StringBuilder::with_capacity(0, 0)),
            Kind::Integer | Kind::Label(_) => Builder::Integer(Int64Builder::with_capacity(0)),
            Kind::Float => Builder::Float(Float64Builder::with_capacity(0)),
            Kind::Time => Builder::Time(TimestampMicrosecondBuilder::with_capacity(0).with_timezone(UTC)),
            Kind::List(of) => Builder::List {
                item: item_field(of),
                offsets: vec![0],
                valid: NullBufferBuilder::new(0),
                items: Box::new(Builder::new(of)),
                length: 0,
            },
            Kind::Struct(columns) => Builder::Struct {
                fields: fields(columns),
                valid: NullBufferBuilder::new(0),
                members: columns.iter().map(|column| Builder::new(&column.kind)).collect(),
            },
        }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Builder::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Builder::Integer(builder), Cell::Integer(number)) => builder.append_value(*number),
            (Builder::Float(builder), Cell::Float(number)) => builder.append_value(*number),
            (Builder::Time(builder), Cell::Time(time)) => builder.append_value(time.micros()),
            (Builder::List { offsets, valid, items, length, .. }, Cell::List(cells)) => {
                for cell in cells {
                    items.push(cell);
                }
                *length += cells.len() as i32;
                offsets.push(*length);
                valid.append_non_null();
            }
            (Builder::Struct { valid, members, .. }, Cell::Struct(cells)) => {
                members.iter_mut().zip(cells).for_each(|(member, cell)| member.push(cell));
                valid.append_non_null();
            }
            (builder, cell) => {
                debug_assert_eq!(*cell, Cell::Null, "a cell has the type of its column");
                builder.push_null();
            }
        }
    }

    fn push_null(&mut self) {
        match self {
            Builder::Text(builder) => builder.append_null(),
            Builder::Integer(builder) => builder.append_null(),
            Builder::Float(builder) => builder.append_null(),
            Builder::Time(builder) => builder.append_null(),
            Builder::List { offsets, valid, length, .. } => {
                offsets.push(*length);
                valid.append_null();
            }
            Builder::Struct { valid, members, .. } => {
                members.iter_mut().for_each(Builder::push_null);
                valid.append_null();
            }
        }
    }

    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Integer(builder) => Arc::new(builder.finish()),
            Builder::Float(builder) => Arc::new(builder.finish()),
            Builder::Time(builder) => Arc::new(builder.finish()),
            Builder::List { item, offsets, valid, items, length } => {
                *length = 0;
                let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
                Arc::new(ListArray::try_new(item.clone(), offsets, items.take()?, valid.finish())?)
            }
            Builder::Struct { fields, valid, members } => {
                let arrays: Result<Vec<_>, _> = members.iter_mut().map(Builder::take).collect();
                Arc::new(StructArray::try_new(fields.clone(), arrays?, valid.finish())?)
            }
        })
    }
}
