//! A format written from outside, with nothing but what `spanfleet-formats` makes public: titles of texts, one a
//! line, numbered through. It shows what a new format has to bring, and that a part needs to know of no other.

use serde_json::{Value, json};
use spanfleet_core::{Document, Ledger, Loss, Schema, losses::Counts};
use spanfleet_formats::{
    Compressed, EncodeError, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

const INFO: FormatInfo = FormatInfo {
    name: "titles",
    kind: "csv",
    title: "The first word of every text, between a head and a count",
    extension: "txt",
    other_extensions: &[],
    media_type: "text/plain; charset=utf-8",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Buffers,
    is_ml_ready: false,
    supports_streaming: true,
    compressions: &[],
    compressed: Compressed::Around,
    schema: || json!({"type": "string"}),
};

struct Titles;
struct TitlesPart;

impl Format for Titles {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(TitlesPart))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let texts: u64 = parts.iter().map(|part| part.texts).sum();
        let glue = vec![Vec::new(); parts.len().saturating_sub(1)];
        let (head, tail) = (b"titles\n".to_vec(), format!("{texts} in all\n").into_bytes());
        Ok(Envelope { head, glue, tail, ..Envelope::default() })
    }
}

impl PartEncoder for TitlesPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let title = document.text.split_whitespace().next().unwrap_or_default();
        out.extend_from_slice(title.as_bytes());
        out.push(b'\n');
        for annotation in &document.annotations {
            ledger.lose_annotation(Loss::Unrepresentable, &document.id, &annotation.id);
        }
        ledger.counts.texts += 1;
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }
}

/// The file of documents that are cut into parts of a size.
fn file(documents: &[Document], part_texts: usize) -> (Vec<u8>, Ledger) {
    let (schema, mut ledger) = (Schema::default(), Ledger::default());
    let (mut parts, mut bodies) = (Vec::new(), Vec::new());
    for documents in documents.chunks(part_texts) {
        let (mut encoder, mut body) = (Titles.start(&schema).unwrap(), Vec::new());
        for document in documents {
            ledger.counts.texts_selected += 1;
            ledger.counts.annotations_selected += document.annotations.len() as u64;
            encoder.push(document, &mut body, &mut ledger).unwrap();
        }
        parts.push(PartSummary { texts: documents.len() as u64, notes: encoder.finish(&mut body).unwrap() });
        bodies.push(body);
    }
    let envelope = Titles.seal(&schema, &parts).unwrap();
    let mut whole = envelope.head;
    for (at, body) in bodies.iter().enumerate() {
        whole.extend(at.checked_sub(1).map_or(&[][..], |before| &envelope.glue[before]));
        whole.extend(body);
    }
    whole.extend(envelope.tail);
    (whole, ledger)
}

#[test]
fn a_format_from_outside_is_two_small_traits() {
    let document = |text: &str| Document { id: text.into(), text: text.to_owned(), ..Document::default() };
    let documents: Vec<Document> = ["Ada met Bo.", "", "Zoë left."].map(document).into();
    let (whole, ledger) = file(&documents, 3);
    assert_eq!(String::from_utf8(whole.clone()).unwrap(), "titles\nAda\n\nZoë\n3 in all\n");
    assert_eq!(ledger.counts, Counts { texts_selected: 3, texts: 3, ..Counts::default() });
    for part_texts in [1, 2] {
        assert_eq!(file(&documents, part_texts).0, whole, "in parts of {part_texts}");
    }
    assert_eq!(file(&[], 1).0, b"titles\n0 in all\n");
}
