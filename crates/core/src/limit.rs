//! How long a text may be.

use std::fmt;

/// The longest text that is read, as it stands in a file or a row: memory is bounded by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimit(u64);

const MEBIBYTE: u64 = 1024 * 1024;

impl Default for TextLimit {
    /// Longer than any text that people annotate; a few of them fit into the memory of any machine.
    fn default() -> TextLimit {
        TextLimit::of_mebibytes(256)
    }
}

impl TextLimit {
    /// A limit of so many mebibytes.
    pub const fn of_mebibytes(count: u64) -> TextLimit {
        TextLimit(count * MEBIBYTE)
    }

    /// The same in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Why a text of so many bytes is not read, if so: a clause that begins after what names the text.
    pub fn refusal(self, bytes: u64) -> Option<String> {
        (bytes > self.0).then(|| format!("has {bytes} bytes, more than {self}"))
    }
}

impl fmt::Display for TextLimit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "the limit of {} MiB for a text; split it, or raise `--text-limit-mib`",
            self.0 / MEBIBYTE
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_size_limit_and_mend() {
        let limit = TextLimit::of_mebibytes(1);
        assert_eq!(limit.refusal(1024 * 1024), None);
        let expected = "has 1048577 bytes, more than the limit of 1 MiB for a text; split it, or raise `--text-limit-mib`";
        assert_eq!(limit.refusal(1024 * 1024 + 1).as_deref(), Some(expected));
    }
}
