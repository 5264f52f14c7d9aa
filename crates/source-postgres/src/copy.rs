//! Binary COPY by hand: a row is a count of fields, a field its length and its bytes, all big-endian.
//!
//! A row out of a chunk costs no allocation; integers are read by their width, so columns need no cast.

use bytes::Bytes;
use spanfleet_core::Timestamp;
use spanfleet_source::{SourceError, SourceErrorKind};

/// What a binary COPY begins with; eight more bytes of flags and of the header's extension follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, length of an extension that nobody has.
const HEADER_BYTES: usize = SIGNATURE.len() + 8;
/// From 1970-01-01, where our times begin, to 2000-01-01, where PostgreSQL's do.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The rows of a COPY, chunk after chunk. A row never lies across two chunks: the server sends each as one
/// message.
#[derive(Debug)]
pub(crate) struct Rows<C> {
    chunks: C,
    chunk: Bytes,
    row_at: usize,
    next_at: usize,
    has_header: bool,
    is_done: bool,
}

impl<C: Iterator<Item = Result<Bytes, SourceError>>> Rows<C> {
    pub(crate) fn new(chunks: C) -> Rows<C> {
        Rows { chunks, chunk: Bytes::new(), row_at: 0, next_at: 0, has_header: false, is_done: false }
    }

    /// Moves to the next row; `false` after the last.
    pub(crate) fn advance(&mut self) -> Result<bool, SourceError> {
        if self.is_done {
            return Ok(false);
        }
        while self.next_at == self.chunk.len() {
            self.chunk = self.chunks.next().unwrap_or_else(|| Err(broken("it ended early")))?;
            self.next_at = 0;
            self.skip_header()?;
        }
        self.row_at = self.next_at;
        let mut fields = Fields { rest: &self.chunk[self.row_at..] };
        let count = i16::from_be_bytes(fields.take()?);
        self.is_done = count < 0;
        for _ in 0..count {
            fields.next()?;
        }
        self.next_at = self.chunk.len() - fields.rest.len();
        Ok(!self.is_done)
    }

    /// The fields of the row that [`Rows::advance`] moved to.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields { rest: self.chunk.get(self.row_at + 2..self.next_at).unwrap_or_default() }
    }

    fn skip_header(&mut self) -> Result<(), SourceError> {
        if !self.has_header {
            if !self.chunk.starts_with(SIGNATURE) || self.chunk.len() < HEADER_BYTES {
                return Err(broken("it does not begin as one"));
            }
            self.next_at = HEADER_BYTES;
            self.has_header = true;
        }
        Ok(())
    }
}

/// The fields of a row, one after the other.
#[derive(Debug)]
pub(crate) struct Fields<'r> {
    rest: &'r [u8],
}

impl<'r> Fields<'r> {
    /// The bytes of the next field; `None` for NULL.
    pub(crate) fn next(&mut self) -> Result<Option<&'r [u8]>, SourceError> {
        let Ok(bytes) = usize::try_from(i32::from_be_bytes(self.take()?)) else { return Ok(None) };
        let (field, rest) = self.rest.split_at_checked(bytes).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(Some(field))
    }

    pub(crate) fn integer(&mut self) -> Result<Option<i64>, SourceError> {
        let Some(field) = self.next()? else { return Ok(None) };
        if let Ok(wide) = <[u8; 8]>::try_from(field) {
            return Ok(Some(i64::from_be_bytes(wide)));
        }
        if let Ok(narrow) = <[u8; 4]>::try_from(field) {
            return Ok(Some(i64::from(i32::from_be_bytes(narrow))));
        }
        let short = <[u8; 2]>::try_from(field).map_err(|_| broken("an integer has an unknown width"))?;
        Ok(Some(i64::from(i16::from_be_bytes(short))))
    }

    pub(crate) fn text(&mut self) -> Result<Option<&'r str>, SourceError> {
        let Some(field) = self.next()? else { return Ok(None) };
        std::str::from_utf8(field).map(Some).map_err(|_| broken("a text is not UTF-8"))
    }

    /// A number; NaN and infinities are no confidence and read as none.
    pub(crate) fn number(&mut self) -> Result<Option<f64>, SourceError> {
        let Some(field) = self.next()? else { return Ok(None) };
        let bytes = field.try_into().map_err(|_| broken("a number has an unknown width"))?;
        Ok(Some(f64::from_be_bytes(bytes)).filter(|number| number.is_finite()))
    }

    /// An instant; `infinity` is none and reads as none.
    pub(crate) fn moment(&mut self) -> Result<Option<Timestamp>, SourceError> {
        let Some(micros) = self.integer()? else { return Ok(None) };
        Ok(micros.checked_add(EPOCH_MICROS).filter(|_| micros != i64::MIN).map(Timestamp::from_micros))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], SourceError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(*bytes)
    }
}

fn cut_short() -> SourceError {
    broken("a row is cut short")
}

/// The stream itself is at fault, so another attempt may do.
fn broken(what: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Transient,
        format!("the stream of rows from PostgreSQL is broken: {what}"),
    )
}

/// Rows on their way in, as one stream of binary COPY.
#[derive(Debug)]
pub struct RowsIn {
    out: Vec<u8>,
}

impl Default for RowsIn {
    /// No rows yet.
    fn default() -> RowsIn {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(SIGNATURE);
        out.extend_from_slice(&[0; HEADER_BYTES - SIGNATURE.len()]);
        RowsIn { out }
    }
}

impl RowsIn {
    /// Begins a row of so many fields, which must follow.
    pub fn row(&mut self, fields: i16) -> &mut RowsIn {
        self.out.extend_from_slice(&fields.to_be_bytes());
        self
    }

    /// The next field; `None` is NULL.
    pub fn field(&mut self, bytes: Option<&[u8]>) -> &mut RowsIn {
        let length = bytes.map_or(-1, |bytes| bytes.len() as i32);
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(bytes.unwrap_or_default());
        self
    }

    /// The same of text.
    pub fn text(&mut self, text: Option<&str>) -> &mut RowsIn {
        self.field(text.map(str::as_bytes))
    }

    /// The same of an `integer`.
    pub fn int4(&mut self, number: Option<i32>) -> &mut RowsIn {
        self.field(number.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice))
    }

    /// The next field, a `bigint`.
    pub fn int8(&mut self, number: i64) -> &mut RowsIn {
        self.field(Some(&number.to_be_bytes()))
    }

    /// The next field, a `double precision`; `None` is NULL.
    pub fn number(&mut self, number: Option<f64>) -> &mut RowsIn {
        self.field(number.map(f64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice))
    }

    /// The next field, a `timestamptz`; `None` is NULL.
    pub fn moment(&mut self, moment: Option<Timestamp>) -> &mut RowsIn {
        let micros = moment.map(|moment| moment.micros().saturating_sub(EPOCH_MICROS).to_be_bytes());
        self.field(micros.as_ref().map(<[u8; 8]>::as_slice))
    }

    /// The whole stream; `None` when it has no row.
    pub fn end(mut self) -> Option<Vec<u8>> {
        let has_rows = self.out.len() > HEADER_BYTES;
        self.out.extend_from_slice(&(-1i16).to_be_bytes());
        has_rows.then_some(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(chunks: Vec<Vec<u8>>) -> Rows<impl Iterator<Item = Result<Bytes, SourceError>>> {
        Rows::new(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))))
    }

    #[test]
    fn rows_read_back_as_they_were_written() {
        let moment = Timestamp::parse("1999-12-31T23:59:59.5Z");
        let mut out = RowsIn::default();
        out.row(6).int8(-7).int4(Some(8)).text(Some("é")).text(None).number(Some(0.25)).moment(moment);
        let second_at = out.out.len();
        out.row(1).int4(None);
        let mut first = out.end().unwrap();
        let second = first.split_off(second_at);
        let mut rows = rows(vec![first, second]);
        assert!(rows.advance().unwrap());
        let mut fields = rows.fields();
        assert_eq!(fields.integer().unwrap(), Some(-7));
        assert_eq!(fields.integer().unwrap(), Some(8));
        assert_eq!(fields.text().unwrap(), Some("é"));
        assert_eq!(fields.text().unwrap(), None);
        assert_eq!(fields.number().unwrap(), Some(0.25));
        assert_eq!(fields.moment().unwrap(), moment);
        assert!(rows.advance().unwrap());
        assert_eq!(rows.fields().integer().unwrap(), None);
        assert!(!rows.advance().unwrap());
        assert!(!rows.advance().unwrap());
        assert_eq!(RowsIn::default().end(), None);
    }

    #[test]
    fn a_stream_that_breaks_off_is_an_error() {
        let mut out = RowsIn::default();
        out.row(1).text(Some("Ada"));
        let mut whole = out.end().unwrap();
        whole.truncate(whole.len() - 2);
        let mut early = rows(vec![whole.clone()]);
        assert!(early.advance().unwrap());
        assert!(early.advance().unwrap_err().to_string().contains("ended early"));
        for length in 1..whole.len() {
            assert!(rows(vec![whole[..length].to_vec()]).advance().is_err(), "{length}");
        }
    }

    #[test]
    fn infinite_times_are_none() {
        for micros in [i64::MIN, i64::MAX] {
            let mut out = RowsIn::default();
            out.row(1).int8(micros);
            let mut rows = rows(vec![out.end().unwrap()]);
            assert!(rows.advance().unwrap());
            assert_eq!(rows.fields().moment().unwrap(), None);
        }
    }
}
