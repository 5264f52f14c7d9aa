//! spaCy: DocBin files, and the forms of JSON that go by its name.
//!
//! | form | what it is |
//! | --- | --- |
//! | `.spacy` | a DocBin, see [`docbin`] |
//! | `["text", {"entities": …}]` | what `Example.from_dict` takes |
//! | `{"text", "ents", "spans", "cats", "tokens"}` | `Doc.to_json()`; text categories as JSONL have this form too |
//! | `{"id", "paragraphs": [{"raw", "sentences"}]}` | training data of spaCy 2 |
//!
//! Each may stand in an array or line by line. A category of 0.5 and more is a label of the whole text, with its
//! value as confidence unless that is 1; all values stand in `metadata.cats`. Offsets count code points.

mod doc;
pub(crate) mod docbin;
mod msgpack;
mod training;

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    format::{Dialect, Entry, FormatOptions, Layout, Packed},
    json::{self, Context, Sketch},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "spacy",
    about: "spaCy DocBin and JSON",
    recognises,
    layout: Layout::Records(survey),
    // A DocBin keeps the words of all texts in one place and their spans in another.
    packed: Some(Packed { recognises: docbin::is_docbin, unpack: docbin::unpack }),
};

fn recognises(head: &[u8]) -> bool {
    docbin::is_docbin(head) || is_json(&Sketch::of(head))
}

fn is_json(sketch: &Sketch) -> bool {
    let is_pair = || match sketch.value.as_ref().and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::String(_), Value::Object(_)]) => true,
        Some(_) => false,
        // Cut off within the head.
        None => sketch.value.is_none() && sketch.has_any(&["entities", "cats", "spans", "heads"]),
    };
    let is_doc =
        sketch.has("text") && (sketch.has_any(&["ents", "sents"]) || sketch.first_byte("cats") == Some(b'{'));
    let is_training = sketch.first_byte("paragraphs") == Some(b'[');
    (sketch.is_array && is_pair()) || is_doc || is_training || sketch.has(docbin::KEY)
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, None, read)
}

fn read(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    match value {
        Value::Array(mut pair) if pair.len() == 2 => {
            let (annotations, text) = (pair.pop().unwrap_or_default(), pair.pop().unwrap_or_default());
            doc::read_pair(text, annotations, context)
        }
        Value::Object(doc) if doc.contains_key("paragraphs") => training::read(doc, context),
        Value::Object(mut doc) => match doc.shift_remove(docbin::KEY) {
            Some(unpacked) => docbin::line::read(&unpacked, context),
            None => doc::read(doc, context),
        },
        other => Err(format!(
            "a record has to be an object or `[text, annotations]`, not {}",
            json::kind_of(&other)
        )),
    }
}
