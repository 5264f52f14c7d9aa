//! SQuAD 1.1 and 2.0: `data[*].paragraphs[*]`, one text each, or one flat row per question as `datasets` keeps it.
//!
//! | in the file | becomes |
//! | --- | --- |
//! | `context` | a text; `title` stands in its metadata |
//! | an answer | a span `answer` with `question` and `qa_id` in its attributes; its text is compared |
//! | a question without answer | a label `no_answer` of the text, with the question and `is_impossible` |
//! | `plausible_answers` | kept in the attributes of `no_answer` |
//!
//! Offsets count code points. An article is one record: files are cut between articles.

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value, json};
use spanfleet_core::Kind;

use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    format::{Dialect, Entry, FormatOptions, Layout},
    json::{self, Context, Sketch, id_at, list_at, object, offset_at, offset_of, str_at, take_text},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "squad",
    about: "SQuAD 1.1 and 2.0",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head);
    sketch.first_byte("data") == Some(b'[') || (sketch.has("context") && sketch.has_any(&["question", "qas"]))
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, Some("data"), article)
}

fn article(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    let mut article = object(value)?;
    if article.contains_key("context") {
        return read_row(article, context);
    }
    let Some(Value::Array(paragraphs)) = article.shift_remove("paragraphs") else {
        return Err(
            "neither `paragraphs` nor `context`; an article has `paragraphs`, each with its `context`".into(),
        );
    };
    for (nth, value) in paragraphs.into_iter().enumerate() {
        let id = format_compact!("{}-{}", context.id(), nth + 1);
        let source = value.to_string();
        let read = object(value).and_then(|value| paragraph(value, id, article.clone(), context));
        if let Err(reason) = read {
            let fault = crate::place::Fault::at(0, 1, format!("paragraph {}: {reason}", nth + 1));
            context.made.refusals.push(crate::made::Refusal { kind: Kind::Text, part: source, fault });
        }
    }
    Ok(())
}

/// A flat row: one text with one question.
pub(crate) fn read_row(row: Map<String, Value>, context: &mut Context<'_>) -> Result<(), String> {
    let id = row.get("id").and_then(json::id_of).unwrap_or_else(|| context.id());
    paragraph(row, id, Map::new(), context)
}

/// One text; what the article and the paragraph hold beside it is metadata.
fn paragraph(
    mut paragraph: Map<String, Value>,
    id: CompactString,
    article: Map<String, Value>,
    context: &mut Context<'_>,
) -> Result<(), String> {
    let text = take_text(&mut paragraph, "context").ok_or("`context` is missing, or no string")?;
    let mut metadata = context.metadata();
    metadata.extend(article);
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    if let Some(Value::Array(questions)) = paragraph.shift_remove("qas") {
        for question in &questions {
            ask(question, &mut draft);
        }
    } else if paragraph.contains_key("question") {
        let flat = flat_question(&mut paragraph);
        ask(&flat, &mut draft);
    }
    metadata.extend(paragraph);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// The question of a flat row in the form of the nested one.
fn flat_question(row: &mut Map<String, Value>) -> Value {
    let answers = row.shift_remove("answers").unwrap_or_default();
    let starts = list_at(&answers, "answer_start").iter();
    let pairs = starts.zip(list_at(&answers, "text"));
    let answers: Vec<Value> =
        pairs.map(|(start, text)| json!({"answer_start": start, "text": text})).collect();
    let mut question = Map::new();
    for key in ["id", "question", "is_impossible"] {
        question.extend(row.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    question.insert("answers".to_owned(), Value::Array(answers));
    Value::Object(question)
}

fn ask(question: &Value, draft: &mut Draft<'_>) {
    let answers = list_at(question, "answers");
    let id = id_at(question, "id");
    for answer in answers {
        let start = offset_at(answer, "answer_start");
        let (Some(start), Some(text)) = (start, str_at(answer, "text")) else {
            let reason = "answer: `answer_start` or `text` is missing".to_owned();
            draft.refuse(Kind::Annotation, answer.to_string(), reason);
            continue;
        };
        let end = start.saturating_add(text.chars().count() as u64);
        let stated = Stated {
            id: id.clone(),
            surface: Some(text),
            attributes: attributes(question, answer, &["answers", "plausible_answers", "is_impossible"]),
            ..Stated::new(Wanted::Span(start, end), "answer")
        };
        draft.add(stated, || answer.to_string());
    }
    if answers.is_empty() {
        let attributes = attributes(question, &Value::Null, &["answers"]);
        let stated = Stated { id, attributes, ..Stated::new(Wanted::Text, "no_answer") };
        draft.add(stated, || question.to_string());
    }
}

/// What is known of a question and its answer, but for some keys.
fn attributes(question: &Value, answer: &Value, but: &[&str]) -> Map<String, Value> {
    let mut attributes = Map::new();
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (key, value) in members(question) {
        let key = if key == "id" { "qa_id".to_owned() } else { key };
        if !but.contains(&key.as_str()) {
            attributes.insert(key, value);
        }
    }
    let beside = members(answer).into_iter().filter(|(key, _)| key != "text" && key != "answer_start");
    // An answer's end is told by its text; one that says otherwise is kept as it stands.
    attributes.extend(beside.filter(|(key, value)| key != "answer_end" || offset_of(value).is_none()));
    attributes
}
