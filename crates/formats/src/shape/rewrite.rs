//! Steps that rewrite a text, with everything that stands on it moved along.
//!
//! A rewritten text is made of pieces: some characters of the old text, and what they become. A boundary between
//! pieces has one place in the new text. A boundary inside a piece (between a letter and its combining accent,
//! say) has none: a span that begins there begins with the piece, one that ends there ends with it.

use spanfleet_core::{
    Change, Document, Extent, Ledger,
    options::{Step, UnicodeForm},
};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick, is_nfkc_quick,
};

use crate::support::tokenize::is_space;

/// Rewrites a document's text by a step; steps of other kinds leave it alone.
pub(super) fn rewrite(step: &Step, document: &mut Document, ledger: &mut Ledger) {
    let rewritten = match step {
        Step::NormalizeUnicode(form) => normalize(&document.text, *form),
        Step::CollapseWhitespace => collapse(&document.text),
        Step::Lowercase => lowercase(&document.text),
        _ => return,
    };
    if rewritten.text == document.text {
        return;
    }
    ledger.change_text(Change::Cleaned, &document.id);
    for annotation in &mut document.annotations {
        if rewritten.move_extent(&mut annotation.extent) {
            ledger.change_annotation(Change::Expanded, &document.id, &annotation.id);
        }
    }
    if let Some(tokens) = &mut document.tokens {
        for token in tokens.iter_mut() {
            (token.start, token.end) = (rewritten.start(token.start), rewritten.end(token.end));
        }
        // Two tokens of one piece would overlap: the first has it.
        let mut end = 0;
        tokens.retain(|token| {
            let keeps = token.start >= end && token.end > token.start;
            end = end.max(token.end);
            keeps
        });
    }
    document.text = rewritten.text;
}

/// A new text, and where the boundaries of the old one lie in it.
#[derive(Default)]
struct Rewritten {
    text: String,
    chars: u32,
    /// For each boundary of the old text: where its piece begins, and where the piece before it ends.
    boundaries: Vec<(u32, u32)>,
}

impl Rewritten {
    fn with_capacity(bytes: usize) -> Rewritten {
        Rewritten { text: String::with_capacity(bytes), chars: 0, boundaries: Vec::with_capacity(bytes + 1) }
    }

    /// So many characters of the old text become these.
    fn push(&mut self, old_chars: usize, new: impl Iterator<Item = char>) {
        let start = self.chars;
        for character in new {
            self.text.push(character);
            self.chars += 1;
        }
        self.boundaries.push((start, start));
        let inside = (start, self.chars);
        self.boundaries.extend(std::iter::repeat_n(inside, old_chars.saturating_sub(1)));
    }

    fn finish(mut self) -> Rewritten {
        self.boundaries.push((self.chars, self.chars));
        self
    }

    /// Where a span begins that began here. What lay past the end still does.
    fn start(&self, old: u32) -> u32 {
        self.boundaries.get(old as usize).map_or_else(|| self.past_end(old), |boundary| boundary.0)
    }

    /// Where a span ends that ended here.
    fn end(&self, old: u32) -> u32 {
        self.boundaries.get(old as usize).map_or_else(|| self.past_end(old), |boundary| boundary.1)
    }

    fn past_end(&self, old: u32) -> u32 {
        let old_chars = self.boundaries.len() as u32 - 1;
        self.chars.saturating_add(old - old_chars)
    }

    fn is_inside_piece(&self, old: u32) -> bool {
        self.boundaries.get(old as usize).is_some_and(|boundary| boundary.0 != boundary.1)
    }

    /// Moves an extent; whether it became wider than what was annotated.
    fn move_extent(&self, extent: &mut Extent) -> bool {
        let mut is_wider = false;
        let mut shift = |start: &mut u32, end: &mut u32| {
            // A reversed span stays one, to be counted as such.
            if *start <= *end {
                is_wider |= *start < *end && (self.is_inside_piece(*start) || self.is_inside_piece(*end));
                (*start, *end) = if start == end {
                    (self.start(*start), self.start(*start))
                } else {
                    (self.start(*start), self.end(*end))
                };
            }
        };
        match extent {
            Extent::Text => {}
            Extent::Span { start, end } => shift(start, end),
            Extent::Fragments(pieces) => pieces.iter_mut().for_each(|(start, end)| shift(start, end)),
        }
        is_wider
    }
}

/// Whether no normalization joins a character to the one before: it, or what it is taken apart into, begins with
/// a starter whose own form is settled.
fn begins_piece(character: char, form: UnicodeForm) -> bool {
    let alone = std::iter::once(character);
    let (quick, first) = match form {
        UnicodeForm::Nfc => (is_nfc_quick(alone.clone()), alone.nfd().next()),
        UnicodeForm::Nfkc => (is_nfkc_quick(alone.clone()), alone.nfkd().next()),
    };
    match first {
        Some(first) if first != character => begins_piece(first, form),
        _ => canonical_combining_class(character) == 0 && quick == IsNormalized::Yes,
    }
}

fn normalize(text: &str, form: UnicodeForm) -> Rewritten {
    let mut rewritten = Rewritten::with_capacity(text.len());
    let (mut piece_start, mut piece_chars) = (0, 0);
    let mut push = |piece: &str, chars: usize| match form {
        _ if chars == 0 => {}
        UnicodeForm::Nfc => rewritten.push(chars, piece.nfc()),
        UnicodeForm::Nfkc => rewritten.push(chars, piece.nfkc()),
    };
    for (byte, character) in text.char_indices() {
        if character.is_ascii() || begins_piece(character, form) {
            push(&text[piece_start..byte], piece_chars);
            (piece_start, piece_chars) = (byte, 0);
        }
        piece_chars += 1;
    }
    push(&text[piece_start..], piece_chars);
    rewritten.finish()
}

/// One space for a run between words, nothing for one at an end of the text.
fn collapse(text: &str) -> Rewritten {
    let mut rewritten = Rewritten::with_capacity(text.len());
    let mut run = 0;
    for character in text.chars() {
        if is_space(character) {
            run += 1;
            continue;
        }
        if run > 0 {
            let space = (rewritten.chars > 0).then_some(' ');
            rewritten.push(run, space.into_iter());
            run = 0;
        }
        rewritten.push(1, std::iter::once(character));
    }
    if run > 0 {
        rewritten.push(run, std::iter::empty());
    }
    rewritten.finish()
}

/// The final sigma depends on its word, hence the whole text at once; its length does not.
fn lowercase(text: &str) -> Rewritten {
    let lower = text.to_lowercase();
    let mut characters = lower.chars();
    let mut rewritten = Rewritten::with_capacity(lower.len());
    for character in text.chars() {
        let count = character.to_lowercase().count();
        rewritten.push(1, characters.by_ref().take(count));
    }
    rewritten.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::document;

    const NFC: Step = Step::NormalizeUnicode(UnicodeForm::Nfc);
    const NFKC: Step = Step::NormalizeUnicode(UnicodeForm::Nfkc);

    fn whole(step: &Step, text: &str) -> String {
        let mut document = Document { text: text.to_owned(), ..Document::default() };
        rewrite(step, &mut document, &mut Ledger::default());
        document.text
    }

    fn check(step: &Step, text: &str, (start, end): (u32, u32), expected: &str) {
        let mut found = document(&format!(
            r#"{{"id":"t","text":{},"annotations":[{{"id":"1","start":{start},"end":{end},"label":"L"}}]}}"#,
            serde_json::to_string(text).unwrap()
        ));
        rewrite(step, &mut found, &mut Ledger::default());
        let Extent::Span { start, end } = found.annotations[0].extent else { panic!() };
        let span: String = found.text.chars().skip(start as usize).take((end - start) as usize).collect();
        assert_eq!(span, expected, "{:?}", found.text);
    }

    #[test]
    fn spans_move_along() {
        check(&NFC, "cafe\u{301} x", (0, 5), "caf\u{e9}");
        check(&NFC, "cafe\u{301} x", (6, 7), "x");
        check(&NFC, "cafe\u{301} x", (3, 4), "\u{e9}");
        check(&NFKC, "a \u{fb01}sh", (2, 3), "fi");
        check(&NFKC, "a \u{fb01}sh", (3, 5), "sh");
        check(&Step::CollapseWhitespace, "  Ada \n met\t", (2, 5), "Ada");
        check(&Step::CollapseWhitespace, "  Ada \n met\t", (2, 11), "Ada met");
        check(&Step::CollapseWhitespace, "  Ada", (0, 5), "Ada");
        check(&Step::Lowercase, "\u{130}X \u{3a3}", (1, 2), "x");
        check(&Step::Lowercase, "A\u{3a3} B", (0, 2), "a\u{3c2}");
    }

    #[test]
    fn gold_tokens_move_along_and_never_overlap() {
        let mut found = document(
            r#"{"text":"cafe\u0301","tokens":[{"start":0,"end":4},{"start":4,"end":5}],"annotations":[]}"#,
        );
        rewrite(&NFC, &mut found, &mut Ledger::default());
        let tokens: Vec<_> = found.tokens.unwrap().iter().map(|token| (token.start, token.end)).collect();
        assert_eq!(tokens, [(0, 4)]);
    }

    proptest! {
        #[test]
        fn the_text_between_old_boundaries_is_the_rewritten_text(
            text in "[ae\u{301}\u{323}\u{1100}\u{1161}\u{11a8}\u{fb01}\u{958} \n\u{a0}\u{130}\u{3a3}Z\u{1f600}]{0,12}"
        ) {
            for (step, direct) in [
                (NFC, text.nfc().collect::<String>()),
                (NFKC, text.nfkc().collect()),
                (Step::Lowercase, text.to_lowercase()),
                (Step::CollapseWhitespace, text.split_whitespace().collect::<Vec<_>>().join(" ")),
            ] {
                prop_assert_eq!(whole(&step, &text), direct);
            }
        }

        #[test]
        fn what_was_annotated_is_inside_what_is(
            text in "[ae\u{301}\u{fb01} \n\u{1f600}]{1,12}", start in 0_usize..12, length in 1_usize..6
        ) {
            let chars: Vec<char> = text.chars().collect();
            let (start, end) = (start.min(chars.len()), (start + length).min(chars.len()));
            let covered: String = chars[start..end].iter().collect();
            for step in [NFC, Step::CollapseWhitespace, Step::Lowercase] {
                let mut rewritten = document(&format!(
                    r#"{{"text":{},"annotations":[{{"id":"1","start":{start},"end":{end},"label":"L"}}]}}"#,
                    serde_json::to_string(&text).unwrap()
                ));
                rewrite(&step, &mut rewritten, &mut Ledger::default());
                let Extent::Span { start, end } = rewritten.annotations[0].extent else { panic!() };
                let found: String =
                    rewritten.text.chars().skip(start as usize).take((end - start) as usize).collect();
                let base = |text: &str| text.nfd().filter(|c| !is_space(*c)).collect::<String>();
                prop_assert!(base(&found).contains(&base(&covered)), "{:?} {:?}", found, covered);
            }
        }
    }
}
