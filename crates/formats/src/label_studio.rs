//! Label Studio's JSON: an array of tasks, and `config.xml` with the labelling interface that shows them.
//!
//! | annotation | where it stands |
//! | --- | --- |
//! | by whom | an annotation of the task for each annotator, `completed_by` their e-mail address |
//! | a continuous span | a region of the type `labels`, overlapping and equal ones too |
//! | labels of the whole text | one result of the type `choices` for each annotator |
//! | a relation | a result of the type `relation`; lost between two annotators: `unrepresentable` |
//! | a discontinuous span | lost: `discontinuous` |
//!
//! Offsets count UTF-16 units: a character beyond the Basic Multilingual Plane is two. A region has its confidence as
//! `score`, and its attributes as `meta`; a task has the text's metadata as `meta`.
//!
//! Label Studio takes annotations of members of its project alone, or with `ALLOW_IMPORT_TASKS_WITH_UNKNOWN_EMAILS` of
//! everybody, in the name of who imports them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spanfleet_core::{Order, Schema};

use crate::catalogue::ALL_COMPRESSIONS;
use crate::support::json_file::ARRAY;
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Memory, Outcome, PartEncoder,
    PartSummary,
};

mod config;
mod task;

use task::Tasks;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(LabelStudio { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "label-studio",
    kind: "json",
    title: "Label Studio: tasks with annotations, and their labelling configuration",
    extension: "json",
    other_extensions: &[],
    media_type: "application/json",
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

struct LabelStudio {
    order: Order,
}

/// The words that a configuration has to declare.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Words {
    labels: BTreeSet<String>,
    choices: BTreeSet<String>,
    relations: BTreeSet<String>,
}

impl Words {
    fn merge(&mut self, other: Words) {
        self.labels.extend(other.labels);
        self.choices.extend(other.choices);
        self.relations.extend(other.relations);
    }
}

impl Format for LabelStudio {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(ARRAY.start(Tasks::new(&self.order)))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        Ok(ARRAY.seal(parts))
    }

    fn beside(&self, _: &Schema, outcome: &Outcome<'_>) -> Vec<(String, Vec<u8>)> {
        let mut words = Words::default();
        let notes = outcome.files.iter().flat_map(|file| &file.notes);
        notes.filter_map(|notes| Words::deserialize(notes).ok()).for_each(|part| words.merge(part));
        vec![("config.xml".to_owned(), config::render(&words))]
    }
}

fn schema() -> Value {
    let result = json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "id": {"type": "string"},
            "type": {"enum": ["labels", "choices", "relation"]},
            "from_name": {"enum": ["label", "choice"]},
            "to_name": {"const": "text"},
            "value": {"type": "object", "properties": {
                "start": {"type": "integer", "minimum": 0, "description": "UTF-16 units"},
                "end": {"type": "integer", "minimum": 0, "description": "UTF-16 units"},
                "text": {"type": "string"},
                "labels": {"type": "array", "items": {"type": "string"}},
                "choices": {"type": "array", "items": {"type": "string"}}
            }},
            "score": {"type": "number"},
            "meta": {"type": "object"},
            "from_id": {"type": "string"},
            "to_id": {"type": "string"},
            "direction": {"const": "right"},
            "labels": {"type": "array", "items": {"type": "string"}}
        }
    });
    let annotation = json!({
        "type": "object",
        "required": ["result"],
        "properties": {
            "completed_by": {"type": "object", "properties": {"email": {"type": "string"}}},
            "result": {"type": "array", "items": result}
        }
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tasks of Label Studio",
        "type": "array",
        "items": {
            "type": "object",
            "required": ["data", "annotations"],
            "properties": {
                "id": {"type": "string"},
                "data": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
                "meta": {"type": "object"},
                "annotations": {"type": "array", "items": annotation}
            }
        }
    })
}

#[cfg(test)]
mod tests;
