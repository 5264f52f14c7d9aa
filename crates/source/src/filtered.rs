//! The filter of a selection applied to documents in files.

use std::collections::{HashMap, HashSet};

use spanfleet_core::{Annotation, Document, Extent, Filter, Include, filter::Id};

/// Chooses documents and what is on them, as a database would with the same filter.
///
/// Relations stay even where the annotation at one of their ends is filtered away: the encoder counts them as
/// `endpoint_missing`.
#[derive(Clone, Debug)]
pub struct FileFilter {
    texts: Option<Names>,
    labels: Option<Names>,
    label_names: Option<Names>,
    annotators: Option<Names>,
    filter: Filter,
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
            label_names: filter.labels.as_ref().map(|names| Names(names.iter().cloned().collect())),
            annotators: names(&filter.annotator_ids),
            filter: filter.clone(),
            include: *include,
        }
    }

    /// Whether a text is selected.
    pub fn chooses(&self, document: &Document) -> bool {
        self.chooses_text(document)
            && self
                .filter
                .has_annotations
                .is_none_or(|wanted| wanted == self.chosen_annotations(document).contains(&true))
    }

    /// The document as selected; `None` when its text is not.
    pub fn apply(&self, mut document: Document) -> Option<Document> {
        if !self.chooses_text(&document) {
            return None;
        }
        if self.filter.narrows_annotations() {
            let mut chosen = self.chosen_annotations(&document).into_iter();
            document.annotations.retain(|_| chosen.next().unwrap_or(true));
        }
        if self.filter.has_annotations.is_some_and(|wanted| wanted == document.annotations.is_empty()) {
            return None;
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

    /// By id and metadata.
    fn chooses_text(&self, document: &Document) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.has(&document.id))
            && self.filter.takes_metadata(document.metadata.as_ref())
    }

    /// For each annotation, whether it is chosen.
    fn chosen_annotations(&self, document: &Document) -> Vec<bool> {
        let mut chosen: Vec<bool> =
            document.annotations.iter().map(|it| self.chooses_annotation(it)).collect();
        if let Some(least) = self.filter.min_agreement {
            keep_agreed(document, least, &mut chosen);
        }
        chosen
    }

    fn chooses_annotation(&self, annotation: &Annotation) -> bool {
        let Filter { date_from, date_to, .. } = self.filter;
        let is_label = |labels: &Names| {
            let leaf = annotation.label.rsplit('/').next().unwrap_or_default();
            labels.has(&annotation.label) || labels.has(leaf)
        };
        self.labels.as_ref().is_none_or(is_label)
            && self.label_names.as_ref().is_none_or(is_label)
            && self
                .annotators
                .as_ref()
                .is_none_or(|names| annotation.annotator.as_ref().is_some_and(|name| names.has(name)))
            && date_from.is_none_or(|from| annotation.created_at.is_some_and(|made| made >= from))
            && date_to.is_none_or(|to| annotation.created_at.is_some_and(|made| made <= to))
    }
}

/// Leaves what at least this share of the people made. The databases compute the same, with the same rounding.
fn keep_agreed(document: &Document, least: f64, chosen: &mut [bool]) {
    let mut people = HashSet::new();
    let mut makers: HashMap<(&Extent, &str), HashSet<Option<&str>>> = HashMap::new();
    for (annotation, _) in document.annotations.iter().zip(&*chosen).filter(|(_, chosen)| **chosen) {
        let annotator = annotation.annotator.as_deref();
        people.insert(annotator);
        makers.entry((&annotation.extent, &annotation.label)).or_default().insert(annotator);
    }
    let needed = least * people.len() as f64;
    for (annotation, chosen) in document.annotations.iter().zip(chosen) {
        let made = makers.get(&(&annotation.extent, &*annotation.label)).map_or(0, HashSet::len);
        *chosen = *chosen && made as f64 >= needed;
    }
}

#[cfg(test)]
mod tests {
    use spanfleet_core::{Json, Relation, Timestamp};

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
        check(&Filter { labels: Some(vec!["PER".to_owned()]), ..Filter::default() }, "bc");
        check(&Filter { min_agreement: Some(0.6), ..Filter::default() }, "bc");
        check(&Filter { min_agreement: Some(0.7), ..Filter::default() }, "");
        check(&Filter { min_agreement: Some(0.0), ..Filter::default() }, "abc");
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
