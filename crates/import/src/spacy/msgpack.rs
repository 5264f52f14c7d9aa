//! Values of MessagePack, passed over or turned into JSON.

use std::io::{self, Read};

use rmp::{Marker, decode};
use serde_json::{Map, Number, Value};

/// How deep values may nest: a file of a few bytes must not use up the stack.
const MOST_DEPTH: u32 = 64;
/// The longest string that is kept.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What is wrong with a file's bytes.
pub(super) fn broken(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

/// Passes over a value.
pub(super) fn skip(input: &mut impl Read, depth: u32) -> io::Result<()> {
    let (bytes, values) = extent(input, depth)?;
    pass(input, bytes)?;
    (0..values).try_for_each(|_| skip(input, depth + 1))
}

/// Passes over bytes.
pub(super) fn pass(input: &mut impl Read, bytes: u64) -> io::Result<()> {
    let passed = io::copy(&mut input.take(bytes), &mut io::sink())?;
    if passed < bytes { Err(broken("it ends early")) } else { Ok(()) }
}

/// The bytes of a value after its marker and lengths, and how many values follow it.
fn extent(input: &mut impl Read, depth: u32) -> io::Result<(u64, u64)> {
    if depth > MOST_DEPTH {
        return Err(broken("its values nest too deep"));
    }
    let marker = decode::read_marker(input).map_err(|error| broken(error.0))?;
    let length = |input: &mut _, bytes: u32| length(input, bytes);
    Ok(match marker {
        Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => (0, 0),
        Marker::U8 | Marker::I8 => (1, 0),
        Marker::U16 | Marker::I16 | Marker::FixExt1 => (2, 0),
        Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
        Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
        Marker::FixStr(bytes) => (bytes.into(), 0),
        Marker::Str8 | Marker::Bin8 => (length(input, 1)?, 0),
        Marker::Str16 | Marker::Bin16 => (length(input, 2)?, 0),
        Marker::Str32 | Marker::Bin32 => (length(input, 4)?, 0),
        Marker::FixArray(values) => (0, values.into()),
        Marker::Array16 => (0, length(input, 2)?),
        Marker::Array32 => (0, length(input, 4)?),
        Marker::FixMap(pairs) => (0, 2 * u64::from(pairs)),
        Marker::Map16 => (0, 2 * length(input, 2)?),
        Marker::Map32 => (0, 2 * length(input, 4)?),
        Marker::FixExt2 => (3, 0),
        Marker::FixExt4 => (5, 0),
        Marker::FixExt8 => (9, 0),
        Marker::FixExt16 => (17, 0),
        Marker::Ext8 => (length(input, 1)? + 1, 0),
        Marker::Ext16 => (length(input, 2)? + 1, 0),
        Marker::Ext32 => (length(input, 4)? + 1, 0),
        Marker::Reserved => return Err(broken("a byte that is no MessagePack")),
    })
}

fn length(input: &mut impl Read, bytes: u32) -> io::Result<u64> {
    let mut number = 0;
    for _ in 0..bytes {
        number = number << 8 | u64::from(byte(input)?);
    }
    Ok(number)
}

fn byte(input: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    input.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// As many bytes, no more of them held than there are.
pub(super) fn bytes(input: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    if count > MOST_BYTES {
        return Err(broken("a string of it is too long"));
    }
    let mut bytes = Vec::new();
    input.take(count).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < count { Err(broken("it ends early")) } else { Ok(bytes) }
}

/// The bytes of a string.
pub(super) fn string(input: &mut impl Read) -> io::Result<String> {
    let count = decode::read_str_len(input).map_err(broken)?;
    String::from_utf8(bytes(input, count.into())?).map_err(broken)
}

/// The bytes of a `bin`.
pub(super) fn bin(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let count = decode::read_bin_len(input).map_err(broken)?;
    bytes(input, count.into())
}

/// A value as JSON. A key that is no string becomes its JSON; bytes, which JSON has no word for, are left out.
pub(super) fn json(input: &mut &[u8], depth: u32) -> io::Result<Option<Value>> {
    let marker = Marker::from_u8(*input.first().ok_or_else(|| broken("it ends early"))?);
    if depth > MOST_DEPTH {
        return Err(broken("its values nest too deep"));
    }
    Ok(Some(match marker {
        Marker::Null => {
            byte(input)?;
            Value::Null
        }
        Marker::True | Marker::False => Value::Bool(decode::read_bool(input).map_err(broken)?),
        Marker::F32 => number(decode::read_f32(input).map_err(broken)?.into()),
        Marker::F64 => number(decode::read_f64(input).map_err(broken)?),
        Marker::U64 => Value::from(decode::read_u64(input).map_err(broken)?),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Value::String(string(input)?),
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
            let count = decode::read_array_len(input).map_err(broken)?;
            let mut list = Vec::new();
            for _ in 0..count {
                list.extend(json(input, depth + 1)?);
            }
            Value::Array(list)
        }
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
            let count = decode::read_map_len(input).map_err(broken)?;
            let mut map = Map::new();
            for _ in 0..count {
                let (key, value) = (json(input, depth + 1)?, json(input, depth + 1)?);
                if let (Some(key), Some(value)) = (key, value) {
                    let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                    map.insert(key, value);
                }
            }
            Value::Object(map)
        }
        Marker::FixPos(_) | Marker::FixNeg(_) | Marker::U8 | Marker::U16 | Marker::U32 | Marker::I8 => {
            integer(input)?
        }
        Marker::I16 | Marker::I32 | Marker::I64 => integer(input)?,
        _ => {
            skip(input, depth)?;
            return Ok(None);
        }
    }))
}

fn integer(input: &mut &[u8]) -> io::Result<Value> {
    let number: i64 = decode::read_int(input).map_err(broken)?;
    Ok(Value::from(number))
}

fn number(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
