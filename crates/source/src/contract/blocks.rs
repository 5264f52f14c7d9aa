//! What a source promises where partitions may begin only with blocks, so that compressed bytes don't depend on
//! the cut.

use spanfleet_core::{Filter, begins_block, filter::Id, options::Partitions};

use super::Stocked;
use crate::{Cut, Selection};

pub(super) async fn partitions_begin_where_blocks_do(stocked: &Stocked) {
    let all: Vec<&str> = stocked.documents.iter().map(|document| document.id.as_str()).collect();
    check(stocked, &stocked.selection, &all).await;
    // The blocks of these texts lie so that every quarter has one to begin with.
    assert_eq!(partitions(stocked, &stocked.selection, 4).await.len(), 4);
}

/// A text that the filter leaves out begins no block, or a reading in one piece would begin fewer.
pub(super) async fn a_filter_moves_no_block(stocked: &Stocked) {
    for half in [0, 1] {
        let ids = stocked.documents.iter().map(|document| document.id.as_str());
        let wanted: Vec<&str> = ids.skip(half).step_by(2).collect();
        let names = wanted.iter().map(|id| Id::Name((*id).to_owned())).collect();
        let filter = Filter { text_ids: Some(names), ..Filter::default() };
        check(stocked, &Selection { filter, ..stocked.selection.clone() }, &wanted).await;
    }
}

async fn check(stocked: &Stocked, selection: &Selection, expected: &[&str]) {
    let most = 1 + expected.iter().skip(1).filter(|id| begins_block(id)).count();
    for count in [1, 4, 32, 1_000] {
        let found = partitions(stocked, selection, count).await;
        assert!(found.len() <= most.min(count as usize), "{count}: {} partitions", found.len());
        assert!(count == 1 || found.len() > 1, "{count}: no cut although there are {most} blocks");
        for part in &found[1..] {
            let first = part.first().map(String::as_str);
            assert!(first.is_some_and(begins_block), "{count}: a partition begins with {first:?}");
        }
        assert_eq!(found.concat(), expected, "{count}");
    }
}

/// The ids of the texts of each partition.
async fn partitions(stocked: &Stocked, selection: &Selection, count: u32) -> Vec<Vec<String>> {
    let cut = Cut { partitions: Partitions::Count(count), needs_labels: false, at_blocks: true };
    let plan = stocked.source.plan(selection, &cut).await.unwrap();
    let mut found = Vec::new();
    for bounds in &plan.partitions {
        let documents = stocked.read(selection, bounds).await;
        found.push(documents.into_iter().map(|document| document.id.to_string()).collect());
    }
    found
}
