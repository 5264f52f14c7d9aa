//! Names that brat and file systems can hold. No two different ones become one.

use std::borrow::Cow;
use std::fmt::Write;

/// Longest stem of a file name, in bytes: systems take 255 with the ending.
const MOST_STEM_BYTES: usize = 200;

/// A label, relation type or attribute name as brat takes it: letters and digits of ASCII, `_`, `-` and `/`.
///
/// Other characters become `_u20_`, by their number in hex. A name that already looks so has its `_u` written in
/// the same way.
pub(super) fn type_name(name: &str) -> Cow<'_, str> {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '/');
    if name.chars().all(is_plain) && !looks_encoded(name) {
        return Cow::Borrowed(name);
    }
    let mut encoded = String::with_capacity(name.len() + 8);
    for (at, character) in name.char_indices() {
        if is_plain(character) && !name[at..].starts_with("_u") {
            encoded.push(character);
        } else {
            // Writing into memory can't fail.
            let _written = write!(encoded, "_u{:x}_", u32::from(character));
        }
    }
    Cow::Owned(encoded)
}

fn looks_encoded(name: &str) -> bool {
    name.match_indices("_u").any(|(at, begin)| {
        let rest = &name[at + begin.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits > 0 && rest[digits..].starts_with('_')
    })
}

/// The name of a text's files, without ending: what file systems refuse is percent-encoded.
pub(super) fn file_stem(id: &str) -> String {
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
    fn types_keep_what_brat_takes() {
        for (name, expected) in [
            ("PER", "PER"),
            ("WORK_OF_ART", "WORK_OF_ART"),
            ("NAME/PER-1", "NAME/PER-1"),
            ("MY LABEL", "MY_u20_LABEL"),
            ("É:x", "_uc9__u3a_x"),
            ("a_u20_b", "a_u5f_u20_b"),
        ] {
            assert_eq!(type_name(name), expected);
        }
    }

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
            prop_assert_ne!(type_name(&one), type_name(&other));
            prop_assert_ne!(file_stem(&one), file_stem(&other));
        }
    }
}
