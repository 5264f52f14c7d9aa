//! CoNLL: a line per token, columns apart by TAB, an empty line after every sentence.
//!
//! A text is a sentence; a line break inside it ends the sentence too, unless a written span crosses it (readers
//! such as seqeval need time quadratic in the length of a sentence). A text without tokens has no line to stand
//! on and is lost as `unrepresentable`, as are relations and labels of whole texts.
//!
//! White space in a label would end its column. It is written percent-encoded (`MY LABEL` as `MY%20LABEL`),
//! which no other label can collide with, whatever else the corpus holds; a `label_map` gives nicer names.
//! Gold tokens are written as they are, spaces included; only TAB, CR and LF become `_`.
//!
//! `-DOCSTART-` stands before the first text of a document, told by `metadata.file` and `metadata.doc`. A part
//! can't know what stands before its first text: it notes the first and last document, and `seal` puts the line.
//! An export without metadata knows no documents.

use serde_json::{Value, json};
use spanfleet_core::{
    OptionError, Order, Schema,
    options::{Column, TaskType},
};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

mod docstart;
mod label;
mod part;

use docstart::{DocKey, DocStarts};

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
}

fn make(order: &Order) -> Result<Box<dyn Format>, OptionError> {
    let columns = &order.options.columns;
    let count = |column: Column| columns.iter().filter(|other| **other == column).count();
    let is_whole = count(Column::Token) == 1 && count(Column::Label) == 1;
    if !is_whole || columns.iter().any(|column| count(*column) > 1) {
        let named = columns.iter().map(|column| column.as_str()).collect();
        return Err(OptionError::value(
            "option",
            "columns",
            &named,
            "token and label, each column at most once",
        ));
    }
    match order.options.task_type {
        None | Some(TaskType::TokenClassification) => Ok(Box::new(Conll { order: order.clone() })),
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
        Ok(Box::new(part::ConllPart::new(&self.order)))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let starts = DocStarts::new(&self.order.options);
        let mut lines = Vec::with_capacity(parts.len());
        let mut before: Option<DocKey> = None;
        for part in parts {
            let mut line = Vec::new();
            if let Some((first, last)) = docstart::read_notes(&part.notes)? {
                starts.write(before.as_ref(), &first, &mut line);
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
        "title": "A line: the columns that `columns` names, in its order, apart by TAB; an empty line ends a sentence",
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
