//! `Doc.to_json()`, and `[text, annotations]`.

use std::collections::HashSet;

use compact_str::CompactString;
use serde_json::{Map, Value};
use spanfleet_core::{Kind, Token};

use crate::{
    draft::{Draft, Stated, Unit, Wanted},
    json::{Context, id_at, id_of, kind_of, object, offset_at, offset_of, str_at, take_text},
};

/// The group that `spancat` trains on when it is told of none.
const DEFAULT_GROUP: &str = "sc";

/// `[text, {"entities", "spans", "cats", …}]`
pub(super) fn read_pair(text: Value, annotations: Value, context: &mut Context<'_>) -> Result<(), String> {
    let Value::String(text) = text else {
        return Err(format!("the text has to be a string, not {}", kind_of(&text)));
    };
    let mut doc = object(annotations)?;
    doc.insert("text".to_owned(), Value::String(text));
    read(doc, context)
}

/// `{"text", "ents", "spans", "cats", "tokens", …}`
pub(super) fn read(mut doc: Map<String, Value>, context: &mut Context<'_>) -> Result<(), String> {
    let text = take_text(&mut doc, "text").ok_or("`text` is missing, or no string")?;
    let id = doc.shift_remove("id").as_ref().and_then(id_of).unwrap_or_else(|| context.id());
    let mut metadata = context.metadata();
    let mut draft = Draft::new(text, Unit::CodePoints, context.names);
    let mut entities_known = HashSet::new();
    for key in ["ents", "entities"] {
        if let Some(Value::Array(entities)) = doc.shift_remove(key) {
            for entity in &entities {
                entities_known.extend(place_of(entity));
                add_span(entity, None, &mut draft);
            }
        }
    }
    if let Some(Value::Object(groups)) = doc.shift_remove("spans") {
        for (key, spans) in &groups {
            // The group of all spans holds the entities too: each is one annotation.
            let is_entity = |span: &&Value| {
                key == DEFAULT_GROUP && place_of(span).is_some_and(|place| entities_known.contains(&place))
            };
            for span in spans.as_array().into_iter().flatten().filter(|span| !is_entity(span)) {
                add_span(span, Some(key), &mut draft);
            }
        }
    }
    if let Some(cats) = doc.get("cats") {
        add_categories(cats, &mut draft);
    }
    if doc.get("tokens").is_some_and(|tokens| add_tokens(tokens, &mut draft)) {
        doc.shift_remove("tokens");
    }
    metadata.extend(doc);
    draft.finish(id, metadata, context.made);
    Ok(())
}

/// Start, end and label of `[start, end, label]`, `[start, end, label, kb_id]`, or an object.
fn place_of(span: &Value) -> Option<((u64, u64), CompactString)> {
    match span.as_array().map(Vec::as_slice) {
        Some([start, end, label, ..]) => offset_of(start).zip(offset_of(end)).zip(id_of(label)),
        _ => offset_at(span, "start").zip(offset_at(span, "end")).zip(id_at(span, "label")),
    }
}

fn add_span(span: &Value, group: Option<&str>, draft: &mut Draft<'_>) {
    let Some(((start, end), label)) = place_of(span) else {
        let reason =
            "annotation: no span that is known; spans are `[start, end, label]` or objects with these";
        return draft.refuse(Kind::Annotation, span.to_string(), reason.to_owned());
    };
    let mut attributes = Map::new();
    // The group that everyone uses needs no word.
    attributes.extend(
        group.filter(|group| *group != DEFAULT_GROUP).map(|group| ("group".to_owned(), Value::from(group))),
    );
    for key in ["kb_id", "id"] {
        let known = span.get(key).filter(|value| !matches!(value.as_str(), None | Some("")));
        attributes.extend(known.map(|value| (key.to_owned(), value.clone())));
    }
    let stated =
        Stated { attributes, surface: str_at(span, "text"), ..Stated::new(Wanted::Span(start, end), &label) };
    draft.add(stated, || span.to_string());
}

/// `{"A": 1.0, "B": 0.0}`, or `[{"label": "A", "value": 1.0}]` of spaCy 2.
pub(super) fn add_categories(cats: &Value, draft: &mut Draft<'_>) {
    let named = cats.as_object().into_iter().flatten().map(|(label, value)| (label.as_str(), degree(value)));
    let listed = cats.as_array().into_iter().flatten();
    let listed = listed.filter_map(|cat| Some((str_at(cat, "label")?, degree(cat.get("value")?))));
    for (label, value) in named.chain(listed).filter(|(_, value)| *value >= 0.5) {
        let confidence = (value < 1.0).then_some(value);
        draft.add(Stated { confidence, ..Stated::new(Wanted::Text, label) }, || label.to_owned());
    }
}

fn degree(value: &Value) -> f64 {
    value.as_bool().map_or_else(|| value.as_f64().unwrap_or_default(), f64::from)
}

/// Takes tokens; false when they are none of this text, and then none is taken.
fn add_tokens(tokens: &Value, draft: &mut Draft<'_>) -> bool {
    let Some(tokens) = tokens.as_array() else { return false };
    let all = tokens.iter().try_for_each(|token| {
        let place = offset_at(token, "start").zip(offset_at(token, "end"));
        let (start, end) = place.ok_or_else(String::new)?;
        let word = |key: &str| str_at(token, key).filter(|word| !word.is_empty()).map(CompactString::from);
        let kept =
            Token { pos: word("tag").or_else(|| word("pos")), lemma: word("lemma"), ..Token::default() };
        draft.add_token(start, end, kept)
    });
    if all.is_err() {
        draft.drop_tokens();
    }
    all.is_ok()
}
