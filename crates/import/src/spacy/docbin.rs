//! A DocBin laid down as lines: zlib over a MessagePack map, whose sections hold one thing of all texts each.
//!
//! Each section is read by an inflater of its own that has passed over the ones before it, all of them in step,
//! text by text. So a file of any size takes the memory of its strings, its lengths and its largest text.

pub(super) mod line;
mod tables;

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
};

use flate2::bufread::ZlibDecoder;
use rmp::decode;
use serde_json::{Map, Value, json};

use super::msgpack::{self, broken};
use tables::Tables;

/// The key of a line that was unpacked from a DocBin.
pub(super) const KEY: &str = "docbin";
/// Words of one text, at most: as many as a text of a gibibyte may have at two bytes each.
const MOST_WORDS: u32 = 512 * 1024 * 1024;

type Inflater<R> = BufReader<ZlibDecoder<BufReader<R>>>;

/// Whether bytes begin a DocBin: a zlib stream of a MessagePack map with the keys of one.
pub(super) fn is_docbin(head: &[u8]) -> bool {
    let is_zlib =
        head.len() > 2 && head[0] & 15 == 8 && (u16::from(head[0]) << 8 | u16::from(head[1])) % 31 == 0;
    if !is_zlib {
        return false;
    }
    let mut begun = [0; 64];
    let read = ZlibDecoder::new(head).read(&mut begun).unwrap_or(0);
    let keys: [&[u8]; 6] = [b"version", b"attrs", b"tokens", b"spaces", b"lengths", b"strings"];
    let is_map = matches!(begun[0], 0x80..=0x8f | 0xde | 0xdf);
    is_map && keys.iter().any(|key| begun[..read].windows(key.len()).any(|window| window == *key))
}

/// Writes a line for each text of a DocBin. One that breaks off ends in a line that says why.
pub(super) fn unpack(open: &dyn Fn() -> io::Result<File>, out: &mut dyn Write) -> io::Result<()> {
    match unpack_all(open, out) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput
            ) =>
        {
            let line = json!({KEY: {"broken": error.to_string()}});
            writeln!(out, "{line}")
        }
        other => other,
    }
}

fn unpack_all<R: Read>(open: &dyn Fn() -> io::Result<R>, out: &mut dyn Write) -> io::Result<()> {
    let tables = Tables::read(inflate(open)?)?;
    let mut sections = Sections::open(open)?;
    for length in &tables.lengths {
        let doc = sections.next_doc(&tables, *length)?;
        writeln!(out, "{}", json!({KEY: doc}))?;
    }
    Ok(())
}

fn inflate<R: Read>(open: &dyn Fn() -> io::Result<R>) -> io::Result<Inflater<R>> {
    Ok(BufReader::new(ZlibDecoder::new(BufReader::new(open()?))))
}

/// The inflated file from the value of a key on.
fn section<R: Read>(open: &dyn Fn() -> io::Result<R>, wanted: &str) -> io::Result<Option<Inflater<R>>> {
    let mut input = inflate(open)?;
    let keys = decode::read_map_len(&mut input).map_err(broken)?;
    for _ in 0..keys {
        if msgpack::string(&mut input)? == wanted {
            return Ok(Some(input));
        }
        msgpack::skip(&mut input, 0)?;
    }
    Ok(None)
}

/// The sections that hold something for each text, in step.
struct Sections<R> {
    tokens: Inflater<R>,
    spaces: Inflater<R>,
    cats: Option<Inflater<R>>,
    flags: Option<Inflater<R>>,
    span_groups: Option<Inflater<R>>,
    user_data: Option<Inflater<R>>,
}

impl<R: Read> Sections<R> {
    fn open(open: &dyn Fn() -> io::Result<R>) -> io::Result<Sections<R>> {
        let bin = |key: &str| -> io::Result<Inflater<R>> {
            let mut input = section(open, key)?.ok_or_else(|| broken(format!("`{key}` is missing")))?;
            decode::read_bin_len(&mut input).map_err(broken)?;
            Ok(input)
        };
        let list = |key: &str| -> io::Result<Option<Inflater<R>>> {
            let Some(mut input) = section(open, key)? else { return Ok(None) };
            let count = decode::read_array_len(&mut input).map_err(broken)?;
            Ok((count > 0).then_some(input))
        };
        Ok(Sections {
            tokens: bin("tokens")?,
            spaces: bin("spaces")?,
            cats: list("cats")?,
            flags: list("flags")?,
            span_groups: list("span_groups")?,
            user_data: list("user_data")?,
        })
    }

    fn next_doc(&mut self, tables: &Tables, length: u32) -> io::Result<Value> {
        if length > MOST_WORDS {
            return Err(broken(format!("a text of {length} words is too long; split it")));
        }
        let mut doc = Map::new();
        doc.insert("tokens".to_owned(), self.next_tokens(tables, length)?);
        if let Some(cats) = &mut self.cats {
            doc.insert("cats".to_owned(), next_json(cats)?);
        }
        if let Some(flags) = &mut self.flags {
            doc.insert("flags".to_owned(), next_json(flags)?);
        }
        if let Some(groups) = &mut self.span_groups {
            doc.insert("spans".to_owned(), tables.groups(&msgpack::bin(groups)?)?);
        }
        if let Some(data) = &mut self.user_data {
            let bytes = msgpack::bin(data)?;
            doc.insert("user_data".to_owned(), msgpack::json(&mut bytes.as_slice(), 0)?.unwrap_or_default());
        }
        Ok(Value::Object(doc))
    }

    /// `[word, followed by a space, in or out of an entity, label, kb_id, id, lemma, tag]` for each.
    fn next_tokens(&mut self, tables: &Tables, length: u32) -> io::Result<Value> {
        let mut row = vec![0; tables.columns.len() * 8];
        let mut tokens = Vec::new();
        for _ in 0..length {
            self.tokens.read_exact(&mut row)?;
            let mut space = [0];
            self.spaces.read_exact(&mut space)?;
            tokens.push(tables.token(&row, space[0] != 0)?);
        }
        Ok(Value::Array(tokens))
    }
}

/// The next map of a list, as JSON.
fn next_json(input: &mut impl Read) -> io::Result<Value> {
    let count = decode::read_map_len(input).map_err(broken)?;
    let mut map = Map::new();
    for _ in 0..count {
        let key = msgpack::string(input)?;
        let value = match decode::read_marker(input).map_err(|error| broken(error.0))? {
            rmp::Marker::F64 => f64::from_be_bytes(read(input)?),
            rmp::Marker::F32 => f32::from_be_bytes(read(input)?).into(),
            rmp::Marker::True => 1.0,
            rmp::Marker::False | rmp::Marker::Null => 0.0,
            rmp::Marker::FixPos(number) => number.into(),
            other => return Err(broken(format!("`{key}` is {other:?}, no number"))),
        };
        map.insert(key, Value::from(value));
    }
    Ok(Value::Object(map))
}

fn read<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
