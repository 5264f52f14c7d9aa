//! CoNLL: a line per token, an empty line after every sentence.
//!
//! | `conll_style` | columns | parted by | a document begins with |
//! | --- | --- | --- | --- |
//! | `plain` | those of `columns` | TAB | `-DOCSTART-` |
//! | `conll2002` | token, with `include_pos` part of speech, label | a space | `-DOCSTART- -DOCSTART- O` |
//! | `conll2003` | token, part of speech, chunk, label | a space | `-DOCSTART- -X- O O` |
//! | `conllu` | the ten of Universal Dependencies, labels as `NER=` in the last | TAB | `# newdoc id` |
//!
//! A text is a sentence; a line break inside it ends the sentence too, unless a written span crosses it (readers
//! such as seqeval need time quadratic in the length of a sentence). A text without tokens has no line to stand
//! on and is lost as `unrepresentable`, as are relations and labels of whole texts.
//!
//! White space in a label would end its column. It is written percent-encoded (`MY LABEL` as `MY%20LABEL`),
//! which no other label can collide with, whatever else the corpus holds; a `label_map` gives nicer names.
//! `plain` writes gold tokens as they are, spaces included; only TAB, CR and LF become `_`. The others write `_` for
//! all white space in a token, and for a token of nothing.
//!
//! `-DOCSTART-` stands before the first text of a document, told by `metadata.file` and `metadata.doc`, and before
//! the first text of none after one. A part can't know what stands before its first text: it notes the first and
//! last document, and `seal` puts the line. An export without metadata knows no documents. A file whose first
//! character would be U+FEFF begins with an empty line: readers would take it for the mark of the file's encoding.

use serde_json::{Value, json};
use spanfleet_core::{OptionError, Order, Schema, options::TaskType};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

mod docstart;
mod label;
mod part;
mod style;
mod universal;

use docstart::{DocKey, DocStarts, Ends};
use style::Style;

pub(crate) const ENTRY: Entry = Entry { info: INFO, make };

const INFO: FormatInfo = FormatInfo {
    name: "conll",
    kind: "conll",
    title: "CoNLL: a line per token with its label",
    extension: "conll",
    other_extensions: &[],
    media_type: "text/plain; charset=utf-8",
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

struct Conll {
    order: Order,
    style: Style,
}

fn make(order: &Order) -> Result<Box<dyn Format>, OptionError> {
    let style = Style::new(&order.options)?;
    match order.options.task_type {
        None | Some(TaskType::TokenClassification) => Ok(Box::new(Conll { order: order.clone(), style })),
        Some(other) => Err(OptionError::value(
            "option",
            "task_type",
            &other.as_str().into(),
            "token_classification with conll",
        )),
    }
}

impl Format for Conll {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(part::ConllPart::new(&self.order, self.style.clone())))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let starts = DocStarts::new(self.order.options.docstart, &self.style);
        let mut lines = Vec::with_capacity(parts.len());
        let mut before: Option<DocKey> = None;
        for part in parts {
            let mut line = Vec::new();
            if let Some(Ends { first, last, has_mark }) = docstart::read_notes(&part.notes)? {
                starts.write(before.as_ref(), &first, &mut line);
                if has_mark && before.is_none() && line.is_empty() {
                    // Behind an empty line, which readers pass over, it is no mark of the file.
                    line.push(b'\n');
                }
                before = Some(last);
            }
            lines.push(line);
        }
        let mut lines = lines.into_iter();
        Ok(Envelope { head: lines.next().unwrap_or_default(), glue: lines.collect(), ..Envelope::default() })
    }
}

fn schema() -> Value {
    let column =
        |meaning: &str| json!({"type": "string", "pattern": "^[^\\t\\r\\n]*$", "description": meaning});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line: the columns of `conll_style`, for plain those that `columns` names, in its order, apart by TAB; an empty line ends a sentence",
        "type": "object",
        "required": ["token", "label"],
        "properties": {
            "token": column("the token; -DOCSTART- before a document"),
            "label": column("O, or the label after its prefix in the label scheme, such as B-PER"),
            "pos": column("part of speech, _ when not known"),
            "lemma": column("lemma, _ when not known"),
            "chunk": column("syntactic chunk, _ when not known")
        }
    })
}

#[cfg(test)]
mod tests;
