//! Code points to bytes and back, without recounting from the start for every span.

/// Where the code points of one text lie in its UTF-8 bytes.
///
/// Holds one byte offset for every 64 code points (2 bytes a kilobyte of text); a look-up scans at most
/// 64 code points. ASCII texts need no table at all.
#[derive(Debug, Default)]
pub struct CharIndex {
    /// Byte offset of code point `64 * i`; empty for an ASCII text.
    marks: Vec<u32>,
    chars: usize,
    bytes: usize,
}

/// Code points between two marks: small enough to scan, large enough for the table to stay small.
const STRIDE: usize = 64;

impl CharIndex {
    /// Indexes one text of less than 4 GiB.
    pub fn new(text: &str) -> CharIndex {
        let mut index = CharIndex::default();
        index.rebuild(text);
        index
    }

    /// Indexes another text in the same memory.
    pub fn rebuild(&mut self, text: &str) {
        self.marks.clear();
        self.bytes = text.len();
        if text.is_ascii() {
            self.chars = text.len();
            return;
        }
        let mut chars = 0;
        for (byte, _) in text.char_indices() {
            if chars % STRIDE == 0 {
                self.marks.push(byte as u32);
            }
            chars += 1;
        }
        self.chars = chars;
    }

    /// How many code points the text has.
    pub fn chars(&self) -> usize {
        self.chars
    }

    /// The byte offset of a code point; `None` past the end. The end itself is a valid position.
    pub fn byte(&self, text: &str, char_at: usize) -> Option<usize> {
        if char_at >= self.chars {
            return (char_at == self.chars).then_some(self.bytes);
        }
        if self.marks.is_empty() {
            return Some(char_at);
        }
        let mark = self.marks[char_at / STRIDE] as usize;
        text[mark..].char_indices().nth(char_at % STRIDE).map(|(byte, _)| mark + byte)
    }

    /// The code point that starts at a byte offset, which must be a character boundary.
    pub fn char(&self, text: &str, byte_at: usize) -> usize {
        if self.marks.is_empty() {
            return byte_at;
        }
        let block = self.marks.partition_point(|mark| *mark as usize <= byte_at).saturating_sub(1);
        let mark = self.marks[block] as usize;
        block * STRIDE + text[mark..byte_at].chars().count()
    }

    /// The code points `start..end` of the text; `None` when they are out of range or reversed.
    pub fn slice<'t>(&self, text: &'t str, start: u32, end: u32) -> Option<&'t str> {
        if start > end {
            return None;
        }
        Some(&text[self.byte(text, start as usize)?..self.byte(text, end as usize)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_agree_with_counting() {
        let text: String = "aé😀\u{301}\r\n".chars().cycle().take(500).collect();
        let index = CharIndex::new(&text);
        for (char_at, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(index.byte(&text, char_at), Some(byte));
            assert_eq!(index.char(&text, byte), char_at);
        }
        assert_eq!(index.byte(&text, 500), Some(text.len()));
        assert_eq!(index.byte(&text, 501), None);
        assert_eq!(index.char(&text, text.len()), 500);
    }

    #[test]
    fn slices_refuse_what_is_out_of_range() {
        let index = CharIndex::new("a😀b");
        assert_eq!(index.slice("a😀b", 1, 2), Some("😀"));
        assert_eq!(index.slice("a😀b", 2, 4), None);
        assert_eq!(index.slice("a😀b", 2, 1), None);
        assert_eq!(CharIndex::new("").slice("", 0, 0), Some(""));
    }
}
