//! XML 1.0: an element per text with everything on it. What is read back is what was selected.
//!
//! ```xml
//! <?xml version="1.0" encoding="UTF-8"?>
//! <texts>
//! <text id="doc-1"><content xml:space="preserve">Ada met Bo.</content><metadata>{"source":"news"}</metadata>
//! <annotation id="a1" start="0" end="3" label="PER" annotator="alice"><attributes>{"nom":true}</attributes></annotation>
//! <relation source="a1" target="a2" type="met"/>
//! <tokens><token start="0" end="3" pos="NNP"/></tokens>
//! </text>
//! </texts>
//! ```
//!
//! Offsets count the code points of the original text. A label of the whole text has no `start` and `end`; the
//! pieces of a discontinuous span are `fragment` elements, in their order. What is not known is left out.
//!
//! Some control characters can't stand in XML 1.0 at all. Each is replaced by U+FFFD, counted as `cleaned`, and
//! the original stands beside: of the text in `<original encoding="base64">`, of an attribute in `NAME-base64`.
//! libxml2 refuses texts of more than 10,000,000 bytes unless it is told `huge_tree`.

use std::io::Write;

use serde_json::{Value, json};
use spanfleet_core::{Annotation, Change, Document, Extent, Ledger, Order, Relation, Schema, Token};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{framing::same_glue, names::LabelNames, record};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) mod escape;

use escape::attribute;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Xml { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "xml",
    kind: "xml",
    title: "XML: an element per text with everything on it",
    extension: "xml",
    other_extensions: &[],
    media_type: "application/xml",
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

struct Xml {
    order: Order,
}

struct XmlPart {
    names: LabelNames,
    with_path: bool,
}

impl Format for Xml {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        let names = LabelNames::new(&self.order.options);
        Ok(Box::new(XmlPart { names, with_path: self.order.include.hierarchies }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(Envelope {
            head: b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<texts>\n".to_vec(),
            glue: same_glue(b"", parts),
            tail: b"</texts>\n".to_vec(),
            ..Envelope::default()
        })
    }
}

impl PartEncoder for XmlPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let mut was_cleaned = write_head(document, out);
        for annotation in &document.annotations {
            if self.annotation(annotation, out) {
                ledger.change_annotation(Change::Cleaned, &document.id, &annotation.id);
            }
        }
        for relation in &document.relations {
            was_cleaned |= write_relation(relation, out);
        }
        if let Some(tokens) = &document.tokens {
            was_cleaned |= write_tokens(tokens, out);
        }
        out.extend_from_slice(b"</text>\n");
        if was_cleaned {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        record::count(document, ledger);
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}

/// Opens the text's element and writes what is not about a part of it.
fn write_head(document: &Document, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(b"<text");
    let mut was_cleaned = attribute("id", &document.id, out);
    out.extend_from_slice(b"><content xml:space=\"preserve\">");
    let text_was_cleaned = escape::content(&document.text, out);
    out.extend_from_slice(b"</content>");
    if text_was_cleaned {
        out.extend_from_slice(b"<original encoding=\"base64\">");
        escape::base64(&document.text, out);
        out.extend_from_slice(b"</original>");
        was_cleaned = true;
    }
    if let Some(metadata) = &document.metadata {
        out.extend_from_slice(b"<metadata>");
        escape::json(metadata.as_str(), out);
        out.extend_from_slice(b"</metadata>");
    }
    out.push(b'\n');
    was_cleaned
}

impl XmlPart {
    fn annotation(&mut self, annotation: &Annotation, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"<annotation");
        let mut was_cleaned = attribute("id", &annotation.id, out);
        if let Some((start, end)) = annotation.extent.hull() {
            write_offsets(start, end, out);
        }
        let name = self.names.of(&annotation.label);
        was_cleaned |= attribute("label", name.written.as_deref().unwrap_or(&name.path), out);
        if self.with_path {
            was_cleaned |= attribute("label_path", &annotation.label, out);
        }
        if let Some(annotator) = &annotation.annotator {
            was_cleaned |= attribute("annotator", annotator, out);
        }
        write_confidence(annotation.confidence, out);
        if let Some(time) = annotation.created_at {
            write_into(out, format_args!(" created_at=\"{time}\""));
        }
        write_children(annotation, out);
        was_cleaned
    }
}

/// Ends the annotation's start tag, and the element.
fn write_children(annotation: &Annotation, out: &mut Vec<u8>) {
    let pieces = match &annotation.extent {
        Extent::Fragments(pieces) => pieces.as_slice(),
        Extent::Span { .. } | Extent::Text => &[],
    };
    if pieces.is_empty() && annotation.attributes.is_none() {
        return out.extend_from_slice(b"/>\n");
    }
    out.push(b'>');
    for (start, end) in pieces {
        out.extend_from_slice(b"<fragment");
        write_offsets(*start, *end, out);
        out.extend_from_slice(b"/>");
    }
    if let Some(attributes) = &annotation.attributes {
        out.extend_from_slice(b"<attributes>");
        escape::json(attributes.as_str(), out);
        out.extend_from_slice(b"</attributes>");
    }
    out.extend_from_slice(b"</annotation>\n");
}

fn write_relation(relation: &Relation, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(b"<relation");
    let mut was_cleaned = attribute("source", &relation.source, out);
    was_cleaned |= attribute("target", &relation.target, out);
    was_cleaned |= attribute("type", &relation.kind, out);
    write_confidence(relation.confidence, out);
    out.extend_from_slice(b"/>\n");
    was_cleaned
}

fn write_tokens(tokens: &[Token], out: &mut Vec<u8>) -> bool {
    let mut was_cleaned = false;
    out.extend_from_slice(b"<tokens>");
    for token in tokens {
        out.extend_from_slice(b"<token");
        write_offsets(token.start, token.end, out);
        for (name, value) in [("pos", &token.pos), ("lemma", &token.lemma), ("chunk", &token.chunk)] {
            if let Some(value) = value {
                was_cleaned |= attribute(name, value, out);
            }
        }
        out.extend_from_slice(b"/>");
    }
    out.extend_from_slice(b"</tokens>\n");
    was_cleaned
}

fn write_offsets(start: u32, end: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b" start=\"");
    record::number(start, out);
    out.extend_from_slice(b"\" end=\"");
    record::number(end, out);
    out.push(b'"');
}

/// As `xs:double` has it, which unlike JSON knows numbers that are not finite.
fn write_confidence(confidence: Option<f64>, out: &mut Vec<u8>) {
    let Some(confidence) = confidence else { return };
    out.extend_from_slice(b" confidence=\"");
    if confidence.is_finite() {
        record::float_or_null(Some(confidence), out);
    } else if confidence.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if confidence > 0.0 { b"INF" } else { b"-INF" });
    }
    out.push(b'"');
}

fn write_into(out: &mut Vec<u8>, content: std::fmt::Arguments<'_>) {
    // Writing into memory can't fail.
    let _written = out.write_fmt(content);
}

/// The element of a text in the words of the neutral record.
fn schema() -> Value {
    let mut schema = record::schema();
    schema["title"] = json!("A text element: scalars are attributes, lists are elements, objects are JSON");
    schema
}

#[cfg(test)]
mod tests;
