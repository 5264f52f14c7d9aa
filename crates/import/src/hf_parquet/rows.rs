//! One row to one text.

use compact_str::CompactString;
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Token};

use super::KEY;
use crate::{
    conll::{Scheme, spans::spans, tags::Tag},
    draft::{Draft, Stated, Unit, Wanted},
    json::{Context, id_at, id_of, object, offset_at, str_at, take_text},
    squad,
};

/// Columns that may hold tags, in the order in which they are looked for.
const TAGS: [&str; 5] = ["ner_tags", "tags", "ner", "labels", "label"];

pub(super) fn read(value: Value, context: &mut Context<'_>) -> Result<(), String> {
    let mut line = object(value)?;
    let mut line = object(line.shift_remove(KEY).unwrap_or_default())?;
    if let Some(reason) = line.get("broken").and_then(Value::as_str) {
        return Err(format!("the Parquet file can't be read from here on: {reason}"));
    }
    let mut row = object(line.shift_remove("row").unwrap_or_default())?;
    if row.contains_key("context") {
        return squad::read_row(row, context);
    }
    let id = row.shift_remove("id").as_ref().and_then(id_of).unwrap_or_else(|| context.id());
    let words = take_words(&mut row);
    let text = take_text(&mut row, "text").or_else(|| words.as_ref().map(|words| words.join(" ")));
    let text = text.ok_or("neither `text` nor `tokens`; say which column holds the text by renaming it")?;
    let mut metadata = context.metadata();
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    if let Some(words) = &words {
        add_tagged(words, &mut row, &mut draft)?;
    }
    for key in ["spans", "entities"] {
        if let Some(Value::Array(list)) = row.shift_remove(key) {
            for span in &list {
                add_span(span, &mut draft);
            }
        }
    }
    for key in ["label", "labels"] {
        add_labels(row.shift_remove(key).unwrap_or_default(), &mut draft);
    }
    metadata.extend(row);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// Words, where there is a list of strings; it may be empty.
fn take_words(row: &mut Map<String, Value>) -> Option<Vec<String>> {
    for key in ["tokens", "words"] {
        let list = row.get(key).and_then(Value::as_array);
        let words = list.and_then(|list| list.iter().map(|word| word.as_str().map(str::to_owned)).collect());
        if let Some(words) = words {
            row.shift_remove(key);
            return Some(words);
        }
    }
    None
}

/// Tags of words, and the words themselves as tokens.
fn add_tagged(words: &[String], row: &mut Map<String, Value>, draft: &mut Draft<'_>) -> Result<(), String> {
    let mut take = |key: &str| {
        let fits = row.get(key).and_then(Value::as_array).is_some_and(|list| list.len() == words.len());
        let list = if fits { row.shift_remove(key) } else { None };
        list.map(|list| list.as_array().into_iter().flatten().map(id_of).collect::<Vec<_>>())
    };
    let tags = TAGS.iter().find_map(|key| take(key)).unwrap_or_default();
    let [pos, chunks] = ["pos_tags", "chunk_tags"].map(|key| take(key).unwrap_or_default());
    let mut rest_at = 0;
    let mut places = Vec::with_capacity(words.len());
    for (nth, word) in words.iter().enumerate() {
        let (start, end) = draft
            .find(&mut rest_at, word)
            .ok_or_else(|| format!("token {}: `{word}` does not come next in the text", nth + 1))?;
        let known = |list: &[Option<CompactString>]| list.get(nth).cloned().flatten();
        let token = Token { pos: known(&pos), chunk: known(&chunks), ..Token::default() };
        draft.add_token(start, end, token)?;
        places.push((start, end));
    }
    add_spans(&tags, &places, draft);
    Ok(())
}

fn add_spans(tags: &[Option<CompactString>], places: &[(u64, u64)], draft: &mut Draft<'_>) {
    let text_of = |tag: &Option<CompactString>| tag.clone().unwrap_or_else(|| "O".into());
    let tags: Vec<CompactString> = tags.iter().map(text_of).collect();
    for tag in tags.iter().filter(|tag| Tag::of(tag).is_none()) {
        let reason = format!("annotation: `{tag}` is no tag; the schema has no ClassLabel with its name");
        draft.refuse(Kind::Annotation, tag.to_string(), reason);
    }
    let known: Vec<(Tag<'_>, &str)> =
        tags.iter().map(|tag| (Tag::of(tag).unwrap_or(Tag::Outside), tag.as_str())).collect();
    let has_closing = known.iter().any(|(tag, _)| matches!(tag, Tag::Last(_) | Tag::Unit(_)));
    let scheme = if has_closing { Scheme::Closed } else { Scheme::Bio };
    for span in spans(known.into_iter(), scheme) {
        let mut stated = Stated::new(Wanted::Span(places[span.first].0, places[span.last].1), span.label);
        let irregular = span.irregular.map(|tag| ("irregular".to_owned(), Value::from(tag)));
        stated.attributes.extend(irregular);
        draft.add(stated, || span.label.to_owned());
    }
}

fn add_span(span: &Value, draft: &mut Draft<'_>) {
    let place = offset_at(span, "start").zip(offset_at(span, "end"));
    let label = id_at(span, "label").or_else(|| id_at(span, "type"));
    let Some(((start, end), label)) = place.zip(label) else {
        let reason = "annotation: `start`, `end` or `label` is missing".to_owned();
        return draft.refuse(Kind::Annotation, span.to_string(), reason);
    };
    let known = ["id", "start", "end", "label", "type", "text"];
    let others = span.as_object().into_iter().flatten();
    let others = others.filter(|(key, value)| !known.contains(&key.as_str()) && !value.is_null());
    let stated = Stated {
        id: id_at(span, "id"),
        attributes: others.map(|(key, value)| (key.clone(), value.clone())).collect(),
        surface: str_at(span, "text"),
        ..Stated::new(Wanted::Span(start, end), &label)
    };
    draft.add(stated, || span.to_string());
}

/// A label of the whole text, or a list of them.
fn add_labels(labels: Value, draft: &mut Draft<'_>) {
    let labels = match labels {
        Value::Array(list) => list,
        one => vec![one],
    };
    for label in labels.iter().filter_map(id_of) {
        draft.add(Stated::new(Wanted::Text, &label), || label.to_string());
    }
}
