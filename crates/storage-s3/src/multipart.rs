//! An upload in parts. One that is dropped before it is complete is aborted.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::Config;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use spanfleet_storage::{StorageError, StorageErrorKind};

use crate::bucket::Bucket;
use crate::error::Answer;
use crate::metrics::Inflight;
use crate::settings::timeouts;
use crate::sums;

/// Copying 5 GiB inside a store, or joining 10,000 parts, says nothing for minutes.
const SLOW_ANSWER: Duration = Duration::from_mins(10);

/// Where parts go. Clones are the same upload.
#[derive(Clone)]
pub(crate) struct Target {
    bucket: Bucket,
    key: String,
    id: String,
}

/// An upload that was begun. Its owner completes or aborts it; its drop aborts it.
pub(crate) struct Multipart {
    pub(crate) target: Target,
    is_open: bool,
    _counted: Inflight,
}

impl Multipart {
    pub(crate) async fn create(
        bucket: &Bucket,
        key: &str,
        media_type: &str,
    ) -> Result<Multipart, StorageError> {
        let request = bucket.client.create_multipart_upload().bucket(bucket.name()).key(bucket.full_key(key));
        let created = request
            .content_type(media_type)
            .set_checksum_algorithm(bucket.checksum_algorithm())
            .send()
            .await
            .map_err(|error| bucket.explain("begin to write", key, &error))?;
        let Some(id) = created.upload_id else {
            let message =
                format!("the store gave no id for the upload of `{key}` to bucket `{}`", bucket.name());
            return Err(StorageError::new(StorageErrorKind::Transient, message));
        };
        let target = Target { bucket: bucket.clone(), key: key.to_owned(), id };
        Ok(Multipart { target, is_open: true, _counted: Inflight::begin() })
    }

    pub(crate) fn id(&self) -> &str {
        &self.target.id
    }

    /// Joins the parts and makes sure that the store holds as many bytes. Says whether its tag of the whole is that of
    /// these parts, one behind the other.
    pub(crate) async fn complete(
        mut self,
        mut parts: Vec<CompletedPart>,
        whole_bytes: u64,
    ) -> Result<bool, StorageError> {
        parts.sort_unstable_by_key(CompletedPart::part_number);
        let joined = sums::joined_e_tag(&parts);
        self.target.complete(parts).await?;
        // From here there is nothing to abort any more.
        self.is_open = false;
        // Stores have answered 200 with an error inside, and 404 to a success that was tried twice.
        let e_tag = self.target.bucket.expect_bytes(&self.target.key, whole_bytes).await?;
        Ok(joined.is_some_and(|joined| e_tag.is_some_and(|e_tag| sums::unquoted(&e_tag) == joined)))
    }

    pub(crate) async fn abort(mut self) -> Result<(), StorageError> {
        self.is_open = false;
        self.target.abort().await
    }
}

impl Drop for Multipart {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.is_open {
            let target = self.target.clone();
            runtime.spawn(async move {
                if let Err(error) = target.abort().await {
                    tracing::warn!(%error, "an upload was given up and could not be aborted; the sweep will find it");
                }
            });
        }
    }
}

impl Target {
    pub(crate) async fn send(&self, number: i32, bytes: Bytes) -> Result<CompletedPart, StorageError> {
        let Target { bucket, key, id } = self;
        let sent = bucket
            .client
            .upload_part()
            .bucket(bucket.name())
            .key(bucket.full_key(key))
            .upload_id(id)
            .part_number(number)
            .body(bytes.into())
            .send()
            .await
            .map_err(|error| bucket.explain("write a part of", key, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }

    /// Copies a range of another object inside the store.
    pub(crate) async fn copy(
        &self,
        number: i32,
        source_key: &str,
        range: Range<u64>,
    ) -> Result<CompletedPart, StorageError> {
        let Target { bucket, key, id } = self;
        // Our keys and prefixes have no byte that would have to be escaped.
        let source = format!("{}/{}", bucket.name(), bucket.full_key(source_key));
        let copied = bucket
            .client
            .upload_part_copy()
            .bucket(bucket.name())
            .key(bucket.full_key(key))
            .upload_id(id)
            .part_number(number)
            .copy_source(source)
            .copy_source_range(format!("bytes={}-{}", range.start, range.end - 1))
            .customize()
            .config_override(patience())
            // A request without a body says nothing of its length, and old stores insist (411).
            .mutate_request(|request| drop(request.headers_mut().insert("content-length", "0")))
            .send()
            .await
            .map_err(|error| bucket.explain("copy", source_key, &error))?;
        let result = copied.copy_part_result;
        let (e_tag, crc32) = result.map(|result| (result.e_tag, result.checksum_crc32)).unwrap_or_default();
        Ok(CompletedPart::builder().part_number(number).set_e_tag(e_tag).set_checksum_crc32(crc32).build())
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<(), StorageError> {
        let Target { bucket, key, id } = self;
        let completed = bucket
            .client
            .complete_multipart_upload()
            .bucket(bucket.name())
            .key(bucket.full_key(key))
            .upload_id(id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .customize()
            .config_override(patience())
            .send()
            .await;
        match completed {
            Ok(_) => Ok(()),
            // A second try of ours that finds the first one's success; the object's size will tell.
            Err(error) if is_done_already(&Answer::of(&error)) => Ok(()),
            Err(error) => Err(bucket.explain("finish", key, &error)),
        }
    }

    async fn abort(&self) -> Result<(), StorageError> {
        abort(&self.bucket, &self.key, &self.id).await
    }
}

/// Aborts an upload; one that is gone already is no error.
pub(crate) async fn abort(bucket: &Bucket, key: &str, id: &str) -> Result<(), StorageError> {
    let request = bucket.client.abort_multipart_upload().bucket(bucket.name()).key(bucket.full_key(key));
    match request.upload_id(id).send().await {
        Err(error) if Answer::of(&error).status != 404 => {
            Err(bucket.explain("abort the upload of", key, &error))
        }
        _ => Ok(()),
    }
}

fn is_done_already(answer: &Answer) -> bool {
    answer.code == "NoSuchUpload" || answer.status == 412
}

fn patience() -> aws_sdk_s3::config::Builder {
    Config::builder().timeout_config(timeouts(SLOW_ANSWER, SLOW_ANSWER))
}
