//! Which rows a text has, and which annotations stand on each.

use std::collections::{BTreeMap, BTreeSet};

use spanfleet_core::Annotation;

use crate::support::tokenize::TokenSpan;

/// A row: a token, or a part of one. Ascending by token; the whole token comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row {
    /// Its place among the tokens.
    pub(super) token: usize,
    /// Where a part lies, in code points; `None` for the whole token.
    pub(super) part: Option<(u32, u32)>,
}

/// A span on its rows.
pub(super) struct Span<'d> {
    pub(super) annotation: &'d Annotation,
    pub(super) rows: Vec<Row>,
    /// What tells it from others on a row, 0 for nothing: it stands alone on its only row.
    pub(super) number: u32,
}

impl Span<'_> {
    /// Where it begins and ends, in code points.
    pub(super) fn extent(&self, tokens: &[TokenSpan]) -> Option<(u32, u32)> {
        let whole = |row: &Row| row.part.unwrap_or((tokens[row.token].start, tokens[row.token].end));
        Some((whole(self.rows.first()?).0, whole(self.rows.last()?).1))
    }
}

/// The rows of the tokens that an extent touches.
pub(super) fn rows_of(tokens: &[TokenSpan], (start, end): (u32, u32)) -> Vec<Row> {
    let first = tokens.partition_point(|token| token.end <= start);
    let touched = tokens.iter().enumerate().skip(first).take_while(|(_, token)| token.start < end);
    let row = |(at, token): (usize, &TokenSpan)| {
        let part = (token.start.max(start), token.end.min(end));
        Row { token: at, part: (part != (token.start, token.end)).then_some(part) }
    };
    touched.filter(|(_, token)| !token.is_empty()).map(row).collect()
}

/// The rows that have annotations, with the places of those in `spans`; numbers every span that needs it.
pub(super) fn lay(spans: &mut [Span<'_>]) -> BTreeMap<Row, Vec<usize>> {
    let mut rows: BTreeMap<Row, Vec<usize>> = BTreeMap::new();
    for (at, span) in spans.iter().enumerate() {
        for row in &span.rows {
            rows.entry(*row).or_default().push(at);
        }
    }
    let mut number = 0;
    for span in spans {
        if span.rows.len() > 1 || span.rows.first().is_some_and(|row| rows[row].len() > 1) {
            number += 1;
            span.number = number;
        }
    }
    rows
}

/// Tokens that begin a sentence: the first, and those after a line break that no span crosses.
pub(super) fn sentence_starts(tokens: &[TokenSpan], spans: &[Span<'_>]) -> BTreeSet<usize> {
    let extents = spans.iter().filter_map(|span| Some((span.rows.first()?.token, span.rows.last()?.token)));
    let mut extents: Vec<(usize, usize)> = extents.collect();
    extents.sort_unstable();
    let (mut rest, mut reached) = (extents.iter().peekable(), 0);
    let mut starts = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        while let Some((_, last)) = rest.next_if(|(first, _)| *first < at) {
            reached = reached.max(*last);
        }
        if at == 0 || token.after_line_break && reached < at {
            starts.insert(at);
        }
    }
    starts
}
