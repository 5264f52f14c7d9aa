//! Texts that spaCy refuses for their length, cut into pieces.

use std::ops::Range;

use crate::support::rows::Row;

/// Code points that spaCy's pipelines take at once (`nlp.max_length`): one longer text ends a whole training.
pub(super) const MOST_CHARS: u32 = 1_000_000;

/// The rows of each piece: one for most texts. Cut at the last white space that no span crosses, if there is one
/// in the second half of the piece; else at the last white space there, else between any two rows.
pub(super) fn cut(rows: &[Row], text: &str, most_chars: u32, spans: &[(u32, u32)]) -> Vec<Range<usize>> {
    let end = |at: usize| rows[at].end_with_space();
    if rows.last().is_none_or(|row| row.end_with_space() <= most_chars) {
        return vec![Range { start: 0, end: rows.len() }];
    }
    let is_crossed = crossed(rows.len(), spans);
    let is_space = |at: usize| {
        let blank = |row: &Row| row.token.text(text).chars().all(crate::support::tokenize::is_space);
        rows[at].has_space || blank(&rows[at]) || rows.get(at + 1).is_some_and(blank)
    };
    let (mut pieces, mut start) = (Vec::new(), 0);
    while start < rows.len() {
        let begin = rows[start].token.start;
        let fits = start + rows[start..].partition_point(|row| row.end_with_space() - begin <= most_chars);
        // A row alone may be longer than a piece.
        let fits = fits.max(start + 1);
        if fits == rows.len() {
            pieces.push(start..fits);
            break;
        }
        let half =
            start + rows[start..fits].partition_point(|row| row.end_with_space() - begin <= most_chars / 2);
        let candidates = || (half..fits).rev().filter(|at| is_space(*at));
        let last = candidates().find(|at| !is_crossed[*at]).or_else(|| candidates().next());
        let cut = last.map_or(fits, |at| at + 1);
        debug_assert!(end(cut - 1) > begin, "a piece holds something");
        pieces.push(start..cut);
        start = cut;
    }
    pieces
}

/// For every row, whether a span goes on from it into the next.
fn crossed(rows: usize, spans: &[(u32, u32)]) -> Vec<bool> {
    let mut changes = vec![0_i64; rows + 1];
    for (first, last) in spans {
        changes[*first as usize] += 1;
        changes[*last as usize] -= 1;
    }
    let open = changes.iter().scan(0, |open, change| {
        *open += change;
        Some(*open > 0)
    });
    open.take(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tokenize::TokenSpan;

    fn check(text: &str, spans: &[(u32, u32)], ends: &[usize]) {
        let mut rows: Vec<Row> = Vec::new();
        for (at, character) in (0..).zip(text.chars()) {
            if let (' ', Some(row)) = (character, rows.last_mut()) {
                row.has_space = true;
                continue;
            }
            let token = TokenSpan {
                start: at,
                end: at + 1,
                start_byte: at,
                end_byte: at + 1,
                after_line_break: false,
            };
            rows.push(Row { token, has_space: false, gold: None });
        }
        let found: Vec<_> = cut(&rows, text, 10, spans).into_iter().map(|piece| piece.end).collect();
        assert_eq!(found, ends, "{text:?}");
    }

    #[test]
    fn texts_are_cut_at_white_space_that_no_span_crosses() {
        check("a b c d e", &[], &[5]);
        check("a b c d e f g", &[], &[5, 7]);
        check("a b c d e f g", &[(4, 5)], &[4, 7]);
        check("a b c d e f g", &[(3, 5)], &[3, 7]);
        check("a b c d e f g", &[(0, 6)], &[5, 7]);
        check("abcdefghijklm", &[], &[10, 13]);
        check("", &[], &[0]);
    }
}
