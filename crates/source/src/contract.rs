//! The contract that every driver passes.
//!
//! ```text
//! contract::contract(async |documents| {
//!     let source = …;                 // fresh, holding these documents and nothing else that is selected
//!     (Arc::new(source) as Arc<dyn Source>, selection)
//! }).await;
//! ```
//!
//! The suite takes the project from the selection that it gets back, and sets filter and inclusions itself.
//! Documents have ids; annotations have ids, annotators with names, and times to the microsecond, so that files
//! and databases can both hold them. What a driver may do: read an empty metadata or attributes object as none.
#![allow(clippy::unwrap_used, reason = "this is test code that several crates share")]

mod blocks;
mod corpus;
mod filters;
mod laws;

use std::sync::Arc;

use spanfleet_core::{Document, Include, options::Partitions};

use crate::{Bounds, Cut, Plan, Selection, Source};

/// Everything that can be read.
pub const EVERYTHING: Include = Include { metadata: true, relations: true, hierarchies: true };

/// Runs the whole suite; panics at the first broken promise. `load` puts documents into a fresh source.
pub async fn contract(load: impl AsyncFn(Vec<Document>) -> (Arc<dyn Source>, Selection)) {
    let stocked = async |documents: Vec<Document>| {
        let (source, mut selection) = load(documents.clone()).await;
        selection.include = EVERYTHING;
        Stocked { source, selection, documents }
    };
    let kinds = stocked(corpus::every_kind()).await;
    laws::reads_what_was_loaded(&kinds).await;
    laws::partitions_are_disjoint_and_complete(&kinds).await;
    laws::planning_twice_reads_the_same(&kinds).await;
    laws::the_first_texts_are_found(&kinds).await;
    laws::texts_are_chosen_by_id(&kinds).await;
    laws::annotations_are_chosen_by_label(&kinds).await;
    laws::annotations_are_chosen_by_annotator(&kinds).await;
    laws::annotations_are_chosen_by_date(&kinds).await;
    laws::conditions_add_up(&kinds).await;
    filters::texts_are_chosen_by_metadata(&kinds).await;
    filters::texts_are_chosen_by_what_is_on_them(&kinds).await;
    filters::annotations_are_chosen_by_name_of_label(&kinds).await;
    filters::annotations_are_chosen_by_agreement(&kinds).await;
    filters::agreement_counts_what_is_chosen(&kinds).await;
    filters::labels_are_those_of_the_filtered(&kinds).await;
    laws::a_filter_that_matches_nothing_reads_nothing(&kinds).await;
    laws::what_is_not_included_is_not_read(&kinds).await;
    laws::labels_are_known_when_asked_for(&kinds).await;
    laws::counts_are_right(&kinds).await;
    laws::the_source_can_be_reached(&kinds).await;
    laws::an_empty_source_has_no_partitions(&stocked(Vec::new()).await).await;
    let large = stocked(corpus::large()).await;
    laws::reads_what_was_loaded(&large).await;
    laws::batches_hold_their_size(&large).await;
    laws::a_reader_may_leave(&large).await;
    laws::partitions_are_disjoint_and_complete(&stocked(corpus::many()).await).await;
    let small = stocked(corpus::small()).await;
    blocks::partitions_begin_where_blocks_do(&small).await;
    blocks::a_filter_moves_no_block(&small).await;
}

/// A source with what was put into it.
struct Stocked {
    source: Arc<dyn Source>,
    selection: Selection,
    documents: Vec<Document>,
}

impl Stocked {
    async fn plan(&self, selection: &Selection, partitions: Partitions, needs_labels: bool) -> Plan {
        self.source.plan(selection, &Cut { partitions, needs_labels, at_blocks: false }).await.unwrap()
    }

    /// The documents of one partition.
    async fn read(&self, selection: &Selection, bounds: &Bounds) -> Vec<Document> {
        let mut stream = self.source.read(selection, bounds).await.unwrap();
        let mut documents = Vec::new();
        while let Some(batch) = stream.recv().await {
            documents.extend(batch.unwrap());
        }
        documents
    }

    /// The documents of a whole selection, cut into so many partitions.
    async fn read_all(&self, selection: &Selection, partitions: Partitions) -> Vec<Document> {
        let plan = self.plan(selection, partitions, false).await;
        let mut documents = Vec::new();
        for bounds in &plan.partitions {
            documents.extend(self.read(selection, bounds).await);
        }
        documents
    }
}
