//! The other direction: documents into a database, behind `spanfleet import`; and what both databases keep alike.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`columns`] | tokens and fragments as JSON columns, surfaces |
//! | [`names`] | labels and people by id, label paths |
//! | [`range`] | the bounds of a partition |
//! | [`cut`] | where a sampled selection is cut into partitions |
//! | [`batch`] | documents in batches of about [`crate::BATCH_BYTES`] |
//! | [`contract`] | what every loader passes, with the source beside it |

pub mod batch;
pub mod columns;
pub mod contract;
pub mod cut;
pub mod names;
pub mod range;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use async_trait::async_trait;
use spanfleet_core::{Document, Extent, ProjectId};

use crate::{SourceError, SourceErrorKind};

/// Loads documents into an annotation database. One loader is one import: an external id may come once.
#[async_trait]
pub trait Loader: Send {
    /// Loads a batch in one transaction, in input order. A text whose external id is known in the project is
    /// skipped when it is the same and replaced when it changed, so an import that broke off may be run again.
    async fn load(&mut self, project: ProjectId, documents: Vec<Document>)
    -> Result<LoadReport, SourceError>;
}

/// What came of the documents of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Texts that the project did not have.
    pub texts_new: u64,
    /// Texts that stand there exactly so already.
    pub texts_unchanged: u64,
    /// Texts that were replaced by what was loaded.
    pub texts_updated: u64,
    /// Annotations written, on new and updated texts.
    pub annotations: u64,
    /// Relations written, on new and updated texts.
    pub relations: u64,
    /// Documents that this database can't hold.
    pub rejected: Vec<Rejected>,
}

/// A document that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The document's id.
    pub id: String,
    /// Why, as a lower-case clause.
    pub reason: String,
}

impl LoadReport {
    /// Adds the report of a later batch.
    pub fn add(&mut self, later: LoadReport) {
        self.texts_new += later.texts_new;
        self.texts_unchanged += later.texts_unchanged;
        self.texts_updated += later.texts_updated;
        self.annotations += later.annotations;
        self.relations += later.relations;
        self.rejected.extend(later.rejected);
    }
}

/// Moves out the documents for which `reason` names one; the others keep their order.
pub fn set_aside(
    documents: Vec<Document>,
    reason: impl Fn(&Document) -> Option<String>,
) -> (Vec<Document>, Vec<Rejected>) {
    let mut kept = Vec::with_capacity(documents.len());
    let mut rejected = Vec::new();
    for document in documents {
        match reason(&document) {
            None => kept.push(document),
            Some(reason) => rejected.push(Rejected { id: document.id.to_string(), reason }),
        }
    }
    (kept, rejected)
}

/// What no database of ours can hold: offsets beyond its integers, unnamed labels and people, relations
/// that dangle.
pub fn unstorable(document: &Document) -> Option<String> {
    let mut ids = HashSet::new();
    for annotation in &document.annotations {
        let id = &annotation.id;
        if annotation.label.is_empty() {
            return Some(format!("annotation `{id}` has an empty label"));
        }
        if !fits(&annotation.extent) {
            return Some(format!("annotation `{id}` has an offset beyond {}", i32::MAX));
        }
        if !document.relations.is_empty() {
            ids.insert(id);
        }
    }
    let mut ends = document.relations.iter().flat_map(|relation| [&relation.source, &relation.target]);
    let missing = ends.find(|end| !ids.contains(end))?;
    Some(format!("a relation names annotation `{missing}`, which the text does not have"))
}

fn fits(extent: &Extent) -> bool {
    extent.hull().is_none_or(|(start, end)| i32::try_from(start.max(end)).is_ok())
}

/// The external ids of one import so far, as 128-bit hashes: a hundred million of them fit in memory.
#[derive(Debug, Default)]
pub struct SeenIds {
    hashes: HashSet<u128>,
    hashers: (RandomState, RandomState),
}

impl SeenIds {
    /// Refuses a batch that names an id which an earlier batch, or the batch itself, has named already.
    pub fn check(&self, documents: &[Document]) -> Result<(), SourceError> {
        let mut batch = HashSet::new();
        for document in documents {
            let hash = self.hash(&document.id);
            if self.hashes.contains(&hash) || !batch.insert(hash) {
                return Err(SourceError::new(
                    SourceErrorKind::Invalid,
                    format!("text id `{}` stands twice in the input; give each text its own id", document.id),
                ));
            }
        }
        Ok(())
    }

    /// Keeps the ids of a batch that is committed.
    pub fn keep<'d>(&mut self, ids: impl Iterator<Item = &'d str>) {
        for id in ids {
            let hash = self.hash(id);
            self.hashes.insert(hash);
        }
    }

    fn hash(&self, id: &str) -> u128 {
        let (first, second) = (self.hashers.0.hash_one(id), self.hashers.1.hash_one(id));
        u128::from(first) << 64 | u128::from(second)
    }
}

#[cfg(test)]
mod tests {
    use spanfleet_core::{Annotation, Relation};

    use super::*;

    fn document(id: &str) -> Document {
        let annotation = Annotation {
            id: "a1".into(),
            extent: Extent::Span { start: 0, end: 3 },
            label: "PER".into(),
            annotator: None,
            confidence: None,
            attributes: None,
            created_at: None,
        };
        Document { id: id.into(), text: "Ada".into(), annotations: vec![annotation], ..Document::default() }
    }

    #[test]
    fn an_id_may_come_once_in_an_import() {
        let mut seen = SeenIds::default();
        let batch = [document("a"), document("b")];
        seen.check(&batch).unwrap();
        seen.keep(batch.iter().map(|document| document.id.as_str()));
        assert!(seen.check(&[document("c"), document("b")]).unwrap_err().to_string().contains("`b`"));
        assert!(seen.check(&[document("d"), document("d")]).unwrap_err().to_string().contains("`d`"));
    }

    #[test]
    fn what_can_not_be_stored_is_set_aside_with_its_reason() {
        let mut dangling = document("dangling");
        let relation =
            Relation { source: "a1".into(), target: "a9".into(), kind: "met".into(), confidence: None };
        dangling.relations.push(relation);
        let mut far = document("far");
        far.annotations[0].extent = Extent::Span { start: 0, end: u32::MAX };
        let mut unnamed = document("unnamed");
        unnamed.annotations[0].label = "".into();
        let documents = vec![dangling, document("fine"), far, unnamed];
        let (kept, rejected) = set_aside(documents, unstorable);
        assert_eq!(kept, [document("fine")]);
        let ids: Vec<&str> = rejected.iter().map(|rejected| rejected.id.as_str()).collect();
        assert_eq!(ids, ["dangling", "far", "unnamed"]);
        assert!(rejected[0].reason.contains("`a9`"));
    }
}
