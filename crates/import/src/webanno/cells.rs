//! One cell: stacked values, each with the number of its annotation, and the escapes in them.

/// One value of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell<'f> {
    /// As it stands in the file, with its escapes.
    pub(super) raw: &'f str,
    /// The number that annotations over several rows, or stacked ones, have; 0 for none.
    pub(super) number: u32,
}

impl Cell<'_> {
    /// The value without escapes; `None` where there is an annotation without a value.
    pub(super) fn value(&self) -> Option<String> {
        (self.raw != "*").then(|| unescape(self.raw))
    }
}

/// The values of a cell; none in a cell that holds `_`.
pub(super) fn values(cell: &str) -> Vec<Cell<'_>> {
    if cell == "_" || cell.is_empty() {
        return Vec::new();
    }
    parts(cell, b'|').into_iter().map(numbered).collect()
}

/// Takes the `[1]` off a value.
fn numbered(part: &str) -> Cell<'_> {
    let number = || {
        let (raw, number) = part.strip_suffix(']')?.rsplit_once('[')?;
        let is_escaped = raw.ends_with('\\') && !raw.ends_with("\\\\");
        Some(Cell { raw, number: number.parse().ok()? }).filter(|_| !is_escaped)
    };
    number().unwrap_or(Cell { raw: part, number: 0 })
}

/// Parts of a cell, between separators that are not escaped.
pub(super) fn parts(cell: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut begin, mut is_escaped) = (Vec::new(), 0, false);
    for (at, byte) in cell.bytes().enumerate() {
        if byte == separator && !is_escaped {
            parts.push(&cell[begin..at]);
            begin = at + 1;
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    parts.push(&cell[begin..]);
    parts
}

/// Without escapes: `\t`, `\n`, `\r`, `\b`, `\f`, and a backslash before anything else.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('t') => plain.push('\t'),
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('b') => plain.push('\u{8}'),
                Some('f') => plain.push('\u{c}'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (character, _) => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_taken_apart() {
        let shown = |cell| values(cell).iter().map(|one| (one.value(), one.number)).collect::<Vec<_>>();
        assert_eq!(shown("_"), []);
        assert_eq!(shown("*"), [(None, 0)]);
        assert_eq!(shown("\\_"), [(Some("_".into()), 0)]);
        assert_eq!(shown("*[1]|ORG[2]"), [(None, 1), (Some("ORG".into()), 2)]);
        assert_eq!(shown("er\\|es\\[1\\]"), [(Some("er|es[1]".into()), 0)]);
    }
}
