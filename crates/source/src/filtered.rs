//! The filter of a selection applied to documents in files.

use std::collections::HashSet;

use spanfleet_core::{Annotation, Document, Filter, Include, Timestamp, filter::Id};

/// Chooses documents and what is on them, as a database would with the same filter.
///
/// Relations stay even where the annotation at one of their ends is filtered away: the encoder counts them as
/// `endpoint_missing`.
#[derive(Clone, Debug)]
pub struct FileFilter {
    texts: Option<Names>,
    labels: Option<Names>,
    annotators: Option<Names>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    narrows_annotations: bool,
    include: Include,
}

/// Wanted names. Files have no numbers for rows: a number means its decimal form.
#[derive(Clone, Debug)]
struct Names(HashSet<String>);

impl Names {
    fn of(ids: &[Id]) -> Names {
        let name = |id: &Id| match id {
            Id::Number(number) => number.to_string(),
            Id::Name(name) => name.clone(),
        };
        Names(ids.iter().map(name).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl FileFilter {
    /// The filter and the inclusions of one selection.
    pub fn new(filter: &Filter, include: &Include) -> FileFilter {
        let names = |ids: &Option<Vec<Id>>| ids.as_deref().map(Names::of);
        FileFilter {
            texts: names(&filter.text_ids),
            labels: names(&filter.label_ids),
            annotators: names(&filter.annotator_ids),
            from: filter.date_from,
            to: filter.date_to,
            narrows_annotations: filter.narrows_annotations(),
            include: *include,
        }
    }

    /// Whether the text of this id is selected.
    pub fn chooses_text(&self, id: &str) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.has(id))
    }

    /// The document as selected; `None` when its text is not.
    pub fn apply(&self, mut document: Document) -> Option<Document> {
        if !self.chooses_text(&document.id) {
            return None;
        }
        if self.narrows_annotations {
            document.annotations.retain(|annotation| self.chooses(annotation));
        }
        if !self.include.relations {
            document.relations = Vec::new();
        }
        if !self.include.metadata {
            document.metadata = None;
            document.annotations.iter_mut().for_each(|annotation| annotation.attributes = None);
        }
        Some(document)
    }

    fn chooses(&self, annotation: &Annotation) -> bool {
        let leaf = || annotation.label.rsplit('/').next().unwrap_or_default();
        self.labels.as_ref().is_none_or(|labels| labels.has(&annotation.label) || labels.has(leaf()))
            && self
                .annotators
                .as_ref()
                .is_none_or(|names| annotation.annotator.as_ref().is_some_and(|name| names.has(name)))
            && self.from.is_none_or(|from| annotation.created_at.is_some_and(|made| made >= from))
            && self.to.is_none_or(|to| annotation.created_at.is_some_and(|made| made <= to))
    }
}

#[cfg(test)]
mod tests {
    use spanfleet_core::{Extent, Json, Relation};

    use super::*;

    fn document() -> Document {
        let annotation = |id: &str, label: &str, annotator: Option<&str>, day: Option<&str>| Annotation {
            id: id.into(),
            extent: Extent::Text,
            label: label.into(),
            annotator: annotator.map(Into::into),
            confidence: None,
            attributes: Json::parse("{\"a\":1}").ok(),
            created_at: day.and_then(Timestamp::parse),
        };
        Document {
            id: "7".into(),
            metadata: Json::parse("{}").ok(),
            annotations: vec![
                annotation("a", "EVENT/Attack", Some("alice"), Some("2026-01-01")),
                annotation("b", "PER", Some("bob"), Some("2026-01-02")),
                annotation("c", "PER", None, None),
            ],
            relations: vec![Relation {
                source: "a".into(),
                target: "b".into(),
                kind: "r".into(),
                confidence: None,
            }],
            ..Document::default()
        }
    }

    fn check(filter: &Filter, expected: &str) {
        let include = Include { metadata: true, relations: true, hierarchies: false };
        let chosen = FileFilter::new(filter, &include).apply(document()).unwrap();
        assert_eq!(chosen.annotations.iter().map(|found| found.id.as_str()).collect::<String>(), expected);
        assert_eq!(chosen.relations.len(), 1);
    }

    fn names(list: &[&str]) -> Vec<Id> {
        list.iter().map(|name| Id::Name((*name).to_owned())).collect()
    }

    #[test]
    fn each_condition_chooses_annotations() {
        check(&Filter::default(), "abc");
        check(&Filter { label_ids: Some(names(&["Attack"])), ..Filter::default() }, "a");
        check(&Filter { label_ids: Some(names(&["EVENT/Attack", "PER"])), ..Filter::default() }, "abc");
        check(&Filter { annotator_ids: Some(names(&["bob"])), ..Filter::default() }, "b");
        check(&Filter { date_from: Timestamp::parse("2026-01-02"), ..Filter::default() }, "b");
        check(&Filter { date_to: Timestamp::parse("2026-01-01"), ..Filter::default() }, "a");
        check(&Filter { label_ids: Some(Vec::new()), ..Filter::default() }, "");
    }

    #[test]
    fn texts_are_chosen_by_name_or_number() {
        let apply = |ids| {
            let filter = Filter { text_ids: Some(ids), ..Filter::default() };
            FileFilter::new(&filter, &Include::default()).apply(document())
        };
        assert!(apply(vec![Id::Number(7)]).is_some());
        assert!(apply(vec![Id::Name("07".into())]).is_none());
        assert!(apply(Vec::new()).is_none());
    }

    #[test]
    fn what_is_not_included_is_gone() {
        let include = Include { metadata: false, relations: false, hierarchies: false };
        let bare = FileFilter::new(&Filter::default(), &include).apply(document()).unwrap();
        assert!(
            bare.metadata.is_none() && bare.relations.is_empty() && bare.annotations[0].attributes.is_none()
        );
    }
}
