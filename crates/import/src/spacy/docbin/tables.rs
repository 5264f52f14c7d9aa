//! What a DocBin says once for all texts: its columns, its strings, and how many words each text has.

use std::{
    collections::HashMap,
    io::{self, Read},
};

use rmp::decode;
use serde_json::{Map, Value, json};
use spanfleet_core::spacy_symbols::{SYMBOLS, spacy_hash};

use super::super::msgpack::{self, broken};

/// Bytes of all strings together, at most: a file that inflates to more is none that spaCy could load.
const MOST_STRING_BYTES: usize = 1024 * 1024 * 1024;

/// Columns that are read, by spaCy's numbers.
const ORTH: u64 = 65;
const LEMMA: u64 = 73;
const TAG: u64 = 75;
const ENT_IOB: u64 = 77;
const ENT_TYPE: u64 = 78;
const ENT_KB_ID: u64 = 452;
const ENT_ID: u64 = 454;

#[derive(Default)]
pub(super) struct Tables {
    pub(super) columns: Vec<u64>,
    pub(super) lengths: Vec<u32>,
    strings: HashMap<u64, Box<str>>,
}

impl Tables {
    pub(super) fn read(mut input: impl Read) -> io::Result<Tables> {
        let mut tables = Tables::default();
        let keys = decode::read_map_len(&mut input).map_err(broken)?;
        for _ in 0..keys {
            match msgpack::string(&mut input)?.as_str() {
                "attrs" => tables.read_columns(&mut input)?,
                "lengths" => tables.read_lengths(&mut input)?,
                "strings" => tables.read_strings(&mut input)?,
                _ => msgpack::skip(&mut input, 0)?,
            }
        }
        if !tables.columns.contains(&ORTH) {
            return Err(broken("no column ORTH in `attrs`"));
        }
        Ok(tables)
    }

    fn read_columns(&mut self, input: &mut impl Read) -> io::Result<()> {
        let count = decode::read_array_len(input).map_err(broken)?;
        if count > 1000 {
            return Err(broken("too many `attrs`"));
        }
        for _ in 0..count {
            self.columns.push(decode::read_int(input).map_err(broken)?);
        }
        Ok(())
    }

    fn read_lengths(&mut self, input: &mut impl Read) -> io::Result<()> {
        let bytes = decode::read_bin_len(input).map_err(broken)?;
        for _ in 0..bytes / 4 {
            let mut length = [0; 4];
            input.read_exact(&mut length)?;
            let length = u32::try_from(i32::from_le_bytes(length));
            self.lengths.push(length.map_err(|_| broken("a text with a negative number of words"))?);
        }
        Ok(())
    }

    fn read_strings(&mut self, input: &mut impl Read) -> io::Result<()> {
        let count = decode::read_array_len(input).map_err(broken)?;
        let mut total = 0;
        for _ in 0..count {
            let string = msgpack::string(input)?;
            total += string.len();
            if total > MOST_STRING_BYTES {
                return Err(broken("its strings are longer than 1 GiB; split it"));
            }
            self.strings.insert(spacy_hash(&string), string.into());
        }
        Ok(())
    }

    /// The string of a number; 0 is the empty one, the next few hundred are reserved.
    fn string(&self, number: u64) -> io::Result<&str> {
        if let Some(symbol) = SYMBOLS.get(number as usize).filter(|_| number < SYMBOLS.len() as u64) {
            return Ok(symbol);
        }
        let known = self.strings.get(&number).map(|string| &**string);
        known.ok_or_else(|| broken(format!("the string {number} is not among its `strings`")))
    }

    /// One row of the matrix.
    pub(super) fn token(&self, row: &[u8], has_space: bool) -> io::Result<Value> {
        let cell = |wanted: u64| {
            let at = self.columns.iter().position(|column| *column == wanted)?;
            let bytes = row.get(at * 8..at * 8 + 8)?.try_into().ok()?;
            Some(u64::from_le_bytes(bytes))
        };
        let string = |column| self.string(cell(column).unwrap_or_default());
        Ok(json!([
            string(ORTH)?,
            has_space,
            cell(ENT_IOB).unwrap_or_default(),
            string(ENT_TYPE)?,
            string(ENT_KB_ID)?,
            string(ENT_ID)?,
            string(LEMMA)?,
            string(TAG)?
        ]))
    }

    /// The span groups of one text: a list of groups, or a map from a group to the keys that it goes by.
    pub(super) fn groups(&self, bytes: &[u8]) -> io::Result<Value> {
        let mut input = bytes;
        let mut groups = Map::new();
        let Some(first) = input.first() else { return Ok(Value::Object(groups)) };
        let is_map = matches!(first, 0x80..=0x8f | 0xde | 0xdf);
        let count =
            if is_map { decode::read_map_len(&mut input) } else { decode::read_array_len(&mut input) };
        for _ in 0..count.map_err(broken)? {
            let (name, spans) = self.group(&msgpack::bin(&mut input)?)?;
            let mut keys = vec![name];
            if is_map {
                keys.clear();
                for _ in 0..decode::read_array_len(&mut input).map_err(broken)? {
                    keys.push(msgpack::string(&mut input)?);
                }
            }
            groups.extend(keys.into_iter().map(|key| (key, spans.clone())));
        }
        Ok(Value::Object(groups))
    }

    fn group(&self, bytes: &[u8]) -> io::Result<(String, Value)> {
        let mut input = bytes;
        let (mut name, mut spans) = (String::new(), Vec::new());
        for _ in 0..decode::read_map_len(&mut input).map_err(broken)? {
            match msgpack::string(&mut input)?.as_str() {
                "name" => name = msgpack::string(&mut input)?,
                "spans" => {
                    for _ in 0..decode::read_array_len(&mut input).map_err(broken)? {
                        spans.push(self.span(&msgpack::bin(&mut input)?)?);
                    }
                }
                _ => msgpack::skip(&mut input, 0)?,
            }
        }
        Ok((name, Value::Array(spans)))
    }

    /// `[first word, one past the last, label, kb_id]`; records are big-endian, unlike the matrix.
    fn span(&self, record: &[u8]) -> io::Result<Value> {
        let record: &[u8; 40] = record.try_into().map_err(|_| broken("a span that is not 40 bytes"))?;
        let wide = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| record[at + byte]));
        let short = |at: usize| i32::from_be_bytes(std::array::from_fn(|byte| record[at + byte]));
        Ok(json!([short(24), short(28), self.string(wide(16))?, self.string(wide(8))?]))
    }
}
