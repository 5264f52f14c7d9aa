//! Rows of a binary COPY, decoded where they lie.

use futures_util::{Stream, StreamExt};

/// Signature, flags and length of the extension.
const HEADER_BYTES: usize = 19;

/// One COPY: every message is a row, the first one after the header.
pub(super) struct Rows<S, B> {
    messages: S,
    row: Option<B>,
    at: usize,
    is_first: bool,
}

impl<B: AsRef<[u8]>, S: Stream<Item = sqlx::Result<B>> + Unpin> Rows<S, B> {
    pub(super) fn new(messages: S) -> Rows<S, B> {
        Rows { messages, row: None, at: 0, is_first: true }
    }

    /// Moves to the next row; `false` after the last.
    pub(super) async fn advance(&mut self) -> bool {
        self.row = self.messages.next().await.map(|row| row.expect("PostgreSQL sends rows"));
        self.at = if std::mem::take(&mut self.is_first) { HEADER_BYTES } else { 0 };
        self.take_i16() >= 0
    }

    /// The next field of the row; empty for NULL.
    pub(super) fn field(&mut self) -> &[u8] {
        let bytes = usize::try_from(self.take_i32()).unwrap_or(0);
        let begin = self.at;
        self.at += bytes;
        &self.row.as_ref().map_or(&[][..], AsRef::as_ref)[begin..begin + bytes]
    }

    pub(super) fn text(&mut self) -> &str {
        std::str::from_utf8(self.field()).expect("PostgreSQL sends UTF-8")
    }

    pub(super) fn integer(&mut self) -> i64 {
        let field = self.field();
        match field.len() {
            4 => i64::from(i32::from_be_bytes(field.try_into().expect("four bytes"))),
            8 => i64::from_be_bytes(field.try_into().expect("eight bytes")),
            _ => 0,
        }
    }

    pub(super) fn number(&mut self) -> f64 {
        f64::from_be_bytes(self.field().try_into().expect("a number has eight bytes"))
    }

    fn take_i16(&mut self) -> i16 {
        let bytes = self.take::<2>();
        i16::from_be_bytes(bytes)
    }

    fn take_i32(&mut self) -> i32 {
        let bytes = self.take::<4>();
        i32::from_be_bytes(bytes)
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let row = self.row.as_ref().expect("a row is at hand").as_ref();
        let bytes = row[self.at..self.at + N].try_into().expect("so many bytes were asked for");
        self.at += N;
        bytes
    }
}
