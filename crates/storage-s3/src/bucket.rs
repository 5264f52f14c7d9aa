//! Single requests to one bucket.

use std::error::Error;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStreamError;
use aws_sdk_s3::types::ChecksumAlgorithm;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use spanfleet_storage::{ByteStream, StorageError, StorageErrorKind};

use crate::error::Answer;
use crate::sums;
use crate::{Checksum, S3Settings};

/// A range is asked for without an end from here on: some stores read its end into 63 bits.
const RANGE_END_MAX: u64 = i64::MAX as u64;

/// One bucket, and the prefix that all our keys have there.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) client: Client,
    pub(crate) settings: Arc<S3Settings>,
}

impl Bucket {
    pub(crate) fn name(&self) -> &str {
        &self.settings.bucket
    }

    /// The key as the store knows it.
    pub(crate) fn full_key(&self, key: &str) -> String {
        let prefix = &self.settings.prefix;
        if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") }
    }

    /// The other way round.
    pub(crate) fn own_key(&self, full_key: &str) -> Option<String> {
        let prefix = &self.settings.prefix;
        if prefix.is_empty() {
            return Some(full_key.to_owned());
        }
        full_key.strip_prefix(prefix.as_str())?.strip_prefix('/').map(str::to_owned)
    }

    /// The checksum that an upload in parts declares.
    pub(crate) fn checksum_algorithm(&self) -> Option<ChecksumAlgorithm> {
        (self.settings.checksum == Checksum::WhenSupported).then_some(ChecksumAlgorithm::Crc32)
    }

    pub(crate) fn explain<E>(&self, action: &str, key: &str, error: &SdkError<E>) -> StorageError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Answer::of(error).explain(action, key, self.name())
    }

    /// Writes an object at once. Says whether the store has answered with the checksum of these bytes, which it then
    /// holds.
    pub(crate) async fn put(&self, key: &str, media_type: &str, bytes: Bytes) -> Result<bool, StorageError> {
        let crc32 = sums::crc32(&bytes);
        let request = self.client.put_object().bucket(self.name()).key(self.full_key(key));
        let sent = request.content_type(media_type).body(bytes.into()).send().await;
        let stored = sent.map_err(|error| self.explain("write", key, &error))?;
        Ok(stored.checksum_crc32 == Some(crc32))
    }

    pub(crate) async fn head(&self, key: &str) -> Result<Option<HeadObjectOutput>, StorageError> {
        let request = self.client.head_object().bucket(self.name()).key(self.full_key(key));
        match request.send().await {
            Ok(found) => Ok(Some(found)),
            Err(error) => match self.explain("read", key, &error) {
                absent if absent.kind == StorageErrorKind::NotFound => Ok(None),
                // A refusal without a body has no word for itself, only a status.
                _ if Answer::of(&error).status == 404 => Ok(None),
                explained => Err(explained),
            },
        }
    }

    /// Fails unless an object that was written is there with its size. Gives its entity tag.
    pub(crate) async fn expect_bytes(
        &self,
        key: &str,
        whole_bytes: u64,
    ) -> Result<Option<String>, StorageError> {
        let found = match self.head(key).await? {
            Some(found) if object_bytes(&found) == whole_bytes => return Ok(found.e_tag),
            Some(found) => format!("has {} bytes", object_bytes(&found)),
            None => "is absent".to_owned(),
        };
        let name = self.name();
        let message = format!("`{key}` in bucket `{name}` {found} after an upload of {whole_bytes} bytes");
        Err(StorageError::new(StorageErrorKind::Transient, message))
    }

    pub(crate) async fn read(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError> {
        if bytes == 0 {
            return Ok(Bytes::new());
        }
        let request = self.client.get_object().bucket(self.name()).key(self.full_key(key));
        let found = match request.set_range(range(offset, bytes)).send().await {
            Ok(found) => found,
            // Nothing there: behind the end, or in an empty object.
            Err(error) if Answer::of(&error).status == 416 => return Ok(Bytes::new()),
            Err(error) => return Err(self.explain("read", key, &error)),
        };
        // Frames go straight to their place: collected first and joined then, they would stand in memory twice.
        let expected_bytes = found.content_length.map_or(0, |length| (length.max(0) as u64).min(bytes));
        let mut read = BytesMut::with_capacity(expected_bytes as usize);
        let mut body = found.body;
        while let Some(frame) = body.next().await {
            read.extend_from_slice(&frame.map_err(|error| self.ended_early(key, error))?);
        }
        Ok(read.freeze())
    }

    /// One request for all the bytes from an offset on.
    pub(crate) async fn stream<'s>(
        &'s self,
        key: &'s str,
        offset: u64,
    ) -> Result<ByteStream<'s>, StorageError> {
        let request = self.client.get_object().bucket(self.name()).key(self.full_key(key));
        let from = (offset > 0).then(|| format!("bytes={offset}-"));
        let body = match request.set_range(from).send().await {
            Ok(found) => found.body,
            // Nothing there: behind the end.
            Err(error) if Answer::of(&error).status == 416 => return Ok(stream::empty().boxed()),
            Err(error) => return Err(self.explain("read", key, &error)),
        };
        let frames = stream::unfold(body, move |mut body| async move {
            let frame = body.next().await?;
            Some((frame.map_err(|error| self.ended_early(key, error)), body))
        });
        Ok(frames.boxed())
    }

    fn ended_early(&self, key: &str, error: ByteStreamError) -> StorageError {
        let message = format!("the answer ended early while reading `{key}` in bucket `{}`", self.name());
        StorageError::new(StorageErrorKind::Transient, message).because(error)
    }

    pub(crate) async fn delete_one(&self, key: &str) -> Result<(), StorageError> {
        let request = self.client.delete_object().bucket(self.name()).key(self.full_key(key));
        match request.send().await {
            Err(error) => match self.explain("delete", key, &error) {
                absent if absent.kind == StorageErrorKind::NotFound => Ok(()),
                explained => Err(explained),
            },
            Ok(_) => Ok(()),
        }
    }
}

pub(crate) fn object_bytes(found: &HeadObjectOutput) -> u64 {
    found.content_length.unwrap_or(0).unsigned_abs()
}

/// The header for a range; none for the whole.
fn range(offset: u64, bytes: u64) -> Option<String> {
    match offset.checked_add(bytes - 1) {
        Some(last) if last < RANGE_END_MAX => Some(format!("bytes={offset}-{last}")),
        _ if offset == 0 => None,
        _ => Some(format!("bytes={offset}-")),
    }
}
