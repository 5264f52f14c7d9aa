//! What stands under a key, as one checksum.

use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::{Storage, StorageError, StorageErrorKind};

/// Bytes that are hashed at once: a hop to another thread is small against them, and they are against a slot's memory.
const HASHED_AT_ONCE: usize = 1024 * 1024;
/// How often reading may break off, one after the other without a byte between, before it is given up.
const BREAKS_MAX: u32 = 3;

/// SHA-256 of an object of so many bytes, in hex, read as one stream and hashed off the async threads. `None` when the
/// object ends earlier; one that is longer is hashed whole. A stream that breaks off goes on where it was.
pub async fn sha256(storage: &dyn Storage, key: &str, bytes: u64) -> Result<Option<String>, StorageError> {
    let mut hasher = Hasher::default();
    let mut breaks = 0;
    let mut stream = storage.stream(key, 0).await?;
    while let Some(frame) = stream.next().await {
        match frame {
            Ok(frame) => {
                breaks = 0;
                hasher.add(key, frame).await?;
            }
            Err(error) if error.kind == StorageErrorKind::Transient && breaks < BREAKS_MAX => {
                breaks += 1;
                tracing::debug!(%error, key, at = hasher.bytes, "reading broke off; going on");
                stream = storage.stream(key, hasher.bytes).await?;
            }
            Err(error) => return Err(error),
        }
    }
    hasher.hash_waiting(key).await?;
    Ok((hasher.bytes >= bytes).then(|| hex::encode(hasher.hash.finalize())))
}

/// Gathers frames, which are small, until they are worth a thread.
#[derive(Default)]
struct Hasher {
    hash: Sha256,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// All that came, hashed or waiting.
    bytes: u64,
}

impl Hasher {
    async fn add(&mut self, key: &str, frame: Bytes) -> Result<(), StorageError> {
        self.bytes += frame.len() as u64;
        self.waiting_bytes += frame.len();
        self.waiting.push(frame);
        if self.waiting_bytes >= HASHED_AT_ONCE { self.hash_waiting(key).await } else { Ok(()) }
    }

    async fn hash_waiting(&mut self, key: &str) -> Result<(), StorageError> {
        let (mut hash, frames) = (std::mem::take(&mut self.hash), std::mem::take(&mut self.waiting));
        self.waiting_bytes = 0;
        let hashed = tokio::task::spawn_blocking(move || {
            for frame in &frames {
                hash.update(frame);
            }
            hash
        });
        self.hash = hashed.await.map_err(|error| {
            StorageError::new(StorageErrorKind::Transient, format!("hashing `{key}` was cut short"))
                .because(error)
        })?;
        Ok(())
    }
}
