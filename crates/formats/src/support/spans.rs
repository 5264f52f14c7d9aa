//! The spans of a text for formats that hold overlapping ones, each span and label once, and relations by their
//! places.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use spanfleet_core::{
    Change, CharIndex, Document, Extent, Ledger, Loss, Order, Relation, options::LabelScheme,
};

use crate::EncodeError;
use crate::support::{
    labels::{Labeller, Run, Spans, Tokenized, span_of},
    names::LabelNames,
    rows::{Row, Rows},
    tokenize::{Origin, Tokenizer},
};

/// One span with its label as it is written.
#[derive(Clone, Debug)]
pub(crate) struct FoundSpan {
    /// First code point.
    pub(crate) start: u32,
    /// One past the last code point.
    pub(crate) end: u32,
    /// First and last token; both 0 where there are none.
    pub(crate) tokens: (u32, u32),
    pub(crate) label: Arc<str>,
    /// Which of the document's annotations it is.
    pub(crate) annotation: usize,
}

/// The spans of a document, in the order of its text.
pub(crate) struct FoundSpans<'d> {
    document: &'d Document,
    pub(crate) all: Vec<FoundSpan>,
    /// Places in `all` of those that the overlap policy prefers, never overlapping; empty without tokens.
    pub(crate) sequence: Vec<usize>,
    /// Place in `all` by the id of an annotation, those with the span and label of another included.
    places: HashMap<&'d str, usize>,
}

/// A relation by the places of its ends.
pub(crate) struct Tie<'d> {
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) relation: &'d Relation,
}

impl<'d> FoundSpans<'d> {
    /// Continuous spans as they were annotated. Counts every annotation as written or lost, but for labels of the
    /// whole text, which are left to the caller.
    pub(crate) fn in_chars(
        document: &'d Document,
        chars: &CharIndex,
        names: &mut LabelNames,
        ledger: &mut Ledger,
    ) -> FoundSpans<'d> {
        let mut found = FoundSpans::none(document);
        let mut known = HashMap::new();
        for (start, end, at) in continuous(document, chars, ledger) {
            let annotation = &document.annotations[at];
            let label = names.written(&annotation.label);
            let next = found.all.len();
            let place = *known.entry((start, end, label.clone())).or_insert(next);
            found.places.insert(&annotation.id, place);
            if place < next {
                ledger.lose_annotation(Loss::Duplicate, &document.id, &annotation.id);
                continue;
            }
            found.all.push(FoundSpan { start, end, tokens: (0, 0), label, annotation: at });
            ledger.counts.annotations_written += 1;
        }
        found
    }

    fn none(document: &'d Document) -> FoundSpans<'d> {
        FoundSpans { document, all: Vec::new(), sequence: Vec::new(), places: HashMap::new() }
    }

    fn in_rows(document: &'d Document, spans: Spans<'_>, rows: &Rows, names: &mut LabelNames) -> Self {
        let mut found = FoundSpans::none(document);
        let id = |annotation: u32| document.annotations[annotation as usize].id.as_str();
        let row = |word: u32| rows.of_word[word as usize];
        for (place, Run { first, last, annotation, .. }) in spans.all.iter().enumerate() {
            let tokens = (row(*first), row(*last));
            let token = |at: u32| rows.all[at as usize].token;
            found.all.push(FoundSpan {
                start: token(tokens.0).start,
                end: token(tokens.1).end,
                tokens,
                label: names.written(&document.annotations[*annotation as usize].label),
                annotation: *annotation as usize,
            });
            found.places.insert(id(*annotation), place);
        }
        for (annotation, place) in spans.merged {
            found.places.insert(id(*annotation), *place as usize);
        }
        let preferred = spans.sequence.iter().filter_map(|run| found.places.get(id(run.annotation)).copied());
        found.sequence = preferred.collect();
        found
    }

    /// Relations between the spans, each once. Counts every relation as written or lost.
    pub(crate) fn ties(&self, ledger: &mut Ledger) -> Vec<Tie<'d>> {
        let (mut ties, mut known) = (Vec::new(), HashSet::new());
        for relation in &self.document.relations {
            let place = |id: &str| self.places.get(id).copied();
            let Some((source, target)) = place(&relation.source).zip(place(&relation.target)) else {
                ledger.lose_relation(Loss::EndpointMissing, &self.document.id, relation);
                continue;
            };
            if known.insert((source, target, &*relation.kind)) {
                ledger.counts.relations_written += 1;
                ties.push(Tie { source, target, relation });
            } else {
                ledger.lose_relation(Loss::Duplicate, &self.document.id, relation);
            }
        }
        ties
    }
}

/// Start, end and place of every continuous span, sorted.
fn continuous(document: &Document, chars: &CharIndex, ledger: &mut Ledger) -> Vec<(u32, u32, usize)> {
    let mut found = Vec::with_capacity(document.annotations.len());
    for (at, annotation) in document.annotations.iter().enumerate() {
        if annotation.extent == Extent::Text {
            continue;
        }
        match span_of(annotation, chars) {
            Ok((start, end)) => found.push((start, end, at)),
            Err(loss) => ledger.lose_annotation(loss, &document.id, &annotation.id),
        }
    }
    found.sort_unstable();
    found
}

/// Where continuous spans begin and end, ascending.
fn borders(document: &Document, chars: &CharIndex) -> Vec<u32> {
    let spans = document.annotations.iter().filter_map(|annotation| span_of(annotation, chars).ok());
    let mut borders: Vec<u32> = spans.flat_map(|(start, end)| [start, end]).collect();
    borders.sort_unstable();
    borders.dedup();
    borders
}

/// Finds tokens as spaCy has them, and the spans that fit them, in memory that it keeps from text to text.
pub(crate) struct TokenSpans {
    tokenizer: Tokenizer,
    labeller: Labeller,
    chars: CharIndex,
    rows: Rows,
    cuts_words: bool,
    pub(crate) names: LabelNames,
}

impl TokenSpans {
    /// Under an order's tokenizer, alignment and overlap policy.
    pub(crate) fn new(order: &Order) -> TokenSpans {
        // Spans are no label sequence; under `IO`, those that touch would count as lost.
        let mut options = order.options.clone();
        options.label_scheme = LabelScheme::Bio;
        TokenSpans {
            tokenizer: Tokenizer::new(options.tokenizer),
            labeller: Labeller::new(&options),
            chars: CharIndex::default(),
            rows: Rows::default(),
            cuts_words: false,
            names: LabelNames::new(&options),
        }
    }

    /// The same with words cut where spans begin and end, so that none has to be aligned: for readers that take tokens
    /// as they come.
    pub(crate) fn cutting(order: &Order) -> TokenSpans {
        TokenSpans { cuts_words: true, ..TokenSpans::new(order) }
    }

    /// The spans of a document; its tokens are in `rows` then. Counts the text, and every annotation as written or
    /// lost, but for labels of the whole text, which are left to the caller.
    ///
    /// Fails only under `overlap=error`, with the text and both annotations.
    pub(crate) fn find<'d>(
        &mut self,
        document: &'d Document,
        ledger: &mut Ledger,
    ) -> Result<FoundSpans<'d>, EncodeError> {
        self.chars.rebuild(&document.text);
        let (tokens, origin) = self.tokenizer.tokenize(document, &self.chars);
        self.rows.take_words(document, tokens, origin);
        if self.cuts_words {
            self.rows.cut_words(&document.text, &self.chars, &borders(document, &self.chars));
        }
        let input = Tokenized { document, chars: &self.chars, tokens: &self.rows.words, origin };
        let spans = self.labeller.spans(input, &mut self.names, ledger)?;
        self.rows.lay_out(&document.text, &self.chars);
        if origin == Origin::BrokenGold {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        ledger.counts.texts += 1;
        Ok(FoundSpans::in_rows(document, spans, &self.rows, &mut self.names))
    }

    /// The tokens of the document that was asked for last.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows.all
    }
}
