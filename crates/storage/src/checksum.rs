//! What stands under a key, as one checksum.

use sha2::{Digest, Sha256};

use crate::{Storage, StorageError, StorageErrorKind};

/// Bytes that are read at once: a request's overhead is small against them, and they are against a slot's memory.
const PIECE_BYTES: u64 = 1024 * 1024;

/// SHA-256 of an object of so many bytes, in hex, read in bounded pieces and hashed off the async threads. `None`
/// when the object ends earlier.
pub async fn sha256(storage: &dyn Storage, key: &str, bytes: u64) -> Result<Option<String>, StorageError> {
    let (mut hash, mut offset) = (Sha256::new(), 0);
    while offset < bytes {
        let piece = storage.read(key, offset, PIECE_BYTES.min(bytes - offset)).await?;
        if piece.is_empty() {
            return Ok(None);
        }
        offset += piece.len() as u64;
        let hashed = tokio::task::spawn_blocking(move || {
            hash.update(&piece);
            hash
        });
        hash = hashed.await.map_err(|error| {
            StorageError::new(StorageErrorKind::Transient, format!("hashing `{key}` was cut short"))
                .because(error)
        })?;
    }
    Ok(Some(hex::encode(hash.finalize())))
}
