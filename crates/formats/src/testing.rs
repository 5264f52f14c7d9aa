//! Builders for tests: orders from JSON, documents from the neutral record, and a whole export in memory.

use std::{collections::BTreeSet, io::Read, sync::Arc};

use flate2::read::{DeflateDecoder, ZlibDecoder};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use spanfleet_core::{
    Annotation, Document, Extent, Json, Ledger, Order, Relation, Schema, Timestamp, Token, order::Include,
};

use crate::{PartSummary, Shaper, open, support::framing::assemble};

/// An order with default inclusions.
pub(crate) fn order(format: &str, options: &str) -> Order {
    let options: Map<String, Value> = serde_json::from_str(options).unwrap();
    Order::new(format, &[&options], &Map::new(), Include::default()).unwrap()
}

/// A document from its neutral record.
pub(crate) fn document(json: &str) -> Document {
    serde_json::from_str::<Record<'_>>(json).unwrap_or_else(|error| panic!("{error}: {json}")).into()
}

/// One record per line.
pub(crate) fn corpus(lines: &str) -> Vec<Document> {
    lines.split('\n').filter(|line| !line.is_empty()).map(document).collect()
}

/// A whole export, one part per slice of documents.
pub(crate) fn export(order: &Order, parts: &[&[Document]]) -> (Vec<u8>, Ledger) {
    let (format, schema) = (open(order).unwrap(), schema(order, parts));
    let (mut done, mut ledger) = (Vec::new(), Ledger::default());
    for documents in parts {
        let mut part = Ledger::default();
        let (mut shaper, mut encoder, mut bytes) =
            (Shaper::new(order, &schema), format.start(&schema).unwrap(), Vec::new());
        let mut shaped = Vec::new();
        for document in *documents {
            shaper.shape(document.clone(), &mut part, &mut shaped);
            for document in shaped.drain(..) {
                encoder.push(&document, &mut bytes, &mut part).unwrap();
            }
        }
        let notes = encoder.finish(&mut bytes).unwrap();
        done.push((PartSummary { texts: part.counts.texts, notes }, bytes));
        ledger.merge(&part);
    }
    (assemble(&*format, &schema, &done).unwrap(), ledger)
}

/// What a plan knows of a selection.
pub(crate) fn schema(order: &Order, parts: &[&[Document]]) -> Schema {
    let documents = || parts.iter().copied().flatten();
    let labels = documents().flat_map(|document| &document.annotations).map(|it| it.label.to_string());
    let relations = documents().flat_map(|document| &document.relations);
    let types: BTreeSet<_> = relations.map(|relation| relation.kind.to_string()).collect();
    let planned = Schema {
        labels: labels.collect(),
        relation_types: types.into_iter().collect(),
        is_multi_label: documents().any(Document::has_several_labels),
        ..Schema::default()
    };
    Shaper::new(order, &planned).schema()
}

/// What stands in a file, without the compression that belongs to the format.
pub(crate) fn uncompressed(format: &str, bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    match format {
        "spacy" => ZlibDecoder::new(bytes).read_to_end(&mut content).map(drop).unwrap(),
        "brat" | "webanno" => content.extend(unzip(bytes).into_iter().flat_map(|(_, file)| file)),
        _ => content.extend_from_slice(bytes),
    }
    content
}

/// The files of a small zip, by the directory at its end.
pub(crate) fn unzip(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, length: usize| {
        zip[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = zip.len() - 22;
    let mut at = number(end + 16, 4);
    let file = |_| {
        let (name_bytes, begin) = (number(at + 28, 2), number(at + 42, 4));
        let name = String::from_utf8(zip[at + 46..at + 46 + name_bytes].to_vec()).unwrap();
        let deflated = &zip[begin + 30 + name_bytes..][..number(at + 20, 4)];
        let mut content = Vec::new();
        DeflateDecoder::new(deflated).read_to_end(&mut content).unwrap();
        assert_eq!(content.len(), number(at + 24, 4));
        at += 46 + name_bytes;
        (name, content)
    };
    (0..number(end + 10, 2)).map(file).collect()
}

/// The same as text, in one part.
pub(crate) fn export_text(order: &Order, documents: &[Document]) -> (String, Ledger) {
    let (bytes, ledger) = export(order, &[documents]);
    assert!(ledger.balances(), "{ledger:?}");
    (String::from_utf8(bytes).unwrap(), ledger)
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(default)]
    id: String,
    text: String,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    annotations: Vec<AnnotationRecord<'a>>,
    #[serde(default)]
    relations: Vec<RelationRecord>,
    #[serde(default)]
    tokens: Option<Vec<TokenRecord>>,
}

#[derive(Deserialize)]
struct AnnotationRecord<'a> {
    id: String,
    #[serde(default)]
    start: Option<u32>,
    #[serde(default)]
    end: Option<u32>,
    label: String,
    #[serde(default)]
    annotator: Option<String>,
    #[serde(default)]
    confidence: Option<f64>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    fragments: Option<Vec<(u32, u32)>>,
}

#[derive(Deserialize)]
struct RelationRecord {
    source: String,
    target: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    confidence: Option<f64>,
}

#[derive(Deserialize)]
struct TokenRecord {
    start: u32,
    end: u32,
    #[serde(default)]
    pos: Option<String>,
    #[serde(default)]
    lemma: Option<String>,
    #[serde(default)]
    chunk: Option<String>,
}

impl From<Record<'_>> for Document {
    fn from(record: Record<'_>) -> Document {
        Document {
            id: record.id.into(),
            text: record.text,
            metadata: record.metadata.map(Json::from_raw),
            annotations: record.annotations.into_iter().map(Annotation::from).collect(),
            relations: record.relations.into_iter().map(Relation::from).collect(),
            tokens: record.tokens.map(|tokens| tokens.into_iter().map(Token::from).collect()),
        }
    }
}

impl From<AnnotationRecord<'_>> for Annotation {
    fn from(record: AnnotationRecord<'_>) -> Annotation {
        let extent = match (record.fragments, record.start, record.end) {
            (Some(pieces), _, _) => Extent::Fragments(pieces),
            (None, Some(start), Some(end)) => Extent::Span { start, end },
            _ => Extent::Text,
        };
        Annotation {
            id: record.id.into(),
            extent,
            label: record.label.into(),
            annotator: record.annotator.map(Arc::from),
            confidence: record.confidence,
            attributes: record.attributes.map(Json::from_raw),
            created_at: record.created_at.map(|time| Timestamp::parse(&time).unwrap()),
        }
    }
}

impl From<RelationRecord> for Relation {
    fn from(record: RelationRecord) -> Relation {
        Relation {
            source: record.source.into(),
            target: record.target.into(),
            kind: record.kind.into(),
            confidence: record.confidence,
        }
    }
}

impl From<TokenRecord> for Token {
    fn from(record: TokenRecord) -> Token {
        let TokenRecord { start, end, pos, lemma, chunk } = record;
        Token {
            start,
            end,
            pos: pos.map(Into::into),
            lemma: lemma.map(Into::into),
            chunk: chunk.map(Into::into),
        }
    }
}
