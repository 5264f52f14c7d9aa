//! What a `Doc` carries along: its id, its metadata, and the relations between its spans.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rmp::encode::{write_array_len, write_f64, write_map_len, write_nil, write_sint, write_str, write_uint};
use serde_json::Value;
use spanfleet_core::Document;

/// A relation between two spans of one piece.
pub(super) struct Tie<'d> {
    /// The places of both spans in `spans["sc"]`.
    pub(super) ends: (u32, u32),
    /// The first tokens of both spans.
    pub(super) tokens: (u32, u32),
    pub(super) kind: &'d str,
    pub(super) confidence: Option<f64>,
}

/// Where a piece of a text begins, when there are several.
pub(super) struct Place {
    pub(super) part: u32,
    pub(super) start: u32,
}

/// `user_data` of one piece, in MessagePack. Relations stand there twice: in `relations`, and under the key of the
/// extension `doc._.rel` as spaCy's relation extraction project reads it.
pub(super) fn write(
    document: &Document,
    place: Option<&Place>,
    ties: &[Tie<'_>],
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let members = 1
        + u32::from(document.metadata.is_some())
        + if place.is_some() { 2 } else { 0 }
        + if ties.is_empty() { 0 } else { 2 };
    write_map_len(out, members)?;
    write_str(out, "id")?;
    write_str(out, &document.id)?;
    if let Some(metadata) = &document.metadata {
        write_str(out, "metadata")?;
        write_json(&metadata.to_value(), out)?;
    }
    if let Some(Place { part, start }) = place {
        write_str(out, "part")?;
        write_uint(out, u64::from(*part))?;
        write_str(out, "start")?;
        write_uint(out, u64::from(*start))?;
    }
    if !ties.is_empty() {
        write_relations(ties, out)?;
        write_rel(ties, out)?;
    }
    Ok(())
}

fn write_relations(ties: &[Tie<'_>], out: &mut Vec<u8>) -> io::Result<()> {
    write_str(out, "relations")?;
    write_array_len(out, ties.len() as u32)?;
    for tie in ties {
        write_map_len(out, 4)?;
        write_str(out, "source")?;
        write_uint(out, u64::from(tie.ends.0))?;
        write_str(out, "target")?;
        write_uint(out, u64::from(tie.ends.1))?;
        write_str(out, "type")?;
        write_str(out, tie.kind)?;
        write_str(out, "confidence")?;
        match tie.confidence {
            Some(confidence) => write_f64(out, confidence)?,
            None => write_nil(out)?,
        }
    }
    Ok(())
}

/// `{("._.", "rel", None, None): {(source, target): {type: 1.0}}}`
fn write_rel(ties: &[Tie<'_>], out: &mut Vec<u8>) -> io::Result<()> {
    let mut pairs: BTreeMap<(u32, u32), BTreeSet<&str>> = BTreeMap::new();
    for tie in ties {
        pairs.entry(tie.tokens).or_default().insert(tie.kind);
    }
    write_array_len(out, 4)?;
    write_str(out, "._.")?;
    write_str(out, "rel")?;
    write_nil(out)?;
    write_nil(out)?;
    write_map_len(out, pairs.len() as u32)?;
    for ((source, target), kinds) in pairs {
        write_array_len(out, 2)?;
        write_uint(out, u64::from(source))?;
        write_uint(out, u64::from(target))?;
        write_map_len(out, kinds.len() as u32)?;
        for kind in kinds {
            write_str(out, kind)?;
            write_f64(out, 1.0)?;
        }
    }
    Ok(())
}

fn write_json(value: &Value, out: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Value::Null => write_nil(out)?,
        Value::Bool(flag) => rmp::encode::write_bool(out, *flag)?,
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => drop(write_uint(out, number)?),
            (None, Some(number)) => drop(write_sint(out, number)?),
            (None, None) => write_f64(out, number.as_f64().unwrap_or(f64::NAN))?,
        },
        Value::String(text) => write_str(out, text)?,
        Value::Array(items) => {
            write_array_len(out, items.len() as u32)?;
            items.iter().try_for_each(|item| write_json(item, out))?;
        }
        Value::Object(members) => {
            write_map_len(out, members.len() as u32)?;
            for (key, value) in members {
                write_str(out, key)?;
                write_json(value, out)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::document;

    #[test]
    fn relations_are_as_the_relation_project_reads_them() {
        let tie = Tie { ends: (0, 1), tokens: (0, 3), kind: "works_for", confidence: None };
        let mut out = Vec::new();
        write_rel(&[tie], &mut out).unwrap();
        let expected = b"\x94\xa3._.\xa3rel\xc0\xc0\x81\x92\0\x03\x81\xa9works_for\xcb\x3f\xf0\0\0\0\0\0\0";
        assert_eq!(out, expected);
    }

    #[test]
    fn metadata_is_a_map() {
        let text = document(r#"{"id":"d","text":"","metadata":{"a":[1,-1,0.5,null,true,"x"]}}"#);
        let mut out = Vec::new();
        write(&text, Some(&Place { part: 1, start: 300 }), &[], &mut out).unwrap();
        let expected = b"\x84\xa2id\xa1d\xa8metadata\x81\xa1a\x96\x01\xff\xcb\x3f\xe0\0\0\0\0\0\0\xc0\xc3\xa1x\xa4part\x01\xa5start\xcd\x01\x2c";
        assert_eq!(out, expected);
    }
}
