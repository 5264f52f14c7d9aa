//! WebAnno TSV 3.3, as WebAnno and INCEpTION read it: a zip per split with `ID.tsv` for every text.
//!
//! | what is annotated | what becomes of it |
//! | --- | --- |
//! | a span | a value of the layer `NamedEntity` on its tokens; overlapping and equal ones too, told apart by `[1]` |
//! | a part of a token | a row of its own, as `1-2.1` |
//! | a relation | a value of the layer `webanno.custom.Relation` on its target, naming the row of its source |
//! | white space at the edge of a span | left out: `trimmed` |
//! | words at the edge that the corpus's own tokens leave out | left out: `contracted` |
//! | a label of the whole text | lost: `unrepresentable` |
//! | several pieces | lost: `discontinuous` |
//! | no character, or only white space | lost: `empty_span` |
//! | only words that the corpus's own tokens leave out | lost: `misaligned` |
//! | offsets outside the text, or reversed | lost: `out_of_range` |
//!
//! Offsets count UTF-16 units. A line break between tokens ends a sentence, unless a span crosses it; the break itself
//! is in no sentence, and every other character is in one, so that readers get the text as it is.
//!
//! The format: <https://webanno.github.io/webanno/releases/3.6.11/docs/user-guide.html#sect_webannotsv>.

use serde_json::{Value, json};
use spanfleet_core::{Order, Schema, options::Compression};

use crate::support::{
    framing::same_glue,
    zip::{self, ZipEntry},
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Member, Memory, PartEncoder,
    PartSummary,
};

mod cells;
mod part;
mod rows;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Webanno { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "webanno",
    kind: "conll",
    title: "WebAnno TSV 3.3: a zip with a .tsv file for every text",
    extension: "zip",
    other_extensions: &[],
    media_type: "application/zip",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Part,
    is_ml_ready: false,
    supports_streaming: false,
    // A zip is compressed inside.
    compressions: &[Compression::None],
    compressed: Compressed::Around,
    schema,
};

struct Webanno {
    order: Order,
}

impl Format for Webanno {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(part::WebannoPart::new(&self.order)))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let mut entries: Vec<ZipEntry> = Vec::new();
        for part in parts {
            entries.append(&mut entries_of(&part.notes)?);
        }
        zip::refuse_twins(&entries)?;
        let tail = zip::directory(entries.iter());
        Ok(Envelope { glue: same_glue(b"", parts), tail, ..Envelope::default() })
    }

    fn members(&self, notes: &Value) -> Result<Vec<Member>, EncodeError> {
        entries_of(notes).map(zip::members)
    }
}

fn entries_of(notes: &Value) -> Result<Vec<ZipEntry>, EncodeError> {
    notes.as_str().and_then(zip::noted_entries).ok_or_else(|| EncodeError {
        text: None,
        message: "a part's notes are not those of a webanno export; run the export again".to_owned(),
    })
}

/// A line of a `.tsv` file.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of WebAnno TSV 3.3",
        "type": "string",
        "anyOf": [
            {"pattern": "^#FORMAT=WebAnno TSV 3\\.3$", "title": "the first line"},
            {"pattern": "^#T_(SP|RL)=.*$", "title": "a layer and its features"},
            {"pattern": "^#Text=.*$", "title": "a line of a sentence"},
            {"pattern": "^[0-9]+-[0-9]+(\\.[0-9]+)?\\t[0-9]+-[0-9]+\\t[^\\t]+\\t([^\\t]+\\t)*$", "title": "a token, or a part of one"},
            {"const": "", "title": "the end of a sentence"}
        ]
    })
}

#[cfg(test)]
mod tests;
