//! CSV by RFC 4180: CRLF after every record, quotes where a cell needs them, a lone CR included.
//!
//! `rows=annotation`: a row per annotation; a text without any has one row with empty annotation cells. What
//! belongs to the text (`text`, `metadata`, `relations`) stands in its first row alone: a text of 10 MB with
//! 100,000 annotations would else be written 100,000 times. `rows=text`: a row per text, lists as JSON cells.
//!
//! | column | rows=annotation |
//! | --- | --- |
//! | `text_id`, `annotation_id` | ids of the corpus |
//! | `start`, `end` | code points, end exclusive; empty for a label of the whole text |
//! | `label`, `label_path` | as written; as annotated, with `include_hierarchies` only |
//! | `annotator`, `confidence`, `created_at` | empty when not known |
//! | `selected_text` | the marked text, pieces joined by one space; empty where nothing is marked |
//! | `fragments` | pieces of a discontinuous span, as JSON |
//! | `attributes` | a JSON object |
//! | `text`, `metadata`, `relations` | of the text, in its first row; the latter two as JSON |

use std::io::Write;

use serde_json::{Value, json};
use spanfleet_core::{Annotation, Change, CharIndex, Document, Extent, Ledger, Order, Schema, options::Rows};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{framing::same_glue, names::LabelNames, record, record::RecordWriter};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

mod row;

use row::RowWriter;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Csv { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "csv",
    kind: "csv",
    title: "CSV: a row per annotation, or per text",
    extension: "csv",
    other_extensions: &[],
    media_type: "text/csv",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Buffers,
    is_ml_ready: false,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema,
};

const ANNOTATION_COLUMNS: &[&str] = &[
    "text_id",
    "annotation_id",
    "start",
    "end",
    "label",
    "label_path",
    "annotator",
    "confidence",
    "selected_text",
    "fragments",
    "attributes",
    "created_at",
    "text",
    "metadata",
    "relations",
];
const TEXT_COLUMNS: &[&str] = &["text_id", "text", "metadata", "annotations", "relations", "tokens"];
/// Cells of an annotation row between `text_id` and `text`, without `label_path`.
const ANNOTATION_CELLS: usize = 10;

struct Csv {
    order: Order,
}

struct CsvPart {
    rows: Rows,
    with_path: bool,
    is_spreadsheet_safe: bool,
    names: LabelNames,
    records: RecordWriter,
    chars: CharIndex,
    cell: Vec<u8>,
}

impl Csv {
    fn columns(&self) -> Vec<&'static str> {
        match self.order.options.rows {
            Rows::Text => TEXT_COLUMNS.to_vec(),
            Rows::Annotation => {
                let is_written = |column: &&str| *column != "label_path" || self.order.include.hierarchies;
                ANNOTATION_COLUMNS.iter().copied().filter(is_written).collect()
            }
        }
    }
}

impl Format for Csv {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(CsvPart {
            rows: self.order.options.rows,
            with_path: self.order.include.hierarchies,
            is_spreadsheet_safe: self.order.options.spreadsheet_safe,
            names: LabelNames::new(&self.order.options),
            records: RecordWriter::new(&self.order),
            chars: CharIndex::default(),
            cell: Vec::new(),
        }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let mark = if self.order.options.csv_bom { "\u{feff}" } else { "" };
        let head = format!("{mark}{}\r\n", self.columns().join(",")).into_bytes();
        Ok(Envelope { head, glue: same_glue(b"", parts), ..Envelope::default() })
    }
}

impl PartEncoder for CsvPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let mut row = RowWriter::new(out, self.is_spreadsheet_safe);
        let written = match self.rows {
            Rows::Text => self.text_row(document, &mut row),
            Rows::Annotation => self.annotation_rows(document, &mut row),
        };
        let was_cleaned = written.and_then(|()| row.finish()).map_err(|error| {
            EncodeError::about(
                &document.id,
                format!("text `{}` can't be written as CSV: {error}", document.id),
            )
        })?;
        if was_cleaned {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        record::count(document, ledger);
        if self.rows == Rows::Annotation {
            ledger.counts.tokens -= document.tokens.as_ref().map_or(0, Vec::len) as u64;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}

impl CsvPart {
    fn text_row(&mut self, document: &Document, row: &mut RowWriter<'_>) -> ::csv::Result<()> {
        row.text(&document.id)?;
        row.text(&document.text)?;
        row.json(document.metadata.as_ref())?;
        self.cell.clear();
        self.records.annotations(&document.annotations, &mut self.cell);
        row.plain(&self.cell)?;
        self.relations(document, row)?;
        self.cell.clear();
        if let Some(tokens) = document.tokens.as_deref() {
            record::tokens(Some(tokens), &mut self.cell);
        }
        row.plain(&self.cell)?;
        row.end()
    }

    fn annotation_rows(&mut self, document: &Document, row: &mut RowWriter<'_>) -> ::csv::Result<()> {
        self.chars.rebuild(&document.text);
        if document.annotations.is_empty() {
            row.text(&document.id)?;
            row.empty(ANNOTATION_CELLS + usize::from(self.with_path))?;
            return self.text_cells(document, true, row);
        }
        for (at, annotation) in document.annotations.iter().enumerate() {
            row.text(&document.id)?;
            self.annotation_cells(document, annotation, row)?;
            self.text_cells(document, at == 0, row)?;
        }
        Ok(())
    }

    fn annotation_cells(
        &mut self,
        document: &Document,
        annotation: &Annotation,
        row: &mut RowWriter<'_>,
    ) -> ::csv::Result<()> {
        row.text(&annotation.id)?;
        let hull = annotation.extent.hull();
        row.number(hull.map(|hull| hull.0))?;
        row.number(hull.map(|hull| hull.1))?;
        let name = self.names.of(&annotation.label);
        row.text(name.written.as_deref().unwrap_or(&name.path))?;
        if self.with_path {
            row.text(&annotation.label)?;
        }
        row.text(annotation.annotator.as_deref().unwrap_or_default())?;
        self.cell.clear();
        // What is not finite is not known.
        if let Some(confidence) = annotation.confidence.filter(|confidence| confidence.is_finite()) {
            record::float_or_null(Some(confidence), &mut self.cell);
        }
        row.plain(&self.cell)?;
        self.marked_cells(document, &annotation.extent, row)?;
        row.json(annotation.attributes.as_ref())?;
        self.cell.clear();
        if let Some(time) = annotation.created_at {
            write!(self.cell, "{time}")?;
        }
        row.plain(&self.cell)
    }

    /// `selected_text` and `fragments`.
    fn marked_cells(
        &mut self,
        document: &Document,
        extent: &Extent,
        row: &mut RowWriter<'_>,
    ) -> ::csv::Result<()> {
        let slice =
            |(start, end): &(u32, u32)| self.chars.slice(&document.text, *start, *end).unwrap_or_default();
        match extent {
            Extent::Text => row.empty(2),
            Extent::Span { start, end } => {
                row.text(slice(&(*start, *end)))?;
                row.empty(1)
            }
            Extent::Fragments(pieces) => {
                row.text(&pieces.iter().map(slice).collect::<Vec<_>>().join(" "))?;
                self.cell.clear();
                record::fragments(extent, &mut self.cell);
                row.plain(&self.cell)
            }
        }
    }

    /// The last cells of a row, filled in the text's first row alone.
    fn text_cells(
        &mut self,
        document: &Document,
        is_first: bool,
        row: &mut RowWriter<'_>,
    ) -> ::csv::Result<()> {
        if is_first {
            row.text(&document.text)?;
            row.json(document.metadata.as_ref())?;
            self.relations(document, row)?;
        } else {
            row.empty(3)?;
        }
        row.end()
    }

    fn relations(&mut self, document: &Document, row: &mut RowWriter<'_>) -> ::csv::Result<()> {
        self.cell.clear();
        if !document.relations.is_empty() {
            record::relations(&document.relations, &mut self.cell);
        }
        row.plain(&self.cell)
    }
}

/// A row as readers see it: every cell is a string, JSON where it says so.
fn schema() -> Value {
    let row = |title: &str, columns: &[&str]| {
        let properties: serde_json::Map<_, _> = columns
            .iter()
            .map(|column| {
                let is_json = ["fragments", "attributes", "metadata", "annotations", "relations", "tokens"]
                    .contains(column);
                let media_type = if is_json { "application/json" } else { "text/plain" };
                ((*column).to_owned(), json!({"type": "string", "contentMediaType": media_type}))
            })
            .collect();
        let required: Vec<_> = columns.iter().filter(|column| **column != "label_path").collect();
        json!({"title": title, "type": "object", "properties": properties, "required": required})
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A row",
        "oneOf": [row("rows=annotation", ANNOTATION_COLUMNS), row("rows=text", TEXT_COLUMNS)]
    })
}

#[cfg(test)]
mod tests;
