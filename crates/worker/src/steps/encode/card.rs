//! Counts what a part selects and writes, for the data card.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use spanfleet_core::{
    Document, Options,
    card::{AgreementTally, CardCounts, Histogram, SplitCounts, Tally, agreement::Vote},
};
use spanfleet_formats::support::names::LabelNames;

/// Counts for one part.
pub(super) struct CardWriter {
    /// Names of its own: what is merely looked at must not count as written.
    names: LabelNames,
    splits: Vec<SplitTally>,
    text_chars: Histogram,
    span_chars: Histogram,
    people: People,
    agreement: AgreementTally,
    texts: u64,
}

/// What was written to one split, by the numbers of labels.
#[derive(Default)]
struct SplitTally {
    name: String,
    all: Tally,
    labels: Vec<Tally>,
    /// The last text that each label was on.
    last_texts: Vec<u64>,
}

impl SplitTally {
    fn add_label(&mut self, number: usize, text: u64) {
        if self.labels.len() <= number {
            self.labels.resize(number + 1, Tally::default());
            self.last_texts.resize(number + 1, 0);
        }
        self.labels[number].annotations += 1;
        if self.last_texts[number] != text {
            self.last_texts[number] = text;
            self.labels[number].texts += 1;
        }
    }
}

impl CardWriter {
    pub(super) fn new(options: &Options) -> CardWriter {
        CardWriter {
            names: LabelNames::new(options),
            splits: Vec::new(),
            text_chars: Histogram::default(),
            span_chars: Histogram::default(),
            people: People::default(),
            agreement: AgreementTally::default(),
            texts: 0,
        }
    }

    /// Another split begins; splits go by the order of their beginning.
    pub(super) fn begin_split(&mut self, name: &str) {
        self.splits.push(SplitTally { name: name.to_owned(), ..SplitTally::default() });
    }

    /// Looks at a text as it was selected.
    pub(super) fn select(&mut self, document: &Document) {
        let people = self.people.count(document);
        if people < 2 {
            return;
        }
        let mut votes = Vec::with_capacity(document.annotations.len());
        for annotation in &document.annotations {
            let name = self.names.of(&annotation.label);
            if name.written.is_some() {
                let person = self.people.place_in_text(annotation.annotator.as_ref());
                votes.push(Vote { person, extent: &annotation.extent, label: name.number });
            }
        }
        self.agreement.add_text(u64::from(people), votes);
    }

    /// Looks at a text that was written to a split without the annotations that were lost.
    pub(super) fn write(&mut self, split: usize, document: &Document, lost: &[String]) {
        self.texts += 1;
        let lost: HashSet<&str> = lost.iter().map(String::as_str).collect();
        let tally = &mut self.splits[split];
        tally.all.texts += 1;
        self.text_chars.add(document.text.chars().count() as u64);
        for annotation in document.annotations.iter().filter(|it| !lost.contains(it.id.as_str())) {
            tally.all.annotations += 1;
            tally.add_label(self.names.of(&annotation.label).number as usize, self.texts);
            if let Some((start, end)) = annotation.extent.hull() {
                self.span_chars.add(u64::from(end.saturating_sub(start)));
            }
        }
    }

    pub(super) fn finish(self) -> CardCounts {
        let names = self.names.by_number();
        let split = |tally: SplitTally| {
            let labels = names.iter().zip(tally.labels).filter(|(_, label)| label.annotations > 0);
            let labels = labels.map(|(name, label)| (name.to_string(), label)).collect();
            (tally.name, SplitCounts { all: tally.all, labels })
        };
        CardCounts {
            splits: self.splits.into_iter().map(split).collect(),
            text_chars: self.text_chars,
            span_chars: self.span_chars,
            annotators: self
                .people
                .tallies
                .into_iter()
                .map(|(name, tally)| (name.to_string(), tally))
                .collect(),
            agreement: self.agreement.counts(&names),
        }
    }
}

/// Everybody who annotated something of the part; nobody's annotations go by an empty name.
#[derive(Default)]
struct People {
    nobody: Arc<str>,
    places: HashMap<Arc<str>, usize>,
    tallies: Vec<(Arc<str>, Tally)>,
    /// The last text of each, and their number among its people.
    last_texts: Vec<(u64, u32)>,
    texts: u64,
}

impl People {
    /// Counts a text's annotations; gives how many people made them.
    fn count(&mut self, document: &Document) -> u32 {
        self.texts += 1;
        let mut people = 0;
        for annotation in &document.annotations {
            let place = self.place(annotation.annotator.as_ref());
            self.tallies[place].1.annotations += 1;
            if self.last_texts[place].0 != self.texts {
                self.last_texts[place] = (self.texts, people);
                self.tallies[place].1.texts += 1;
                people += 1;
            }
        }
        people
    }

    /// Somebody's number among the people of the text that was counted last.
    fn place_in_text(&mut self, annotator: Option<&Arc<str>>) -> u32 {
        let place = self.place(annotator);
        self.last_texts[place].1
    }

    fn place(&mut self, annotator: Option<&Arc<str>>) -> usize {
        let name = annotator.unwrap_or(&self.nobody);
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.tallies.len();
        self.places.insert(name.clone(), place);
        self.tallies.push((name.clone(), Tally::default()));
        self.last_texts.push((0, 0));
        place
    }
}
