//! Where tokens lie. No token of `words`, `whitespace` or `spacy` holds a character that Python's `str.split()` would
//! split at: every reader of column formats uses it.

use spanfleet_core::{CharIndex, Document, options};
use unicode_segmentation::UnicodeSegmentation;

mod spacy;

use spacy::SpacyRules;

/// One token in code points and bytes, end exclusive. Only a gold token can be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenSpan {
    /// First code point.
    pub start: u32,
    /// One past the last code point.
    pub end: u32,
    /// First byte.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
    /// Whether a line break stands between the token before and this one.
    pub after_line_break: bool,
}

impl TokenSpan {
    /// The token's text.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start_byte as usize..self.end_byte as usize]
    }

    /// Whether it holds no character.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Where the tokens of a text came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Cut from the text by rule.
    Rule,
    /// The corpus's own: `tokens[i]` is the document's `tokens[i]`. They may hold white space or leave gaps.
    Gold,
    /// Cut by rule, because the corpus's own tokens overlap or lie outside the text.
    BrokenGold,
}

/// Whether Python's `str.isspace()` is true of a character.
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

/// The same of each byte of ASCII.
const ASCII_SPACES: [bool; 256] = {
    let mut spaces = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        spaces[byte as usize] = matches!(byte, b'\t'..=b'\r' | b'\x1c'..=b' ');
        byte += 1;
    }
    spaces
};
/// The bytes that words of ASCII are made of.
const ASCII_WORDS: [bool; 256] = {
    let mut words = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        words[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    words
};

/// Finds tokens, in memory that it keeps from text to text.
pub struct Tokenizer {
    kind: options::Tokenizer,
    tokens: Vec<TokenSpan>,
    spacy: SpacyRules,
}

impl Tokenizer {
    /// A tokenizer of that kind.
    pub fn new(kind: options::Tokenizer) -> Tokenizer {
        Tokenizer { kind, tokens: Vec::new(), spacy: SpacyRules::default() }
    }

    /// The tokens of a document, ascending, never overlapping. A text without gold tokens falls back to `words`.
    pub fn tokenize(&mut self, document: &Document, chars: &CharIndex) -> (&[TokenSpan], Origin) {
        self.tokens.clear();
        let gold = document.tokens.as_deref().unwrap_or_default();
        let is_gold = self.kind == options::Tokenizer::Gold && !gold.is_empty();
        if is_gold && take_gold(document, chars, &mut self.tokens).is_some() {
            return (&self.tokens, Origin::Gold);
        }
        self.tokens.clear();
        let (tokens, rules) = (&mut self.tokens, &mut self.spacy);
        match self.kind {
            options::Tokenizer::Whitespace => for_each_run(&document.text, |run| tokens.push(run)),
            options::Tokenizer::Spacy => {
                for_each_run(&document.text, |run| cut_as_spacy(&document.text, run, rules, tokens));
            }
            _ => for_each_run(&document.text, |run| cut_words(&document.text, run, tokens)),
        }
        (&self.tokens, if is_gold { Origin::BrokenGold } else { Origin::Rule })
    }
}

/// Every longest run without white space.
fn for_each_run(text: &str, found: impl FnMut(TokenSpan)) {
    // Most texts are ASCII, and there a byte is a code point.
    if text.is_ascii() {
        for_each_ascii_run(text.as_bytes(), found);
    } else {
        for_each_unicode_run(text, found);
    }
}

fn for_each_ascii_run(text: &[u8], mut found: impl FnMut(TokenSpan)) {
    let mut at = 0;
    loop {
        let begin = at;
        while text.get(at).is_some_and(|byte| ASCII_SPACES[*byte as usize]) {
            at += 1;
        }
        let after_line_break = memchr::memchr(b'\n', &text[begin..at]).is_some();
        let start = at;
        while text.get(at).is_some_and(|byte| !ASCII_SPACES[*byte as usize]) {
            at += 1;
        }
        if start == at {
            return;
        }
        let (start, end) = (start as u32, at as u32);
        found(TokenSpan { start, end, start_byte: start, end_byte: end, after_line_break });
    }
}

fn for_each_unicode_run(text: &str, mut found: impl FnMut(TokenSpan)) {
    let mut run: Option<TokenSpan> = None;
    let (mut chars, mut after_line_break) = (0, false);
    for (byte, character) in text.char_indices() {
        if is_space(character) {
            if let Some(run) = run.take() {
                found(TokenSpan { end: chars, end_byte: byte as u32, ..run });
            }
            after_line_break |= character == '\n';
        } else if run.is_none() {
            let start_byte = byte as u32;
            run = Some(TokenSpan { start: chars, start_byte, after_line_break, ..TokenSpan::default() });
            after_line_break = false;
        }
        chars += 1;
    }
    if let Some(run) = run {
        found(TokenSpan { end: chars, end_byte: text.len() as u32, ..run });
    }
}

/// Cuts a run at Unicode's word boundaries (UAX 29); every character is in a token.
fn cut_words(text: &str, run: TokenSpan, tokens: &mut Vec<TokenSpan>) {
    let piece = run.text(text);
    let mut at = TokenSpan { end: run.start, end_byte: run.start_byte, ..run };
    let mut push = |bytes: usize, chars: usize| {
        at = TokenSpan {
            start: at.end,
            end: at.end + chars as u32,
            start_byte: at.end_byte,
            end_byte: at.end_byte + bytes as u32,
            after_line_break: run.after_line_break && at.end == run.start,
        };
        tokens.push(at);
    };
    // A byte per code point: the run is ASCII, as most are, and its boundaries need no tables.
    if run.end - run.start == run.end_byte - run.start_byte {
        let mut rest = piece.as_bytes();
        while !rest.is_empty() {
            let length = ascii_word(rest);
            push(length, length);
            rest = &rest[length..];
        }
    } else {
        piece.split_word_bounds().for_each(|word| push(word.len(), word.chars().count()));
    }
}

/// Cuts a run where spaCy's English tokenizer does; every character is in a token.
fn cut_as_spacy(text: &str, run: TokenSpan, rules: &mut SpacyRules, tokens: &mut Vec<TokenSpan>) {
    let piece = run.text(text);
    let is_ascii = run.end - run.start == run.end_byte - run.start_byte;
    let (mut chars, mut begin) = (run.start, 0);
    for end in rules.split(piece) {
        let bytes = &piece[begin..*end as usize];
        let start = chars;
        chars += if is_ascii { bytes.len() } else { bytes.chars().count() } as u32;
        tokens.push(TokenSpan {
            start,
            end: chars,
            start_byte: run.start_byte + begin as u32,
            end_byte: run.start_byte + end,
            after_line_break: run.after_line_break && begin == 0,
        });
        begin = *end as usize;
    }
}

/// Length of the first word or lone character of ASCII text without white space, by the rules of UAX 29.
fn ascii_word(bytes: &[u8]) -> usize {
    let is_core = |byte: &u8| ASCII_WORDS[*byte as usize];
    if !is_core(&bytes[0]) {
        return 1;
    }
    let mut at = 1;
    loop {
        while bytes.get(at).is_some_and(is_core) {
            at += 1;
        }
        match bytes.get(at..at + 2) {
            Some([mark, next]) if joins(bytes[at - 1], *mark, *next) => at += 1,
            _ => return at,
        }
    }
}

/// Whether a punctuation mark stands inside a word (`can't`, `e.g`) or a number (`3.5`, `1,000`).
fn joins(before: u8, mark: u8, after: u8) -> bool {
    match mark {
        b'.' | b'\'' => {
            before.is_ascii_alphabetic() && after.is_ascii_alphabetic()
                || before.is_ascii_digit() && after.is_ascii_digit()
        }
        b':' => before.is_ascii_alphabetic() && after.is_ascii_alphabetic(),
        b',' | b';' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

/// The corpus's own tokens; `None` when they overlap, run backwards or leave the text.
fn take_gold(document: &Document, chars: &CharIndex, tokens: &mut Vec<TokenSpan>) -> Option<()> {
    let text = &document.text;
    let mut before = TokenSpan::default();
    for token in document.tokens.as_deref()? {
        if token.start < before.end || token.end < token.start {
            return None;
        }
        let start_byte = chars.byte(text, token.start as usize)?;
        let end_byte = chars.byte(text, token.end as usize)?;
        let gap = &text.as_bytes()[before.end_byte as usize..start_byte];
        before = TokenSpan {
            start: token.start,
            end: token.end,
            start_byte: start_byte as u32,
            end_byte: end_byte as u32,
            after_line_break: memchr::memchr(b'\n', gap).is_some(),
        };
        tokens.push(before);
    }
    Some(())
}

#[cfg(test)]
mod tests;
