//! Names that brat can hold. No two different ones become one.

use std::borrow::Cow;
use std::fmt::Write;

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

    proptest! {
        #[test]
        fn no_two_names_become_one(one in "[ab_u20 \\\\]{0,8}", other in "[ab_u20 \\\\]{0,8}") {
            prop_assume!(one != other);
            prop_assert_ne!(type_name(&one), type_name(&other));
        }
    }
}
