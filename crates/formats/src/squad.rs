//! SQuAD 1.1 and 2.0: one JSON object, an article with one paragraph for every text.
//!
//! What is a question, and who answers it, says [`crate::support::questions`]. A span without a question answers its
//! label, as entities are asked for in reading comprehension: every entity corpus is a corpus of questions.
//!
//! | what is annotated | what becomes of it |
//! | --- | --- |
//! | a span | an answer: its text, and the code point where it begins |
//! | the whole text, with a question that nobody answers | no answer: `is_impossible` in 2.0; lost in 1.1: `unrepresentable` |
//! | the same again | lost: `duplicate` |
//! | the whole text, without a question | lost: `unrepresentable` |
//! | several pieces | lost: `discontinuous` |
//! | a text without questions | a paragraph with an empty `qas` |
//!
//! Answers are kept as often as they were given, by whomever. Questions are attributes: an order that leaves metadata
//! out asks for labels alone.

use serde::Serialize;
use serde_json::{Value, json};
use spanfleet_core::{CharIndex, Document, Extent, Ledger, Order, Schema, options::SquadVersion};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    homeless::lose_relations,
    json_file::{JsonFile, Records, Sink},
    names::LabelNames,
    questions::{self, Question, title},
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Squad { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "squad",
    kind: "json",
    title: "SQuAD 1.1 and 2.0: questions and their answers",
    extension: "json",
    other_extensions: &[],
    media_type: "application/json",
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

const VERSION_1: JsonFile = JsonFile {
    head: "{\"version\":\"1.1\",\"data\":[\n",
    between: ",\n",
    tail: "\n]}\n",
    empty: "{\"version\":\"1.1\",\"data\":[]}\n",
};
const VERSION_2: JsonFile = JsonFile {
    head: "{\"version\":\"v2.0\",\"data\":[\n",
    between: ",\n",
    tail: "\n]}\n",
    empty: "{\"version\":\"v2.0\",\"data\":[]}\n",
};

struct Squad {
    order: Order,
}

impl Squad {
    fn file(&self) -> &'static JsonFile {
        match self.order.options.squad_version {
            SquadVersion::One => &VERSION_1,
            SquadVersion::Two => &VERSION_2,
        }
    }
}

impl Format for Squad {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        let names = LabelNames::new(&self.order.options);
        let version = self.order.options.squad_version;
        Ok(self.file().start(Articles { names, version, chars: CharIndex::default() }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(self.file().seal(parts))
    }
}

struct Articles {
    names: LabelNames,
    version: SquadVersion,
    chars: CharIndex,
}

#[derive(Serialize)]
struct Article<'d> {
    title: String,
    paragraphs: [Paragraph<'d>; 1],
}

#[derive(Serialize)]
struct Paragraph<'d> {
    context: &'d str,
    qas: Vec<Asked<'d>>,
}

#[derive(Serialize)]
struct Asked<'d> {
    id: String,
    question: String,
    answers: Vec<Answer<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_impossible: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plausible_answers: Vec<Value>,
}

#[derive(Serialize)]
struct Answer<'d> {
    text: &'d str,
    answer_start: u32,
}

impl Records for Articles {
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.chars.rebuild(&document.text);
        let names = &mut self.names;
        let found = questions::find(document, &self.chars, ledger, |annotation| {
            (annotation.extent != Extent::Text).then(|| names.written(&annotation.label).to_string())
        });
        let places = found.into_iter().enumerate();
        let qas =
            places.filter_map(|(place, question)| self.ask(document, place, question, ledger)).collect();
        lose_relations(document, ledger);
        ledger.counts.texts += 1;
        let paragraphs = [Paragraph { context: &document.text, qas }];
        sink.record(&Article { title: title(document), paragraphs });
        Ok(())
    }
}

impl Articles {
    /// A question as the version can ask it: 1.1 knows none without an answer.
    fn ask<'d>(
        &self,
        document: &'d Document,
        place: usize,
        question: Question,
        ledger: &mut Ledger,
    ) -> Option<Asked<'d>> {
        let is_second = self.version == SquadVersion::Two;
        question.count(document, is_second, ledger);
        if !is_second && question.answers.is_empty() {
            return None;
        }
        let text = |start, end| self.chars.slice(&document.text, start, end).unwrap_or_default();
        let answers = question.answers.iter();
        Some(Asked {
            id: question.id_in(document, place),
            answers: answers
                .map(|&(start, end)| Answer { text: text(start, end), answer_start: start })
                .collect(),
            is_impossible: is_second.then_some(question.answers.is_empty()),
            plausible_answers: if is_second { question.plausible } else { Vec::new() },
            question: question.words,
        })
    }
}

fn schema() -> Value {
    let answer = json!({
        "type": "object",
        "required": ["text", "answer_start"],
        "properties": {
            "text": {"type": "string", "minLength": 1},
            "answer_start": {"type": "integer", "minimum": 0, "description": "Unicode code points"}
        }
    });
    let asked = json!({
        "type": "object",
        "required": ["id", "question", "answers"],
        "properties": {
            "id": {"type": "string"},
            "question": {"type": "string"},
            "answers": {"type": "array", "items": answer},
            "is_impossible": {"type": "boolean", "description": "only in 2.0"},
            "plausible_answers": {"type": "array", "items": answer, "description": "only in 2.0"}
        }
    });
    let paragraph = json!({
        "type": "object",
        "required": ["context", "qas"],
        "properties": {"context": {"type": "string"}, "qas": {"type": "array", "items": asked}}
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SQuAD",
        "type": "object",
        "required": ["version", "data"],
        "properties": {
            "version": {"enum": ["1.1", "v2.0"]},
            "data": {"type": "array", "items": {
                "type": "object",
                "required": ["title", "paragraphs"],
                "properties": {"title": {"type": "string"}, "paragraphs": {"type": "array", "items": paragraph}}
            }}
        }
    })
}

#[cfg(test)]
mod tests;
