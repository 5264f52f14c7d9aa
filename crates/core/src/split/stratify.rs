//! Splits in which each label has its share: the hash, on a leash.
//!
//! Texts are looked at in their order. Each falls where its hash puts it, unless one of its labels would then be too
//! far from its shares: then it falls where its labels lack it most. What was decided for a text depends on it and on
//! the texts before it alone. So texts that come later change nothing, and the few that left their hash are all that
//! has to be handed around. See `docs/adr/0007-stratified-splits.md`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Shares;
use crate::Document;
use crate::card::{SplitShare, Stratification};

/// Decides for text after text.
pub struct Stratifier {
    shares: Shares,
    tolerance: f64,
    /// Texts with each label, by split; texts without any have an empty one.
    labels: HashMap<Arc<str>, Vec<u64>>,
    /// Where the first text of a group fell, by 64 bits of its hash: two groups that share them fall together.
    groups: HashMap<[u8; 8], u16>,
    moved: BTreeMap<String, String>,
}

impl Stratifier {
    /// For shares that are to be stratified; `None` for others.
    pub fn new(shares: &Shares) -> Option<Stratifier> {
        Some(Stratifier {
            shares: shares.clone(),
            tolerance: shares.tolerance?,
            labels: HashMap::new(),
            groups: HashMap::new(),
            moved: BTreeMap::new(),
        })
    }

    /// Looks at the next text.
    pub fn add(&mut self, document: &Document) {
        let labels = labels_of(document);
        let key = self.shares.key(document);
        let group = self.shares.group_by.is_some().then(|| group_hash(&key));
        let known = group.and_then(|group| self.groups.get(&group).copied());
        let split = known.map_or_else(|| self.decide(&key, &labels), usize::from);
        self.groups.extend(group.map(|group| (group, split as u16)));
        for label in labels {
            let splits = self.shares.shares.len();
            self.labels.entry(label).or_insert_with(|| vec![0; splits])[split] += 1;
        }
    }

    /// The keys that left their hash, with the splits that they fell into; and how well it came out.
    pub fn finish(self) -> (BTreeMap<String, String>, Stratification) {
        let stratification = Stratification {
            tolerance: self.tolerance,
            moved: self.moved.len() as u64,
            furthest: self.furthest(),
            is_within_tolerance: self.labels.values().all(|counts| self.holds(counts, self.tolerance, 1.0)),
        };
        (self.moved, stratification)
    }

    fn decide(&mut self, key: &str, labels: &[Arc<str>]) -> usize {
        let by_hash = self.shares.by_hash(key);
        // Half the leash, so that the other half is left for texts with several labels.
        let holds = |counts: &Vec<u64>| self.holds(counts, self.tolerance / 2.0, 0.5);
        if self.after(labels, by_hash).iter().all(holds) {
            return by_hash;
        }
        let distance = |split: usize| -> f64 {
            self.after(labels, split).iter().map(|counts| self.distance(counts)).sum()
        };
        let splits = 0..self.shares.shares.len();
        let best = splits.min_by(|one, other| distance(*one).total_cmp(&distance(*other)));
        let best = best.unwrap_or(by_hash);
        if best != by_hash {
            self.moved.insert(key.to_owned(), self.shares.shares[best].0.clone());
        }
        best
    }

    /// The counts of these labels with one more text in a split.
    fn after(&self, labels: &[Arc<str>], split: usize) -> Vec<Vec<u64>> {
        let nothing = vec![0; self.shares.shares.len()];
        let with_one = |label: &Arc<str>| {
            let mut counts = self.labels.get(label).unwrap_or(&nothing).clone();
            counts[split] += 1;
            counts
        };
        labels.iter().map(with_one).collect()
    }

    /// Whether every split has its share of a label, give or take a share of its texts and some texts.
    fn holds(&self, counts: &[u64], tolerance: f64, texts: f64) -> bool {
        let all = counts.iter().sum::<u64>() as f64;
        let shares = self.shares.shares.iter().map(|(_, share)| share);
        counts
            .iter()
            .zip(shares)
            .all(|(count, share)| (*count as f64 - share * all).abs() <= tolerance * all + texts)
    }

    fn distance(&self, counts: &[u64]) -> f64 {
        let all = counts.iter().sum::<u64>() as f64;
        let shares = self.shares.shares.iter().map(|(_, share)| share);
        counts.iter().zip(shares).map(|(count, share)| (*count as f64 - share * all).powi(2) / all).sum()
    }

    /// The label and the split that are furthest apart, in texts beyond the share.
    fn furthest(&self) -> Option<SplitShare> {
        let shares = &self.shares.shares;
        let of_label = |(label, counts): (&Arc<str>, &Vec<u64>)| {
            let texts: u64 = counts.iter().sum();
            let found = |(split, count): (usize, &u64)| SplitShare {
                label: label.to_string(),
                split: shares[split].0.clone(),
                wanted: shares[split].1,
                found: crate::card::rounded(*count as f64 / texts as f64),
                texts,
            };
            counts.iter().enumerate().map(found).collect::<Vec<_>>()
        };
        let apart = |it: &SplitShare| ((it.found - it.wanted).abs() * 10_000.0) as u64 * it.texts;
        let names = |it: &SplitShare| std::cmp::Reverse((it.label.clone(), it.split.clone()));
        self.labels.iter().flat_map(of_label).max_by_key(|it| (apart(it), names(it)))
    }
}

/// The labels of a text, each once; an empty one for a text without any.
fn labels_of(document: &Document) -> Vec<Arc<str>> {
    let mut labels: Vec<Arc<str>> = document.annotations.iter().map(|it| Arc::clone(&it.label)).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.is_empty() {
        labels.push("".into());
    }
    labels
}

fn group_hash(key: &str) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(key.as_bytes())[..8]);
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Annotation, Extent, Json, Split};

    fn shares(group_by: Option<&str>) -> Shares {
        let shares = vec![("train".to_owned(), 0.8), ("dev".to_owned(), 0.1), ("test".to_owned(), 0.1)];
        let group_by = group_by.map(|field| vec![field.to_owned()]);
        Shares { shares, group_by, tolerance: Some(0.02) }
    }

    fn document(number: usize, labels: &[u8]) -> Document {
        let annotation = |label: &u8| Annotation {
            id: label.to_string().into(),
            extent: Extent::Text,
            label: format!("L{label}").into(),
            annotator: None,
            confidence: None,
            attributes: None,
            created_at: None,
        };
        Document {
            id: format!("t{number}").into(),
            metadata: Json::parse(&format!("{{\"doc\":{}}}", number / 3)).ok(),
            annotations: labels.iter().map(annotation).collect(),
            ..Document::default()
        }
    }

    fn splits(shares: &Shares, documents: &[Document]) -> (Vec<String>, Stratification) {
        let mut stratifier = Stratifier::new(shares).unwrap();
        for document in documents {
            stratifier.add(document);
        }
        let (moved, stratification) = stratifier.finish();
        let split = Split::Shares(shares.clone());
        (documents.iter().map(|document| split.of(document, &moved).unwrap()).collect(), stratification)
    }

    #[test]
    fn rare_labels_have_their_shares() {
        // One common label, one on every hundredth text.
        let documents: Vec<Document> =
            (0..2_000).map(|number| document(number, &[u8::from(number % 100 == 0)])).collect();
        let (found, stratification) = splits(&shares(None), &documents);
        assert!(stratification.is_within_tolerance, "{stratification:?}");
        assert!(stratification.moved < 150, "{} of 2,000 left their hash", stratification.moved);
        let rare = |split: &str| (0..20).filter(|nth| found[nth * 100] == split).count();
        assert_eq!((rare("train"), rare("dev"), rare("test")), (16, 2, 2));
    }

    #[test]
    fn a_group_falls_where_its_first_text_falls() {
        let documents: Vec<Document> = (0..300).map(|number| document(number, &[number as u8 % 2])).collect();
        let (found, _) = splits(&shares(Some("doc")), &documents);
        assert!(found.chunks(3).all(|group| group.iter().all(|split| *split == group[0])));
    }

    proptest! {
        #[test]
        fn later_texts_change_nothing(
            labels in prop::collection::vec(prop::collection::vec(0..6_u8, 0..3), 1..120),
            cut in 0..120_usize,
        ) {
            let documents: Vec<Document> =
                labels.iter().enumerate().map(|(number, labels)| document(number, labels)).collect();
            let cut = cut.min(documents.len());
            let (before, _) = splits(&shares(None), &documents[..cut]);
            let (after, _) = splits(&shares(None), &documents);
            prop_assert_eq!(&before[..], &after[..cut]);
        }

        #[test]
        fn one_label_a_text_is_always_within_tolerance(labels in prop::collection::vec(0..5_u8, 1..400)) {
            let documents: Vec<Document> =
                labels.iter().enumerate().map(|(number, label)| document(number, &[*label])).collect();
            let (_, stratification) = splits(&shares(None), &documents);
            prop_assert!(stratification.is_within_tolerance, "{:?}", stratification);
        }
    }
}
