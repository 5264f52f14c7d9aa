//! Steps that cut a text into several: sentences and windows. No cut lies inside a span, as long as there is
//! another place for it.

use std::collections::{HashMap, HashSet};

use spanfleet_core::{Change, CharIndex, Document, Extent, Ledger, Loss, Token, options::Window};
use unicode_segmentation::UnicodeSegmentation;

use crate::support::tokenize::Tokenizer;

/// The code points `start..end` of a text that become a text of their own.
type Range = (u32, u32);

/// A text for each sentence.
pub(super) fn sentences(document: Document, ledger: &mut Ledger, pieces: &mut Vec<Document>) {
    let spans = Spans::of(&document);
    let mut ranges: Vec<Range> = Vec::new();
    let (mut start, mut at) = (0, 0);
    for sentence in document.text.split_sentence_bounds() {
        at += sentence.chars().count() as u32;
        if spans.allow_cut(at) {
            ranges.push((start, at));
            start = at;
        }
    }
    if start < at {
        ranges.push((start, at));
    }
    cut(document, &ranges, ledger, pieces);
}

/// A text for each window over the tokens.
pub(super) fn windows(
    document: Document,
    window: Window,
    tokenizer: &mut Tokenizer,
    ledger: &mut Ledger,
    pieces: &mut Vec<Document>,
) {
    let chars = CharIndex::new(&document.text);
    let starts: Vec<u32> = tokenizer.tokenize(&document, &chars).0.iter().map(|token| token.start).collect();
    let ranges = window_ranges(&starts, chars.chars() as u32, window, &Spans::of(&document));
    cut(document, &ranges, ledger, pieces);
}

/// Windows end before tokens: white space belongs to the token before it, that at the beginning to the first.
fn window_ranges(starts: &[u32], end: u32, window: Window, spans: &Spans) -> Vec<Range> {
    // The beginning of the text, of each token but the first, and the end: places for cuts.
    let place = |token: usize| match token {
        0 => 0,
        token => starts.get(token).copied().unwrap_or(end),
    };
    let mut ranges = Vec::new();
    let mut first = 0;
    while first < starts.len() {
        let most = (first + window.tokens).min(starts.len());
        let whole = (first + 1..=most).rev().find(|token| spans.allow_cut(place(*token)));
        let after = whole.unwrap_or(most);
        ranges.push((place(first), place(after)));
        if after == starts.len() {
            break;
        }
        let repeated = after.saturating_sub(window.stride).max(first + 1);
        first = (first + 1..=repeated).rev().find(|token| spans.allow_cut(place(*token))).unwrap_or(after);
    }
    ranges
}

/// The spans of a text, to ask where a cut would hurt.
struct Spans {
    /// Where spans overlap or touch inside, as one: ascending, disjoint `(start, end)`.
    joined: Vec<Range>,
}

impl Spans {
    fn of(document: &Document) -> Spans {
        let hulls = document.annotations.iter().filter_map(|annotation| annotation.extent.hull());
        let mut hulls: Vec<Range> = hulls.filter(|(start, end)| start < end).collect();
        hulls.sort_unstable();
        let mut joined: Vec<Range> = Vec::with_capacity(hulls.len());
        for (start, end) in hulls {
            match joined.last_mut() {
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Spans { joined }
    }

    /// Whether no span has this boundary inside.
    fn allow_cut(&self, at: u32) -> bool {
        let next = self.joined.partition_point(|(start, _)| *start < at);
        next == 0 || self.joined[next - 1].1 <= at
    }
}

/// The document in pieces. What lies wholly in a piece goes with it, labels of the whole text go with each; what
/// lies in several counts as selected once more for each further one, so that the books balance.
fn cut(document: Document, ranges: &[Range], ledger: &mut Ledger, pieces: &mut Vec<Document>) {
    if ranges.len() < 2 {
        pieces.push(document);
        return;
    }
    ledger.change_text(Change::SplitText, &document.id);
    ledger.counts.texts_selected += ranges.len() as u64 - 1;
    let (sheet, mut written) = (Sheet::of(&document), vec![false; document.annotations.len()]);
    let first_new = pieces.len();
    for (number, range) in ranges.iter().enumerate() {
        let mut on = sheet.annotations_in(*range);
        // The first piece of two that touch has an empty span between them.
        on.retain(|at| !(written[*at] && is_empty(&document, *at)));
        for at in &on {
            if std::mem::replace(&mut written[*at], true) {
                ledger.change_annotation(Change::SplitText, &document.id, &document.annotations[*at].id);
                ledger.counts.annotations_selected += 1;
            }
        }
        pieces.push(sheet.piece(*range, number, &on));
    }
    for (annotation, _) in document.annotations.iter().zip(&written).filter(|(_, written)| !**written) {
        let loss = lost_because(&annotation.extent, sheet.chars.chars());
        ledger.lose_annotation(loss, &document.id, &annotation.id);
    }
    deal_relations(&document, &mut pieces[first_new..], ledger);
}

/// A document with what stands on it in order, so that a piece costs what is on it and not what is on the text.
struct Sheet<'d> {
    document: &'d Document,
    chars: CharIndex,
    /// Annotations that have a place, by their start.
    by_start: Vec<usize>,
    /// Annotations of the whole text.
    whole_text: Vec<usize>,
    tokens: Option<Vec<&'d Token>>,
}

impl<'d> Sheet<'d> {
    fn of(document: &'d Document) -> Sheet<'d> {
        let all = 0..document.annotations.len();
        let (whole_text, mut by_start): (Vec<usize>, Vec<usize>) =
            all.partition(|at| document.annotations[*at].extent == Extent::Text);
        by_start.sort_by_key(|at| start_of(document, *at));
        let tokens = document.tokens.as_ref().map(|tokens| {
            let mut tokens: Vec<&Token> = tokens.iter().collect();
            tokens.sort_by_key(|token| token.start);
            tokens
        });
        Sheet { document, chars: CharIndex::new(&document.text), by_start, whole_text, tokens }
    }

    /// In input order.
    fn annotations_in(&self, range: Range) -> Vec<usize> {
        let from = self.by_start.partition_point(|at| start_of(self.document, *at) < range.0);
        let through = self.by_start.partition_point(|at| start_of(self.document, *at) <= range.1);
        let candidates = self.by_start[from..through].iter().copied();
        let mut on: Vec<usize> = candidates.filter(|at| lies_in(self.document, *at, range)).collect();
        on.extend(&self.whole_text);
        on.sort_unstable();
        on
    }

    fn tokens_in(&self, (start, end): Range) -> Option<Vec<Token>> {
        let tokens = self.tokens.as_ref()?;
        let from = tokens.partition_point(|token| token.start < start);
        let through = tokens.partition_point(|token| token.start <= end);
        let moved =
            |token: &&Token| Token { start: token.start - start, end: token.end - start, ..(*token).clone() };
        let sound = |token: &&&Token| token.start <= token.end && token.end <= end;
        Some(tokens[from..through].iter().filter(sound).map(moved).collect())
    }

    fn piece(&self, range: Range, number: usize, on: &[usize]) -> Document {
        let document = self.document;
        let moved = |at: &usize| {
            let mut annotation = document.annotations[*at].clone();
            move_back(&mut annotation.extent, range.0);
            annotation
        };
        Document {
            id: format!("{}#{number}", document.id).into(),
            text: self.chars.slice(&document.text, range.0, range.1).unwrap_or_default().to_owned(),
            metadata: document.metadata.clone(),
            annotations: on.iter().map(moved).collect(),
            relations: Vec::new(),
            tokens: self.tokens_in(range),
        }
    }
}

fn move_back(extent: &mut Extent, chars: u32) {
    let shift = |(start, end): (&mut u32, &mut u32)| (*start, *end) = (*start - chars, *end - chars);
    match extent {
        Extent::Text => {}
        Extent::Span { start, end } => shift((start, end)),
        Extent::Fragments(fragments) => fragments.iter_mut().for_each(|(start, end)| shift((start, end))),
    }
}

fn start_of(document: &Document, at: usize) -> u32 {
    document.annotations[at].extent.hull().map_or(0, |hull| hull.0)
}

fn is_empty(document: &Document, at: usize) -> bool {
    document.annotations[at].extent.hull().is_some_and(|(start, end)| start == end)
}

fn lies_in(document: &Document, at: usize, range: Range) -> bool {
    let extent = &document.annotations[at].extent;
    is_sound(extent) && extent.hull().is_some_and(|(start, end)| range.0 <= start && end <= range.1)
}

/// Whether no piece of it runs backwards.
fn is_sound(extent: &Extent) -> bool {
    match extent {
        Extent::Text => true,
        Extent::Span { start, end } => start <= end,
        Extent::Fragments(fragments) => fragments.iter().all(|(start, end)| start <= end),
    }
}

/// Cut through, or never inside the text.
fn lost_because(extent: &Extent, chars: usize) -> Loss {
    let is_outside = extent.hull().is_some_and(|(_, end)| end as usize > chars);
    if is_outside || !is_sound(extent) { Loss::OutOfRange } else { Loss::Truncated }
}

/// A relation goes with every piece that has both its ends.
fn deal_relations(document: &Document, pieces: &mut [Document], ledger: &mut Ledger) {
    if document.relations.is_empty() {
        return;
    }
    let mut by_source: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, relation) in document.relations.iter().enumerate() {
        by_source.entry(&relation.source).or_default().push(at);
    }
    let mut written = vec![false; document.relations.len()];
    for piece in pieces {
        let ids: HashSet<_> = piece.annotations.iter().map(|annotation| annotation.id.as_str()).collect();
        let from_here = ids.iter().filter_map(|id| by_source.get(id)).flatten().copied();
        let mut on: Vec<usize> =
            from_here.filter(|at| ids.contains(document.relations[*at].target.as_str())).collect();
        on.sort_unstable();
        for at in &on {
            ledger.counts.relations_selected += u64::from(std::mem::replace(&mut written[*at], true));
        }
        piece.relations = on.into_iter().map(|at| document.relations[at].clone()).collect();
    }
    for (relation, _) in document.relations.iter().zip(&written).filter(|(_, written)| !**written) {
        ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
    }
}

#[cfg(test)]
mod tests {
    use spanfleet_core::options;

    use super::*;
    use crate::testing::document;

    const TEXT: &str = r#"{"id":"t","text":"Ada met Bo. Bo left. Nobody knew.","annotations":[
        {"id":"1","start":0,"end":3,"label":"PER"},{"id":"2","start":12,"end":14,"label":"PER"},
        {"id":"3","label":"news"}],"relations":[{"source":"1","target":"2","type":"r"}]}"#;

    fn shown(pieces: &[Document]) -> Vec<String> {
        let spans = |piece: &Document| {
            let index = CharIndex::new(&piece.text);
            let surface = |extent: &Extent| {
                extent.hull().and_then(|(start, end)| index.slice(&piece.text, start, end)).unwrap_or("*")
            };
            piece
                .annotations
                .iter()
                .map(|found| surface(&found.extent).to_owned())
                .collect::<Vec<_>>()
                .join(",")
        };
        pieces.iter().map(|piece| format!("{}|{}|{}", piece.id, piece.text, spans(piece))).collect()
    }

    #[test]
    fn a_sentence_is_a_text_with_its_spans() {
        let (mut ledger, mut pieces) = (Ledger::default(), Vec::new());
        sentences(document(TEXT), &mut ledger, &mut pieces);
        let expected = ["t#0|Ada met Bo. |Ada,*", "t#1|Bo left. |Bo,*", "t#2|Nobody knew.|*"];
        assert_eq!(shown(&pieces), expected);
        assert_eq!(ledger.counts.annotations_selected, 2);
        assert_eq!(ledger.lost(spanfleet_core::Kind::Relation), 1);
    }

    #[test]
    fn no_cut_inside_a_span() {
        let text = r#"{"id":"t","text":"Mr. X. Y lives. He does.","annotations":[{"id":"1","start":4,"end":15,"label":"L"}]}"#;
        let mut pieces = Vec::new();
        sentences(document(text), &mut Ledger::default(), &mut pieces);
        assert!(shown(&pieces).iter().any(|piece| piece.contains("X. Y lives.")), "{:?}", shown(&pieces));
    }

    fn window(text: &str, tokens: usize, stride: usize) -> (Vec<String>, Ledger) {
        let (mut ledger, mut pieces) = (Ledger::default(), Vec::new());
        let mut tokenizer = Tokenizer::new(options::Tokenizer::Whitespace);
        windows(document(text), Window { tokens, stride }, &mut tokenizer, &mut ledger, &mut pieces);
        (shown(&pieces), ledger)
    }

    #[test]
    fn windows_repeat_and_keep_spans_whole() {
        let text =
            r#"{"id":"t","text":"a b c d e","annotations":[{"id":"1","start":4,"end":7,"label":"L"}]}"#;
        assert_eq!(window(text, 3, 0).0, ["t#0|a b |", "t#1|c d e|c d"]);
        let (pieces, ledger) = window(text, 3, 2);
        assert_eq!(pieces, ["t#0|a b |", "t#1|b c d |c d", "t#2|c d e|c d"]);
        assert_eq!(ledger.counts.annotations_selected, 1);
        let (pieces, ledger) = window(text, 1, 0);
        assert_eq!(pieces, ["t#0|a |", "t#1|b |", "t#2|c |", "t#3|d |", "t#4|e|"]);
        assert_eq!(ledger.losses(0)[0].reason, Loss::Truncated);
        assert_eq!(window(text, 9, 0).0, ["t|a b c d e|c d"]);
    }
}
