//! Labels as a column can hold them.

use std::borrow::Cow;
use std::fmt::Write;

use super::style::Style;

/// Labels made fit for a column, each worked out once.
#[derive(Default)]
pub(super) struct ColumnLabels {
    /// By the label's number; `None` where it was not asked for yet.
    known: Vec<Option<Encoded>>,
}

impl ColumnLabels {
    /// The form that stands in the column; `None` when the label can stand as it is.
    pub(super) fn encoded(&mut self, number: u32, label: &str, style: &Style) -> Option<&str> {
        let at = number as usize;
        if self.known.len() <= at {
            self.known.resize_with(at + 1, || None);
        }
        let encoded =
            self.known[at].get_or_insert_with(|| match encode(label, |character| style.refuses(character)) {
                Cow::Owned(encoded) => Encoded::Other(encoded),
                Cow::Borrowed(_) => Encoded::Same,
            });
        match encoded {
            Encoded::Other(encoded) => Some(encoded),
            Encoded::Same => None,
        }
    }
}

enum Encoded {
    Same,
    Other(String),
}

/// Percent-encodes what is refused. A label that already looks percent-encoded has its `%` encoded, so that no two
/// labels become one.
fn encode(label: &str, is_refused: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !label.contains(&is_refused) && !looks_encoded(label) {
        return Cow::Borrowed(label);
    }
    let mut encoded = String::with_capacity(label.len() + 8);
    for character in label.chars() {
        if character == '%' || is_refused(character) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing into memory can't fail.
                let _written = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(character);
        }
    }
    Cow::Owned(encoded)
}

fn looks_encoded(label: &str) -> bool {
    label.as_bytes().windows(3).any(|three| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::support::tokenize::is_space;

    fn check(label: &str, expected: &str) {
        assert_eq!(encode(label, is_space), expected);
    }

    #[test]
    fn only_white_space_is_encoded() {
        check("MY LABEL", "MY%20LABEL");
        check("MY_LABEL", "MY_LABEL");
        check("a\tb\nc\u{a0}", "a%09b%0Ac%C2%A0");
        check("100%", "100%");
        check("MY%20LABEL", "MY%2520LABEL");
        check("a/b|c,-", "a/b|c,-");
    }

    proptest! {
        #[test]
        fn no_two_labels_become_one(one in "[ab%209\\t ]{1,6}", other in "[ab%209\\t ]{1,6}") {
            prop_assume!(one != other);
            prop_assert_ne!(encode(&one, is_space), encode(&other, is_space));
        }
    }
}
