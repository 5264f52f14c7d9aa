//! What PostgreSQL can't hold.

use spanfleet_core::Document;
use spanfleet_source::load::columns::text_row_bytes;
use spanfleet_source::load::names::label_components;
use spanfleet_source::load::unstorable;

/// A message holds at most one gigabyte, and a row has to come in one.
const ROW_BYTES: usize = 1_000_000_000;
/// An entry of an index holds at most 2,704 bytes.
const INDEXED_BYTES: usize = 2_600;
/// `users.name` is that long.
const NAME_CHARS: usize = 255;

/// Why a document can't be loaded, if so.
pub(crate) fn refusal(document: &Document) -> Option<String> {
    unstorable(document).or_else(|| nul(document)).or_else(|| too_long(document))
}

fn nul(document: &Document) -> Option<String> {
    let refuse = |what: &str| Some(format!("{what} holds a NUL character, which PostgreSQL can't store"));
    let has_nul = |text: &str| text.as_bytes().contains(&0);
    if has_nul(&document.text) {
        return refuse("the text");
    }
    if has_nul(&document.id) {
        return refuse("its id");
    }
    for annotation in &document.annotations {
        if has_nul(&annotation.id)
            || has_nul(&annotation.label)
            || annotation.annotator.as_deref().is_some_and(has_nul)
        {
            return refuse("an annotation's id, label or annotator");
        }
    }
    let types = document.relations.iter().any(|relation| has_nul(&relation.kind));
    if types { refuse("a relation's type") } else { None }
}

fn too_long(document: &Document) -> Option<String> {
    if text_row_bytes(document) > ROW_BYTES {
        return Some(format!("it is longer than the {ROW_BYTES} bytes that PostgreSQL takes in a row"));
    }
    if document.id.len() > INDEXED_BYTES {
        return Some(format!("its id is longer than {INDEXED_BYTES} bytes"));
    }
    document.annotations.iter().find_map(|annotation| {
        let id = &annotation.id;
        if label_components(&annotation.label).iter().any(|name| name.len() > INDEXED_BYTES) {
            return Some(format!("the label of annotation `{id}` is longer than {INDEXED_BYTES} bytes"));
        }
        let annotator = annotation.annotator.as_deref().unwrap_or_default();
        let is_long = annotator.len() > NAME_CHARS && annotator.chars().count() > NAME_CHARS;
        is_long.then(|| format!("the annotator of annotation `{id}` is longer than {NAME_CHARS} characters"))
    })
}
