//! GLiNER's training data: one JSON array of `{"tokenized_text": […], "ner": [[first, last, label], …]}`, tokens
//! counted from 0, the last one included.
//!
//! Overlapping spans are kept, a span and label once. Labels of whole texts and relations are lost as
//! `unrepresentable`. Tokens never are white space, and hold every other character of the text. A text without a
//! token stands there without tokens, which GLiNER pads itself.

use serde::Serialize;
use serde_json::{Value, json};
use spanfleet_core::{Document, Ledger, Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    homeless::{lose_relations, lose_text_labels},
    json_file::{ARRAY, Records, Sink},
    spans::TokenSpans,
    tokenize::is_space,
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Gliner { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "gliner",
    kind: "json",
    title: "GLiNER: tokens and labelled spans, nested ones too",
    extension: "json",
    other_extensions: &[],
    media_type: "application/json",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Buffers,
    is_ml_ready: true,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema,
};

struct Gliner {
    order: Order,
}

impl Format for Gliner {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(ARRAY.start(Examples { spans: TokenSpans::new(&self.order) }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(ARRAY.seal(parts))
    }
}

struct Examples {
    spans: TokenSpans,
}

#[derive(Serialize)]
struct Example<'d> {
    tokenized_text: Vec<&'d str>,
    ner: Vec<(u32, u32, &'d str)>,
}

impl Records for Examples {
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let found = self.spans.find(document, ledger)?;
        let (mut words, mut place_of_row) = (Vec::new(), Vec::new());
        for row in self.spans.rows() {
            place_of_row.push(words.len() as u32);
            let word = row.token.text(&document.text);
            if !word.chars().all(is_space) {
                words.push(word);
            }
        }
        lose_text_labels(document, ledger);
        lose_relations(document, ledger);
        ledger.counts.tokens += words.len() as u64;
        let place = |row: u32| place_of_row[row as usize];
        let ner = found.all.iter().map(|span| (place(span.tokens.0), place(span.tokens.1), &*span.label));
        sink.record(&Example { tokenized_text: words, ner: ner.collect() });
        Ok(())
    }
}

fn schema() -> Value {
    let token = json!({"type": "integer", "minimum": 0});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Training data of GLiNER",
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["tokenized_text", "ner"],
            "properties": {
                "tokenized_text": {"type": "array", "items": {"type": "string", "minLength": 1}},
                "ner": {"type": "array", "items": {
                    "type": "array",
                    "prefixItems": [token, token, {"type": "string", "minLength": 1}],
                    "minItems": 3,
                    "maxItems": 3
                }}
            }
        }
    })
}

#[cfg(test)]
mod tests;
