//! Steps that cut a text into several: sentences and windows. No cut lies inside a span, as long as there is
//! another place for it.

use spanfleet_core::{Change, CharIndex, Document, Extent, Ledger, Loss, options::Window};
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
    let (chars, mut written) = (CharIndex::new(&document.text), vec![false; document.annotations.len()]);
    let mut by_start: Vec<usize> = (0..document.annotations.len()).collect();
    let start_of = |at: usize| document.annotations[at].extent.hull().map_or(0, |hull| hull.0);
    by_start.sort_by_key(|at| start_of(*at));
    let first_new = pieces.len();
    for (number, range) in ranges.iter().enumerate() {
        let from = by_start.partition_point(|at| start_of(*at) < range.0);
        let through = by_start.partition_point(|at| start_of(*at) <= range.1);
        let whole_text = by_start.iter().filter(|at| is_whole_text(&document, **at));
        let mut on: Vec<usize> =
            by_start[from..through].iter().filter(|at| lies_in(&document, **at, *range)).copied().collect();
        on.extend(whole_text);
        on.sort_unstable();
        on.dedup();
        // The first piece of two that touch has an empty span between them.
        on.retain(|at| !(written[*at] && is_empty(&document, *at)));
        for at in &on {
            if std::mem::replace(&mut written[*at], true) {
                ledger.change_annotation(Change::SplitText, &document.id, &document.annotations[*at].id);
                ledger.counts.annotations_selected += 1;
            }
        }
        pieces.push(piece(&document, &chars, *range, number, &on));
    }
    for (annotation, _) in document.annotations.iter().zip(&written).filter(|(_, written)| !**written) {
        ledger.lose_annotation(lost_because(&annotation.extent, chars.chars()), &document.id, &annotation.id);
    }
    deal_relations(&document, &mut pieces[first_new..], ledger);
}

fn is_whole_text(document: &Document, at: usize) -> bool {
    document.annotations[at].extent == Extent::Text
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

fn piece(document: &Document, chars: &CharIndex, range: Range, number: usize, on: &[usize]) -> Document {
    let (start, end) = range;
    let shifted = |at: &usize| {
        let mut annotation = document.annotations[*at].clone();
        match &mut annotation.extent {
            Extent::Text => {}
            Extent::Span { start: from, end: to } => (*from, *to) = (*from - start, *to - start),
            Extent::Fragments(fragments) => {
                for (from, to) in fragments {
                    (*from, *to) = (*from - start, *to - start);
                }
            }
        }
        annotation
    };
    let inside = |token: &&spanfleet_core::Token| start <= token.start && token.end <= end;
    let moved = |token: &spanfleet_core::Token| spanfleet_core::Token {
        start: token.start - start,
        end: token.end - start,
        ..token.clone()
    };
    Document {
        id: format!("{}#{number}", document.id).into(),
        text: chars.slice(&document.text, start, end).unwrap_or_default().to_owned(),
        metadata: document.metadata.clone(),
        annotations: on.iter().map(shifted).collect(),
        relations: Vec::new(),
        tokens: document.tokens.as_ref().map(|tokens| tokens.iter().filter(inside).map(moved).collect()),
    }
}

/// A relation goes with every piece that has both its ends.
fn deal_relations(document: &Document, pieces: &mut [Document], ledger: &mut Ledger) {
    if document.relations.is_empty() {
        return;
    }
    let mut written = vec![false; document.relations.len()];
    for piece in pieces {
        let ids: std::collections::HashSet<_> =
            piece.annotations.iter().map(|annotation| annotation.id.as_str()).collect();
        let both = |at: &usize| {
            let relation = &document.relations[*at];
            ids.contains(relation.source.as_str()) && ids.contains(relation.target.as_str())
        };
        let on: Vec<usize> = (0..document.relations.len()).filter(both).collect();
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
