//! The port, over a bucket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_sdk_s3::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{Delete, MultipartUpload, ObjectIdentifier};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use spanfleet_storage::{
    ByteStream, Composed, Link, LinkOptions, ObjectInfo, Piece, Storage, StorageError, StorageErrorKind,
    Upload,
};
use spanfleet_storage::{check_key, check_prefix};

use crate::S3Settings;
use crate::bucket::{Bucket, object_bytes};
use crate::compose::compose;
use crate::error::Answer;
use crate::metrics;
use crate::multipart;
use crate::plan::PART_BYTES_MIN;
use crate::upload::S3Upload;

/// What one request may delete.
const DELETE_BATCH_KEYS: usize = 1000;

/// For stores that only delete one by one.
const DELETES_AT_ONCE: usize = 8;

/// Written and deleted by the check.
const CHECK_KEY: &str = ".spanfleet-check";

/// Objects in a bucket.
#[derive(Clone)]
pub struct S3Storage {
    bucket: Bucket,
    credentials: Option<SharedCredentialsProvider>,
    /// Learned from the first refusal: the store deletes only one by one.
    deletes_one_by_one: Arc<AtomicBool>,
}

impl std::fmt::Debug for S3Storage {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the client: nobody promises what it shows.
        out.debug_struct("S3Storage").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl S3Storage {
    /// A store with the credentials, region and endpoint of the standard `AWS_*` variables. Sends nothing to
    /// the bucket yet: see [`Storage::check`].
    pub async fn connect(settings: S3Settings) -> Result<S3Storage, StorageError> {
        let settings =
            S3Settings { part_bytes: settings.part_bytes.max(PART_BYTES_MIN as usize), ..settings };
        metrics::show();
        let (client, credentials) = settings.client().await;
        let bucket = Bucket { client, settings: Arc::new(settings) };
        Ok(S3Storage { bucket, credentials, deletes_one_by_one: Arc::default() })
    }

    async fn check_credentials(&self) -> Result<(), StorageError> {
        let mend = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role";
        let explain = |why: String| {
            let message =
                format!("there are no credentials for bucket `{}`{why}: {mend}", self.bucket.name());
            StorageError::new(StorageErrorKind::Configuration, message)
        };
        let provider = self.credentials.as_ref().ok_or_else(|| explain(String::new()))?;
        provider.provide_credentials().await.map_err(|error| explain(format!(" ({error})")))?;
        Ok(())
    }

    async fn check_bucket(&self) -> Result<(), StorageError> {
        let name = self.bucket.name();
        let Err(error) = self.bucket.client.head_bucket().bucket(name).send().await else { return Ok(()) };
        let answer = Answer::of(&error);
        if answer.status == 404 {
            let message = format!("there is no bucket `{name}`: create it or set ARTIFACTS_URL");
            return Err(StorageError::new(StorageErrorKind::Configuration, message));
        }
        Err(answer.explain("look", "", name))
    }

    async fn delete_batch(&self, keys: &[String]) -> Result<(), StorageError> {
        if self.deletes_one_by_one.load(Ordering::Relaxed) {
            return self.delete_singly(keys).await;
        }
        let identify = |key: &String| ObjectIdentifier::builder().key(self.bucket.full_key(key)).build();
        let objects: Result<Vec<_>, _> = keys.iter().map(identify).collect();
        let batch =
            objects.and_then(|objects| Delete::builder().quiet(true).set_objects(Some(objects)).build());
        let batch = batch.map_err(|error| {
            StorageError::new(StorageErrorKind::Configuration, "cannot ask for a deletion").because(error)
        })?;
        let request = self.bucket.client.delete_objects().bucket(self.bucket.name()).delete(batch);
        match request.send().await {
            Ok(answer) => match answer.errors().first() {
                // Told one by one, the reason has a kind.
                Some(_) => self.delete_singly(keys).await,
                None => Ok(()),
            },
            Err(error) if is_not_understood(&Answer::of(&error)) => {
                self.deletes_one_by_one.store(true, Ordering::Relaxed);
                self.delete_singly(keys).await
            }
            Err(error) => Err(self.bucket.explain("delete objects", "", &error)),
        }
    }

    async fn delete_singly(&self, keys: &[String]) -> Result<(), StorageError> {
        let deletes: Vec<_> = keys.iter().map(|key| self.bucket.delete_one(key)).collect();
        stream::iter(deletes).buffer_unordered(DELETES_AT_ONCE).try_collect().await
    }

    async fn unfinished(&self, prefix: &str) -> Result<Vec<MultipartUpload>, StorageError> {
        let (mut found, mut key_marker, mut id_marker) = (Vec::new(), None, None);
        loop {
            let request = self.bucket.client.list_multipart_uploads().bucket(self.bucket.name());
            let request = request.prefix(self.bucket.full_key(prefix));
            let page = match request.set_key_marker(key_marker).set_upload_id_marker(id_marker).send().await {
                Ok(page) => page,
                // A lifecycle rule has to do it on such a store.
                Err(error) if Answer::of(&error).status == 501 => return Ok(Vec::new()),
                Err(error) => return Err(self.bucket.explain("list the uploads under", prefix, &error)),
            };
            found.extend(page.uploads.unwrap_or_default());
            if page.is_truncated != Some(true) || page.next_key_marker.is_none() {
                return Ok(found);
            }
            (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
        }
    }
}

#[async_trait]
impl Storage for S3Storage {
    async fn begin(&self, key: &str, media_type: &str) -> Result<Box<dyn Upload>, StorageError> {
        check_key(key)?;
        Ok(Box::new(S3Upload::new(self.bucket.clone(), key, media_type)))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StorageError> {
        check_key(key)?;
        let found = self.bucket.head(key).await?;
        Ok(found.map(|found| ObjectInfo {
            key: key.to_owned(),
            bytes: object_bytes(&found),
            written_at: None,
        }))
    }

    async fn read(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError> {
        check_key(key)?;
        self.bucket.read(key, offset, bytes).await
    }

    async fn stream<'s>(&'s self, key: &'s str, offset: u64) -> Result<ByteStream<'s>, StorageError> {
        check_key(key)?;
        self.bucket.stream(key, offset).await
    }

    async fn compose(&self, key: &str, media_type: &str, pieces: &[Piece]) -> Result<Composed, StorageError> {
        check_key(key)?;
        compose(&self.bucket, key, media_type, pieces).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StorageError> {
        check_prefix(prefix)?;
        let request = self.bucket.client.list_objects_v2().bucket(self.bucket.name());
        let mut pages = request.prefix(self.bucket.full_key(prefix)).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.bucket.explain("list", prefix, &error))?;
            found.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
                let bytes = object.size.unwrap_or(0).unsigned_abs();
                let written_at = object.last_modified.and_then(|moment| moment.try_into().ok());
                Some(ObjectInfo { key: self.bucket.own_key(&object.key?)?, bytes, written_at })
            }));
        }
        found.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        Ok(found)
    }

    async fn folders(&self) -> Result<Vec<String>, StorageError> {
        let request = self.bucket.client.list_objects_v2().bucket(self.bucket.name());
        let request = request.prefix(self.bucket.full_key("")).delimiter("/");
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.bucket.explain("list", "", &error))?;
            let folders = page.common_prefixes.unwrap_or_default().into_iter();
            found.extend(folders.filter_map(|folder| {
                let own = self.bucket.own_key(&folder.prefix?)?;
                own.strip_suffix('/').map(str::to_owned)
            }));
        }
        found.sort_unstable();
        Ok(found)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StorageError> {
        keys.iter().try_for_each(|key| check_key(key))?;
        for batch in keys.chunks(DELETE_BATCH_KEYS) {
            self.delete_batch(batch).await?;
        }
        Ok(())
    }

    async fn link(&self, key: &str, link: &LinkOptions) -> Result<Link, StorageError> {
        check_key(key)?;
        let lives = PresigningConfig::expires_in(link.lives).map_err(|error| {
            let message = format!("a link cannot live {} s", link.lives.as_secs());
            StorageError::new(StorageErrorKind::Configuration, message).because(error)
        })?;
        let request =
            self.bucket.client.get_object().bucket(self.bucket.name()).key(self.bucket.full_key(key));
        let signed = request
            .response_content_disposition(link.content_disposition())
            .response_content_type(&link.media_type)
            .presigned(lives)
            .await
            .map_err(|error| self.bucket.explain("sign a link to", key, &error))?;
        Ok(Link::Presigned(signed.uri().to_owned()))
    }

    async fn abort_unfinished(&self, prefix: &str) -> Result<usize, StorageError> {
        check_prefix(prefix)?;
        let mut aborted = 0;
        for upload in self.unfinished(prefix).await? {
            let key = upload.key.as_deref().and_then(|key| self.bucket.own_key(key));
            // Some stores list more than the prefix that was asked for.
            let (Some(key), Some(id)) = (key.filter(|key| key.starts_with(prefix)), upload.upload_id) else {
                continue;
            };
            multipart::abort(&self.bucket, &key, &id).await?;
            aborted += 1;
        }
        Ok(aborted)
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.check_credentials().await?;
        self.check_bucket().await?;
        self.bucket.put(CHECK_KEY, "text/plain", Bytes::from_static(b"spanfleet")).await?;
        self.bucket.delete_one(CHECK_KEY).await
    }

    fn address(&self) -> String {
        let S3Settings { bucket, prefix, .. } = self.bucket.settings.as_ref();
        format!("s3://{bucket}/{prefix}").trim_end_matches('/').to_owned()
    }
}

/// Old stores want a `Content-MD5` with a batch, which no SDK of today sends; others have no batches.
fn is_not_understood(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 405 | 411 | 501)
}

#[cfg(test)]
mod tests;
