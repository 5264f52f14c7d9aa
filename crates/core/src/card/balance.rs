//! How annotations are spread over labels and splits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SplitCounts, Tally, rounded};

/// One label as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelCard {
    /// The label.
    pub label: String,
    /// Its annotations.
    pub annotations: u64,
    /// Texts that bear it.
    pub texts: u64,
    /// Its share of all annotations.
    pub share: f64,
    /// Its annotations in each split.
    pub splits: BTreeMap<String, u64>,
}

/// How evenly annotations are spread over labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The label with most annotations.
    pub most: LabelCount,
    /// The label with fewest.
    pub fewest: LabelCount,
}

/// A label with its annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// Its annotations.
    pub annotations: u64,
}

/// How well a stratified split came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stratification {
    /// The tolerance that was asked for.
    pub tolerance: f64,
    /// Texts, or groups of them, that stand in another split than their hash alone would put them.
    pub moved: u64,
    /// The label whose texts are furthest from the shares asked for, in one of the splits.
    pub furthest: Option<SplitShare>,
    /// Whether every label is within the tolerance and one text.
    pub is_within_tolerance: bool,
}

/// The share of a label's texts in a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitShare {
    /// The label; empty for texts without any.
    pub label: String,
    /// The split.
    pub split: String,
    /// The share asked for.
    pub wanted: f64,
    /// The share that it has.
    pub found: f64,
    /// Texts with the label in all splits.
    pub texts: u64,
}

pub(super) fn labels(splits: &BTreeMap<String, SplitCounts>) -> Vec<LabelCard> {
    let mut cards: BTreeMap<&str, LabelCard> = BTreeMap::new();
    for (split, counts) in splits {
        for (label, Tally { texts, annotations }) in &counts.labels {
            let card = cards.entry(label).or_insert_with(|| LabelCard {
                label: label.clone(),
                annotations: 0,
                texts: 0,
                share: 0.0,
                splits: BTreeMap::new(),
            });
            card.annotations += annotations;
            card.texts += texts;
            card.splits.insert(split.clone(), *annotations);
        }
    }
    let all: u64 = cards.values().map(|card| card.annotations).sum();
    let mut cards: Vec<LabelCard> = cards.into_values().collect();
    for card in &mut cards {
        card.share = rounded(card.annotations as f64 / all.max(1) as f64);
    }
    cards
}

pub(super) fn balance(cards: &[LabelCard]) -> Option<Balance> {
    let count = |card: &LabelCard| LabelCount { label: card.label.clone(), annotations: card.annotations };
    // The first by name among equals.
    let most = cards.iter().rev().max_by_key(|card| card.annotations)?;
    let fewest = cards.iter().min_by_key(|card| card.annotations)?;
    Some(Balance { most: count(most), fewest: count(fewest) })
}
