//! Every string of a DocBin, once, with the number that spaCy knows it by.

use foldhash::HashMap;
use spanfleet_core::spacy_symbols::{SYMBOLS, spacy_hash};

/// Strings by their place; place 0 is the empty string.
pub(super) struct Strings {
    /// Every token is looked up here.
    places: HashMap<Box<str>, u32>,
    ids: Vec<u64>,
    symbols: HashMap<&'static str, u64>,
}

impl Strings {
    pub(super) fn new() -> Strings {
        let symbols = SYMBOLS.iter().zip(0..).map(|(symbol, id)| (*symbol, id)).collect();
        let mut strings = Strings { places: HashMap::default(), ids: Vec::new(), symbols };
        strings.add("");
        strings
    }

    /// The place of a string, new or known.
    pub(super) fn place(&mut self, string: &str) -> u32 {
        // What most tokens have for a lemma and a tag.
        if string.is_empty() {
            return 0;
        }
        self.places.get(string).copied().unwrap_or_else(|| self.add(string))
    }

    fn add(&mut self, string: &str) -> u32 {
        let place = self.ids.len() as u32;
        self.ids.push(self.symbol(string).unwrap_or_else(|| spacy_hash(string)));
        self.places.insert(string.into(), place);
        place
    }

    /// spaCy's number of the string at a place.
    pub(super) fn id(&self, place: u32) -> u64 {
        self.ids[place as usize]
    }

    /// The number of a string that spaCy reserves one for.
    pub(super) fn symbol(&self, string: &str) -> Option<u64> {
        self.symbols.get(string).copied()
    }

    /// All strings by their place.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut texts = vec![""; self.ids.len()];
        for (text, place) in &self.places {
            texts[*place as usize] = text;
        }
        texts
    }

    /// All strings, sorted: their order must not depend on a hash.
    pub(super) fn sorted(&self) -> Vec<&str> {
        let mut strings: Vec<&str> = self.places.keys().map(|string| &**string).collect();
        strings.sort_unstable();
        strings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(string: &str, expected: u64) {
        let mut strings = Strings::new();
        let place = strings.place(string);
        assert_eq!(strings.id(place), expected, "{string:?}");
    }

    #[test]
    fn hashes_are_those_of_spacy() {
        check("a", 11_901_859_001_352_538_922);
        check("ab", 6_606_101_647_874_324_205);
        check("abcdefg", 18_200_195_881_963_043_692);
        check("abcdefgh", 17_751_780_907_874_141_760);
        check("abcdefghi", 13_885_881_106_499_164_936);
        check("PER", 4_317_129_024_397_789_502);
        check("😀", 13_900_606_239_988_879_105);
        check("\n", 962_983_613_142_996_970);
        check(&"é".repeat(300), 16_891_351_023_448_586_178);
        check("a\0b", 14_668_456_501_541_330_817);
    }

    #[test]
    fn reserved_strings_keep_their_numbers() {
        for (symbol, id) in
            [("", 0), ("ID", 64), ("X", 101), ("PERSON", 380), ("LOC", 385), ("root", 449), ("_", 456)]
        {
            check(symbol, id);
        }
    }

    #[test]
    fn strings_are_kept_once_and_sorted() {
        let mut strings = Strings::new();
        let places: Vec<_> = ["b", "a", "b", ""].map(|string| strings.place(string)).to_vec();
        assert_eq!(places, [1, 2, 1, 0]);
        assert_eq!(strings.sorted(), ["", "a", "b"]);
    }
}
