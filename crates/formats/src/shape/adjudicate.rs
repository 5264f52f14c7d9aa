//! Whose word is taken where several people annotated one text.

use std::collections::{HashMap, HashSet};

use compact_str::CompactString;
use spanfleet_core::{Annotation, Document, Extent, Ledger, Loss, Relation, options::Annotators};

/// Applies the order's policy. Pushes the documents that come of it: one, or one for each annotator.
/// For a vote, `labels` has a number for each annotation's label; labels that are written alike share it.
pub(super) fn adjudicate(
    annotators: &Annotators,
    mut document: Document,
    labels: &[u32],
    ledger: &mut Ledger,
    out: &mut Vec<Document>,
) {
    match annotators {
        Annotators::All => {}
        Annotators::Only(names) => take_named(names, &mut document, ledger),
        Annotators::Majority => take_majority(&mut document, labels, ledger),
        Annotators::Each => return split_by_annotator(document, ledger, out),
    }
    out.push(document);
}

fn take_named(names: &[String], document: &mut Document, ledger: &mut Ledger) {
    let Document { id, annotations, .. } = document;
    annotations.retain(|annotation| {
        let is_named = annotation
            .annotator
            .as_deref()
            .is_some_and(|annotator| names.iter().any(|name| name == annotator));
        if !is_named {
            ledger.lose_annotation(Loss::Adjudicated, id, &annotation.id);
        }
        is_named
    });
}

/// What a vote is about: one extent under one label.
type Choice<'a> = (&'a Extent, u32);

/// Keeps one of each choice that more than half of the text's annotators made: the first in input order stands
/// for all, also as an end of relations. Whoever has no name counts as one person.
fn take_majority(document: &mut Document, labels: &[u32], ledger: &mut Ledger) {
    let choices = || document.annotations.iter().zip(labels).map(|(it, label)| (it, (&it.extent, *label)));
    let people: HashSet<_> = document.annotations.iter().map(annotator_of).collect();
    let mut voters: HashMap<Choice<'_>, HashSet<&str>> = HashMap::new();
    for (annotation, choice) in choices() {
        voters.entry(choice).or_default().insert(annotator_of(annotation));
    }
    let mut taken: HashMap<Choice<'_>, &CompactString> = HashMap::new();
    let mut stands_for: HashMap<CompactString, CompactString> = HashMap::new();
    let mut verdicts = Vec::with_capacity(document.annotations.len());
    for (annotation, choice) in choices() {
        verdicts.push(if voters[&choice].len() * 2 <= people.len() {
            Some(Loss::Adjudicated)
        } else if let Some(first) = taken.get(&choice) {
            stands_for.insert(annotation.id.clone(), (*first).clone());
            Some(Loss::Duplicate)
        } else {
            taken.insert(choice, &annotation.id);
            None
        });
    }
    let mut verdicts = verdicts.into_iter();
    let Document { id, annotations, .. } = document;
    annotations.retain(|annotation| {
        let loss = verdicts.next().flatten();
        if let Some(loss) = loss {
            ledger.lose_annotation(loss, id, &annotation.id);
        }
        loss.is_none()
    });
    move_ends(document, &stands_for, ledger);
}

/// Relations between annotations that others stand for become relations between those, each written once.
fn move_ends(
    document: &mut Document,
    stands_for: &HashMap<CompactString, CompactString>,
    ledger: &mut Ledger,
) {
    let Document { id, relations, .. } = document;
    for relation in relations.iter_mut() {
        for end in [&mut relation.source, &mut relation.target] {
            if let Some(other) = stands_for.get(end) {
                end.clone_from(other);
            }
        }
    }
    let mut known = HashSet::new();
    relations.retain(|Relation { source, target, kind, confidence }| {
        let is_new = known.insert((source.clone(), target.clone(), kind.clone()));
        if !is_new {
            let again = Relation {
                source: source.clone(),
                target: target.clone(),
                kind: kind.clone(),
                confidence: *confidence,
            };
            ledger.lose_relation(Loss::Duplicate, id, &again);
        }
        is_new
    });
}

/// A document for each annotator, in order of appearance, as `id@annotator`; what has no annotator stays under
/// the text's own id, and so does a text that nobody annotated. Relations go
/// with their source; one without a source on the text is lost.
fn split_by_annotator(document: Document, ledger: &mut Ledger, out: &mut Vec<Document>) {
    let mut people: Vec<&str> = Vec::new();
    for annotation in &document.annotations {
        let annotator = annotator_of(annotation);
        if !people.contains(&annotator) {
            people.push(annotator);
        }
    }
    if people.is_empty() || people == [NOBODY] {
        out.push(document);
        return;
    }
    ledger.counts.texts_selected += people.len() as u64 - 1;
    let sources: HashSet<&str> =
        document.annotations.iter().map(|annotation| annotation.id.as_str()).collect();
    for relation in document.relations.iter().filter(|relation| !sources.contains(relation.source.as_str())) {
        ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
    }
    for person in people {
        let of_person = |annotation: &&Annotation| annotator_of(annotation) == person;
        let annotations: Vec<Annotation> = document.annotations.iter().filter(of_person).cloned().collect();
        let ids: HashSet<&str> = annotations.iter().map(|annotation| annotation.id.as_str()).collect();
        let relations: Vec<Relation> = document
            .relations
            .iter()
            .filter(|relation| ids.contains(relation.source.as_str()))
            .cloned()
            .collect();
        let id = match person {
            NOBODY => document.id.clone(),
            name => format!("{}@{name}", document.id).into(),
        };
        out.push(Document {
            id,
            text: document.text.clone(),
            metadata: document.metadata.clone(),
            annotations,
            relations,
            tokens: document.tokens.clone(),
        });
    }
}

/// Stands for annotators without a name: nobody has an empty one.
const NOBODY: &str = "";

fn annotator_of(annotation: &Annotation) -> &str {
    annotation.annotator.as_deref().unwrap_or(NOBODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::document;

    const TEXT: &str = r#"{"id":"t","text":"Ada met Bo","annotations":[
        {"id":"a1","start":0,"end":3,"label":"PER","annotator":"ann"},
        {"id":"b1","start":0,"end":3,"label":"PER","annotator":"bob"},
        {"id":"c1","start":0,"end":3,"label":"ORG","annotator":"cy"},
        {"id":"a2","start":8,"end":10,"label":"PER","annotator":"ann"},
        {"id":"b2","start":8,"end":10,"label":"PER","annotator":"bob"},
        {"id":"c2","start":4,"end":7,"label":"V","annotator":"cy"}],
        "relations":[{"source":"a1","target":"a2","type":"met"},{"source":"b1","target":"b2","type":"met"}]}"#;

    fn adjudicated(annotators: &Annotators) -> (Vec<String>, Ledger) {
        let (mut out, mut ledger) = (Vec::new(), Ledger::default());
        adjudicate(annotators, document(TEXT), &[0, 0, 1, 0, 0, 2], &mut ledger, &mut out);
        let ids = |found: &Document| {
            let ids: Vec<_> = found.annotations.iter().map(|annotation| annotation.id.as_str()).collect();
            format!("{} {} {}", found.id, ids.join(","), found.relations.len())
        };
        (out.iter().map(ids).collect(), ledger)
    }

    #[test]
    fn more_than_half_is_a_majority() {
        let (found, ledger) = adjudicated(&Annotators::Majority);
        assert_eq!(found, ["t a1,a2 1"]);
        let losses: Vec<_> = ledger.losses(0).iter().map(|loss| (loss.reason, loss.count)).collect();
        assert_eq!(losses, [(Loss::Adjudicated, 2), (Loss::Duplicate, 2), (Loss::Duplicate, 1)]);
    }

    #[test]
    fn a_tie_is_no_majority() {
        let tie = r#"{"text":"Ada","annotations":[{"id":"1","start":0,"end":3,"label":"PER","annotator":"a"},
            {"id":"2","start":0,"end":3,"label":"ORG","annotator":"b"}]}"#;
        let (mut out, mut ledger) = (Vec::new(), Ledger::default());
        adjudicate(&Annotators::Majority, document(tie), &[0, 1], &mut ledger, &mut out);
        assert!(out[0].annotations.is_empty());
    }

    #[test]
    fn each_annotator_has_a_text() {
        let (found, ledger) = adjudicated(&Annotators::Each);
        assert_eq!(found, ["t@ann a1,a2 1", "t@bob b1,b2 1", "t@cy c1,c2 0"]);
        assert!(ledger.losses(0).is_empty());
    }

    #[test]
    fn the_named_are_taken() {
        let (found, ledger) = adjudicated(&Annotators::Only(vec!["cy".to_owned()]));
        assert_eq!(found, ["t c1,c2 2"]);
        assert_eq!(ledger.losses(0)[0].count, 4);
    }
}
