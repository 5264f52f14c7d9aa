//! How parts become files: names, envelopes, hashes.

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use spanfleet_core::{
    Order, Schema,
    options::Compression,
    report::{BlockNotes, PartFile},
};
use spanfleet_formats::{
    Envelope, Format, Layout, PartSummary,
    support::compress::{self, Compressor},
};
use spanfleet_storage::Piece;

use crate::StepError;

/// One file to compose.
pub(super) struct Assembled {
    pub(super) path: String,
    pub(super) media_type: &'static str,
    pub(super) pieces: Vec<Piece>,
    pub(super) beside: Vec<(String, Vec<u8>)>,
    /// What the encoders of its parts noted.
    pub(super) notes: Vec<Value>,
    pub(super) texts: u64,
    pub(super) annotations: u64,
}

impl Assembled {
    /// Its size when composed.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = |piece: &Piece| match piece {
            Piece::Inline(content) => content.len() as u64,
            Piece::Object { bytes, .. } => *bytes,
        };
        self.pieces.iter().map(bytes).sum()
    }
}

/// The files of one split: one of all parts, or a shard of each.
pub(super) fn assemble(
    format: &dyn Format,
    order: &Order,
    schema: &Schema,
    split: &str,
    parts: &[&PartFile],
) -> Result<Vec<Assembled>, StepError> {
    let info = format.info();
    let compression = info.around(order.options.compression);
    let ending = format!("{}{}", info.extension, compress::extension(compression));
    match info.layout {
        Layout::OneFile => {
            Ok(vec![file(format, order, schema, info.layout.path(split, 0, 1, &ending), parts)?])
        }
        Layout::Shards | Layout::Folder => {
            let shard = |(place, part)| {
                let path = info.layout.path(split, place, parts.len(), &ending);
                file(format, order, schema, path, std::slice::from_ref(part))
            };
            parts.iter().enumerate().map(shard).collect()
        }
    }
}

fn file(
    format: &dyn Format,
    order: &Order,
    schema: &Schema,
    path: String,
    parts: &[&PartFile],
) -> Result<Assembled, StepError> {
    let summary = |block: &BlockNotes| PartSummary { texts: block.texts, notes: block.notes.clone() };
    let blocks: Vec<PartSummary> = parts.iter().flat_map(|part| part.blocks.iter().map(summary)).collect();
    let envelope = format.seal(schema, &blocks)?;
    let around = Around {
        compression: format.info().around(order.options.compression),
        level: order.options.compression_level,
    };
    Ok(Assembled {
        path,
        media_type: compress::media_type(around.compression).unwrap_or(format.info().media_type),
        pieces: around_parts(around, &envelope, parts)?,
        beside: envelope.beside,
        notes: blocks.into_iter().map(|block| block.notes).collect(),
        texts: parts.iter().map(|part| part.texts).sum(),
        annotations: parts.iter().map(|part| part.annotations).sum(),
    })
}

/// The compression around a file.
#[derive(Clone, Copy)]
struct Around {
    compression: Compression,
    level: Option<u8>,
}

/// Head, parts with glue between, tail. What stands around parts is compressed on its own; the glue between the
/// blocks of one part is in the part already.
fn around_parts(around: Around, envelope: &Envelope, parts: &[&PartFile]) -> Result<Vec<Piece>, StepError> {
    let inline = |content: &[u8]| {
        let member = compress::member(around.compression, around.level, content)?;
        Ok::<_, StepError>((!member.is_empty()).then(|| Piece::Inline(Bytes::from(member))))
    };
    let mut pieces = Vec::new();
    pieces.extend(inline(&envelope.head)?);
    let mut blocks: usize = 0;
    for part in parts {
        if let Some(glue) = blocks.checked_sub(1).and_then(|before| envelope.glue.get(before)) {
            pieces.extend(inline(glue)?);
        }
        pieces.push(Piece::Object { key: part.key.clone(), bytes: part.bytes });
        blocks += part.blocks.len();
    }
    pieces.extend(inline(&envelope.tail)?);
    if pieces.is_empty() {
        pieces.push(empty_member(around)?);
    }
    Ok(pieces)
}

/// An empty file is no gzip or zstd file; an empty member is.
fn empty_member(around: Around) -> Result<Piece, StepError> {
    let mut member = Vec::new();
    Compressor::new(around.compression, around.level)?.finish(&mut member)?;
    Ok(Piece::Inline(Bytes::from(member)))
}

/// SHA-256 of bytes at hand, in hex.
pub(super) fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}
