//! Supervised fine-tuning of language models: a conversation per line, `{"messages": [{"role", "content"}, …]}`, as
//! trainers of chat models take them.
//!
//! The user's turn is the instruction, an empty line, and the text; the assistant's is JSON without spaces:
//!
//! | `task_type` | a conversation | the assistant's turn |
//! | --- | --- | --- |
//! | `token_classification` | a text | `{"spans":[{"text","label","start","end"}]}` in the order of the text |
//! | `relation_extraction` | a text | the same with `"relations":[{"head","tail","type"}]`, by the places of spans |
//! | `sequence_classification` | a text | `{"labels":[…]}` |
//! | `question_answering` | a question, which stands before the text | `{"answers":[{"text","start","end"}]}` |
//!
//! In `instruction`, `{labels}` and `{relations}` stand for JSON lists of all labels and types of relations. With
//! `system_message` a system's turn comes first. Offsets count code points. What a task has no place for is lost as
//! `unrepresentable`: labels of whole texts where spans are asked for and the reverse, texts without a question.

use serde::Serialize;
use serde_json::{Value, json};
use spanfleet_core::{Document, Ledger, OptionError, Order, Schema, options::TaskType};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::json_file::{LINES, Records, Sink};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, PartEncoder, PartSummary,
};

mod answers;

use answers::Answerer;

pub(crate) const ENTRY: Entry = Entry { info: INFO, make };

const INFO: FormatInfo = FormatInfo {
    name: "chat",
    kind: "jsonl",
    title: "Chat: conversations for supervised fine-tuning of language models",
    extension: "jsonl",
    other_extensions: &[],
    media_type: "application/x-ndjson",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: true,
    memory: Memory::Buffers,
    is_ml_ready: true,
    supports_streaming: true,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Around,
    schema,
};

struct Chat {
    order: Order,
    task_type: TaskType,
}

fn make(order: &Order) -> Result<Box<dyn Format>, OptionError> {
    let task_type = order.options.task_type.unwrap_or_default();
    let refuse =
        |allowed: &str| Err(OptionError::value("option", "task_type", &task_type.as_str().into(), allowed));
    match task_type {
        TaskType::LanguageModeling => refuse(
            "token_classification, sequence_classification, relation_extraction, question_answering with chat: \
             without a question there is no conversation",
        ),
        TaskType::RelationExtraction if !order.include.relations => {
            refuse("the other tasks, or this one with `include_relations` true")
        }
        TaskType::QuestionAnswering if !order.include.metadata => {
            refuse("the other tasks, or this one with `include_metadata` true")
        }
        _ => Ok(Box::new(Chat { order: order.clone(), task_type })),
    }
}

impl Format for Chat {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, schema: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(LINES.start(Conversations {
            instruction: self.instruction(schema),
            system: self.order.options.system_message.clone(),
            answerer: Answerer::new(self.task_type, &self.order),
        }))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(LINES.seal(parts))
    }
}

impl Chat {
    fn instruction(&self, schema: &Schema) -> String {
        let asked = self.order.options.instruction.as_deref();
        let list = |words: &[String]| serde_json::to_string(words).unwrap_or_default();
        asked
            .unwrap_or_else(|| default_instruction(self.task_type))
            .replace("{labels}", &list(&schema.labels))
            .replace("{relations}", &list(&schema.relation_types))
    }
}

/// What is asked for where an order has no words of its own.
fn default_instruction(task_type: TaskType) -> &'static str {
    match task_type {
        TaskType::SequenceClassification => {
            "Which of these labels does the text have: {labels}? Answer with JSON: {\"labels\":[…]}"
        }
        TaskType::RelationExtraction => {
            "Find the spans of the text that these labels name: {labels}, and the relations between them of these \
             types: {relations}. Answer with JSON: {\"spans\":[{\"text\":…,\"label\":…,\"start\":…,\"end\":…}],\
             \"relations\":[{\"head\":…,\"tail\":…,\"type\":…}]}, where start and end count characters from 0, end \
             exclusive, and head and tail count spans from 0."
        }
        TaskType::QuestionAnswering => {
            "Answer the question with words of the text. Answer with JSON: \
             {\"answers\":[{\"text\":…,\"start\":…,\"end\":…}]}, where start and end count characters from 0, end \
             exclusive, with an empty list where the text has no answer."
        }
        _ => {
            "Find the spans of the text that these labels name: {labels}. Answer with JSON: \
             {\"spans\":[{\"text\":…,\"label\":…,\"start\":…,\"end\":…}]}, where start and end count characters \
             from 0, end exclusive."
        }
    }
}

struct Conversations {
    instruction: String,
    system: Option<String>,
    answerer: Answerer,
}

#[derive(Serialize)]
struct Conversation<'c> {
    messages: Vec<Message<'c>>,
}

#[derive(Serialize)]
struct Message<'c> {
    role: &'static str,
    content: &'c str,
}

impl Records for Conversations {
    fn write(
        &mut self,
        document: &Document,
        sink: &mut Sink<'_>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let Conversations { instruction, system, answerer } = self;
        answerer.answer(document, ledger, &mut |question, answer| {
            let question = question.map_or_else(String::new, |question| format!("{question}\n\n"));
            let asked = format!("{instruction}\n\n{question}{}", document.text);
            let system = system.as_deref().map(|content| Message { role: "system", content });
            let turns =
                [Message { role: "user", content: &asked }, Message { role: "assistant", content: answer }];
            sink.record(&Conversation { messages: system.into_iter().chain(turns).collect() });
        });
        Ok(())
    }
}

fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A conversation",
        "type": "object",
        "additionalProperties": false,
        "required": ["messages"],
        "properties": {"messages": {"type": "array", "minItems": 2, "maxItems": 3, "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["role", "content"],
            "properties": {"role": {"enum": ["system", "user", "assistant"]}, "content": {"type": "string"}}
        }}}
    })
}

#[cfg(test)]
mod tests;
