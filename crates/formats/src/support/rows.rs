//! The tokens of a text as spaCy has them. A text is its tokens, each followed by one space or by nothing: one
//! space after a token is its flag, all other white space is a token of its own.

use spanfleet_core::{CharIndex, Document};

use crate::support::tokenize::{Origin, TokenSpan, is_space};

/// One token of a `Doc`. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Where it lies.
    pub(crate) token: TokenSpan,
    /// Whether one space follows that is no part of any token.
    pub(crate) has_space: bool,
    /// Which of the document's tokens it is.
    pub(crate) gold: Option<u32>,
}

impl Row {
    /// One past its last code point, its space included.
    pub(crate) fn end_with_space(&self) -> u32 {
        self.token.end + u32::from(self.has_space)
    }
}

/// Makes rows, in memory that it keeps from text to text.
#[derive(Default)]
pub(crate) struct Rows {
    /// Tokens that spans are fitted to: never blank, no white space at their edges.
    pub(crate) words: Vec<TokenSpan>,
    gold: Vec<u32>,
    /// All tokens.
    pub(crate) all: Vec<Row>,
    /// The row of each word.
    pub(crate) of_word: Vec<u32>,
}

impl Rows {
    /// Takes the tokens of a text, white space off their edges.
    pub(crate) fn take_words(&mut self, document: &Document, tokens: &[TokenSpan], origin: Origin) {
        self.words.clear();
        self.gold.clear();
        if origin != Origin::Gold {
            self.words.extend_from_slice(tokens);
            return;
        }
        for (at, token) in tokens.iter().enumerate() {
            if let Some(word) = without_space(&document.text, *token) {
                self.words.push(word);
                self.gold.push(at as u32);
            }
        }
    }

    /// Cuts words at ascending offsets inside of them, so that spans with these borders fit.
    pub(crate) fn cut_words(&mut self, text: &str, chars: &CharIndex, borders: &[u32]) {
        let (words, gold) = (std::mem::take(&mut self.words), std::mem::take(&mut self.gold));
        let mut borders = borders.iter().copied().peekable();
        for (at, mut word) in words.into_iter().enumerate() {
            let mut push = |piece: TokenSpan| {
                let Some(piece) = without_space(text, piece) else { return };
                self.words.push(piece);
                self.gold.extend(gold.get(at));
            };
            while borders.next_if(|border| *border <= word.start).is_some() {}
            while let Some(border) = borders.next_if(|border| *border < word.end) {
                let Some(byte) = chars.byte(text, border as usize) else { continue };
                push(TokenSpan { end: border, end_byte: byte as u32, ..word });
                word = TokenSpan { start: border, start_byte: byte as u32, after_line_break: false, ..word };
            }
            push(word);
        }
    }

    /// Lays words and what stands between them out as rows.
    pub(crate) fn lay_out(&mut self, text: &str, chars: &CharIndex) {
        self.all.clear();
        self.of_word.clear();
        // Most words are followed by one space, which is no row.
        self.all.reserve(self.words.len());
        self.of_word.reserve(self.words.len());
        let mut before = TokenSpan::default();
        for at in 0..self.words.len() {
            let token = self.words[at];
            self.fill(text, before, token);
            self.of_word.push(self.all.len() as u32);
            self.all.push(Row { token, has_space: false, gold: self.gold.get(at).copied() });
            before = token;
        }
        let end =
            TokenSpan { start: chars.chars() as u32, start_byte: text.len() as u32, ..TokenSpan::default() };
        self.fill(text, before, end);
    }

    /// Rows for what stands between two words. Gold tokens may leave words out, too.
    fn fill(&mut self, text: &str, before: TokenSpan, after: TokenSpan) {
        let gap = &text[before.end_byte as usize..after.start_byte as usize];
        let (mut at, mut at_byte, mut rest) = (before.end, before.end_byte, gap);
        while !rest.is_empty() {
            let is_blank = rest.starts_with(is_space);
            let follows_word = self
                .all
                .last()
                .is_some_and(|row| !row.has_space && !row.token.text(text).starts_with(is_space));
            if follows_word && rest.starts_with(' ') {
                if let Some(word) = self.all.last_mut() {
                    word.has_space = true;
                }
                (at, at_byte, rest) = (at + 1, at_byte + 1, &rest[1..]);
                continue;
            }
            let length = rest.find(|character| is_space(character) != is_blank).unwrap_or(rest.len());
            let token = TokenSpan {
                start: at,
                end: at + rest[..length].chars().count() as u32,
                start_byte: at_byte,
                end_byte: at_byte + length as u32,
                after_line_break: false,
            };
            self.all.push(Row { token, has_space: false, gold: None });
            (at, at_byte, rest) = (token.end, token.end_byte, &rest[length..]);
        }
    }
}

fn without_space(text: &str, token: TokenSpan) -> Option<TokenSpan> {
    let whole = token.text(text);
    let head = whole.trim_start_matches(is_space);
    let word = head.trim_end_matches(is_space);
    if word.is_empty() {
        return None;
    }
    let cut = whole.len() - head.len();
    let start = token.start + whole[..cut].chars().count() as u32;
    let start_byte = token.start_byte + cut as u32;
    let (end, end_byte) = (start + word.chars().count() as u32, start_byte + word.len() as u32);
    Some(TokenSpan { start, end, start_byte, end_byte, ..token })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tokenize::Tokenizer;
    use crate::testing::document;
    use proptest::prelude::*;
    use spanfleet_core::options;

    fn lay_out(document: &Document, kind: options::Tokenizer) -> Rows {
        let (chars, mut tokenizer, mut rows) =
            (CharIndex::new(&document.text), Tokenizer::new(kind), Rows::default());
        let (tokens, origin) = tokenizer.tokenize(document, &chars);
        rows.take_words(document, tokens, origin);
        rows.lay_out(&document.text, &chars);
        rows
    }

    fn show(rows: &Rows, text: &str) -> Vec<String> {
        let show = |row: &Row| format!("{}{}", row.token.text(text), if row.has_space { "·" } else { "" });
        rows.all.iter().map(show).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        let document = Document { text: text.to_owned(), ..Document::default() };
        let rows = lay_out(&document, options::Tokenizer::Words);
        assert_eq!(show(&rows, text), expected, "{text:?}");
    }

    #[test]
    fn one_space_is_a_flag_and_the_rest_a_token() {
        check("Ada met.", &["Ada·", "met", "."]);
        check(" Ada  met\r\n", &[" ", "Ada·", " ", "met", "\r\n"]);
        check("Ada \n met ", &["Ada·", "\n ", "met·"]);
        check(" \n\t ", &[" \n\t "]);
        check("Ada\u{a0}met", &["Ada", "\u{a0}", "met"]);
        check("", &[]);
    }

    #[test]
    fn gold_tokens_lose_their_edges_and_gaps_are_filled() {
        let document = document(
            r#"{"text":"New York  was big ","tokens":[{"start":0,"end":9},{"start":9,"end":10},{"start":14,"end":14},{"start":14,"end":18}]}"#,
        );
        let rows = lay_out(&document, options::Tokenizer::Gold);
        assert_eq!(show(&rows, &document.text), ["New York·", " ", "was·", "big·"]);
        assert_eq!(rows.of_word, [0, 3]);
        assert_eq!(rows.all[3].gold, Some(3));
    }

    #[test]
    fn words_are_cut_at_borders_inside_of_them() {
        let document = document(
            r#"{"text":"New York's 😀😀 ","tokens":[{"start":0,"end":8},{"start":8,"end":10},{"start":11,"end":13}]}"#,
        );
        let (chars, mut tokenizer) =
            (CharIndex::new(&document.text), Tokenizer::new(options::Tokenizer::Gold));
        let (tokens, origin) = tokenizer.tokenize(&document, &chars);
        let mut rows = Rows::default();
        rows.take_words(&document, tokens, origin);
        rows.cut_words(&document.text, &chars, &[0, 3, 4, 8, 9, 12, 13, 99]);
        rows.lay_out(&document.text, &chars);
        assert_eq!(show(&rows, &document.text), ["New·", "York", "'", "s·", "😀", "😀·"]);
        let gold: Vec<_> = rows.all.iter().map(|row| row.gold).collect();
        assert_eq!(gold, [Some(0), Some(0), Some(1), Some(1), Some(2), Some(2)]);
    }

    proptest! {
        #[test]
        fn a_text_is_its_rows(documents in crate::laws::documents::documents()) {
            for document in &documents {
                for kind in [options::Tokenizer::Words, options::Tokenizer::Gold, options::Tokenizer::Whitespace] {
                    let rows = lay_out(document, kind);
                    let text: String =
                        show(&rows, &document.text).concat().replace('·', " ");
                    prop_assert_eq!(&text, &document.text);
                    let mut at = 0;
                    for row in &rows.all {
                        prop_assert_eq!(row.token.start, at);
                        prop_assert!(!row.token.is_empty());
                        at = row.end_with_space();
                    }
                }
            }
        }
    }
}
