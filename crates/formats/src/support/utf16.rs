//! Code points to UTF-16 units, as JavaScript and Java count: a character beyond the Basic Multilingual Plane is two.

/// Where the characters of two units lie in one text: four bytes for each.
#[derive(Debug, Default)]
pub(crate) struct Utf16Index {
    pairs: Vec<u32>,
}

impl Utf16Index {
    /// Indexes another text in the same memory.
    pub(crate) fn rebuild(&mut self, text: &str) {
        self.pairs.clear();
        if text.is_ascii() {
            return;
        }
        let chars = (0..).zip(text.chars());
        self.pairs.extend(chars.filter(|(_, character)| character.len_utf16() == 2).map(|(at, _)| at));
    }

    /// The offset in UTF-16 units of an offset in code points.
    pub(crate) fn units(&self, char_at: u32) -> u32 {
        char_at + self.pairs.partition_point(|pair| *pair < char_at) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn units_are_what_encoding_gives(text in "[a😀é東\\r\\n👩]{0,30}") {
            let mut index = Utf16Index::default();
            index.rebuild(&text);
            let mut units = 0;
            for (at, character) in (0..).zip(text.chars()) {
                prop_assert_eq!(index.units(at), units);
                units += character.len_utf16() as u32;
            }
            prop_assert_eq!(index.units(text.chars().count() as u32), units);
        }
    }
}
