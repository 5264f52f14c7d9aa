//! Hugging Face's layout: `datasets.load_dataset("DIR")` opens it offline, with splits and label names.
//!
//! | `task_type` | a row | columns |
//! | --- | --- | --- |
//! | `token_classification` | a text | `id`, `text`, `tokens`, `offsets` (code points), `ner_tags` |
//! | the same with `tokenizer={"file": …}` | a window | `id`, `window`, `input_ids`, `attention_mask`, `labels`, `word_ids`, `offsets` |
//! | `sequence_classification` | a text | `id`, `text`, `label` (-1 where there is none), or `labels` where texts have several |
//! | `relation_extraction` | a text | `id`, `text`, `entities` (spans, overlapping ones too), `relations` (places in `entities`) |
//! | `question_answering` | a question | `id`, `title`, `context`, `question`, `answers`, as in SQuAD |
//! | `language_modeling` | a text | `id`, `text` |
//!
//! Labels are places in lists of names, which stand in `README.md` and in the files themselves; `labels.json` has
//! those of token and sequence classification. Hugging Face calls the split `dev` `validation`. A split without a
//! row is neither written nor declared: `datasets` can't open one.
//!
//! What a task has no place for is lost as `unrepresentable`: labels of whole texts where spans are asked for and
//! the reverse, and texts without a question in `question_answering`.

use serde_json::{Value, json};
use spanfleet_core::{
    Document, Ledger, OptionError, Order, Schema,
    options::{DataFiles, TaskType},
};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::{
    framing::same_glue,
    record_table::{in_part, in_text},
    subwords::Subwords,
    table::{self, Container, TableWriter},
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, Outcome, PartEncoder,
    PartSummary,
};

mod card;
mod classes;
mod features;
mod language;
mod questions;
mod relations;
mod sequences;
mod subwords;
mod task;
mod tokens;

use task::Task;

pub(crate) const ENTRY: Entry = Entry { info: PARQUET, make };

const PARQUET: FormatInfo = FormatInfo {
    name: "transformers",
    kind: "transformers",
    title: "Hugging Face: a folder for `datasets.load_dataset`, for all five tasks",
    extension: "parquet",
    other_extensions: &["jsonl", "jsonl.gz", "jsonl.zst"],
    media_type: "application/vnd.apache.parquet",
    version: "1",
    layout: Layout::Shards,
    needs_labels: true,
    memory: Memory::Batch,
    is_ml_ready: true,
    supports_streaming: false,
    compressions: ALL_COMPRESSIONS,
    compressed: Compressed::Inside,
    schema,
};

const LINES: FormatInfo = FormatInfo {
    extension: "jsonl",
    other_extensions: &[],
    media_type: "application/x-ndjson",
    supports_streaming: true,
    compressed: Compressed::Around,
    ..PARQUET
};

struct Transformers {
    order: Order,
    task_type: TaskType,
    info: FormatInfo,
    container: Container,
    /// Of the tokenizer's file, where the process that encodes has read it.
    subwords: Option<Subwords>,
}

fn make(order: &Order) -> Result<Box<dyn Format>, OptionError> {
    let task_type = order.options.task_type.unwrap_or_default();
    let needs = |what: &str| {
        let allowed = format!("the other tasks, or this one with `{what}` true");
        Err(OptionError::value("option", "task_type", &task_type.as_str().into(), allowed))
    };
    match task_type {
        TaskType::RelationExtraction if !order.include.relations => return needs("include_relations"),
        // Questions are attributes.
        TaskType::QuestionAnswering if !order.include.metadata => return needs("include_metadata"),
        _ => {}
    }
    let (info, container) = match order.options.data_files {
        DataFiles::Parquet => (PARQUET, Container::Parquet),
        DataFiles::Lines => (LINES, Container::Lines),
    };
    let subwords = read_subwords(order, task_type)?;
    Ok(Box::new(Transformers { order: order.clone(), task_type, info, container, subwords }))
}

fn read_subwords(order: &Order, task_type: TaskType) -> Result<Option<Subwords>, OptionError> {
    let Some(file) = &order.options.tokenizer_file else { return Ok(None) };
    let refuse = |allowed: String| {
        Err(OptionError::value("option", "tokenizer", &json!({"file": file.path}), allowed))
    };
    if task_type != TaskType::TokenClassification {
        return refuse("words, whitespace, gold, spacy with this task_type".to_owned());
    }
    let Some(content) = &file.content else { return Ok(None) };
    match Subwords::read(content, &order.options) {
        Ok(subwords) => Ok(Some(subwords)),
        Err(error) => refuse(format!("a tokenizer.json of the `tokenizers` library ({error})")),
    }
}

impl Transformers {
    fn begin(&self, schema: &Schema) -> Result<TransformersPart, EncodeError> {
        let task = task::make(self.task_type, &self.order, schema, self.subwords.as_ref());
        let columns = task.columns();
        let metadata = json!({"info": {"features": features::to_json(&columns)}}).to_string();
        let writer =
            TableWriter::begin(self.container, columns, Some(("huggingface", metadata)), &self.order.options);
        Ok(TransformersPart { task, writer: writer.map_err(|error| in_part(&error))? })
    }
}

impl Format for Transformers {
    fn info(&self) -> &FormatInfo {
        &self.info
    }

    fn start(&self, schema: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(self.begin(schema)?))
    }

    fn seal(&self, schema: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let mut head = Vec::new();
        if parts.is_empty() {
            Box::new(self.begin(schema)?).finish(&mut head)?;
        }
        Ok(Envelope { head, glue: same_glue(b"", parts), ..Envelope::default() })
    }

    fn split_name<'s>(&self, split: &'s str) -> &'s str {
        if split == "dev" { "validation" } else { split }
    }

    fn beside(&self, schema: &Schema, outcome: &Outcome<'_>) -> Vec<(String, Vec<u8>)> {
        let task = task::make(self.task_type, &self.order, schema, self.subwords.as_ref());
        let card = card::render(self.task_type, &task.columns(), outcome);
        let mut files = vec![("README.md".to_owned(), card.into_bytes())];
        if let Some(names) = task.label_names() {
            files.push(("labels.json".to_owned(), labels_file(&names)));
        }
        files
    }
}

/// `label_to_id` and its reverse.
fn labels_file(names: &[String]) -> Vec<u8> {
    let to_id: serde_json::Map<String, Value> = names.iter().cloned().zip((0..).map(Value::from)).collect();
    let to_label: serde_json::Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (id.to_string(), Value::from(name.as_str()))).collect();
    format!("{:#}\n", json!({"label_to_id": to_id, "id_to_label": to_label})).into_bytes()
}

/// The rows of one part.
struct TransformersPart {
    task: Box<dyn Task>,
    writer: TableWriter,
}

impl PartEncoder for TransformersPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        let TransformersPart { task, writer } = self;
        task.rows(document, ledger, &mut |row| {
            writer.push(row, out).map_err(|error| in_text(document, &error))
        })
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Value, EncodeError> {
        let notes = self.writer.finish(out).map_err(|error| in_part(&error))?;
        Ok(serde_json::to_value(notes).unwrap_or_default())
    }
}

fn schema() -> Value {
    let order = Order {
        format: PARQUET.name.to_owned(),
        options: spanfleet_core::Options::default(),
        filter: spanfleet_core::Filter::default(),
        include: spanfleet_core::Include::default(),
    };
    let columns = task::make(TaskType::default(), &order, &Schema::default(), None).columns();
    table::row_schema("A row of token_classification; other tasks have columns of their own", &columns)
}

#[cfg(test)]
mod tests;
