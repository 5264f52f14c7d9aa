//! spaCy's own training format: a DocBin per part, `train/part-00000.spacy`. spaCy takes the folder.
//!
//! | annotation | where it stands |
//! | --- | --- |
//! | a continuous span | `doc.spans["sc"]`, overlapping ones too; with the same tokens and label once |
//! | of these, those that the `overlap` policy prefers | `doc.ents` as well |
//! | a label of the whole text | `doc.cats` |
//! | a discontinuous span | lost: `discontinuous` |
//!
//! A text without spans is a negative example: its tokens are outside of entities, not unknown. `doc.user_data` has
//! the text's `id`, its `metadata`, and its `relations` by the places of spans in `spans["sc"]`. Parts of speech
//! and lemmas of gold tokens are the tokens' `tag_` and `lemma_`; `pos_` too where they are universal ones.
//!
//! Every document has every category, 1.0 or 0.0. A schema does not tell which labels are about texts: where a
//! part has labels of texts alone, all labels are categories; where it has spans too, those met in that part. So
//! in a corpus with both, a rare category may be missing in a shard, which spaCy takes for not known.
//!
//! A text of more than 1,000,000 code points ends a training, so that it is cut into several documents, which
//! carry `part` and `start` (the offset of their first code point): counted as `split_text`. Cuts go through white
//! space between spans; a span or relation across a cut is lost as `truncated`.
//!
//! A DocBin is one zlib stream whose first values are lengths: an encoder holds its part, 20 bytes a token, 40
//! bytes a span, and every different string once. At most 40,000,000 tokens fit, more than a partition has.

use serde_json::{Value, json};
use spanfleet_core::{Order, Schema, options::Compression};

use crate::support::framing::same_glue;
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

mod docbin;
mod part;
mod pieces;
mod strings;
mod user_data;

use part::SpacyPart;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Spacy { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "spacy",
    kind: "spacy",
    title: "spaCy: DocBin files for `spacy train`, with entities, overlapping spans and categories",
    extension: "spacy",
    other_extensions: &[],
    media_type: "application/octet-stream",
    version: "1",
    layout: Layout::Folder,
    needs_labels: true,
    memory: Memory::Part,
    is_ml_ready: true,
    supports_streaming: false,
    // It is compressed inside, and spaCy reads nothing around that.
    compressions: &[Compression::None],
    compressed: Compressed::Around,
    schema,
};

struct Spacy {
    order: Order,
}

impl Format for Spacy {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, schema: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(SpacyPart::new(&self.order, schema)))
    }

    fn seal(&self, schema: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let mut head = Vec::new();
        if parts.is_empty() {
            self.start(schema)?.finish(&mut head)?;
        }
        Ok(Envelope { head, glue: same_glue(b"", parts), ..Envelope::default() })
    }
}

/// A `Doc` in the words of `Doc.to_json()`.
pub(crate) fn schema() -> Value {
    let offset = json!({"type": "integer", "minimum": 0});
    let span = json!({
        "type": "object",
        "required": ["start", "end", "label"],
        "properties": {"start": offset, "end": offset, "label": {"type": "string", "minLength": 1}}
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Doc as Doc.to_json() shows it",
        "type": "object",
        "required": ["text", "ents"],
        "properties": {
            "text": {"type": "string"},
            "ents": {"type": "array", "items": span},
            "spans": {"type": "object", "properties": {"sc": {"type": "array", "items": span}}},
            "cats": {"type": "object", "additionalProperties": {"enum": [0.0, 1.0]}},
            "tokens": {"type": "array", "items": {"type": "object"}}
        }
    })
}

#[cfg(test)]
mod tests;
