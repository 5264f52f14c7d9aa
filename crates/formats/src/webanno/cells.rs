//! What stands in a cell, with what the format escapes.

/// Appends a text, or a line of one: control characters and backslashes can't stand in it as they are.
pub(super) fn push_text(text: &str, out: &mut String) {
    text.chars().for_each(|character| push_plain(character, out));
}

/// Appends a value: what parts values from each other can't stand in it as it is either.
pub(super) fn push_value(value: &str, out: &mut String) {
    if value.is_empty() {
        return out.push('*');
    }
    for (at, character) in value.char_indices() {
        let is_arrow = value[at..].starts_with("->");
        if is_arrow || matches!(character, '[' | ']' | '|' | '_' | ';' | '*') {
            out.push('\\');
        }
        push_plain(character, out);
    }
}

fn push_plain(character: char, out: &mut String) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let mut out = String::new();
        push_value("a_[1]|b\\->c;*\t-\n", &mut out);
        assert_eq!(out, "a\\_\\[1\\]\\|b\\\\\\->c\\;\\*\\t-\\n");
        out.clear();
        push_value("", &mut out);
        push_text("_\\\r", &mut out);
        assert_eq!(out, "*_\\\\\\r");
    }
}
