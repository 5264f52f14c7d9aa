//! doccano's JSON lines, as its import of sequence labelling takes them.
//!
//! | annotation | where it stands |
//! | --- | --- |
//! | a continuous span | `label`, as `[start, end, label]`; overlapping ones too, a span and label once |
//! | the same where relations are included | `entities`, each with a number |
//! | a relation | `relations`, by the numbers of its ends |
//! | a label of the whole text | `cats` |
//! | a discontinuous span | lost: `discontinuous` |
//!
//! Offsets count UTF-16 units, as doccano's page does: a character beyond the Basic Multilingual Plane is two. The
//! text's id and metadata are what doccano calls its meta.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use spanfleet_core::{CharIndex, Document, Ledger, Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    homeless::text_labels,
    json_file::{LINES, Records, Sink, raw},
    names::LabelNames,
    spans::{FoundSpan, FoundSpans},
    utf16::Utf16Index,
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Doccano { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "doccano",
    kind: "jsonl",
    title: "doccano: JSON lines with spans, or with entities and relations",
    extension: "jsonl",
    other_extensions: &[],
    media_type: "application/x-ndjson",
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

struct Doccano {
    order: Order,
}

impl Format for Doccano {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(LINES.start(Examples {
            names: LabelNames::new(&self.order.options),
            with_relations: self.order.include.relations,
            chars: CharIndex::default(),
            units: Utf16Index::default(),
        }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(LINES.seal(parts))
    }
}

struct Examples {
    names: LabelNames,
    with_relations: bool,
    chars: CharIndex,
    units: Utf16Index,
}

#[derive(Serialize)]
struct Example<'d> {
    id: &'d str,
    text: &'d str,
    #[serde(flatten)]
    spans: Spans<'d>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cats: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'d RawValue>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Spans<'d> {
    Alone { label: Vec<(u32, u32, &'d str)> },
    Related { entities: Vec<Entity<'d>>, relations: Vec<Relation<'d>> },
}

#[derive(Serialize)]
struct Entity<'d> {
    id: usize,
    label: &'d str,
    start_offset: u32,
    end_offset: u32,
}

#[derive(Serialize)]
struct Relation<'d> {
    id: usize,
    from_id: usize,
    to_id: usize,
    #[serde(rename = "type")]
    kind: &'d str,
}

impl Records for Examples {
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.chars.rebuild(&document.text);
        self.units.rebuild(&document.text);
        let found = FoundSpans::in_chars(document, &self.chars, &mut self.names, ledger);
        let cats = text_labels(document, &mut self.names, ledger);
        ledger.counts.texts += 1;
        let spans = if self.with_relations { self.related(&found, ledger) } else { self.alone(&found.all) };
        let meta = raw(document.metadata.as_ref());
        sink.record(&Example { id: &document.id, text: &document.text, spans, cats, meta });
        Ok(())
    }
}

impl Examples {
    fn alone<'s>(&self, spans: &'s [FoundSpan]) -> Spans<'s> {
        let span =
            |span: &'s FoundSpan| (self.units.units(span.start), self.units.units(span.end), &*span.label);
        Spans::Alone { label: spans.iter().map(span).collect() }
    }

    /// Numbers begin at 1, as those of doccano's database do.
    fn related<'s>(&self, found: &'s FoundSpans<'_>, ledger: &mut Ledger) -> Spans<'s> {
        let entity = |(at, span): (usize, &'s FoundSpan)| Entity {
            id: at + 1,
            label: &span.label,
            start_offset: self.units.units(span.start),
            end_offset: self.units.units(span.end),
        };
        let ties = found.ties(ledger).into_iter().enumerate();
        Spans::Related {
            entities: found.all.iter().enumerate().map(entity).collect(),
            relations: ties
                .map(|(at, tie)| Relation {
                    id: at + 1,
                    from_id: tie.source + 1,
                    to_id: tie.target + 1,
                    kind: &tie.relation.kind,
                })
                .collect(),
        }
    }
}

fn schema() -> Value {
    let number = json!({"type": "integer", "minimum": 0});
    let word = json!({"type": "string", "minLength": 1});
    let span = json!({"type": "array", "prefixItems": [number, number, word], "minItems": 3, "maxItems": 3});
    let entity = json!({
        "type": "object",
        "required": ["id", "label", "start_offset", "end_offset"],
        "properties": {"id": number, "label": word, "start_offset": number, "end_offset": number}
    });
    let relation = json!({
        "type": "object",
        "required": ["id", "from_id", "to_id", "type"],
        "properties": {"id": number, "from_id": number, "to_id": number, "type": {"type": "string"}}
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An example of doccano; offsets count UTF-16 units",
        "type": "object",
        "required": ["id", "text"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "label": {"type": "array", "items": span},
            "entities": {"type": "array", "items": entity, "description": "only with include_relations"},
            "relations": {"type": "array", "items": relation, "description": "only with include_relations"},
            "cats": {"type": "array", "items": word},
            "meta": {"type": "object"}
        }
    })
}

#[cfg(test)]
mod tests;
