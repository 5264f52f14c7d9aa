//! Port: named bytes. Streaming put, range get, compose, list, delete, link.
//!
//! Drivers: [`local`] (a directory, here) and `spanfleet-storage-s3`. All pass the suite in `contract.rs`
//! (feature `contract`); a new driver is a crate with one test that calls it.
//! Keys are relative to the store's root, with `/` between segments of `[A-Za-z0-9._-]`: see [`key`].

mod checksum;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
pub mod key;
pub mod local;

pub use checksum::{Hasher, sha256};
pub use error::{StorageError, StorageErrorKind};
pub use key::{check_key, check_prefix};
pub use local::LocalStorage;

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{BoxStream, try_unfold};

/// The bytes of an object as they come; an error may come after some of them.
pub type ByteStream<'s> = BoxStream<'s, Result<Bytes, StorageError>>;

/// What a store that has no streams is asked for at once.
const STREAM_PIECE_BYTES: u64 = 1024 * 1024;

/// A store of named bytes. Writes are atomic: an object appears whole, under its key, or not at all.
#[async_trait]
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Begins an object that is written in pieces. Nothing is visible before [`Upload::finish`].
    async fn begin(&self, key: &str, media_type: &str) -> Result<Box<dyn Upload>, StorageError>;

    /// Size of an object; `None` when there is none.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StorageError>;

    /// Up to `bytes` bytes from `offset`; fewer only at the object's end.
    async fn read(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError>;

    /// The bytes from `offset` to the end, in one request where the store can.
    async fn stream<'s>(&'s self, key: &'s str, offset: u64) -> Result<ByteStream<'s>, StorageError> {
        let pieces = try_unfold(offset, move |offset| async move {
            let piece = self.read(key, offset, STREAM_PIECE_BYTES).await?;
            let next = offset + piece.len() as u64;
            Ok((!piece.is_empty()).then_some((piece, next)))
        });
        Ok(Box::pin(pieces))
    }

    /// Joins pieces into one object without carrying the large ones through this process, where the store
    /// can.
    async fn compose(&self, key: &str, media_type: &str, pieces: &[Piece]) -> Result<Composed, StorageError>;

    /// Every object under a prefix, by key.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StorageError>;

    /// The first segments of all keys that have several, sorted: their number is what it holds in memory.
    async fn folders(&self) -> Result<Vec<String>, StorageError>;

    /// Deletes objects; those that are gone already are no error.
    async fn delete(&self, keys: &[String]) -> Result<(), StorageError>;

    /// How a person fetches an object.
    async fn link(&self, key: &str, link: &LinkOptions) -> Result<Link, StorageError>;

    /// Aborts uploads under a prefix that were begun and never finished. Returns how many.
    async fn abort_unfinished(&self, prefix: &str) -> Result<usize, StorageError>;

    /// Whether the store can be reached and written by us; the error says how to mend it.
    async fn check(&self) -> Result<(), StorageError>;

    /// The store's root as people write it, without secrets: `file:///…` or `s3://bucket/prefix`.
    fn address(&self) -> String;
}

/// An object being written.
#[async_trait]
pub trait Upload: Send {
    /// The store's own id of the upload, where it has one; kept so that it can be aborted later.
    fn id(&self) -> Option<&str>;

    /// Adds bytes. Any size; the driver cuts them into the parts its store wants and bounds what it holds.
    async fn write(&mut self, piece: Bytes) -> Result<(), StorageError>;

    /// Makes the object visible, and makes sure that the store holds all of it. Returns its size.
    async fn finish(self: Box<Self>) -> Result<u64, StorageError>;

    /// Gives up: nothing stays behind.
    async fn abort(self: Box<Self>) -> Result<(), StorageError>;
}

/// An object as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, by the store's clock. Listings tell where the store does; a look at one object does not.
    pub written_at: Option<SystemTime>,
}

/// An object that was composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hex, where all of it went through this process and the store has told by a checksum of its own
    /// that it holds the same bytes. Else they have to be read back: [`sha256`].
    pub sha256: Option<String>,
}

/// A piece of an object to compose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes at hand.
    Inline(Bytes),
    /// A whole object of the same store.
    Object {
        /// Its key.
        key: String,
        /// Its size in bytes.
        bytes: u64,
    },
}

/// What a link promises.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    /// How long it lives.
    pub lives: Duration,
    /// The file name that a browser saves under.
    pub file_name: String,
    /// `Content-Type` of the answer.
    pub media_type: String,
}

impl LinkOptions {
    /// The `Content-Disposition` that makes a browser save under the file name: for old ones with the bytes
    /// of ASCII that need no escape, for the others with all of it (RFC 6266).
    pub fn content_disposition(&self) -> String {
        let plain =
            |letter: char| (letter == ' ' || letter.is_ascii_graphic()) && !matches!(letter, '"' | '\\');
        let ascii: String =
            self.file_name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
        let escape = |byte: u8| match byte {
            b'.' | b'_' | b'-' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        let encoded: String = self.file_name.bytes().map(escape).collect();
        format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
    }
}

/// How a person fetches an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A presigned address at the store itself. A secret: never stored, never logged.
    Presigned(String),
    /// The store has no addresses; the API has to carry the bytes.
    Carried,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_told_to_old_and_new_browsers() {
        let check = |name: &str, expected: &str| {
            let (lives, media_type) = (Duration::from_mins(15), "text/plain".to_owned());
            let options = LinkOptions { lives, file_name: name.to_owned(), media_type };
            assert_eq!(options.content_disposition(), expected);
        };
        check(
            "news-7.jsonl.gz",
            "attachment; filename=\"news-7.jsonl.gz\"; filename*=UTF-8''news-7.jsonl.gz",
        );
        check(
            "größe \"1\"",
            "attachment; filename=\"gr__e _1_\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22",
        );
        check("a\r\nb: c", "attachment; filename=\"a__b: c\"; filename*=UTF-8''a%0D%0Ab%3A%20c");
    }
}
