//! How far several annotators of a text agree, as sums that parts add up.
//!
//! Only texts that two or more people annotated count. Somebody who read a text and marked nothing leaves no trace
//! there, and is not counted.
//!
//! - **F1 between annotators**, per label: each pair of a text's annotators is compared as if one were the truth; a
//!   span agrees when its extent and its label are the same. Summed over pairs before dividing (Hripcsak and
//!   Rothschild 2005, "Agreement, the F-Measure, and Reliability in Information Retrieval").
//! - **Krippendorff's alpha**, nominal: the units are the extents that at least one of a text's annotators marked,
//!   the value that each of them gives is its label there, or none (Krippendorff 2011, "Computing Krippendorff's
//!   Alpha-Reliability", nominal data, any number of observers). Spans that overlap without being equal disagree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::Extent;

/// Sums of which the figures are worked out. Integers alone, so that the order of parts does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementCounts {
    /// Texts with two or more annotators.
    pub texts: u64,
    /// Extents that any of them marked.
    pub units: u64,
    /// By label.
    pub labels: BTreeMap<String, LabelAgreement>,
    /// By the number of a text's annotators: ordered pairs of equal values in a unit.
    pub equal_pairs: BTreeMap<u64, u64>,
    /// How often each value was given; the empty one is none.
    pub values: BTreeMap<String, u64>,
}

/// One label's sums over pairs of annotators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelAgreement {
    /// Annotations that both of a pair made, counted for each.
    pub shared: u64,
    /// Annotations that either of a pair made.
    pub made: u64,
}

/// One annotation of a text that several people annotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote<'a> {
    /// What it is about.
    pub extent: &'a Extent,
    /// Who: a small number, counted from 0 within the text.
    pub person: u32,
    /// The number of the label as it is written.
    pub label: u32,
}

/// Counts texts, with labels by their numbers: none is looked up by its name until the end.
#[derive(Debug, Default)]
pub struct AgreementTally {
    texts: u64,
    units: u64,
    equal_pairs: BTreeMap<u64, u64>,
    labels: Vec<LabelTally>,
    /// How often somebody gave an extent these labels, two or more.
    several: BTreeMap<Vec<u32>, u64>,
    /// How often somebody gave an extent no label that another one marked.
    silent: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct LabelTally {
    sums: LabelAgreement,
    /// How often somebody gave an extent this label alone.
    given: u64,
}

impl AgreementTally {
    /// Counts a text that so many people annotated. A person who made the same twice made it once.
    pub fn add_text(&mut self, people: u64, mut votes: Vec<Vote<'_>>) {
        if people < 2 {
            return;
        }
        // Sorted into runs: most extents bear one vote, and none of them is worth an allocation.
        votes.sort_unstable();
        votes.dedup();
        self.texts += 1;
        for unit in votes.chunk_by(|one, other| one.extent == other.extent) {
            self.units += 1;
            if let [alone] = unit {
                self.add_lone_vote(people, alone.label);
            } else {
                self.add_labels(people, unit);
                self.add_values(people, unit);
            }
        }
    }

    /// An extent that one person marked once: nobody agrees, and all the others are silent.
    fn add_lone_vote(&mut self, people: u64, label: u32) {
        let silent = people - 1;
        let label = self.label(label);
        label.sums.made += silent;
        label.given += 1;
        *self.equal_pairs.entry(people).or_default() += silent * (silent - 1);
        self.silent += silent;
    }

    fn add_labels(&mut self, people: u64, unit: &[Vote<'_>]) {
        let mut labels: Vec<u32> = unit.iter().map(|vote| vote.label).collect();
        labels.sort_unstable();
        for same in labels.chunk_by(|one, other| one == other) {
            let makers = same.len() as u64;
            let sums = &mut self.label(same[0]).sums;
            sums.shared += makers * (makers - 1);
            sums.made += makers * (people - 1);
        }
    }

    /// Somebody's value is all the labels that they gave the extent.
    fn add_values(&mut self, people: u64, unit: &[Vote<'_>]) {
        let is_same = |one: &[Vote<'_>], other: &[Vote<'_>]| {
            one.iter().map(|vote| vote.label).eq(other.iter().map(|vote| vote.label))
        };
        let mut values: Vec<(&[Vote<'_>], u64)> = Vec::new();
        let mut silent = people;
        for given in unit.chunk_by(|one, other| one.person == other.person) {
            match values.iter_mut().find(|(known, _)| is_same(known, given)) {
                Some((_, count)) => *count += 1,
                None => values.push((given, 1)),
            }
            silent -= 1;
        }
        self.silent += silent;
        let counts = values.iter().map(|(_, count)| *count).chain([silent]);
        *self.equal_pairs.entry(people).or_default() +=
            counts.map(|count| count * count.saturating_sub(1)).sum::<u64>();
        for (given, count) in values {
            if let [alone] = given {
                self.label(alone.label).given += count;
            } else {
                *self.several.entry(given.iter().map(|vote| vote.label).collect()).or_default() += count;
            }
        }
    }

    fn label(&mut self, number: u32) -> &mut LabelTally {
        let number = number as usize;
        if self.labels.len() <= number {
            self.labels.resize(number + 1, LabelTally::default());
        }
        &mut self.labels[number]
    }

    /// The sums by the names of the labels, which stand at their numbers.
    pub fn counts(self, names: &[impl AsRef<str>]) -> AgreementCounts {
        let mut counts = AgreementCounts {
            texts: self.texts,
            units: self.units,
            equal_pairs: self.equal_pairs,
            ..AgreementCounts::default()
        };
        for (name, label) in names.iter().zip(self.labels) {
            if label.sums.made > 0 {
                counts.labels.insert(name.as_ref().to_owned(), label.sums);
            }
            if label.given > 0 {
                counts.values.insert(name.as_ref().to_owned(), label.given);
            }
        }
        for (labels, count) in self.several {
            let mut labels: Vec<&str> = labels.iter().map(|label| names[*label as usize].as_ref()).collect();
            labels.sort_unstable();
            *counts.values.entry(labels.join(" + ")).or_default() += count;
        }
        if self.silent > 0 {
            counts.values.insert(String::new(), self.silent);
        }
        counts
    }
}

impl AgreementCounts {
    /// Adds what another part counted.
    pub fn merge(&mut self, other: &AgreementCounts) {
        self.texts += other.texts;
        self.units += other.units;
        for (label, sums) in &other.labels {
            let own = self.labels.entry(label.clone()).or_default();
            own.shared += sums.shared;
            own.made += sums.made;
        }
        for (people, pairs) in &other.equal_pairs {
            *self.equal_pairs.entry(*people).or_default() += pairs;
        }
        for (value, count) in &other.values {
            *self.values.entry(value.clone()).or_default() += count;
        }
    }

    /// The figures; `None` where no text has two annotators.
    pub fn agreement(&self) -> Option<Agreement> {
        if self.texts == 0 {
            return None;
        }
        let mut all = LabelAgreement::default();
        for sums in self.labels.values() {
            all.shared += sums.shared;
            all.made += sums.made;
        }
        Some(Agreement {
            texts: self.texts,
            units: self.units,
            f1: f1(all),
            labels: self.labels.iter().map(|(label, sums)| (label.clone(), f1(*sums))).collect(),
            krippendorff_alpha: self.alpha(),
        })
    }

    /// 1 - observed / expected disagreement. `None` where only one value was ever given: nothing could disagree.
    fn alpha(&self) -> Option<f64> {
        let given: f64 = self.values.values().map(|count| *count as f64).sum();
        let equal: f64 =
            self.equal_pairs.iter().map(|(people, pairs)| *pairs as f64 / (people - 1) as f64).sum();
        let expected = given * given - self.values.values().map(|count| (*count as f64).powi(2)).sum::<f64>();
        (expected > 0.0).then(|| rounded(1.0 - (given - 1.0) * (given - equal) / expected))
    }
}

fn f1(sums: LabelAgreement) -> Option<f64> {
    (sums.made > 0).then(|| rounded(sums.shared as f64 / sums.made as f64))
}

/// How far several annotators agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Texts with two or more annotators.
    pub texts: u64,
    /// Extents that any of them marked.
    pub units: u64,
    /// F1 between annotators over all labels.
    pub f1: Option<f64>,
    /// F1 between annotators, by label.
    pub labels: BTreeMap<String, Option<f64>>,
    /// Krippendorff's alpha, nominal, over the extents that anybody marked.
    pub krippendorff_alpha: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not in the order of their names.
    const LABELS: &[&str] = &["B", "A"];

    fn counts(texts: &[&[(u32, u32, &str)]], people: u64) -> AgreementCounts {
        let mut tally = AgreementTally::default();
        for text in texts {
            let extents: Vec<Extent> =
                text.iter().map(|(_, at, _)| Extent::Span { start: *at, end: at + 1 }).collect();
            let number = |label: &str| LABELS.iter().position(|known| *known == label).unwrap() as u32;
            let votes = text.iter().zip(&extents).map(|((person, _, label), extent)| Vote {
                person: *person,
                extent,
                label: number(label),
            });
            tally.add_text(people, votes.collect());
        }
        tally.counts(LABELS)
    }

    #[test]
    fn f1_is_that_of_pairs() {
        // Between 0 and 1: two of three and three; with 2, who marked one.
        let text =
            [(0, 0, "A"), (0, 1, "A"), (0, 2, "B"), (1, 0, "A"), (1, 1, "A"), (1, 3, "B"), (2, 0, "A")];
        let found = counts(&[&text], 3).agreement().unwrap();
        // A: pairs share 2 + 1 + 1 of (2+2) + (2+1) + (2+1) annotations.
        assert_eq!(found.labels["A"], Some(rounded(8.0 / 10.0)));
        assert_eq!(found.labels["B"], Some(0.0));
        assert_eq!(found.f1, Some(rounded(8.0 / 14.0)));
        assert_eq!((found.texts, found.units), (1, 4));
    }

    /// The example of Krippendorff 2011, section B (binary data, two observers, ten units): 0.095.
    #[test]
    fn alpha_is_krippendorffs_for_two_observers() {
        let (first, second) = ("0100000000", "1110010010");
        let mut tally = AgreementTally::default();
        for (one, other) in first.chars().zip(second.chars()) {
            let vote = |person, label: char| Vote {
                person,
                extent: &Extent::Text,
                label: label.to_digit(10).unwrap(),
            };
            tally.add_text(2, vec![vote(0, one), vote(1, other)]);
        }
        let alpha = tally.counts(&["0", "1"]).agreement().unwrap().krippendorff_alpha.unwrap();
        assert!((alpha - 0.095).abs() < 0.001, "{alpha}");
    }

    #[test]
    fn whoever_marks_nothing_gives_a_value_too() {
        let agreed = counts(&[&[(0, 0, "A"), (1, 0, "A")], &[(0, 0, "B"), (1, 0, "B")]], 2);
        assert_eq!(agreed.agreement().unwrap().krippendorff_alpha, Some(1.0));
        let apart = counts(&[&[(0, 0, "A"), (1, 1, "A")]], 2).agreement().unwrap();
        assert!(apart.krippendorff_alpha.unwrap() < 0.0);
        assert_eq!(counts(&[&[(0, 0, "A"), (1, 0, "A")]], 2).agreement().unwrap().krippendorff_alpha, None);
    }

    #[test]
    fn one_annotator_is_no_agreement() {
        assert_eq!(counts(&[&[(0, 0, "A")]], 1).agreement(), None);
    }

    #[test]
    fn the_same_made_twice_counts_once() {
        let once = counts(&[&[(0, 0, "A"), (1, 0, "A"), (1, 0, "B")]], 2);
        let twice = counts(&[&[(0, 0, "A"), (1, 0, "A"), (1, 0, "B"), (0, 0, "A")]], 2);
        assert_eq!(once, twice);
    }
}
