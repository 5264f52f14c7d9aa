//! One text of a DocBin, from the line that was unpacked.

use std::collections::HashSet;

use compact_str::CompactString;
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Token};

use super::super::doc::add_categories;
use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    json::{Context, id_at, list_at, offset_of, str_at},
};

/// A word of the line: `[word, space, iob, label, kb_id, id, lemma, tag]`.
struct Word<'v> {
    text: &'v str,
    has_space: bool,
    iob: u64,
    entity: [&'v str; 3],
    lemma: &'v str,
    tag: &'v str,
}

impl<'v> Word<'v> {
    fn of(value: &'v Value) -> Option<Word<'v>> {
        let [text, space, iob, label, kb_id, id, lemma, tag] = value.as_array()?.as_slice() else {
            return None;
        };
        Some(Word {
            text: text.as_str()?,
            has_space: space.as_bool()?,
            iob: iob.as_u64()?,
            entity: [label.as_str()?, kb_id.as_str()?, id.as_str()?],
            lemma: lemma.as_str()?,
            tag: tag.as_str()?,
        })
    }
}

pub(in super::super) fn read(doc: &Value, context: &mut Context<'_>) -> Result<(), String> {
    if let Some(reason) = str_at(doc, "broken") {
        return Err(format!("the DocBin can't be read from here on: {reason}"));
    }
    let words = list_at(doc, "tokens").iter().map(Word::of).collect::<Option<Vec<_>>>();
    let words = words.ok_or("no words of a DocBin")?;
    let mut text = String::new();
    let mut places = Vec::with_capacity(words.len());
    let mut at = 0;
    for word in &words {
        let end = at + word.text.chars().count() as u64;
        places.push((at, end));
        at = end + u64::from(word.has_space);
        text.push_str(word.text);
        text.push_str(if word.has_space { " " } else { "" });
    }
    let data = doc.get("user_data").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut metadata = context.metadata();
    let id = id(&data, context);
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    for (word, (start, end)) in words.iter().zip(&places) {
        let known = |word: &str| (!word.is_empty()).then(|| CompactString::from(word));
        draft.add_token(
            *start,
            *end,
            Token { pos: known(word.tag), lemma: known(word.lemma), ..Token::default() },
        )?;
    }
    add_spans(doc, &words, &places, &mut draft);
    if let Some(cats) = doc.get("cats").filter(|cats| cats.as_object().is_some_and(|cats| !cats.is_empty())) {
        add_categories(cats, &mut draft);
        metadata.insert("cats".to_owned(), cats.clone());
    }
    add_relations(data.get("relations"), &mut draft);
    add_data(data, &mut metadata);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// The id that Spanfleet puts into a DocBin; a piece of a text has its number in it.
fn id(data: &Map<String, Value>, context: &Context<'_>) -> CompactString {
    let own = data.get("id").and_then(crate::json::id_of);
    let id = own.unwrap_or_else(|| context.id());
    match data.get("part").and_then(offset_of) {
        Some(part) => compact_str::format_compact!("{id}.{part}"),
        None => id,
    }
}

/// What `user_data` holds beside the id. spaCy's own form of relations, which says less, is left out where
/// Spanfleet's stands beside it.
fn add_data(data: Map<String, Value>, metadata: &mut Map<String, Value>) {
    let has_relations = data.contains_key("relations");
    for (key, value) in data {
        match (key.as_str(), value) {
            ("id" | "relations", _) => {}
            (key, _) if has_relations && key.starts_with(r#"["._.","rel","#) => {}
            ("metadata", Value::Object(own)) => metadata.extend(own),
            (_, value) => drop(metadata.insert(key, value)),
        }
    }
}

/// Groups before entities: an entity that stands in a group too is one annotation.
fn add_spans(doc: &Value, words: &[Word<'_>], places: &[(u64, u64)], draft: &mut Draft<'_>) {
    let mut seen = HashSet::new();
    let groups = doc.get("spans").and_then(Value::as_object).into_iter().flatten();
    for (group, spans) in groups {
        for (nth, span) in spans.as_array().into_iter().flatten().enumerate() {
            let id = (group == "sc").then(|| nth.to_string());
            add_group_span(span, group, id.as_deref(), places, draft, &mut seen);
        }
    }
    for (first, last) in entities(words, draft) {
        let [label, kb_id, id] = words[first].entity;
        let (start, end) = (places[first].0, places[last].1);
        if !seen.insert((start, end, CompactString::from(label))) {
            continue;
        }
        let mut stated = Stated::new(Wanted::Span(start, end), label);
        for (key, value) in [("kb_id", kb_id), ("id", id)].into_iter().filter(|(_, value)| !value.is_empty())
        {
            stated.attributes.insert(key.to_owned(), Value::from(value));
        }
        draft.add(stated, || label.to_owned());
    }
}

fn add_group_span(
    span: &Value,
    group: &str,
    id: Option<&str>,
    places: &[(u64, u64)],
    draft: &mut Draft<'_>,
    seen: &mut HashSet<(u64, u64, CompactString)>,
) {
    let place = |nth: u64| places.get(nth as usize);
    let known = match span.as_array().map(Vec::as_slice) {
        Some([first, end, Value::String(label), Value::String(kb_id)]) => {
            let ends = offset_of(first).zip(offset_of(end)).filter(|(first, end)| first < end);
            ends.and_then(|(first, end)| Some((place(first)?.0, place(end - 1)?.1, label, kb_id)))
        }
        _ => None,
    };
    let Some((start, end, label, kb_id)) = known else {
        let reason = "annotation: a span that lies past the words of its text, or is empty".to_owned();
        return draft.refuse(Kind::Annotation, span.to_string(), reason);
    };
    let mut stated = Stated::new(Wanted::Span(start, end), label);
    for (key, value) in [("group", group), ("kb_id", kb_id)] {
        if !value.is_empty() && (key, value) != ("group", "sc") {
            stated.attributes.insert(key.to_owned(), Value::from(value));
        }
    }
    if let Some(place) = draft.add(stated, || span.to_string()) {
        seen.insert((start, end, label.into()));
        if let Some(id) = id {
            draft.also(place, id.into());
        }
    }
}

/// First and last word of each entity: 3 begins one, 1 goes on.
fn entities(words: &[Word<'_>], draft: &mut Draft<'_>) -> Vec<(usize, usize)> {
    let mut entities: Vec<(usize, usize)> = Vec::new();
    for (nth, word) in words.iter().enumerate() {
        match word.iob {
            3 => entities.push((nth, nth)),
            1 if entities.last().is_some_and(|(_, last)| last + 1 == nth) => {
                entities.last_mut().into_iter().for_each(|(_, last)| *last = nth);
            }
            1 => {
                let reason = format!("annotation: word {} goes on with an entity that never began", nth + 1);
                draft.refuse(Kind::Annotation, word.text.to_owned(), reason);
            }
            _ => {}
        }
    }
    entities
}

/// Relations by the places of spans in the group `sc`, as Spanfleet writes them.
fn add_relations(relations: Option<&Value>, draft: &mut Draft<'_>) {
    for relation in relations.and_then(Value::as_array).into_iter().flatten() {
        let ends = id_at(relation, "source").zip(id_at(relation, "target"));
        draft.relate_parts(ends, id_at(relation, "type"), "`source`, `target` or `type`", relation);
    }
}
