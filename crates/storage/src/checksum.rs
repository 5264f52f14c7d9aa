//! What stands under a key, as one checksum.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use crate::{ByteStream, Storage, StorageError, StorageErrorKind};

/// Bytes that are hashed at once: a hop to another thread is small against them, and they are against a slot's memory.
const HASHED_AT_ONCE: usize = 1024 * 1024;
/// How often reading may break off, one after the other without a byte between, before it is given up.
const BREAKS_MAX: u32 = 3;

/// SHA-256 of an object of so many bytes, in hex, read as one stream and hashed off the async threads. `None` when the
/// object ends earlier; one that is longer is hashed whole. A stream that breaks off goes on where it was.
pub async fn sha256(storage: &dyn Storage, key: &str, bytes: u64) -> Result<Option<String>, StorageError> {
    let hasher = read_through(key, |offset| storage.stream(key, offset)).await?;
    let is_whole = hasher.bytes >= bytes;
    let sha256 = hasher.finish().await?;
    Ok(is_whole.then_some(sha256))
}

/// All bytes of an object, of whose streams `open` gives the one from an offset on.
async fn read_through<'s>(
    key: &str,
    open: impl Fn(u64) -> BoxFuture<'s, Result<ByteStream<'s>, StorageError>>,
) -> Result<Hasher, StorageError> {
    let mut hasher = Hasher::new(key);
    let mut breaks = 0;
    let mut stream = open(0).await?;
    while let Some(frame) = stream.next().await {
        match frame {
            Ok(frame) => {
                breaks = 0;
                hasher.add(frame).await?;
            }
            Err(error) if error.kind == StorageErrorKind::Transient && breaks < BREAKS_MAX => {
                breaks += 1;
                tracing::debug!(%error, key, at = hasher.bytes, "reading broke off; going on");
                stream = open(hasher.bytes).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(hasher)
}

/// SHA-256 of the bytes of an object, in their order, taken off the async threads. Gathers frames, which are small,
/// until they are worth a thread.
#[derive(Debug)]
pub struct Hasher {
    key: String,
    hash: Sha256,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// All that came, hashed or waiting.
    bytes: u64,
}

impl Hasher {
    /// Of no bytes yet; errors name the key.
    pub fn new(key: &str) -> Hasher {
        let key = key.to_owned();
        Hasher { key, hash: Sha256::default(), waiting: Vec::new(), waiting_bytes: 0, bytes: 0 }
    }

    /// Takes the next bytes.
    pub async fn add(&mut self, frame: Bytes) -> Result<(), StorageError> {
        self.bytes += frame.len() as u64;
        self.waiting_bytes += frame.len();
        self.waiting.push(frame);
        if self.waiting_bytes >= HASHED_AT_ONCE { self.hash_waiting().await } else { Ok(()) }
    }

    /// The sum of all that came, in hex.
    pub async fn finish(mut self) -> Result<String, StorageError> {
        self.hash_waiting().await?;
        Ok(hex::encode(self.hash.finalize()))
    }

    async fn hash_waiting(&mut self) -> Result<(), StorageError> {
        let (mut hash, frames) = (std::mem::take(&mut self.hash), std::mem::take(&mut self.waiting));
        self.waiting_bytes = 0;
        let hashed = tokio::task::spawn_blocking(move || {
            for frame in &frames {
                hash.update(frame);
            }
            hash
        });
        self.hash = hashed.await.map_err(|error| {
            StorageError::new(StorageErrorKind::Transient, format!("hashing `{}` was cut short", self.key))
                .because(error)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::{FutureExt, stream};

    use super::*;
    use crate::LocalStorage;

    /// An object of several pieces, whose bytes tell their places apart.
    async fn stored(folder: &std::path::Path) -> (LocalStorage, Vec<u8>) {
        let bytes: Vec<u8> = (0..3_500_000_u32).flat_map(|nth| (nth % 251).to_le_bytes()).collect();
        let storage = LocalStorage::new(folder.to_owned());
        let mut upload = storage.begin("object", "text/plain").await.unwrap();
        upload.write(Bytes::from(bytes.clone())).await.unwrap();
        upload.finish().await.unwrap();
        (storage, bytes)
    }

    fn broken() -> StorageError {
        StorageError::new(StorageErrorKind::Transient, "the wire was cut")
    }

    #[tokio::test]
    async fn a_stream_that_breaks_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (storage, bytes) = stored(folder.path()).await;
        let opened = AtomicU32::new(0);
        let end = bytes.len() as u64;
        let one_piece_each = |offset| {
            opened.fetch_add(1, Ordering::Relaxed);
            let breaks = stream::once(async { Err(broken()) });
            let opening = storage.stream("object", offset);
            let cut = opening.map(move |stream| match stream? {
                whole if offset == end => Ok(whole),
                whole => Ok(whole.take(1).chain(breaks).boxed()),
            });
            cut.boxed()
        };
        let hasher = read_through("object", one_piece_each).await.unwrap();
        assert_eq!(hasher.finish().await.unwrap(), hex::encode(Sha256::digest(&bytes)));
        assert!(opened.into_inner() > BREAKS_MAX, "each piece came by a stream of its own");
        assert_eq!(sha256(&storage, "object", end + 1).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_store_that_gives_nothing_is_given_up() {
        let opened = AtomicU32::new(0);
        let open = |_| {
            opened.fetch_add(1, Ordering::Relaxed);
            async { Ok(stream::once(async { Err(broken()) }).boxed()) }.boxed()
        };
        let error = read_through("object", open).await.err().unwrap();
        assert_eq!(error.message, "the wire was cut");
        assert_eq!(opened.into_inner(), 1 + BREAKS_MAX);
    }
}
