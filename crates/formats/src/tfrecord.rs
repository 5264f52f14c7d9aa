//! TFRecord: a `tf.train.Example` per text, with the specification of its features in `features.json` beside.
//!
//! An example has no nesting: what belongs to a text is a feature of one value, everything else stands in parallel
//! lists. Every feature is there in every example and has the same kind.
//!
//! | features | what they hold |
//! | --- | --- |
//! | `id`, `text`, `metadata` | of the text; metadata is JSON, empty when there is none |
//! | `span/…` | annotations; `start` and `end` are -1 for a label of the whole text |
//! | `fragment/…` | pieces of discontinuous spans: `span` is the place in `span/…` |
//! | `relation/…` | `source` and `target` are places in `span/…` |
//! | `token/…` | gold tokens |
//!
//! Strings that are not known are empty, a confidence that is not known is NaN, in 32 bits as all floats here.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use spanfleet_core::{Document, Extent, Ledger, Loss, Order, Schema, Token, options::Compression};

use crate::support::{framing::same_glue, names::LabelNames};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

mod example;

use example::Example;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(TfRecord { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "tfrecord",
    kind: "tfrecord",
    title: "TFRecord: a tf.train.Example per text, for TensorFlow",
    extension: "tfrecord",
    other_extensions: &[],
    media_type: "application/octet-stream",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Buffers,
    is_ml_ready: true,
    supports_streaming: true,
    // TensorFlow reads no other.
    compressions: &[Compression::None, Compression::Gzip],
    compressed: Compressed::Around,
    schema,
};

/// Every feature: key, type, whether it is a list, meaning. Sorted by key, which is the order in an example.
const FEATURES: &[(&str, Kind, bool, &str)] = &[
    ("fragment/end", Kind::Integer, true, "code points, exclusive"),
    ("fragment/span", Kind::Integer, true, "place of the discontinuous span in span/*"),
    ("fragment/start", Kind::Integer, true, "code points"),
    ("id", Kind::Text, false, "the text's id"),
    ("metadata", Kind::Text, false, "a JSON object, or empty"),
    ("relation/confidence", Kind::Float, true, "NaN when not known"),
    ("relation/source", Kind::Integer, true, "place in span/*"),
    ("relation/target", Kind::Integer, true, "place in span/*"),
    ("relation/type", Kind::Text, true, "the relation's type"),
    ("span/annotator", Kind::Text, true, "empty when not known"),
    ("span/attributes", Kind::Text, true, "a JSON object, or empty"),
    ("span/confidence", Kind::Float, true, "NaN when not known"),
    ("span/created_at", Kind::Text, true, "RFC 3339, or empty"),
    ("span/end", Kind::Integer, true, "code points, exclusive; -1 for a label of the whole text"),
    ("span/id", Kind::Text, true, "the annotation's id"),
    ("span/label", Kind::Text, true, "the label"),
    (LABEL_PATH, Kind::Text, true, "the label with its whole hierarchy"),
    ("span/start", Kind::Integer, true, "code points; -1 for a label of the whole text"),
    ("text", Kind::Text, false, "the text, UTF-8"),
    ("token/chunk", Kind::Text, true, "syntactic chunk, or empty"),
    ("token/end", Kind::Integer, true, "code points, exclusive"),
    ("token/lemma", Kind::Text, true, "lemma, or empty"),
    ("token/pos", Kind::Text, true, "part of speech, or empty"),
    ("token/start", Kind::Integer, true, "code points"),
];
/// Written with `include_hierarchies` only.
const LABEL_PATH: &str = "span/label_path";
/// Where the specification of the features stands.
const FEATURES_FILE: &str = "features.json";

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Float,
}

impl Kind {
    /// As in `tf.dtypes`.
    fn dtype(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Integer => "int64",
            Kind::Float => "float32",
        }
    }

    fn json_type(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Integer => "integer",
            Kind::Float => "number",
        }
    }
}

struct TfRecord {
    order: Order,
}

struct TfRecordPart {
    names: LabelNames,
    with_path: bool,
    example: Example,
}

impl TfRecord {
    /// What a reader needs to parse an example: `FixedLenFeature` without a shape, `RaggedFeature` with one.
    fn specification(&self) -> Value {
        let is_written = |key: &str| key != LABEL_PATH || self.order.include.hierarchies;
        let features: Map<String, Value> = FEATURES
            .iter()
            .filter(|(key, ..)| is_written(key))
            .map(|(key, kind, is_list, meaning)| {
                let shape = if *is_list { json!([null]) } else { json!([]) };
                ((*key).to_owned(), json!({"dtype": kind.dtype(), "shape": shape, "meaning": meaning}))
            })
            .collect();
        let compression = if self.order.options.compression == Compression::Gzip { "GZIP" } else { "" };
        json!({"record": "tf.train.Example", "compression_type": compression, "features": features})
    }
}

impl Format for TfRecord {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(TfRecordPart {
            names: LabelNames::new(&self.order.options),
            with_path: self.order.include.hierarchies,
            example: Example::default(),
        }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let features = format!("{:#}\n", self.specification()).into_bytes();
        let beside = vec![(FEATURES_FILE.to_owned(), features)];
        Ok(Envelope { glue: same_glue(b"", parts), beside, ..Envelope::default() })
    }
}

impl PartEncoder for TfRecordPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.example.clear();
        self.fragments(document);
        self.example.bytes("id", std::iter::once(&*document.id));
        let metadata = document.metadata.as_ref().map_or("", |metadata| metadata.as_str());
        self.example.bytes("metadata", std::iter::once(metadata));
        self.relations(document, ledger);
        self.spans(document);
        self.example.bytes("text", std::iter::once(&*document.text));
        self.tokens(document.tokens.as_deref().unwrap_or_default());
        self.example.write_record(out).ok_or_else(|| too_large(document))?;
        ledger.counts.texts += 1;
        ledger.counts.tokens += document.tokens.as_ref().map_or(0, Vec::len) as u64;
        ledger.counts.annotations_written += document.annotations.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}

fn too_large(document: &Document) -> EncodeError {
    EncodeError::about(
        &document.id,
        format!(
            "text `{}` with its annotations takes more than the 2 GiB of a tf.train.Example; split the text, or \
             choose jsonl",
            document.id
        ),
    )
}

impl TfRecordPart {
    fn fragments(&mut self, document: &Document) {
        let pieces: Vec<(i64, (u32, u32))> = (0..)
            .zip(&document.annotations)
            .filter_map(|(span, annotation)| match &annotation.extent {
                Extent::Fragments(pieces) => Some(pieces.iter().map(move |piece| (span, *piece))),
                Extent::Span { .. } | Extent::Text => None,
            })
            .flatten()
            .collect();
        self.example.integers("fragment/end", pieces.iter().map(|(_, piece)| piece.1.into()));
        self.example.integers("fragment/span", pieces.iter().map(|(span, _)| *span));
        self.example.integers("fragment/start", pieces.iter().map(|(_, piece)| piece.0.into()));
    }

    fn relations(&mut self, document: &Document, ledger: &mut Ledger) {
        let mut places: HashMap<&str, i64> = HashMap::new();
        if !document.relations.is_empty() {
            places.extend(document.annotations.iter().map(|annotation| &*annotation.id).zip(0..));
        }
        let mut found = Vec::with_capacity(document.relations.len());
        for relation in &document.relations {
            match (places.get(&*relation.source), places.get(&*relation.target)) {
                (Some(source), Some(target)) => found.push((*source, *target, relation)),
                _ => ledger.lose_relation(Loss::EndpointMissing, &document.id, relation),
            }
        }
        let example = &mut self.example;
        example.floats("relation/confidence", found.iter().map(|(.., relation)| float(relation.confidence)));
        example.integers("relation/source", found.iter().map(|(source, ..)| *source));
        example.integers("relation/target", found.iter().map(|(_, target, _)| *target));
        example.bytes("relation/type", found.iter().map(|(.., relation)| &*relation.kind));
        ledger.counts.relations_written += found.len() as u64;
    }

    fn spans(&mut self, document: &Document) {
        let TfRecordPart { names, with_path, example } = self;
        let all = || document.annotations.iter();
        let hull = |offset: fn((u32, u32)) -> u32| {
            all().map(move |it| it.extent.hull().map_or(-1, |hull| offset(hull).into()))
        };
        example.bytes("span/annotator", all().map(|it| it.annotator.as_deref().unwrap_or_default()));
        example.bytes(
            "span/attributes",
            all().map(|it| it.attributes.as_ref().map_or("", |json| json.as_str())),
        );
        example.floats("span/confidence", all().map(|it| float(it.confidence)));
        let times: Vec<String> =
            all().map(|it| it.created_at.map_or(String::new(), |time| time.to_string())).collect();
        example.bytes("span/created_at", times.iter().map(String::as_str));
        example.integers("span/end", hull(|hull| hull.1));
        example.bytes("span/id", all().map(|it| &*it.id));
        let labels: Vec<_> = all()
            .map(|it| {
                let name = names.of(&it.label);
                name.written.clone().unwrap_or_else(|| name.path.clone())
            })
            .collect();
        example.bytes("span/label", labels.iter().map(|label| &**label));
        if *with_path {
            example.bytes(LABEL_PATH, all().map(|it| &*it.label));
        }
        example.integers("span/start", hull(|hull| hull.0));
    }

    fn tokens(&mut self, tokens: &[Token]) {
        let example = &mut self.example;
        example.bytes("token/chunk", tokens.iter().map(|token| token.chunk.as_deref().unwrap_or_default()));
        example.integers("token/end", tokens.iter().map(|token| token.end.into()));
        example.bytes("token/lemma", tokens.iter().map(|token| token.lemma.as_deref().unwrap_or_default()));
        example.bytes("token/pos", tokens.iter().map(|token| token.pos.as_deref().unwrap_or_default()));
        example.integers("token/start", tokens.iter().map(|token| token.start.into()));
    }
}

fn float(number: Option<f64>) -> f32 {
    number.map_or(f32::NAN, |number| number as f32)
}

fn schema() -> Value {
    let feature = |(key, kind, is_list, meaning): &(&str, Kind, bool, &str)| {
        let value = json!({"type": kind.json_type()});
        let mut schema = if *is_list { json!({"type": "array", "items": value}) } else { value };
        schema["description"] = json!(meaning);
        ((*key).to_owned(), schema)
    };
    let required: Vec<_> = FEATURES.iter().map(|(key, ..)| key).filter(|key| **key != LABEL_PATH).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A tf.train.Example: features by key",
        "type": "object",
        "required": required,
        "properties": FEATURES.iter().map(feature).collect::<Map<_, _>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{corpus, export, order};

    /// Keys of a record's features in their order, found by reading the wire format.
    fn keys(record: &[u8]) -> Vec<String> {
        let mut rest = field(&record[12..record.len() - 4]).0.unwrap();
        let mut keys = Vec::new();
        while !rest.is_empty() {
            let (entry, after) = field(rest);
            keys.push(String::from_utf8(field(entry.unwrap()).0.unwrap().to_vec()).unwrap());
            rest = after;
        }
        keys
    }

    /// The content of the first field, and what follows it.
    fn field(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
        let (mut length, mut at) = (0, 1);
        loop {
            length |= usize::from(bytes[at] & 0x7f) << (7 * (at - 1));
            at += 1;
            if bytes[at - 1] < 0x80 {
                break;
            }
        }
        (bytes.get(at..at + length), &bytes[at + length..])
    }

    #[test]
    fn every_example_has_every_feature_in_order() {
        let lines = "{\"id\":\"1\",\"text\":\"\"}\n{\"id\":\"2\",\"text\":\"Ada\",\"annotations\":[{\"id\":\"a\",\"start\":0,\"end\":3,\"label\":\"PER\"}]}";
        for document in corpus(lines) {
            for hierarchies in [false, true] {
                let mut order = order("tfrecord", "{}");
                order.include.hierarchies = hierarchies;
                let record = export(&order, &[std::slice::from_ref(&document)]).0;
                let expected: Vec<_> = FEATURES
                    .iter()
                    .map(|feature| feature.0)
                    .filter(|key| hierarchies || *key != LABEL_PATH)
                    .collect();
                assert_eq!(keys(&record), expected);
                assert!(expected.is_sorted());
            }
        }
    }

    #[test]
    fn the_specification_names_the_compression() {
        let order = order("tfrecord", r#"{"compression":"gzip"}"#);
        let beside = TfRecord { order }.seal(&Schema::default(), &[]).unwrap().beside;
        let specification: Value = serde_json::from_slice(&beside[0].1).unwrap();
        assert_eq!(
            (beside[0].0.as_str(), &specification["compression_type"]),
            ("features.json", &json!("GZIP"))
        );
        assert_eq!(specification["features"]["span/start"]["dtype"], "int64");
        assert_eq!(specification["features"]["text"]["shape"], json!([]));
    }

    #[test]
    fn zstd_is_refused() {
        let error = crate::open(&order("tfrecord", r#"{"compression":"zstd"}"#)).err().unwrap().to_string();
        assert_eq!(error, "option `compression` can't be `zstd`; allowed: none, gzip with tfrecord");
    }
}
