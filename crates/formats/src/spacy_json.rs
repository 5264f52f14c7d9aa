//! spaCy's JSON: a `Doc.to_json()` per line. `Doc(vocab).from_json(line)` takes a line, `srsly.read_jsonl` the file.
//!
//! | annotation | where it stands |
//! | --- | --- |
//! | a continuous span | `spans["sc"]`, fitted to tokens; overlapping ones too, a span and label once |
//! | of these, those that the `overlap` policy prefers | `ents` as well |
//! | a label of the whole text | `cats`, 1.0; every other label is 0.0 then: nothing tells which are about texts |
//! | a relation | `relations`, by the places of spans in `spans["sc"]`, which spaCy leaves alone |
//! | a discontinuous span | lost: `discontinuous` |
//!
//! `from_json` also leaves `id` and `metadata` alone: attributes of a `Doc` have to be registered before they are read.
//! Parts of speech and lemmas of gold tokens are `tag` and `lemma` of all tokens of their text, or of none.

use std::{collections::HashSet, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use spanfleet_core::{Document, Ledger, Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    homeless::text_labels,
    json_file::{LINES, Records, Sink, finite, raw},
    rows::Row,
    spans::{FoundSpan, Tie, TokenSpans},
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(SpacyJson { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "spacy-json",
    kind: "spacy",
    title: "spaCy's JSON: a line for `Doc.from_json` per text",
    extension: "jsonl",
    other_extensions: &[],
    media_type: "application/x-ndjson",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: true,
    memory: Memory::Buffers,
    is_ml_ready: true,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema: crate::spacy::schema,
};

struct SpacyJson {
    order: Order,
}

impl Format for SpacyJson {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, schema: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        let with_relations = self.order.include.relations;
        let labels = schema.labels.clone();
        Ok(LINES.start(Docs { spans: TokenSpans::new(&self.order), labels, with_relations }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(LINES.seal(parts))
    }
}

struct Docs {
    spans: TokenSpans,
    labels: Vec<String>,
    with_relations: bool,
}

#[derive(Serialize)]
struct Doc<'d> {
    id: &'d str,
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'d RawValue>,
    ents: Vec<Entity<'d>>,
    spans: Groups<'d>,
    cats: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Relation<'d>>>,
    tokens: Vec<Token<'d>>,
}

#[derive(Serialize)]
struct Groups<'d> {
    /// What spaCy's span categorizer reads.
    sc: Vec<Span<'d>>,
}

#[derive(Serialize)]
struct Entity<'d> {
    start: u32,
    end: u32,
    label: &'d str,
}

#[derive(Serialize)]
struct Span<'d> {
    start: u32,
    end: u32,
    label: &'d str,
    /// spaCy asks for it.
    kb_id: &'static str,
}

#[derive(Serialize)]
struct Relation<'d> {
    source: usize,
    target: usize,
    #[serde(rename = "type")]
    kind: &'d str,
    confidence: Option<f64>,
}

#[derive(Serialize)]
struct Token<'d> {
    id: usize,
    start: u32,
    end: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lemma: Option<&'d str>,
}

impl Records for Docs {
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
        let entities = found.sequence.iter().map(|place| entity(&found.all[*place]));
        sink.record(&Doc {
            id: &document.id,
            text: &document.text,
            metadata: raw(document.metadata.as_ref()),
            ents: entities.collect(),
            spans: Groups { sc: found.all.iter().map(span).collect() },
            cats: self.categories(&labels),
            relations: self.with_relations.then(|| ties.iter().map(relation).collect()),
            tokens: tokens(document, rows),
        });
        Ok(())
    }
}

impl Docs {
    /// Every label, 1.0 where the text has it. A text without any has no category: it may be about spans alone.
    fn categories(&self, labels: &[Arc<str>]) -> Map<String, Value> {
        if labels.is_empty() {
            return Map::new();
        }
        let known: HashSet<&str> = labels.iter().map(|label| &**label).collect();
        let degree = |label: &String| Value::from(f64::from(known.contains(label.as_str())));
        self.labels.iter().map(|label| (label.clone(), degree(label))).collect()
    }
}

fn entity(span: &FoundSpan) -> Entity<'_> {
    Entity { start: span.start, end: span.end, label: &span.label }
}

fn span(span: &FoundSpan) -> Span<'_> {
    Span { start: span.start, end: span.end, label: &span.label, kb_id: "" }
}

fn relation<'d>(tie: &Tie<'d>) -> Relation<'d> {
    let confidence = finite(tie.relation.confidence);
    Relation { source: tie.source, target: tie.target, kind: &tie.relation.kind, confidence }
}

/// spaCy refuses a text in which some tokens have a tag or lemma and others none.
fn tokens<'d>(document: &'d Document, rows: &[Row]) -> Vec<Token<'d>> {
    let gold = |row: &Row| row.gold.and_then(|gold| document.tokens.as_ref()?.get(gold as usize));
    let has_tags = rows.iter().any(|row| gold(row).is_some_and(|token| token.pos.is_some()));
    let has_lemmas = rows.iter().any(|row| gold(row).is_some_and(|token| token.lemma.is_some()));
    let token = |(id, row): (usize, &Row)| Token {
        id,
        start: row.token.start,
        end: row.token.end,
        tag: has_tags.then(|| gold(row).and_then(|token| token.pos.as_deref()).unwrap_or_default()),
        lemma: has_lemmas.then(|| gold(row).and_then(|token| token.lemma.as_deref()).unwrap_or_default()),
    };
    rows.iter().enumerate().map(token).collect()
}

#[cfg(test)]
mod tests;
