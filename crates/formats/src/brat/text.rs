//! A text as brat's readers agree on it, and where spans lie in it.

use spanfleet_core::{CharIndex, Extent, Loss};

use crate::support::tokenize::is_space;

/// The text of a `.txt` file. Readers count CR LF as one character or as two: only LF is the same to all.
#[derive(Default)]
pub(super) struct BratText {
    /// With LF alone.
    pub(super) content: String,
    chars: CharIndex,
    original_chars: u32,
    /// Code points of the original that are left out, ascending: a CR before an LF.
    left_out: Vec<u32>,
}

/// Where a span lies in the `.txt` file.
pub(super) struct Placed {
    /// Its fragments, ascending; none is blank or holds a line break.
    pub(super) fragments: Vec<(u32, u32)>,
    /// Whether white space beside a line break, or a line break at the edge, was left out.
    pub(super) is_trimmed: bool,
}

impl BratText {
    /// Takes another text; returns whether its line breaks had to change.
    pub(super) fn rebuild(&mut self, text: &str) -> bool {
        self.content.clear();
        self.left_out.clear();
        let (mut characters, mut count, mut was_changed) = (text.chars().peekable(), 0, false);
        while let Some(character) = characters.next() {
            if character == '\r' {
                was_changed = true;
                if characters.peek() == Some(&'\n') {
                    self.left_out.push(count);
                } else {
                    self.content.push('\n');
                }
            } else {
                self.content.push(character);
            }
            count += 1;
        }
        self.original_chars = count;
        self.chars.rebuild(&self.content);
        was_changed
    }

    /// The fragments of an extent, given in the original's offsets.
    pub(super) fn place(&self, extent: &Extent) -> Result<Placed, Loss> {
        let pieces = match extent {
            Extent::Text => return Err(Loss::Unrepresentable),
            Extent::Span { start, end } => &[(*start, *end)][..],
            Extent::Fragments(pieces) => pieces,
        };
        let mut placed = Placed { fragments: Vec::new(), is_trimmed: false };
        for (start, end) in pieces {
            if start > end || *end > self.original_chars {
                return Err(Loss::OutOfRange);
            }
            self.split(self.moved(*start), self.moved(*end), &mut placed);
        }
        if placed.fragments.is_empty() {
            return Err(Loss::EmptySpan);
        }
        placed.fragments.sort_unstable();
        // brat refuses fragments that overlap or go backwards.
        placed.fragments.dedup_by(|next, kept| {
            let overlaps = next.0 < kept.1;
            kept.1 = if overlaps { kept.1.max(next.1) } else { kept.1 };
            overlaps
        });
        Ok(placed)
    }

    /// What a line of annotation states of a span: its fragments, joined by one space.
    pub(super) fn stated(&self, fragments: &[(u32, u32)]) -> String {
        let slice =
            |(start, end): &(u32, u32)| self.chars.slice(&self.content, *start, *end).unwrap_or_default();
        fragments.iter().map(slice).collect::<Vec<_>>().join(" ")
    }

    fn moved(&self, at: u32) -> u32 {
        at - self.left_out.partition_point(|left_out| *left_out < at) as u32
    }

    /// A fragment per line, without the white space beside a line's end.
    fn split(&self, start: u32, end: u32, placed: &mut Placed) {
        let covered = self.chars.slice(&self.content, start, end).unwrap_or_default();
        let lines = covered.split(is_line_break).count();
        let mut at = start;
        for (nth, line) in covered.split(is_line_break).enumerate() {
            let headless = if nth > 0 { line.trim_start_matches(is_space) } else { line };
            let kept = if nth + 1 < lines { headless.trim_end_matches(is_space) } else { headless };
            let begin = at + line[..line.len() - headless.len()].chars().count() as u32;
            let is_blank = kept.chars().all(is_space);
            if !is_blank {
                placed.fragments.push((begin, begin + kept.chars().count() as u32));
            }
            placed.is_trimmed |= kept.len() < line.len() || is_blank && !line.is_empty();
            at += line.chars().count() as u32 + 1;
        }
        placed.is_trimmed |= covered.starts_with(is_line_break) || covered.ends_with(is_line_break);
    }
}

/// Where Python's `splitlines()` ends a line, which is how brat reads annotations.
pub(super) fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, extent: &Extent) -> String {
        let mut brat = BratText::default();
        brat.rebuild(text);
        match brat.place(extent) {
            Ok(Placed { fragments, is_trimmed }) => {
                format!(
                    "{fragments:?} {}{}",
                    brat.stated(&fragments),
                    if is_trimmed { " trimmed" } else { "" }
                )
            }
            Err(loss) => loss.as_str().to_owned(),
        }
    }

    fn check(text: &str, (start, end): (u32, u32), expected: &str) {
        assert_eq!(place(text, &Extent::Span { start, end }), expected, "{text:?}");
    }

    #[test]
    fn fragments_ascend_and_never_overlap() {
        let extent = Extent::Fragments(vec![(8, 10), (0, 3), (2, 5), (5, 5)]);
        assert_eq!(place("Ada met Bo", &extent), "[(0, 5), (8, 10)] Ada m Bo");
    }

    #[test]
    fn spans_are_split_at_line_breaks() {
        check("Foo bar", (0, 7), "[(0, 7)] Foo bar");
        check("Foo\n  Bar", (0, 9), "[(0, 3), (6, 9)] Foo Bar trimmed");
        check("Foo\u{2028}Bar", (0, 7), "[(0, 3), (4, 7)] Foo Bar");
        check("😀Foo\n", (1, 5), "[(1, 4)] Foo trimmed");
        check("a Foo b", (1, 6), "[(1, 6)]  Foo ");
        check("a\n\nb", (0, 4), "[(0, 1), (3, 4)] a b");
        check(" \n ", (0, 3), "empty_span");
        check("Foo", (1, 1), "empty_span");
        check("Foo", (2, 4), "out_of_range");
        check("Foo", (2, 1), "out_of_range");
    }

    #[test]
    fn carriage_returns_move_what_follows() {
        check("a\r\nb\r\nc", (6, 7), "[(4, 5)] c");
        check("a\r\nb", (0, 4), "[(0, 1), (2, 3)] a b");
        check("a\r\nb", (0, 2), "[(0, 1)] a");
        check("a\rb", (2, 3), "[(2, 3)] b");
    }
}
