//! Prodigy's JSON lines, as `prodigy db-in` takes them: accepted tasks, one for each text.
//!
//! | annotation | where it stands |
//! | --- | --- |
//! | a continuous span | `spans`, with the numbers of its `tokens`; overlapping ones too, a span and label once |
//! | a label of the whole text | `accept`; `options` are all labels then: nothing tells which are about texts |
//! | a relation | `relations`, by the last tokens of its ends, with both spans |
//! | a discontinuous span | lost: `discontinuous` |
//!
//! Tokens are cut where spans begin and end, so that spans stand as they were annotated, but for white space at their
//! edges: Prodigy takes tokens as they come.
//!
//! A span has its confidence as `score`, and its attributes as keys of its own, but for those that Prodigy uses. Who
//! annotated stands in `_annotator_id` and `_session_id` where it was one person: `annotators=each` makes it so.
//! Prodigy counts hashes itself, so that none are written. Offsets count code points.

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use spanfleet_core::{Annotation, Document, Json, Ledger, Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    homeless::text_labels,
    json_file::{LINES, Records, Sink, finite, raw},
    rows::Row,
    spans::{FoundSpan, Tie, TokenSpans},
    tokenize::is_space,
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Prodigy { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "prodigy",
    kind: "jsonl",
    title: "Prodigy: accepted tasks with tokens, spans, relations and choices",
    extension: "jsonl",
    other_extensions: &[],
    media_type: "application/x-ndjson",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: true,
    memory: Memory::Buffers,
    is_ml_ready: false,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema,
};

/// Keys of a span that are Prodigy's own.
const OWN_KEYS: &[&str] =
    &["start", "end", "label", "text", "score", "token_start", "token_end", "id", "type", "input_hash"];

struct Prodigy {
    order: Order,
}

impl Format for Prodigy {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, schema: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        let with_relations = self.order.include.relations;
        let labels = schema.labels.clone();
        Ok(LINES.start(Tasks { spans: TokenSpans::cutting(&self.order), labels, with_relations }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(LINES.seal(parts))
    }
}

struct Tasks {
    spans: TokenSpans,
    labels: Vec<String>,
    with_relations: bool,
}

#[derive(Serialize)]
struct Task<'d> {
    id: &'d str,
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'d RawValue>,
    tokens: Vec<Token<'d>>,
    spans: Vec<Span<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Relation<'d>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Choice<'d>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accept: Vec<&'d str>,
    answer: &'static str,
    #[serde(rename = "_annotator_id", skip_serializing_if = "Option::is_none")]
    annotator: Option<&'d str>,
    #[serde(rename = "_session_id", skip_serializing_if = "Option::is_none")]
    session: Option<&'d str>,
}

#[derive(Serialize)]
struct Token<'d> {
    text: &'d str,
    start: u32,
    end: u32,
    id: usize,
    /// Whether one space follows.
    ws: bool,
    /// Which Prodigy lets nobody choose.
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pos: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lemma: Option<&'d str>,
}

#[derive(Serialize)]
struct Place<'d> {
    start: u32,
    end: u32,
    token_start: u32,
    token_end: u32,
    label: &'d str,
}

#[derive(Serialize)]
struct Span<'d> {
    #[serde(flatten)]
    place: Place<'d>,
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(flatten)]
    attributes: Map<String, Value>,
}

#[derive(Serialize)]
struct Relation<'d> {
    head: u32,
    child: u32,
    head_span: Place<'d>,
    child_span: Place<'d>,
    label: &'d str,
}

#[derive(Serialize)]
struct Choice<'d> {
    id: &'d str,
    text: &'d str,
}

impl Records for Tasks {
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let found = self.spans.find(document, ledger)?;
        let labels = text_labels(document, &mut self.spans.names, ledger);
        let ties = found.ties(ledger);
        let rows = self.spans.rows();
        ledger.counts.tokens += rows.len() as u64;
        let options = if labels.is_empty() { &[][..] } else { &self.labels };
        let annotator = only_annotator(document);
        sink.record(&Task {
            id: &document.id,
            text: &document.text,
            meta: raw(document.metadata.as_ref()),
            tokens: rows.iter().enumerate().map(|(id, row)| token(document, id, row)).collect(),
            spans: found.all.iter().map(|span| self::span(document, rows, span)).collect(),
            relations: self
                .with_relations
                .then(|| ties.iter().map(|tie| relation(tie, &found.all)).collect()),
            options: options.iter().map(|label| Choice { id: label, text: label }).collect(),
            accept: labels.iter().map(|label| &**label).collect(),
            answer: "accept",
            annotator,
            session: annotator,
        });
        Ok(())
    }
}

fn token<'d>(document: &'d Document, id: usize, row: &Row) -> Token<'d> {
    let gold = row.gold.and_then(|gold| document.tokens.as_ref()?.get(gold as usize));
    let text = row.token.text(&document.text);
    Token {
        text,
        start: row.token.start,
        end: row.token.end,
        id,
        ws: row.has_space,
        disabled: text.chars().all(is_space),
        pos: gold.and_then(|token| token.pos.as_deref()),
        lemma: gold.and_then(|token| token.lemma.as_deref()),
    }
}

fn place(span: &FoundSpan) -> Place<'_> {
    let (token_start, token_end) = span.tokens;
    Place { start: span.start, end: span.end, token_start, token_end, label: &span.label }
}

fn span<'d>(document: &'d Document, rows: &[Row], span: &'d FoundSpan) -> Span<'d> {
    let bytes = |row: u32| rows[row as usize].token;
    let (first, last) = (bytes(span.tokens.0), bytes(span.tokens.1));
    let annotation = &document.annotations[span.annotation];
    Span {
        place: place(span),
        text: &document.text[first.start_byte as usize..last.end_byte as usize],
        score: finite(annotation.confidence),
        attributes: attributes(annotation),
    }
}

fn attributes(annotation: &Annotation) -> Map<String, Value> {
    let Some(Value::Object(mut attributes)) = annotation.attributes.as_ref().map(Json::to_value) else {
        return Map::new();
    };
    attributes.retain(|key, _| !OWN_KEYS.contains(&key.as_str()));
    attributes
}

fn relation<'d>(tie: &Tie<'d>, spans: &'d [FoundSpan]) -> Relation<'d> {
    let (head, child) = (&spans[tie.source], &spans[tie.target]);
    Relation {
        head: head.tokens.1,
        child: child.tokens.1,
        head_span: place(head),
        child_span: place(child),
        label: &tie.relation.kind,
    }
}

/// Who made every annotation of the text, if it was one person.
fn only_annotator(document: &Document) -> Option<&str> {
    let mut annotators = document.annotations.iter().map(|annotation| annotation.annotator.as_deref());
    let first = annotators.next()??;
    annotators.all(|annotator| annotator == Some(first)).then_some(first)
}

fn schema() -> Value {
    let number = json!({"type": "integer", "minimum": 0});
    let place = |more: Value| {
        json!({
            "type": "object",
            "required": ["start", "end", "token_start", "token_end", "label"],
            "properties": {"start": number, "end": number, "token_start": number, "token_end": number,
                "label": {"type": "string", "minLength": 1}, "score": more}
        })
    };
    let relation = json!({
        "type": "object",
        "required": ["head", "child", "head_span", "child_span", "label"],
        "properties": {"head": number, "child": number, "head_span": place(json!({})),
            "child_span": place(json!({})), "label": {"type": "string"}}
    });
    let token = json!({
        "type": "object",
        "required": ["text", "start", "end", "id", "ws"],
        "properties": {"text": {"type": "string"}, "start": number, "end": number, "id": number,
            "ws": {"type": "boolean"}, "disabled": {"type": "boolean"}}
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A task of Prodigy",
        "type": "object",
        "required": ["id", "text", "tokens", "spans", "answer"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "meta": {"type": "object"},
            "tokens": {"type": "array", "items": token},
            "spans": {"type": "array", "items": place(json!({"type": "number"}))},
            "relations": {"type": "array", "items": relation, "description": "only with include_relations"},
            "options": {"type": "array", "items": {"type": "object", "required": ["id", "text"]}},
            "accept": {"type": "array", "items": {"type": "string"}},
            "answer": {"const": "accept"},
            "_annotator_id": {"type": "string"},
            "_session_id": {"type": "string"}
        }
    })
}

#[cfg(test)]
mod tests;
