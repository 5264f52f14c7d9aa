//! Names of files that stand for texts. No two different ids become one name.

use std::fmt::Write;

/// Longest stem of a file name, in bytes: systems take 255 with the ending.
const MOST_STEM_BYTES: usize = 200;

/// The name of a text's files, without ending: what file systems refuse is percent-encoded.
pub(crate) fn file_stem(id: &str) -> String {
    let mut stem = String::with_capacity(id.len());
    for (at, character) in id.char_indices() {
        let is_edge = at == 0 || at + character.len_utf8() == id.len();
        let is_refused = character.is_control()
            || matches!(character, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '%')
            || is_edge && matches!(character, '.' | ' ');
        if is_refused {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _written = write!(stem, "%{byte:02X}");
            }
        } else {
            stem.push(character);
        }
    }
    if stem.is_empty() {
        // No other id is written so.
        return "%".to_owned();
    }
    if stem.len() > MOST_STEM_BYTES {
        let mut checksum = flate2::Crc::new();
        checksum.update(id.as_bytes());
        stem.truncate(stem.floor_char_boundary(MOST_STEM_BYTES));
        let _written = write!(stem, "%{:08X}", checksum.sum());
    }
    stem
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stems_keep_what_file_systems_take() {
        for (id, expected) in [
            ("doc-1", "doc-1"),
            ("a/b:c", "a%2Fb%3Ac"),
            (".hidden", "%2Ehidden"),
            ("東 京.x", "東 京.x"),
            ("", "%"),
        ] {
            assert_eq!(file_stem(id), expected);
        }
        assert!(file_stem(&"é".repeat(300)).len() < 240);
    }

    proptest! {
        #[test]
        fn no_two_names_become_one(one in "[ab_u20 \\\\]{0,8}", other in "[ab_u20 \\\\]{0,8}") {
            prop_assume!(one != other);
            prop_assert_ne!(file_stem(&one), file_stem(&other));
        }
    }
}
