//! The tokens of a Hugging Face `tokenizer.json`, and how they lie on words.
//!
//! Words are those of `words`. A token may be part of a word, or reach over several (`...`); words that share a
//! token make one unit, which a label covers as a whole. Tokens are laid on words by the code points that they
//! cover without white space, since many begin on the space before a word. Words that the model drops (a lone
//! accent, a control character) make no unit.

use std::{fmt, sync::Arc};

use spanfleet_core::{CharIndex, Document, Options, options};
use tokenizers::{Encoding, PostProcessor as _, PostProcessorWrapper, TruncationDirection};

use crate::support::tokenize::{TokenSpan, Tokenizer, is_space};

/// A tokenizer of a model, ready to cut texts.
#[derive(Clone)]
pub struct Subwords {
    tokenizer: Arc<tokenizers::Tokenizer>,
    /// Adds special tokens to windows.
    processor: Option<PostProcessorWrapper>,
    /// Tokens of a window beside the special ones; one window of all where there is no `max_length`.
    window_tokens: Option<usize>,
    /// Tokens that a window shares with the one before.
    stride: usize,
}

/// One token of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subword {
    /// Its number in the model's vocabulary.
    pub id: u32,
    /// Its code points, `0, 0` for a special token.
    pub span: (u32, u32),
    /// The unit that it is part of; `None` for special tokens and white space.
    pub unit: Option<u32>,
    /// Whether a model attends to it.
    pub is_attended: bool,
}

/// A text in a model's tokens.
pub struct Cut {
    /// What labels can cover, ascending.
    pub units: Vec<TokenSpan>,
    /// One or more rows of tokens, each with its special tokens.
    pub windows: Vec<Vec<Subword>>,
}

impl fmt::Debug for Subwords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Subwords")
    }
}

impl Subwords {
    /// From the content of a `tokenizer.json`, under an order's `max_length` and `stride`. Padding and truncation of
    /// the file itself are left out: collators pad.
    pub fn read(content: &[u8], options: &Options) -> Result<Subwords, String> {
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(content).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        let processor = tokenizer.get_post_processor().cloned();
        tokenizer.with_post_processor(None::<PostProcessorWrapper>);
        let special = processor.as_ref().map_or(0, |processor| processor.added_tokens(false));
        let stride = options.stride;
        let window_tokens = options.max_length.map(|max_length| max_length.saturating_sub(special));
        if let Some(max_length) = options.max_length
            && max_length <= special + stride
        {
            return Err(format!(
                "`max_length` {max_length} leaves no room beside {special} special tokens and a stride of {stride}"
            ));
        }
        Ok(Subwords { tokenizer: Arc::new(tokenizer), processor, window_tokens, stride })
    }

    /// Encodes a text whole, cuts it into windows, and gives each its special tokens.
    ///
    /// The library's own truncation is not asked: told of it, version 0.23.2 stops reading a text at `max_length`
    /// tokens, and what follows is in no window.
    fn encode(&self, text: &str) -> Result<Encoding, String> {
        let mut encoding =
            self.tokenizer.encode_char_offsets(text, false).map_err(|error| error.to_string())?;
        if let Some(window_tokens) = self.window_tokens {
            encoding.truncate(window_tokens, self.stride, TruncationDirection::Right);
        }
        match &self.processor {
            None => Ok(encoding),
            Some(processor) => processor.process(encoding, None, true).map_err(|error| error.to_string()),
        }
    }

    /// Cuts a text.
    pub fn cut(&self, document: &Document, chars: &CharIndex) -> Result<Cut, String> {
        let text = document.text.as_str();
        let encoding = self.encode(text)?;
        let mut words = Tokenizer::new(options::Tokenizer::Words);
        let (words, _) = words.tokenize(document, chars);
        let mut on_words = OnWords {
            text,
            chars,
            words,
            is_covered: vec![false; words.len()],
            joins_next: vec![false; words.len()],
        };
        let encodings: Vec<&Encoding> =
            std::iter::once(&encoding).chain(encoding.get_overflowing()).collect();
        for encoding in &encodings {
            on_words.cover(encoding);
        }
        let (units, unit_of_word) = on_words.units();
        let windows = encodings.iter().map(|encoding| on_words.window(encoding, &unit_of_word)).collect();
        Ok(Cut { units, windows })
    }
}

/// Finds which words the tokens lie on.
struct OnWords<'d> {
    text: &'d str,
    chars: &'d CharIndex,
    words: &'d [TokenSpan],
    is_covered: Vec<bool>,
    joins_next: Vec<bool>,
}

impl OnWords<'_> {
    /// The words under a token, by their places; empty for special tokens and white space.
    fn words_under(&self, encoding: &Encoding, at: usize) -> std::ops::Range<usize> {
        let (start, end) = encoding.get_offsets()[at];
        let is_special = encoding.get_special_tokens_mask()[at] == 1;
        let covered = self.chars.slice(self.text, start as u32, end as u32).filter(|_| !is_special);
        let covered = covered.unwrap_or_default();
        let visible = covered.trim_matches(is_space);
        if visible.is_empty() {
            return 0..0;
        }
        let before = covered.chars().take_while(|character| is_space(*character)).count();
        let start = (start + before) as u32;
        let end = start + visible.chars().count() as u32;
        let first = self.words.partition_point(|word| word.end <= start);
        let last = self.words.partition_point(|word| word.start < end);
        first..last.max(first)
    }

    fn cover(&mut self, encoding: &Encoding) {
        for at in 0..encoding.len() {
            let under = self.words_under(encoding, at);
            if let Some(last) = under.clone().next_back() {
                self.is_covered[under.clone()].fill(true);
                self.joins_next[under.start..last].fill(true);
            }
        }
    }

    /// Units, and the unit of each covered word.
    fn units(&self) -> (Vec<TokenSpan>, Vec<Option<u32>>) {
        let (mut units, mut unit_of_word): (Vec<TokenSpan>, _) = (Vec::new(), vec![None; self.words.len()]);
        let mut joins = false;
        for (at, word) in self.words.iter().enumerate().filter(|(at, _)| self.is_covered[*at]) {
            match units.last_mut().filter(|_| joins) {
                Some(unit) => (unit.end, unit.end_byte) = (word.end, word.end_byte),
                None => units.push(*word),
            }
            unit_of_word[at] = Some(units.len() as u32 - 1);
            joins = self.joins_next[at];
        }
        (units, unit_of_word)
    }

    fn window(&self, encoding: &Encoding, unit_of_word: &[Option<u32>]) -> Vec<Subword> {
        let subword = |at: usize| {
            let (start, end) = encoding.get_offsets()[at];
            let is_special = encoding.get_special_tokens_mask()[at] == 1;
            Subword {
                id: encoding.get_ids()[at],
                span: if is_special { (0, 0) } else { (start as u32, end as u32) },
                unit: self.words_under(encoding, at).next().and_then(|word| unit_of_word[word]),
                is_attended: encoding.get_attention_mask()[at] == 1,
            }
        };
        (0..encoding.len()).map(subword).collect()
    }
}
