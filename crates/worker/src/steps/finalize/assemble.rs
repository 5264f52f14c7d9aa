//! How parts become files: names, envelopes, hashes.

use sha2::{Digest, Sha256};
use spanfleet_core::{Order, Schema, job::ErrorClass, options::Compression};
use spanfleet_formats::{Envelope, Format, Layout, PartSummary, support::compress};
use spanfleet_storage::{Piece, Storage};

use super::inline;
use crate::StepError;

/// Bytes of a stored object that are read at once for its hash.
const HASH_BYTES: u64 = 8 * 1024 * 1024;

/// One file to compose.
pub(super) struct Assembled {
    pub(super) path: String,
    pub(super) media_type: &'static str,
    pub(super) pieces: Vec<Piece>,
    pub(super) beside: Vec<(String, Vec<u8>)>,
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
    parts: &[(PartSummary, Piece, u64)],
) -> Result<Vec<Assembled>, StepError> {
    let info = format.info();
    let compression = order.options.compression;
    let ending = format!("{}{}", info.extension, compress::extension(compression));
    match info.layout {
        Layout::OneFile => Ok(vec![file(format, order, schema, format!("{split}.{ending}"), parts)?]),
        Layout::Shards => {
            let shard = |(place, part)| {
                let path = format!("data/{split}-{place:05}-of-{:05}.{ending}", parts.len());
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
    parts: &[(PartSummary, Piece, u64)],
) -> Result<Assembled, StepError> {
    let summaries: Vec<PartSummary> = parts.iter().map(|(summary, ..)| summary.clone()).collect();
    let envelope = format.seal(schema, &summaries)?;
    let pieces = around_parts(order, &envelope, parts)?;
    Ok(Assembled {
        path,
        media_type: media_type(format, order.options.compression),
        pieces,
        beside: envelope.beside,
        texts: summaries.iter().map(|summary| summary.texts).sum(),
        annotations: parts.iter().map(|(.., annotations)| annotations).sum(),
    })
}

/// Head, parts with glue between, tail.
fn around_parts(
    order: &Order,
    envelope: &Envelope,
    parts: &[(PartSummary, Piece, u64)],
) -> Result<Vec<Piece>, StepError> {
    let mut pieces = Vec::new();
    let add = |content: &[u8], pieces: &mut Vec<Piece>| {
        if !content.is_empty() {
            pieces.push(inline(order, content)?);
        }
        Ok::<_, StepError>(())
    };
    add(&envelope.head, &mut pieces)?;
    for (place, (_, piece, _)) in parts.iter().enumerate() {
        if let Some(glue) = place.checked_sub(1).and_then(|before| envelope.glue.get(before)) {
            add(glue, &mut pieces)?;
        }
        pieces.push(piece.clone());
    }
    add(&envelope.tail, &mut pieces)?;
    if pieces.is_empty() {
        // An empty file is no gzip or zstd file; an empty member is.
        pieces.push(inline(order, &[])?);
    }
    Ok(pieces)
}

fn media_type(format: &dyn Format, compression: Compression) -> &'static str {
    compress::media_type(compression).unwrap_or(format.info().media_type)
}

/// SHA-256 of bytes at hand, in hex.
pub(super) fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// SHA-256 of a stored object, in hex, read in bounded pieces and hashed off the async threads.
pub(super) async fn hash_object(storage: &dyn Storage, key: &str, bytes: u64) -> Result<String, StepError> {
    let mut hash = Sha256::new();
    let mut offset = 0;
    while offset < bytes {
        let piece = storage.read(key, offset, HASH_BYTES.min(bytes - offset)).await?;
        if piece.is_empty() {
            let message = format!("`{key}` ends after {offset} of {bytes} bytes");
            return Err(StepError::new(ErrorClass::Transient, message));
        }
        offset += piece.len() as u64;
        let hashed = tokio::task::spawn_blocking(move || {
            hash.update(&piece);
            hash
        });
        hash = hashed.await.map_err(|panic| StepError::new(ErrorClass::Transient, panic.to_string()))?;
    }
    Ok(hex::encode(hash.finalize()))
}
