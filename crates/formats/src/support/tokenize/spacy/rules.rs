//! Prefixes, suffixes, infixes and exceptions, from `rules.txt`.

use foldhash::HashMap;

/// Characters.
#[derive(Default)]
pub(super) struct Class {
    /// A bit for each of ASCII.
    ascii: u128,
    /// First and last of each range, ascending.
    ranges: Vec<(u32, u32)>,
}

impl Class {
    fn read(ranges: &str) -> Class {
        let mut class = Class::default();
        for range in ranges.split(' ') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let code = |hex: &str| u32::from_str_radix(hex, 16).unwrap_or_default();
            let (first, last) = (code(first), code(last));
            (first..=last.min(127)).for_each(|code| class.ascii |= 1 << code);
            class.ranges.push((first, last));
        }
        class
    }

    /// Whether a character is one of them.
    pub(super) fn holds(&self, character: char) -> bool {
        let code = u32::from(character);
        if code < 128 {
            return self.ascii >> code & 1 == 1;
        }
        let at = self.ranges.partition_point(|(_, last)| *last < code);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= code)
    }
}

/// A word that is split in its own way.
pub(super) struct Exception {
    /// Where its tokens end, in bytes.
    pub(super) ends: Vec<u32>,
    /// Where the pieces end that rules make of it, when they would split it: it is looked for among pieces.
    pub(super) pieces: Option<Vec<u32>>,
}

/// What spaCy's English tokenizer goes by.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) exceptions: HashMap<&'static str, Exception>,
    /// Pieces of the exception that has most.
    pub(super) most_pieces: usize,
    pub(super) lower: Class,
    prefix: Class,
    suffix: Class,
    infix: Class,
    before_stop: Class,
    alpha: Class,
    upper: Class,
    lower_or_quote: Class,
    upper_or_quote: Class,
    currencies: Vec<&'static str>,
    units: Vec<&'static str>,
    hyphens: Vec<&'static str>,
    endings: Vec<&'static str>,
}

impl Rules {
    /// From the lines of `rules.txt`.
    pub(super) fn read(lines: &'static str) -> Rules {
        let mut rules = Rules::default();
        for line in lines.lines().filter(|line| !line.starts_with('#')) {
            let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (name, ranges) = rest.split_once(' ').unwrap_or((rest, ""));
            let words = || rest.split(' ').collect();
            match key {
                "class" => rules.set_class(name, Class::read(ranges)),
                "currency" => rules.currencies = words(),
                "unit" => rules.units = words(),
                "hyphen" => rules.hyphens = words(),
                "ending" => rules.endings = words(),
                _ => drop(rules.exceptions.insert(name, Exception { ends: ends(ranges), pieces: None })),
            }
        }
        rules.split_exceptions();
        rules
    }

    fn set_class(&mut self, name: &str, class: Class) {
        match name {
            "prefix" => self.prefix = class,
            "suffix" => self.suffix = class,
            "infix" => self.infix = class,
            "before_stop" => self.before_stop = class,
            "alpha" => self.alpha = class,
            "lower" => self.lower = class,
            "upper" => self.upper = class,
            "lower_or_quote" => self.lower_or_quote = class,
            _ => self.upper_or_quote = class,
        }
    }

    /// Splits exceptions as if they were none.
    fn split_exceptions(&mut self) {
        let mut exceptions = std::mem::take(&mut self.exceptions);
        for (word, exception) in &mut exceptions {
            if self.prefix(word) > 0 || self.suffix(word) > 0 || self.infix(word, 0).is_some() {
                let mut pieces = Vec::new();
                super::split_affixes(self, word, false, &mut pieces, &mut Vec::new());
                self.most_pieces = self.most_pieces.max(pieces.len());
                exception.pieces = Some(pieces);
            }
        }
        self.exceptions = exceptions;
    }

    /// Bytes of the prefix of a word, 0 for none.
    pub(super) fn prefix(&self, word: &str) -> usize {
        let mut characters = word.chars();
        let Some(first) = characters.next() else { return 0 };
        let is_money = |currency: &&&str| currency.len() > 1 && word.starts_with(**currency);
        match first {
            '+' if characters.next().is_some_and(|next| next.is_ascii_digit()) => 0,
            '.' => stops(word).filter(|stops| *stops > 1).unwrap_or(0),
            first if self.prefix.holds(first) => first.len_utf8(),
            'A' | 'C' | 'U' => self.currencies.iter().find(is_money).map_or(0, |currency| currency.len()),
            _ => 0,
        }
    }

    /// Bytes of the longest suffix of a word, 0 for none.
    pub(super) fn suffix(&self, word: &str) -> usize {
        let mut backwards = word.chars().rev();
        let Some(last) = backwards.next() else { return 0 };
        let before = backwards.next();
        let alone = if self.suffix.holds(last) || self.is_cut(last, before, backwards.next()) {
            last.len_utf8()
        } else {
            0
        };
        let stops = word.len() - word.trim_end_matches('.').len();
        let stops = if stops > 1 { stops } else { 0 };
        let ending = longest(&self.endings, word, |_| true);
        alone.max(stops).max(ending).max(self.amount(word))
    }

    /// Bytes of the currency or the unit after a digit that a word ends with, 0 for none.
    fn amount(&self, word: &str) -> usize {
        // Most words have no digit, and the lists are long.
        if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            return 0;
        }
        let is_after_digit = |rest: &str| rest.ends_with(|before: char| before.is_ascii_digit());
        longest(&self.currencies, word, is_after_digit).max(longest(&self.units, word, is_after_digit))
    }

    /// Whether the last character goes because of what stands before it.
    fn is_cut(&self, last: char, before: Option<char>, second: Option<char>) -> bool {
        let Some(before) = before else { return false };
        match last {
            '+' => before.is_ascii_digit(),
            '.' => {
                self.before_stop.holds(before)
                    || second.is_some_and(|second| self.upper.holds(second)) && self.upper.holds(before)
                    || second == Some('°') && matches!(before, 'F' | 'f' | 'C' | 'c' | 'K' | 'k')
            }
            _ => false,
        }
    }

    /// The first infix of a word that begins at a byte or after it.
    pub(super) fn infix(&self, word: &str, from: usize) -> Option<(usize, usize)> {
        let mut before = word[..from].chars().next_back();
        for (at, character) in word[from..].char_indices() {
            let length = self.infix_at(before, &word[from + at..], character);
            if length > 0 {
                return Some((from + at, from + at + length));
            }
            before = Some(character);
        }
        None
    }

    fn infix_at(&self, before: Option<char>, rest: &str, character: char) -> usize {
        if let Some(stops) = stops(rest).filter(|stops| *stops > 1) {
            return stops;
        }
        if self.infix.holds(character) {
            return character.len_utf8();
        }
        if character.is_alphanumeric() {
            return 0;
        }
        let (Some(before), after) = (before, rest[character.len_utf8()..].chars().next()) else { return 0 };
        let Some(after) = after else { return 0 };
        let is_word = self.alpha.holds(before) || before.is_ascii_digit();
        let is_infix = match character {
            '+' | '-' | '*' | '^' if before.is_ascii_digit() && (after.is_ascii_digit() || after == '-') => {
                true
            }
            '.' => self.lower_or_quote.holds(before) && self.upper_or_quote.holds(after),
            ',' => self.alpha.holds(before) && self.alpha.holds(after),
            ':' | '<' | '>' | '=' | '/' => is_word && self.alpha.holds(after),
            _ => false,
        };
        if is_infix {
            return character.len_utf8();
        }
        let is_hyphen = |hyphen: &&&str| {
            let after = rest.strip_prefix(**hyphen).and_then(|after| after.chars().next());
            after.is_some_and(|after| self.alpha.holds(after))
        };
        self.hyphens.iter().find(is_hyphen).filter(|_| is_word).map_or(0, |hyphen| hyphen.len())
    }
}

/// Where tokens end that stand one after the other in a word, in bytes.
fn ends(tokens: &str) -> Vec<u32> {
    let mut end = 0;
    let ends = tokens.split(' ').map(|token| {
        end += token.len() as u32;
        end
    });
    ends.collect()
}

/// The full stops that a word begins with.
fn stops(word: &str) -> Option<usize> {
    word.starts_with('.').then(|| word.len() - word.trim_start_matches('.').len())
}

/// Bytes of the longest of some words that a word ends with, where what stands before it fits.
fn longest(words: &[&str], word: &str, fits: impl Fn(&str) -> bool) -> usize {
    let last = word.as_bytes().last();
    let ends =
        |ending: &&&str| ending.as_bytes().last() == last && word.strip_suffix(**ending).is_some_and(&fits);
    words.iter().filter(ends).map(|ending| ending.len()).max().unwrap_or(0)
}
