//! The ledger of a part: what was selected and written, what was dropped or changed, and why.
//!
//! The law of the product: `selected = written + losses`, for texts, annotations and relations alike.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a ledger entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A whole text.
    Text,
    /// An annotation.
    Annotation,
    /// A relation.
    Relation,
}

impl Kind {
    /// The word in manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Annotation => "annotation",
            Kind::Relation => "relation",
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$item])* #[serde(rename = $word)] $variant,)+ }
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The word in manifests and metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// Why something was not written.
    Loss {
        /// Another span holds the same tokens.
        Overlap = "overlap",
        /// The span cuts a token and the alignment policy keeps no token of it.
        Misaligned = "misaligned",
        /// Offsets outside the text, or reversed.
        OutOfRange = "out_of_range",
        /// Nothing between start and end that the format could hold.
        EmptySpan = "empty_span",
        /// The format holds continuous spans only.
        Discontinuous = "discontinuous",
        /// The format has no place for it.
        Unrepresentable = "unrepresentable",
        /// A relation whose source or target is not written.
        EndpointMissing = "endpoint_missing",
        /// The order decides against it: another annotator's word was taken, its confidence is too low, or nothing
        /// is on the text.
        Adjudicated = "adjudicated",
        /// The same span and label, or the same text, is written already.
        Duplicate = "duplicate",
        /// The label map drops its label.
        LabelDropped = "label_dropped",
        /// Beyond a length limit.
        Truncated = "truncated",
        /// Holds a character that the format forbids.
        InvalidCharacter = "invalid_character",
    }
}

words! {
    /// How something was written differently from what was annotated.
    Change {
        /// Widened to the tokens that it cuts.
        Expanded = "expanded",
        /// Narrowed to the tokens that it covers.
        Contracted = "contracted",
        /// White space at its edges left out.
        Trimmed = "trimmed",
        /// Written under another label.
        Relabelled = "relabelled",
        /// Characters replaced that the format can't hold.
        Cleaned = "cleaned",
        /// Written in several pieces.
        SplitText = "split_text",
    }
}

/// Examples that a part keeps of each reason, for `losses.jsonl`.
pub const EXAMPLES_KEPT: usize = 1000;
/// Examples of each reason that stand in the manifest itself.
pub const EXAMPLES_SHOWN: usize = 5;

/// Where one loss or change happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The text's id.
    pub text: String,
    /// The annotation's id, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub annotation: Option<String>,
    /// The relation as `source type target`, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub relation: Option<String>,
}

/// One reason with its count, as manifests show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<R> {
    /// The reason.
    pub reason: R,
    /// What was lost or changed.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// How many of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Texts written.
    pub texts: u64,
    /// Texts that the filter chose.
    pub texts_selected: u64,
    /// Tokens written; 0 for formats without tokens.
    pub tokens: u64,
    /// Annotations that the filter chose.
    pub annotations_selected: u64,
    /// Annotations written.
    pub annotations_written: u64,
    /// Relations that the filter chose.
    pub relations_selected: u64,
    /// Relations written.
    pub relations_written: u64,
}

impl Counts {
    /// Adds another part's counts.
    pub fn add(&mut self, other: &Counts) {
        self.texts += other.texts;
        self.texts_selected += other.texts_selected;
        self.tokens += other.tokens;
        self.annotations_selected += other.annotations_selected;
        self.annotations_written += other.annotations_written;
        self.relations_selected += other.relations_selected;
        self.relations_written += other.relations_written;
    }
}

/// Counts, losses and changes of a part; parts merge in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What was selected and written.
    pub counts: Counts,
    losses: BTreeMap<(Loss, Kind), Tally>,
    changes: BTreeMap<(Change, Kind), Tally>,
    /// Ids of the annotations that were lost of late, where somebody asked to be told.
    lost_of_late: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    examples: Vec<Example>,
}

impl Tally {
    fn note(&mut self, example: impl FnOnce() -> Example) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_KEPT {
            self.examples.push(example());
        }
    }
}

impl Ledger {
    /// Keeps the ids of lost annotations from now on, for [`Ledger::take_lost`].
    #[must_use]
    pub fn telling(mut self) -> Ledger {
        self.lost_of_late = Some(Vec::new());
        self
    }

    /// The ids of the annotations that were lost since this was asked last; none unless told to keep them.
    pub fn take_lost(&mut self) -> Vec<String> {
        self.lost_of_late.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Counts an annotation that is not written.
    pub fn lose_annotation(&mut self, reason: Loss, text: &str, annotation: &str) {
        if let Some(lost) = &mut self.lost_of_late {
            lost.push(annotation.to_owned());
        }
        self.losses
            .entry((reason, Kind::Annotation))
            .or_default()
            .note(|| about_annotation(text, annotation));
    }

    /// Counts a relation that is not written.
    pub fn lose_relation(&mut self, reason: Loss, text: &str, relation: &crate::Relation) {
        self.losses.entry((reason, Kind::Relation)).or_default().note(|| Example {
            text: text.to_owned(),
            annotation: None,
            relation: Some(format!("{} {} {}", relation.source, relation.kind, relation.target)),
        });
    }

    /// Counts a text that is not written. Its annotations and relations are counted on their own.
    pub fn lose_text(&mut self, reason: Loss, text: &str) {
        self.losses.entry((reason, Kind::Text)).or_default().note(|| about_text(text));
    }

    /// Counts a text that is not written, with everything on it.
    pub fn lose_document(&mut self, reason: Loss, document: &crate::Document) {
        self.lose_text(reason, &document.id);
        for annotation in &document.annotations {
            self.lose_annotation(reason, &document.id, &annotation.id);
        }
        for relation in &document.relations {
            self.lose_relation(reason, &document.id, relation);
        }
    }

    /// Counts an annotation that is written, but not as annotated.
    pub fn change_annotation(&mut self, change: Change, text: &str, annotation: &str) {
        self.changes
            .entry((change, Kind::Annotation))
            .or_default()
            .note(|| about_annotation(text, annotation));
    }

    /// Counts a text that is written, but not as it was.
    pub fn change_text(&mut self, change: Change, text: &str) {
        self.changes.entry((change, Kind::Text)).or_default().note(|| about_text(text));
    }

    /// How many of one kind were lost, for all reasons together.
    pub fn lost(&self, kind: Kind) -> u64 {
        self.losses.iter().filter(|((_, of), _)| *of == kind).map(|(_, tally)| tally.count).sum()
    }

    /// The losses with at most `examples` examples each.
    pub fn losses(&self, examples: usize) -> Vec<Entry<Loss>> {
        entries(&self.losses, examples)
    }

    /// The changes with at most `examples` examples each.
    pub fn changes(&self, examples: usize) -> Vec<Entry<Change>> {
        entries(&self.changes, examples)
    }

    /// A ledger from its stored form.
    pub fn from_entries(counts: Counts, losses: Vec<Entry<Loss>>, changes: Vec<Entry<Change>>) -> Ledger {
        let tally = |count, examples| Tally { count, examples };
        Ledger {
            counts,
            losses: losses.into_iter().map(|e| ((e.reason, e.kind), tally(e.count, e.examples))).collect(),
            changes: changes.into_iter().map(|e| ((e.reason, e.kind), tally(e.count, e.examples))).collect(),
            lost_of_late: None,
        }
    }

    /// Adds what the next part counted; its examples follow this one's.
    pub fn merge(&mut self, next: &Ledger) {
        self.counts.add(&next.counts);
        merge(&mut self.losses, &next.losses);
        merge(&mut self.changes, &next.changes);
    }

    /// Whether `selected = written + losses` holds for every kind.
    pub fn balances(&self) -> bool {
        let counts = &self.counts;
        counts.texts_selected == counts.texts + self.lost(Kind::Text)
            && counts.annotations_selected == counts.annotations_written + self.lost(Kind::Annotation)
            && counts.relations_selected == counts.relations_written + self.lost(Kind::Relation)
    }
}

fn about_text(text: &str) -> Example {
    Example { text: text.to_owned(), annotation: None, relation: None }
}

fn about_annotation(text: &str, annotation: &str) -> Example {
    Example { text: text.to_owned(), annotation: Some(annotation.to_owned()), relation: None }
}

fn entries<R: Copy>(tallies: &BTreeMap<(R, Kind), Tally>, examples: usize) -> Vec<Entry<R>> {
    let show = |tally: &Tally| tally.examples.iter().take(examples).cloned().collect();
    tallies
        .iter()
        .map(|((reason, kind), tally)| Entry {
            reason: *reason,
            kind: *kind,
            count: tally.count,
            examples: show(tally),
        })
        .collect()
}

fn merge<R: Copy + Ord>(into: &mut BTreeMap<(R, Kind), Tally>, next: &BTreeMap<(R, Kind), Tally>) {
    for (key, tally) in next {
        let entry = into.entry(*key).or_default();
        entry.count += tally.count;
        let room = EXAMPLES_KEPT - entry.examples.len().min(EXAMPLES_KEPT);
        entry.examples.extend(tally.examples.iter().take(room).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_and_balances() {
        let mut first = Ledger::default();
        first.counts.annotations_selected = 2;
        first.counts.annotations_written = 1;
        first.lose_annotation(Loss::Overlap, "t1", "a2");
        let mut both = first.clone();
        both.merge(&first);
        assert!(both.balances());
        assert_eq!(both.losses(1)[0].count, 2);
        assert_eq!(both.losses(1)[0].examples.len(), 1);
        assert_eq!(serde_json::to_value(both.losses(1)).unwrap()[0]["reason"], "overlap");
    }
}
