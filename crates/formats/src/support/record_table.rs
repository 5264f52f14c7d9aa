//! The neutral record as a row of nested columns: the keys of a corpus line, with free JSON as text.

use serde_json::Value;
use spanfleet_core::{Annotation, Document, Extent, Json, Ledger, Order, Token, document::Relation};

use crate::support::{
    names::LabelNames,
    record,
    table::{self, Cell, Column, Container, Kind, TableError, TableWriter},
};
use crate::{EncodeError, PartEncoder};

/// The columns of a record; with `label_path` where an order includes hierarchies.
pub fn columns(with_path: bool) -> Vec<Column> {
    vec![
        Column::new("id", Kind::Text),
        Column::new("text", Kind::Text),
        Column::new("metadata", Kind::Text),
        Column::new("annotations", Kind::list_of(annotation_columns(with_path))),
        Column::new("relations", Kind::list_of(relation_columns())),
        Column::new("tokens", Kind::list_of(token_columns())),
    ]
}

fn annotation_columns(with_path: bool) -> Vec<Column> {
    let fragment = vec![Column::new("start", Kind::Integer), Column::new("end", Kind::Integer)];
    let mut columns = vec![
        Column::new("id", Kind::Text),
        Column::new("start", Kind::Integer),
        Column::new("end", Kind::Integer),
        Column::new("label", Kind::Text),
    ];
    if with_path {
        columns.push(Column::new("label_path", Kind::Text));
    }
    columns.extend([
        Column::new("annotator", Kind::Text),
        Column::new("confidence", Kind::Float),
        Column::new("attributes", Kind::Text),
        Column::new("created_at", Kind::Time),
        Column::new("fragments", Kind::list_of(fragment)),
    ]);
    columns
}

fn relation_columns() -> Vec<Column> {
    vec![
        Column::new("source", Kind::Text),
        Column::new("target", Kind::Text),
        Column::new("type", Kind::Text),
        Column::new("confidence", Kind::Float),
    ]
}

fn token_columns() -> Vec<Column> {
    vec![
        Column::new("start", Kind::Integer),
        Column::new("end", Kind::Integer),
        Column::new("pos", Kind::Text),
        Column::new("lemma", Kind::Text),
        Column::new("chunk", Kind::Text),
    ]
}

/// JSON Schema of a row.
pub fn schema() -> Value {
    table::row_schema("A text with its annotations; metadata and attributes are JSON", &columns(false))
}

/// Writes the records of one part. Nothing is lost in a record: spans that mark nothing are kept as they are.
pub struct RecordTable {
    names: LabelNames,
    with_path: bool,
    writer: TableWriter,
}

impl RecordTable {
    /// Begins a part under an order's labels.
    pub fn begin(container: Container, order: &Order) -> Result<RecordTable, EncodeError> {
        let with_path = order.include.hierarchies;
        let writer = TableWriter::begin(container, columns(with_path), None, &order.options);
        Ok(RecordTable {
            names: LabelNames::new(&order.options),
            with_path,
            writer: writer.map_err(|error| in_part(&error))?,
        })
    }

    /// A file without rows.
    pub fn empty_file(container: Container, order: &Order) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        Box::new(RecordTable::begin(container, order)?).finish(&mut out)?;
        Ok(out)
    }
}

/// The part is at fault, not one text.
pub fn in_part(error: &TableError) -> EncodeError {
    EncodeError { text: None, message: error.to_string() }
}

/// One text is at fault.
pub fn in_text(document: &Document, error: &TableError) -> EncodeError {
    EncodeError::about(&document.id, format!("text `{}`: {error}", document.id))
}

impl PartEncoder for RecordTable {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let labels: Vec<_> = document
            .annotations
            .iter()
            .map(|annotation| {
                let name = self.names.of(&annotation.label);
                name.written.clone().unwrap_or_else(|| name.path.clone())
            })
            .collect();
        let annotations = document.annotations.iter().zip(&labels);
        let row = [
            Cell::Text(&document.id),
            Cell::Text(&document.text),
            Cell::text(document.metadata.as_ref().map(Json::as_str)),
            Cell::list(annotations.map(|(it, label)| annotation_cell(it, label, self.with_path))),
            Cell::list(document.relations.iter().map(relation_cell)),
            document.tokens.as_ref().map_or(Cell::Null, |tokens| Cell::list(tokens.iter().map(token_cell))),
        ];
        self.writer.push(&row, out).map_err(|error| in_text(document, &error))?;
        record::count(document, ledger);
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Value, EncodeError> {
        let notes = self.writer.finish(out).map_err(|error| in_part(&error))?;
        Ok(serde_json::to_value(notes).unwrap_or_default())
    }
}

fn annotation_cell<'d>(annotation: &'d Annotation, label: &'d str, with_path: bool) -> Cell<'d> {
    let hull = annotation.extent.hull();
    let mut cells = vec![
        Cell::Text(&annotation.id),
        Cell::integer(hull.map(|hull| hull.0)),
        Cell::integer(hull.map(|hull| hull.1)),
        Cell::Text(label),
    ];
    if with_path {
        cells.push(Cell::Text(&annotation.label));
    }
    cells.extend([
        Cell::text(annotation.annotator.as_deref()),
        Cell::float(annotation.confidence),
        Cell::text(annotation.attributes.as_ref().map(Json::as_str)),
        annotation.created_at.map_or(Cell::Null, Cell::Time),
        fragments_cell(&annotation.extent),
    ]);
    Cell::Struct(cells)
}

fn fragments_cell(extent: &Extent) -> Cell<'_> {
    let Extent::Fragments(pieces) = extent else { return Cell::Null };
    let number = |number: u32| Cell::Integer(number.into());
    Cell::list(pieces.iter().map(|piece| Cell::Struct(vec![number(piece.0), number(piece.1)])))
}

fn relation_cell(relation: &Relation) -> Cell<'_> {
    Cell::Struct(vec![
        Cell::Text(&relation.source),
        Cell::Text(&relation.target),
        Cell::Text(&relation.kind),
        Cell::float(relation.confidence),
    ])
}

fn token_cell(token: &Token) -> Cell<'_> {
    Cell::Struct(vec![
        Cell::Integer(token.start.into()),
        Cell::Integer(token.end.into()),
        Cell::text(token.pos.as_deref()),
        Cell::text(token.lemma.as_deref()),
        Cell::text(token.chunk.as_deref()),
    ])
}
