//! Annotations and tokens to one label sequence. Every annotation is either written or lost, exactly once.
//!
//! Spans are fitted to tokens by binary search, sorted, and only where they overlap compared with each other:
//! `O((n + m) log n)` for n annotations on m tokens, whatever their nesting.
//!
//! | what is annotated | what becomes of it |
//! | --- | --- |
//! | a label of the whole text | lost: `unrepresentable` |
//! | several pieces | lost: `discontinuous` |
//! | offsets outside the text, or reversed | lost: `out_of_range` |
//! | no character, or only white space | lost: `empty_span` |
//! | white space at the edges | written without it: `trimmed` |
//! | a cut token, `expand` | written with the whole token: `expanded` |
//! | a cut token, `contract` | written without that token: `contracted`; lost when none is left: `misaligned` |
//! | a cut token, `strict` | lost: `misaligned` |
//! | the tokens and label of a span that is written | lost: `duplicate` |
//! | tokens of a span that the policy prefers | lost: `overlap`; with `error` the export fails |
//! | `IO`, right after a span of the same label | its tokens are labelled, but the two read as one: lost: `unrepresentable` |

use std::cmp::Reverse;
use std::collections::BTreeMap;

use spanfleet_core::{
    Annotation, Change, CharIndex, Document, Extent, Ledger, Loss, Options,
    options::{Alignment, LabelScheme, Overlap},
};

use crate::EncodeError;
use crate::support::names::LabelNames;
use crate::support::tokenize::{Origin, TokenSpan, is_space};

/// Tokens under one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its first token.
    pub first: u32,
    /// Its last token.
    pub last: u32,
    /// Which of the document's annotations it is.
    pub annotation: u32,
    /// Whether the token right before it, in the same sentence, ends a run of the same label.
    pub touches: bool,
}

/// A document with its tokens.
#[derive(Clone, Copy)]
pub struct Tokenized<'d> {
    /// The document.
    pub document: &'d Document,
    /// Code points of its text.
    pub chars: &'d CharIndex,
    /// Its tokens.
    pub tokens: &'d [TokenSpan],
    /// Where they came from.
    pub origin: Origin,
}

/// Makes label sequences, in memory that it keeps from text to text.
pub struct Labeller {
    alignment: Alignment,
    overlap: Overlap,
    scheme: LabelScheme,
    candidates: Vec<Candidate>,
    winners: BTreeMap<u32, Candidate>,
    kept: Vec<Candidate>,
    runs: Vec<Run>,
    spans: Vec<Run>,
    merged: Vec<(u32, u32)>,
}

/// Every span that fits the tokens, overlapping or not, and a label sequence chosen from them.
#[derive(Clone, Copy)]
pub struct Spans<'l> {
    /// Ascending by first and last token; no two with the same tokens and label.
    pub all: &'l [Run],
    /// Annotations with the tokens and label of another one, with the place of that one in `all`.
    pub merged: &'l [(u32, u32)],
    /// Those that the overlap policy prefers, never overlapping.
    pub sequence: &'l [Run],
}

/// An annotation that fits the tokens.
#[derive(Clone, Copy)]
struct Candidate {
    first: u32,
    last: u32,
    annotation: u32,
    label: u32,
    fit: Fit,
}

/// How a span had to move to fit.
#[derive(Clone, Copy, Default)]
struct Fit {
    trimmed: bool,
    expanded: bool,
    contracted: bool,
}

impl Labeller {
    /// Under an order's alignment, overlap policy and scheme.
    pub fn new(options: &Options) -> Labeller {
        Labeller {
            alignment: options.alignment,
            overlap: options.overlap,
            scheme: options.label_scheme,
            candidates: Vec::new(),
            winners: BTreeMap::new(),
            kept: Vec::new(),
            runs: Vec::new(),
            spans: Vec::new(),
            merged: Vec::new(),
        }
    }

    /// The labelled runs of a document, ascending, never overlapping. Counts every annotation as written or lost.
    ///
    /// Fails only under `overlap=error`, with the text and both annotations.
    pub fn label(
        &mut self,
        input: Tokenized<'_>,
        names: &mut LabelNames,
        ledger: &mut Ledger,
    ) -> Result<&[Run], EncodeError> {
        self.fit_all(input, true, names, ledger);
        self.resolve(input.document, ledger)?;
        self.write_down(input, ledger);
        Ok(&self.runs)
    }

    /// Every span of a document, for a format that holds overlapping ones. Counts every annotation as written or
    /// lost, but for labels of the whole text, which are left to the caller.
    ///
    /// Fails only under `overlap=error`, with the text and both annotations.
    pub fn spans(
        &mut self,
        input: Tokenized<'_>,
        names: &mut LabelNames,
        ledger: &mut Ledger,
    ) -> Result<Spans<'_>, EncodeError> {
        self.fit_all(input, false, names, ledger);
        // What the sequence can't hold is among the spans.
        let mut not_lost = Ledger::default();
        self.resolve(input.document, &mut not_lost)?;
        self.write_down(input, &mut not_lost);
        self.merge_same(input.document, ledger);
        Ok(Spans { all: &self.spans, merged: &self.merged, sequence: &self.runs })
    }

    /// Takes one of every group of candidates with the same tokens and label, and counts.
    fn merge_same(&mut self, document: &Document, ledger: &mut Ledger) {
        self.spans.clear();
        self.merged.clear();
        // Labels by their number would give an order that depends on what came before this text.
        self.candidates.sort_unstable_by_key(|it| (it.first, it.last, it.annotation));
        let mut labels: Vec<u32> = Vec::new();
        for Candidate { first, last, annotation, label, fit } in &self.candidates {
            let (text, id) = (&document.id, &document.annotations[*annotation as usize].id);
            if self.spans.last().is_none_or(|span| (span.first, span.last) != (*first, *last)) {
                labels.clear();
            }
            let group = self.spans.len() - labels.len();
            if let Some(same) = labels.iter().position(|known| known == label) {
                self.merged.push((*annotation, (group + same) as u32));
                ledger.lose_annotation(Loss::Duplicate, text, id);
            } else {
                labels.push(*label);
                self.spans.push(Run { first: *first, last: *last, annotation: *annotation, touches: false });
                ledger.counts.annotations_written += 1;
                fit.count(text, id, ledger);
            }
        }
    }

    fn fit_all(
        &mut self,
        input: Tokenized<'_>,
        takes_texts: bool,
        names: &mut LabelNames,
        ledger: &mut Ledger,
    ) {
        self.candidates.clear();
        for (at, annotation) in input.document.annotations.iter().enumerate() {
            if !takes_texts && annotation.extent == Extent::Text {
                continue;
            }
            match fit(annotation, input, self.alignment) {
                Ok((first, last, fit)) => {
                    let (first, last, annotation_at) = (first as u32, last as u32, at as u32);
                    let label = names.of(&annotation.label).number;
                    self.candidates.push(Candidate { first, last, annotation: annotation_at, label, fit });
                }
                Err(loss) => ledger.lose_annotation(loss, &input.document.id, &annotation.id),
            }
        }
        self.candidates
            .sort_unstable_by_key(|candidate| (candidate.first, candidate.last, candidate.annotation));
    }

    /// Keeps the candidates that the overlap policy prefers, ascending.
    fn resolve(&mut self, document: &Document, ledger: &mut Ledger) -> Result<(), EncodeError> {
        self.kept.clear();
        let mut rest = std::mem::take(&mut self.candidates);
        let mut from = 0;
        while from < rest.len() {
            let (mut to, mut end) = (from + 1, rest[from].last);
            while to < rest.len() && rest[to].first <= end {
                end = end.max(rest[to].last);
                to += 1;
            }
            match &mut rest[from..to] {
                [alone] => self.kept.push(*alone),
                cluster => self.resolve_cluster(cluster, document, ledger)?,
            }
            from = to;
        }
        self.candidates = rest;
        Ok(())
    }

    /// Takes the candidates of a cluster in the policy's order, as long as their tokens are free.
    fn resolve_cluster(
        &mut self,
        cluster: &mut [Candidate],
        document: &Document,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.sort_by_preference(cluster, document);
        self.winners.clear();
        for candidate in cluster {
            // Winners are disjoint: only the last one that starts before the candidate's end can reach into it.
            let before = self.winners.range(..=candidate.last).next_back();
            let Some(winner) =
                before.map(|(_, winner)| *winner).filter(|winner| winner.last >= candidate.first)
            else {
                self.winners.insert(candidate.first, *candidate);
                continue;
            };
            let is_same =
                |a: &Candidate, b: &Candidate| (a.first, a.last, a.label) == (b.first, b.last, b.label);
            let id = &document.annotations[candidate.annotation as usize].id;
            if is_same(&winner, candidate) {
                ledger.lose_annotation(Loss::Duplicate, &document.id, id);
            } else if self.overlap == Overlap::Error {
                return Err(overlapping(document, &winner, candidate));
            } else {
                ledger.lose_annotation(Loss::Overlap, &document.id, id);
            }
        }
        self.kept.extend(self.winners.values());
        Ok(())
    }

    fn sort_by_preference(&self, cluster: &mut [Candidate], document: &Document) {
        let length = |candidate: &Candidate| Reverse(candidate.last - candidate.first);
        let longest = |candidate: &Candidate| (length(candidate), candidate.first, candidate.annotation);
        match self.overlap {
            Overlap::Longest => cluster.sort_unstable_by_key(longest),
            Overlap::First | Overlap::Error => cluster.sort_unstable_by_key(|candidate| candidate.annotation),
            Overlap::Confidence => cluster.sort_unstable_by(|one, other| {
                // Nothing known of the confidence is less than any confidence.
                let confidence = |candidate: &Candidate| {
                    let known = document.annotations[candidate.annotation as usize].confidence;
                    known.filter(|confidence| !confidence.is_nan()).unwrap_or(f64::NEG_INFINITY)
                };
                let by_confidence = confidence(other).total_cmp(&confidence(one));
                by_confidence.then_with(|| longest(one).cmp(&longest(other)))
            }),
        }
    }

    /// Turns what is kept into runs, and counts.
    fn write_down(&mut self, input: Tokenized<'_>, ledger: &mut Ledger) {
        self.runs.clear();
        let text = &input.document.id;
        let mut before: Option<Candidate> = None;
        for kept in &self.kept {
            let touches = before
                .is_some_and(|before| before.last + 1 == kept.first && before.label == kept.label)
                && !input.tokens[kept.first as usize].after_line_break;
            let id = &input.document.annotations[kept.annotation as usize].id;
            if touches && self.scheme == LabelScheme::Io {
                ledger.lose_annotation(Loss::Unrepresentable, text, id);
            } else {
                ledger.counts.annotations_written += 1;
                kept.fit.count(text, id, ledger);
            }
            self.runs.push(Run { first: kept.first, last: kept.last, annotation: kept.annotation, touches });
            before = Some(*kept);
        }
    }
}

impl Fit {
    fn count(self, text: &str, annotation: &str, ledger: &mut Ledger) {
        let moves = [
            (self.trimmed, Change::Trimmed),
            (self.expanded, Change::Expanded),
            (self.contracted, Change::Contracted),
        ];
        for (_, change) in moves.into_iter().filter(|(happened, _)| *happened) {
            ledger.change_annotation(change, text, annotation);
        }
    }
}

/// The first and the last token of an annotation, or why it has none.
fn fit(
    annotation: &Annotation,
    input: Tokenized<'_>,
    alignment: Alignment,
) -> Result<(usize, usize, Fit), Loss> {
    let (start, end) = span_of(annotation, input.chars)?;
    let tokens = input.tokens;
    let touched =
        tokens.partition_point(|token| token.end <= start)..tokens.partition_point(|token| token.start < end);
    let (first, last) = without_empty_edges(tokens, touched).ok_or_else(|| why_nothing(input, start, end))?;
    let (head, tail) = (tokens[first], tokens[last]);
    let mut fit = Fit::default();
    for (from, to) in [(start, head.start), (tail.end, end)] {
        if from < to {
            // Between tokens cut by rule there is nothing but white space; gold tokens may leave words out.
            let is_blank = input.origin != Origin::Gold || is_blank(input, from, to);
            fit.trimmed |= is_blank;
            fit.contracted |= !is_blank;
        }
    }
    let (cuts_head, cuts_tail) = (head.start < start, tail.end > end);
    if !cuts_head && !cuts_tail {
        return Ok((first, last, fit));
    }
    match alignment {
        Alignment::Strict => Err(Loss::Misaligned),
        Alignment::Expand => Ok((first, last, Fit { expanded: true, ..fit })),
        Alignment::Contract => {
            let inner = first + usize::from(cuts_head)..last + 1 - usize::from(cuts_tail);
            let (first, last) = without_empty_edges(tokens, inner).ok_or(Loss::Misaligned)?;
            Ok((first, last, Fit { contracted: true, ..fit }))
        }
    }
}

/// The one continuous span that an annotation marks, checked against its text.
pub(crate) fn span_of(annotation: &Annotation, chars: &CharIndex) -> Result<(u32, u32), Loss> {
    let (start, end) = match &annotation.extent {
        Extent::Text => return Err(Loss::Unrepresentable),
        Extent::Span { start, end } => (*start, *end),
        Extent::Fragments(pieces) => match pieces.as_slice() {
            [piece] => *piece,
            _ => return Err(Loss::Discontinuous),
        },
    };
    if start > end || end as usize > chars.chars() {
        return Err(Loss::OutOfRange);
    }
    if start == end { Err(Loss::EmptySpan) } else { Ok((start, end)) }
}

fn without_empty_edges(tokens: &[TokenSpan], range: std::ops::Range<usize>) -> Option<(usize, usize)> {
    let tokens = tokens.get(range.clone())?;
    let first = tokens.iter().position(|token| !token.is_empty())?;
    let last = tokens.iter().rposition(|token| !token.is_empty())?;
    Some((range.start + first, range.start + last))
}

fn why_nothing(input: Tokenized<'_>, start: u32, end: u32) -> Loss {
    let is_empty = input.origin != Origin::Gold || is_blank(input, start, end);
    if is_empty { Loss::EmptySpan } else { Loss::Misaligned }
}

fn is_blank(input: Tokenized<'_>, start: u32, end: u32) -> bool {
    input.chars.slice(&input.document.text, start, end).is_some_and(|text| text.chars().all(is_space))
}

fn overlapping(document: &Document, winner: &Candidate, candidate: &Candidate) -> EncodeError {
    let id = |candidate: &Candidate| document.annotations[candidate.annotation as usize].id.as_str();
    let (text, one, other) = (&document.id, id(winner), id(candidate));
    EncodeError::about(
        text,
        format!(
            "annotations `{one}` and `{other}` of text `{text}` overlap, which `overlap=error` refuses; \
             choose longest, first or confidence, or a format that holds overlapping spans"
        ),
    )
}

#[cfg(test)]
mod tests;
