//! Prodigy JSONL, as `db-out` writes it.
//!
//! | in the file | becomes |
//! | --- | --- |
//! | `spans` | spans; `score` is their confidence, `text` is compared, `source` and the like are attributes |
//! | `label` beside `text` | a label of the whole text |
//! | `accept` of a choice | labels of the whole text with `"kind": "choice"` |
//! | `tokens` | tokens |
//! | `relations` with `head`, `child`, `head_span`, `child_span` | relations between their spans |
//! | `_annotator_id`, else `_session_id` | the annotator |
//! | `answer`, `meta`, every other key | metadata; keys of Prodigy's own bookkeeping (`_…`) are left out |
//!
//! Of a task that was rejected or ignored the text is taken, and nothing of what was not accepted: `spans` and the
//! like stand in its metadata. Offsets count code points.

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Token};

use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    format::{Dialect, Entry, FormatOptions, Layout},
    json::{self, Context, Sketch, id_at, id_of, object, offset_at, str_at, take_text},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "prodigy",
    about: "Prodigy JSONL",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head);
    let is_own = sketch.has_any(&["_input_hash", "_task_hash", "_view_id", "_session_id"]);
    let is_answered = sketch.first_byte("answer") == Some(b'"') && !sketch.has("question");
    sketch.has("text") && (is_own || is_answered || has_spans(&sketch))
}

/// Spans with a start, where they are seen as a whole.
fn has_spans(sketch: &Sketch) -> bool {
    let spans = sketch.member("spans").and_then(Value::as_array);
    spans.is_some_and(|list| list.first().is_some_and(|span| span.get("start").is_some()))
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, None, read)
}

fn read(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    let mut task = object(value)?;
    let text = take_text(&mut task, "text").ok_or("`text` is missing, or no string")?;
    let id = task.shift_remove("id").as_ref().and_then(id_of).unwrap_or_else(|| context.id());
    let mut metadata = context.metadata();
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    let is_accepted = task.get("answer").is_none_or(|answer| answer == "accept");
    if let Some(Value::Array(tokens)) = task.shift_remove("tokens") {
        add_tokens(&tokens, &mut draft)?;
    }
    if is_accepted {
        Task::of(&mut task).add_to(&mut draft);
    }
    task.shift_remove("options");
    metadata.extend(task.into_iter().filter(|(key, _)| !key.starts_with('_')));
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// Prodigy's tokens carry the text that they cover.
fn add_tokens(tokens: &[Value], draft: &mut Draft<'_>) -> Result<(), String> {
    for (nth, token) in tokens.iter().enumerate() {
        let place = offset_at(token, "start").zip(offset_at(token, "end"));
        let (start, end) = place.ok_or_else(|| format!("token {}: `start` or `end` is missing", nth + 1))?;
        let word = |key: &str| str_at(token, key).map(CompactString::from);
        let kept = Token { pos: word("pos"), lemma: word("lemma"), ..Token::default() };
        draft.add_token(start, end, kept)?;
    }
    Ok(())
}

/// What was accepted of a task.
struct Task {
    annotator: Option<CompactString>,
    spans: Vec<Value>,
    label: Option<Value>,
    accept: Vec<Value>,
    relations: Vec<Value>,
}

impl Task {
    fn of(task: &mut Map<String, Value>) -> Task {
        let mut list = |key: &str| match task.shift_remove(key) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        let (spans, accept, relations) = (list("spans"), list("accept"), list("relations"));
        let annotator = ["_annotator_id", "_session_id"].iter().find_map(|key| id_of(task.get(*key)?));
        Task { annotator, spans, label: task.shift_remove("label"), accept, relations }
    }

    fn add_to(&self, draft: &mut Draft<'_>) {
        for span in &self.spans {
            self.add_span(span, draft);
        }
        if let Some(label) = self.label.as_ref().filter(|label| !label.is_null()) {
            self.add_label(label, Map::new(), draft);
        }
        for choice in &self.accept {
            let kind = [("kind".to_owned(), Value::from("choice"))];
            self.add_label(choice, kind.into_iter().collect(), draft);
        }
        for relation in &self.relations {
            self.relate(relation, draft);
        }
    }

    fn add_span(&self, span: &Value, draft: &mut Draft<'_>) {
        let place = offset_at(span, "start").zip(offset_at(span, "end"));
        let (Some((start, end)), Some(label)) = (place, id_at(span, "label")) else {
            let reason = "annotation: `start`, `end` or `label` is missing".to_owned();
            return draft.refuse(Kind::Annotation, span.to_string(), reason);
        };
        // Prodigy's spans have no ids; what a relation means by one is where it begins and ends.
        let at = span_key(start, end);
        let known = [
            "start",
            "end",
            "label",
            "text",
            "score",
            "token_start",
            "token_end",
            "input_hash",
            "id",
            "type",
        ];
        let attributes = span.as_object().into_iter().flatten();
        let attributes = attributes.filter(|(key, _)| !known.contains(&key.as_str()));
        let stated = Stated {
            annotator: self.annotator.as_deref(),
            confidence: span.get("score").and_then(Value::as_f64),
            attributes: attributes.map(|(key, value)| (key.clone(), value.clone())).collect(),
            surface: str_at(span, "text"),
            ..Stated::new(Wanted::Span(start, end), &label)
        };
        if let Some(place) = draft.add(stated, || span.to_string()) {
            draft.also(place, at);
        }
    }

    fn add_label(&self, label: &Value, attributes: Map<String, Value>, draft: &mut Draft<'_>) {
        let Some(word) = id_of(label) else {
            let reason = "annotation: a label has to be a string".to_owned();
            return draft.refuse(Kind::Annotation, label.to_string(), reason);
        };
        let annotator = self.annotator.as_deref();
        draft.add(Stated { annotator, attributes, ..Stated::new(Wanted::Text, &word) }, || label.to_string());
    }

    fn relate(&self, relation: &Value, draft: &mut Draft<'_>) {
        let end = |key: &str| {
            let span = relation.get(key)?;
            Some(span_key(offset_at(span, "start")?, offset_at(span, "end")?))
        };
        let token = |key: &str| {
            let token = draft.tokens().get(offset_at(relation, key)? as usize)?;
            Some(span_key(token.start.into(), token.end.into()))
        };
        let ends =
            end("head_span").or_else(|| token("head")).zip(end("child_span").or_else(|| token("child")));
        if let Some((head, child)) = &ends {
            self.add_bare_span(relation.get("head_span"), head, draft);
            self.add_bare_span(relation.get("child_span"), child, draft);
        }
        let form = "`head_span`, `child_span` or `label`";
        draft.relate_parts(ends, id_at(relation, "label"), form, relation);
    }

    /// A relation may stand between spans that have a label there only.
    fn add_bare_span(&self, span: Option<&Value>, at: &str, draft: &mut Draft<'_>) {
        if draft.place(at).is_some() {
            return;
        }
        let Some(span) = span.filter(|span| span.get("label").is_some_and(Value::is_string)) else { return };
        self.add_span(span, draft);
    }
}

/// What a relation means by a span.
fn span_key(start: u64, end: u64) -> CompactString {
    format_compact!("{start}-{end}")
}
