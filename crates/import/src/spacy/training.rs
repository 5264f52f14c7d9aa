//! Training data of spaCy 2: `{"id", "paragraphs": [{"raw", "sentences": [{"tokens": [{"orth", "ner"}]}], "cats"}]}`

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Token};

use crate::{
    conll::{Scheme, spans::spans, tags::Tag},
    draft::{Draft, Stated, Unit, Wanted},
    json::{Context, id_of, list_at, object, str_at, take_text},
    made::Refusal,
    place::Fault,
};

use super::doc::add_categories;

pub(super) fn read(mut doc: Map<String, Value>, context: &mut Context<'_>) -> Result<(), String> {
    let Some(Value::Array(paragraphs)) = doc.shift_remove("paragraphs") else {
        return Err("`paragraphs` is no list".to_owned());
    };
    let id = doc.get("id").and_then(id_of).unwrap_or_else(|| context.id());
    let is_one = paragraphs.len() == 1;
    for (nth, value) in paragraphs.into_iter().enumerate() {
        let id = if is_one { id.clone() } else { format_compact!("{id}-{}", nth + 1) };
        let source = value.to_string();
        if let Err(reason) = object(value).and_then(|value| paragraph(value, id, context)) {
            let fault = Fault::at(0, 1, format!("paragraph {}: {reason}", nth + 1));
            context.made.refusals.push(Refusal { kind: Kind::Text, part: source, fault });
        }
    }
    Ok(())
}

fn paragraph(
    mut value: Map<String, Value>,
    id: CompactString,
    context: &mut Context<'_>,
) -> Result<(), String> {
    let Some(Value::Array(sentences)) = value.shift_remove("sentences") else {
        return Err("`sentences` is missing".to_owned());
    };
    let words: Vec<&Value> = sentences.iter().flat_map(|sentence| list_at(sentence, "tokens")).collect();
    let text = match take_text(&mut value, "raw") {
        Some(raw) => raw,
        None => joined(&words),
    };
    let places = locate(&text, &words)?;
    let mut metadata = context.metadata();
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    for (word, (start, end)) in words.iter().zip(&places) {
        let known = |key: &str| str_at(word, key).filter(|tag| *tag != "-").map(CompactString::from);
        draft.add_token(
            *start,
            *end,
            Token { pos: known("tag"), lemma: known("lemma"), ..Token::default() },
        )?;
    }
    add_entities(&words, &places, &mut draft);
    if let Some(cats) = value.get("cats") {
        add_categories(cats, &mut draft);
    }
    metadata.extend(value);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// The text of words that have no raw text.
fn joined(words: &[&Value]) -> String {
    let mut text = String::new();
    for word in words {
        text.push_str(str_at(word, "orth").unwrap_or_default());
        text.push_str(str_at(word, "space").unwrap_or(" "));
    }
    text.truncate(text.trim_end().len());
    text
}

/// Where the words lie in their text, one after the other.
fn locate(text: &str, words: &[&Value]) -> Result<Vec<(u64, u64)>, String> {
    let (mut rest, mut at) = (text, 0);
    let mut places = Vec::with_capacity(words.len());
    for (nth, word) in words.iter().enumerate() {
        let orth = str_at(word, "orth").ok_or_else(|| format!("token {}: `orth` is missing", nth + 1))?;
        // A word may be white space itself.
        let trimmed = if rest.starts_with(orth) { rest } else { rest.trim_start() };
        let after = trimmed
            .strip_prefix(orth)
            .ok_or_else(|| format!("token {}: `{orth}` does not come next in the text", nth + 1))?;
        at += rest[..rest.len() - trimmed.len()].chars().count() as u64;
        let end = at + orth.chars().count() as u64;
        places.push((at, end));
        (rest, at) = (after, end);
    }
    Ok(places)
}

/// Tags in spaCy's BILUO; `-` is a word that nobody has looked at.
fn add_entities(words: &[&Value], places: &[(u64, u64)], draft: &mut Draft<'_>) {
    let tags = words.iter().map(|word| {
        let tag = str_at(word, "ner").unwrap_or("O");
        (Tag::of(tag).unwrap_or(Tag::Outside), tag)
    });
    for word in words.iter().filter(|word| str_at(word, "ner").is_some_and(is_no_tag)) {
        let reason = "annotation: `ner` is no tag of BILUO".to_owned();
        draft.refuse(Kind::Annotation, word.to_string(), reason);
    }
    for span in spans(tags, Scheme::Closed) {
        let mut stated = Stated::new(Wanted::Span(places[span.first].0, places[span.last].1), span.label);
        let irregular = span.irregular.map(|tag| ("irregular".to_owned(), Value::from(tag)));
        stated.attributes.extend(irregular);
        draft.add(stated, || span.label.to_owned());
    }
}

fn is_no_tag(tag: &str) -> bool {
    Tag::of(tag).is_none() && tag != "-" && !tag.is_empty()
}
