//! Text as XML 1.0 can hold it.

use base64::{Engine, engine::general_purpose::STANDARD};

/// What stands for a character that XML 1.0 can't hold, not even as a reference. One for one: offsets stay.
const REPLACEMENT: &str = "\u{fffd}";

/// Where text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Content,
    /// Between double quotes: parsers turn literal tabs and line breaks into spaces.
    Attribute,
}

/// Appends element content. Returns whether a character had to be replaced.
pub(super) fn content(text: &str, out: &mut Vec<u8>) -> bool {
    escape(text, Place::Content, out)
}

/// Appends ` name="value"`, and the original in `name-base64` where a character had to be replaced; returns
/// whether that was so.
pub(crate) fn attribute(name: &str, value: &str, out: &mut Vec<u8>) -> bool {
    open_attribute(name, out);
    let was_cleaned = escape(value, Place::Attribute, out);
    out.push(b'"');
    if was_cleaned {
        open_attribute(name, out);
        out.truncate(out.len() - 2);
        out.extend_from_slice(b"-base64=\"");
        base64(value, out);
        out.push(b'"');
    }
    was_cleaned
}

/// Appends the bytes of a text, in base64.
pub(super) fn base64(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(STANDARD.encode(text).as_bytes());
}

/// Appends JSON as element content. The two characters that XML forbids and JSON allows only stand in strings,
/// where an escape says the same.
pub(super) fn json(json: &str, out: &mut Vec<u8>) {
    if json.contains(['\u{fffe}', '\u{ffff}']) {
        content(&json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"), out);
    } else {
        content(json, out);
    }
}

fn open_attribute(name: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
}

fn escape(text: &str, place: Place, out: &mut Vec<u8>) -> bool {
    let (mut copied, mut was_cleaned) = (0, false);
    for (at, character) in text.char_indices() {
        let Some(written) = instead_of(character, place) else { continue };
        was_cleaned |= written == REPLACEMENT;
        out.extend_from_slice(&text.as_bytes()[copied..at]);
        out.extend_from_slice(written.as_bytes());
        copied = at + character.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
    was_cleaned
}

/// What is written for a character; `None` when it can stand as it is.
fn instead_of(character: char, place: Place) -> Option<&'static str> {
    match (character, place) {
        ('&', _) => Some("&amp;"),
        ('<', _) => Some("&lt;"),
        // `]]>` may not stand in content.
        ('>', _) => Some("&gt;"),
        // Parsers turn a literal CR into LF.
        ('\r', _) => Some("&#13;"),
        ('"', Place::Attribute) => Some("&quot;"),
        ('\t', Place::Attribute) => Some("&#9;"),
        ('\n', Place::Attribute) => Some("&#10;"),
        ('\t' | '\n', Place::Content) => None,
        ('\0'..='\x1f' | '\u{fffe}' | '\u{ffff}', _) => Some(REPLACEMENT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_content(text: &str, expected: &str, was_cleaned: bool) {
        let mut out = Vec::new();
        assert_eq!(content(text, &mut out), was_cleaned, "{text:?}");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn check_attribute(value: &str, expected: &str) {
        let mut out = Vec::new();
        attribute("id", value, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn content_keeps_line_breaks_and_offsets() {
        check_content("a]]>b & <c>", "a]]&gt;b &amp; &lt;c&gt;", false);
        check_content("a\r\nb\rc\td\"", "a&#13;\nb&#13;c\td\"", false);
        check_content("a\0b\u{1f}😀\u{ffff}", "a\u{fffd}b\u{fffd}😀\u{fffd}", true);
        check_content("\u{85}\u{2028}\u{7f}\u{fffd}", "\u{85}\u{2028}\u{7f}\u{fffd}", false);
    }

    #[test]
    fn attributes_keep_white_space_and_the_original() {
        check_attribute("a\tb\nc\rd\"e'", " id=\"a&#9;b&#10;c&#13;d&quot;e'\"");
        check_attribute("a\0", " id=\"a\u{fffd}\" id-base64=\"YQA=\"");
    }

    #[test]
    fn json_says_the_same_in_other_words() {
        let mut out = Vec::new();
        json("{\"a\":\"\u{fffe}<\"}", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "{\"a\":\"\\ufffe&lt;\"}");
    }
}
