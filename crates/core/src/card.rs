//! The data card: what stands in an export. Parts count, counts add up in any order, and the card is worked out of
//! the sums.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`histogram`] | lengths in exact buckets, and their quantiles |
//! | [`agreement`] | how far several annotators of a text agree |
//! | [`balance`] | shares of labels |

pub mod agreement;
pub mod balance;
pub mod histogram;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use agreement::{Agreement, AgreementCounts, AgreementTally};
pub use balance::{Balance, LabelCard, SplitShare, Stratification};
pub use histogram::{Histogram, Lengths};

/// Annotators that a card names; a crowd has more.
const ANNOTATORS_SHOWN: usize = 100;

/// What a part counts for the card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardCounts {
    /// What was written to each split.
    pub splits: BTreeMap<String, SplitCounts>,
    /// Code points of each text as it was written.
    pub text_chars: Histogram,
    /// Code points from the beginning to the end of each span as it was written.
    pub span_chars: Histogram,
    /// What each annotator made of what was selected, by name; whoever has none has an empty one.
    pub annotators: BTreeMap<String, Tally>,
    /// How far they agree.
    pub agreement: AgreementCounts,
}

/// What was written to one split.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCounts {
    /// All of it.
    pub all: Tally,
    /// Each label as it is written: its annotations, and the texts that bear it.
    pub labels: BTreeMap<String, Tally>,
}

/// Texts and annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Texts.
    pub texts: u64,
    /// Annotations.
    pub annotations: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.texts += other.texts;
        self.annotations += other.annotations;
    }
}

impl CardCounts {
    /// Adds what another part counted.
    pub fn merge(&mut self, other: &CardCounts) {
        for (name, split) in &other.splits {
            let own = self.splits.entry(name.clone()).or_default();
            own.all.add(split.all);
            add_all(&mut own.labels, &split.labels);
        }
        self.text_chars.merge(&other.text_chars);
        self.span_chars.merge(&other.span_chars);
        add_all(&mut self.annotators, &other.annotators);
        self.agreement.merge(&other.agreement);
    }

    /// The card, without what only the whole job knows.
    pub fn card(&self) -> Card {
        let labels = balance::labels(&self.splits);
        Card {
            splits: self.splits.iter().map(|(name, split)| (name.clone(), split.all)).collect(),
            class_balance: balance::balance(&labels),
            labels,
            text_chars: self.text_chars.lengths(),
            span_chars: self.span_chars.lengths(),
            annotators: self.most_active(),
            annotators_in_all: self.annotators.keys().filter(|name| !name.is_empty()).count() as u64,
            agreement: self.agreement.agreement(),
            leakage: None,
            stratification: None,
        }
    }

    /// Those who made most, the first by name among equals.
    fn most_active(&self) -> Vec<AnnotatorCard> {
        let named = self.annotators.iter().filter(|(name, _)| !name.is_empty());
        let mut cards: Vec<AnnotatorCard> =
            named.map(|(name, tally)| AnnotatorCard { name: name.clone(), tally: *tally }).collect();
        cards.sort_by_key(|card| std::cmp::Reverse(card.tally.annotations));
        cards.truncate(ANNOTATORS_SHOWN);
        cards
    }
}

fn add_all(into: &mut BTreeMap<String, Tally>, other: &BTreeMap<String, Tally>) {
    for (name, tally) in other {
        into.entry(name.clone()).or_default().add(*tally);
    }
}

/// The data card as manifests show it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// What was written to each split.
    pub splits: BTreeMap<String, Tally>,
    /// Labels as they are written, sorted.
    pub labels: Vec<LabelCard>,
    /// How evenly annotations are spread over labels; `None` without any.
    pub class_balance: Option<Balance>,
    /// Code points of a text.
    pub text_chars: Option<Lengths>,
    /// Code points from the beginning to the end of a span.
    pub span_chars: Option<Lengths>,
    /// The most active annotators of what was selected.
    pub annotators: Vec<AnnotatorCard>,
    /// How many annotators with a name there are.
    pub annotators_in_all: u64,
    /// How far they agree; `None` where no text has two of them.
    pub agreement: Option<Agreement>,
    /// Texts that nearly stand in another split too; `None` with one split.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leakage: Option<Leakage>,
    /// How well a stratified split came out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stratification: Option<Stratification>,
}

/// One annotator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotatorCard {
    /// Who.
    pub name: String,
    /// What was selected of theirs.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Texts of a split that say nearly the same as a text of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leakage {
    /// How they are found.
    pub definition: String,
    /// All of them.
    pub texts: u64,
    /// By split.
    pub splits: BTreeMap<String, u64>,
}

/// Four digits are more than the data tell.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(split: &str, label: &str, annotations: u64) -> CardCounts {
        let tally = Tally { texts: 1, annotations };
        let labels = BTreeMap::from([(label.to_owned(), tally)]);
        let mut counts = CardCounts::default();
        counts.splits.insert(split.to_owned(), SplitCounts { all: tally, labels });
        counts.annotators.insert("alice".to_owned(), tally);
        counts.text_chars.add(annotations);
        counts
    }

    #[test]
    fn parts_add_up_in_any_order_and_survive_storage() {
        let parts = [counts("train", "PER", 3), counts("train", "ORG", 1), counts("dev", "PER", 2)];
        let (mut forth, mut back) = (CardCounts::default(), CardCounts::default());
        for part in &parts {
            forth.merge(part);
        }
        for part in parts.iter().rev() {
            back.merge(part);
        }
        assert_eq!(forth, back);
        let stored = serde_json::to_value(&forth).unwrap();
        assert_eq!(serde_json::from_value::<CardCounts>(stored).unwrap(), forth);
        let card = forth.card();
        assert_eq!(card.splits["train"], Tally { texts: 2, annotations: 4 });
        assert_eq!((card.annotators[0].tally.annotations, card.annotators_in_all), (6, 1));
        assert_eq!(card.labels.iter().map(|label| label.annotations).collect::<Vec<_>>(), [1, 5]);
    }
}
