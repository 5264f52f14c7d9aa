//! CoNLL-U: what stands around the rows of a sentence, and in columns of its own.

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

use spanfleet_core::Token;

use super::part::UNKNOWN;
use super::style::one_line;
use crate::support::labels::Tokenized;
use crate::support::tokenize::{Origin, TokenSpan, is_space};

/// The parts of speech that UPOS may hold; all others are a language's own, in XPOS.
const UNIVERSAL: [&str; 17] = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT",
    "SCONJ", "SYM", "VERB", "X",
];

/// `# sent_id` and `# text`, which is the tokens with a space between two that don't touch.
pub(super) fn write_comments(input: Tokenized<'_>, number: u32, sentence: Range<usize>, out: &mut Vec<u8>) {
    // Writing into memory can't fail.
    let _written = write!(out, "# sent_id = {}-{number}\n# text = ", one_line(&input.document.id));
    for at in sentence.clone() {
        let text = input.tokens[at].text(&input.document.text);
        // Rules cut no white space into a token.
        let text = if input.origin == Origin::Gold { form(text) } else { Cow::Borrowed(text) };
        out.extend_from_slice(text.as_bytes());
        if at + 1 < sentence.end && !touch(input.tokens, at) {
            out.push(b' ');
        }
    }
    out.push(b'\n');
}

/// Whether nothing stands between a token and the next one.
pub(super) fn touch(tokens: &[TokenSpan], at: usize) -> bool {
    tokens[at].end == tokens[at + 1].start
}

/// A token without white space; `_` for one of nothing.
pub(super) fn form(text: &str) -> Cow<'_, str> {
    match text {
        "" => Cow::Borrowed(UNKNOWN),
        text if text.contains(is_space) => Cow::Owned(text.replace(is_space, UNKNOWN)),
        text => Cow::Borrowed(text),
    }
}

/// UPOS and XPOS.
pub(super) fn parts_of_speech(gold: Option<&Token>) -> [Option<&str>; 2] {
    match gold.and_then(|token| token.pos.as_deref()) {
        Some(pos) if UNIVERSAL.contains(&pos) => [Some(pos), None],
        other => [None, other],
    }
}
