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

#[cfg(test)]
mod tests {
    use spanfleet_core::{Annotation, Extent};

    use super::*;

    fn document(id: &str, label: &str, annotator: &str) -> Document {
        let annotation = Annotation {
            id: "a1".into(),
            extent: Extent::Text,
            label: label.into(),
            annotator: Some(annotator.into()),
            confidence: None,
            attributes: None,
            created_at: None,
        };
        Document { id: id.into(), text: "Ada".into(), annotations: vec![annotation], ..Document::default() }
    }

    #[test]
    fn limits_and_nul_are_refused_by_name() {
        let check = |document: Document, expected: Option<&str>| match (refusal(&document), expected) {
            (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => assert_eq!(found.as_deref(), expected),
        };
        let long = |bytes: usize| "x".repeat(bytes);
        check(document(&long(INDEXED_BYTES), &long(INDEXED_BYTES), &"é".repeat(NAME_CHARS)), None);
        check(document(&long(INDEXED_BYTES + 1), "PER", "ada"), Some("its id is longer than 2600 bytes"));
        let path = format!("EVENT/{}", long(INDEXED_BYTES + 1));
        check(document("t", &path, "ada"), Some("the label of annotation `a1` is longer than 2600 bytes"));
        let name = "é".repeat(NAME_CHARS + 1);
        check(
            document("t", "PER", &name),
            Some("the annotator of annotation `a1` is longer than 255 characters"),
        );
        check(document("a\0", "PER", "ada"), Some("its id holds a NUL character"));
        check(document("t", "P\0", "ada"), Some("id, label or annotator holds a NUL character"));
        check(
            Document { text: "a\0".to_owned(), ..document("t", "PER", "ada") },
            Some("the text holds a NUL"),
        );
    }
}
