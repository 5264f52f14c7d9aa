//! The neutral record as JSON, written straight into bytes. The same keys in the same order in every row, so
//! that readers which guess types from the first rows guess right.

use std::io::Write;

use serde_json::{Value, json};
use spanfleet_core::{Annotation, Document, Extent, Json, Ledger, Order, Token, document::Relation};

use crate::support::names::LabelNames;

/// Writes the records of one part. Nothing is lost in a record: spans that mark nothing are kept as they are.
pub struct RecordWriter {
    names: LabelNames,
    with_path: bool,
}

impl RecordWriter {
    /// Under an order's labels; with `label_path` where it includes hierarchies.
    pub fn new(order: &Order) -> RecordWriter {
        RecordWriter { names: LabelNames::new(&order.options), with_path: order.include.hierarchies }
    }

    /// Appends one record, without a line break, and counts it as written.
    pub fn write(&mut self, document: &Document, out: &mut Vec<u8>, ledger: &mut Ledger) {
        out.extend_from_slice(b"{\"id\":");
        string(&document.id, out);
        out.extend_from_slice(b",\"text\":");
        string(&document.text, out);
        out.extend_from_slice(b",\"metadata\":");
        json_or_null(document.metadata.as_ref(), out);
        out.extend_from_slice(b",\"annotations\":");
        self.annotations(&document.annotations, out);
        out.extend_from_slice(b",\"relations\":");
        relations(&document.relations, out);
        out.extend_from_slice(b",\"tokens\":");
        tokens(document.tokens.as_deref(), out);
        out.push(b'}');
        count(document, ledger);
    }

    /// Appends annotations as a list.
    pub fn annotations(&mut self, annotations: &[Annotation], out: &mut Vec<u8>) {
        list(annotations, out, |annotation, out| self.annotation(annotation, out));
    }

    fn annotation(&mut self, annotation: &Annotation, out: &mut Vec<u8>) {
        let hull = annotation.extent.hull();
        out.extend_from_slice(b"{\"id\":");
        string(&annotation.id, out);
        out.extend_from_slice(b",\"start\":");
        number_or_null(hull.map(|hull| hull.0), out);
        out.extend_from_slice(b",\"end\":");
        number_or_null(hull.map(|hull| hull.1), out);
        out.extend_from_slice(b",\"label\":");
        let name = self.names.of(&annotation.label);
        string(name.written.as_deref().unwrap_or(&name.path), out);
        if self.with_path {
            out.extend_from_slice(b",\"label_path\":");
            string(&annotation.label, out);
        }
        out.extend_from_slice(b",\"annotator\":");
        string_or_null(annotation.annotator.as_deref(), out);
        out.extend_from_slice(b",\"confidence\":");
        float_or_null(annotation.confidence, out);
        out.extend_from_slice(b",\"attributes\":");
        json_or_null(annotation.attributes.as_ref(), out);
        out.extend_from_slice(b",\"created_at\":");
        created_at(annotation, out);
        out.extend_from_slice(b",\"fragments\":");
        fragments(&annotation.extent, out);
        out.push(b'}');
    }
}

/// Counts everything in a document as written.
pub fn count(document: &Document, ledger: &mut Ledger) {
    ledger.counts.texts += 1;
    ledger.counts.tokens += document.tokens.as_ref().map_or(0, Vec::len) as u64;
    ledger.counts.annotations_written += document.annotations.len() as u64;
    ledger.counts.relations_written += document.relations.len() as u64;
}

/// Appends relations as a list.
pub fn relations(relations: &[Relation], out: &mut Vec<u8>) {
    list(relations, out, |relation, out| {
        out.extend_from_slice(b"{\"source\":");
        string(&relation.source, out);
        out.extend_from_slice(b",\"target\":");
        string(&relation.target, out);
        out.extend_from_slice(b",\"type\":");
        string(&relation.kind, out);
        out.extend_from_slice(b",\"confidence\":");
        float_or_null(relation.confidence, out);
        out.push(b'}');
    });
}

/// Appends gold tokens as a list, `null` where the corpus has none.
pub fn tokens(tokens: Option<&[Token]>, out: &mut Vec<u8>) {
    let Some(tokens) = tokens else { return out.extend_from_slice(b"null") };
    list(tokens, out, |token, out| {
        out.extend_from_slice(b"{\"start\":");
        number(token.start, out);
        out.extend_from_slice(b",\"end\":");
        number(token.end, out);
        out.extend_from_slice(b",\"pos\":");
        string_or_null(token.pos.as_deref(), out);
        out.extend_from_slice(b",\"lemma\":");
        string_or_null(token.lemma.as_deref(), out);
        out.extend_from_slice(b",\"chunk\":");
        string_or_null(token.chunk.as_deref(), out);
        out.push(b'}');
    });
}

/// Appends the pieces of a discontinuous span, `null` for any other extent.
pub fn fragments(extent: &Extent, out: &mut Vec<u8>) {
    let Extent::Fragments(pieces) = extent else { return out.extend_from_slice(b"null") };
    list(pieces, out, |(start, end), out| {
        out.push(b'[');
        number(*start, out);
        out.push(b',');
        number(*end, out);
        out.push(b']');
    });
}

/// Appends a whole number.
pub fn number(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number with the fewest digits that read back as the same; `null` for what JSON can't say.
pub fn float_or_null(number: Option<f64>, out: &mut Vec<u8>) {
    // Serde writes null for NaN and infinities. Writing into memory can't fail.
    let _written = serde_json::to_writer(out, &number);
}

/// Appends a text in quotes.
pub fn string(text: &str, out: &mut Vec<u8>) {
    // Writing into memory can't fail.
    let _written = serde_json::to_writer(out, text);
}

fn string_or_null(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => string(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn number_or_null(value: Option<u32>, out: &mut Vec<u8>) {
    match value {
        Some(value) => number(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn json_or_null(json: Option<&Json>, out: &mut Vec<u8>) {
    out.extend_from_slice(json.map_or("null", Json::as_str).as_bytes());
}

fn created_at(annotation: &Annotation, out: &mut Vec<u8>) {
    // A timestamp needs no escapes. Writing into memory can't fail.
    let _written = match annotation.created_at {
        Some(time) => write!(out, "\"{time}\""),
        None => out.write_all(b"null"),
    };
}

fn list<T>(items: &[T], out: &mut Vec<u8>, mut write: impl FnMut(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// JSON Schema of a record.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A text with its annotations",
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "text", "metadata", "annotations", "relations", "tokens"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "metadata": {"type": ["object", "null"]},
            "annotations": {"type": "array", "items": annotation_schema()},
            "relations": {"type": "array", "items": relation_schema()},
            "tokens": {"type": ["array", "null"], "items": token_schema()}
        }
    })
}

fn annotation_schema() -> Value {
    let offset = json!({"type": ["integer", "null"], "minimum": 0, "description": "Unicode code points; null for a label of the whole text"});
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "start", "end", "label", "annotator", "confidence", "attributes", "created_at", "fragments"],
        "properties": {
            "id": {"type": "string"},
            "start": offset,
            "end": offset,
            "label": {"type": "string", "minLength": 1},
            "label_path": {"type": "string", "minLength": 1, "description": "only with include_hierarchies"},
            "annotator": {"type": ["string", "null"]},
            "confidence": {"type": ["number", "null"]},
            "attributes": {"type": ["object", "null"]},
            "created_at": {"type": ["string", "null"], "format": "date-time"},
            "fragments": {
                "type": ["array", "null"],
                "description": "pieces of a discontinuous span",
                "items": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2}
            }
        }
    })
}

fn relation_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["source", "target", "type", "confidence"],
        "properties": {
            "source": {"type": "string", "description": "id of an annotation of this text"},
            "target": {"type": "string", "description": "id of an annotation of this text"},
            "type": {"type": "string"},
            "confidence": {"type": ["number", "null"]}
        }
    })
}

fn token_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["start", "end", "pos", "lemma", "chunk"],
        "properties": {
            "start": {"type": "integer", "minimum": 0},
            "end": {"type": "integer", "minimum": 0},
            "pos": {"type": ["string", "null"]},
            "lemma": {"type": ["string", "null"]},
            "chunk": {"type": ["string", "null"]}
        }
    })
}
