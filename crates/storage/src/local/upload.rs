//! A file being written.

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::NamedTempFile;

use super::{Files, blocking};
use crate::{StorageError, StorageErrorKind, Upload};

/// A file that has no place among the objects yet. Dropped, it is gone.
pub(super) struct LocalUpload {
    files: Files,
    key: String,
    /// Away while a write is under way; a write that was cancelled takes the file with it.
    unfinished: Option<NamedTempFile>,
    written_bytes: u64,
}

impl LocalUpload {
    pub(super) fn new(files: Files, key: String, unfinished: NamedTempFile) -> LocalUpload {
        LocalUpload { files, key, unfinished: Some(unfinished), written_bytes: 0 }
    }

    fn take_file(&mut self) -> Result<NamedTempFile, StorageError> {
        self.unfinished.take().ok_or_else(|| {
            let message = format!("the upload of `{}` was cut short by an earlier failure", self.key);
            StorageError::new(StorageErrorKind::Transient, message)
        })
    }
}

#[async_trait]
impl Upload for LocalUpload {
    fn id(&self) -> Option<&str> {
        None
    }

    async fn write(&mut self, piece: Bytes) -> Result<(), StorageError> {
        let (files, key, mut unfinished) = (self.files.clone(), self.key.clone(), self.take_file()?);
        let written_bytes = piece.len() as u64;
        let unfinished = blocking(move || {
            files.write(&key, &mut unfinished, &piece)?;
            Ok(unfinished)
        })
        .await?;
        self.unfinished = Some(unfinished);
        self.written_bytes += written_bytes;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, StorageError> {
        let unfinished = self.take_file()?;
        let (files, key, written_bytes) = (self.files.clone(), self.key.clone(), self.written_bytes);
        blocking(move || files.publish(&key, unfinished).map(|()| written_bytes)).await
    }

    async fn abort(mut self: Box<Self>) -> Result<(), StorageError> {
        let (files, unfinished) = (self.files.clone(), self.unfinished.take());
        blocking(move || files.discard(unfinished)).await
    }
}

impl Drop for LocalUpload {
    fn drop(&mut self) {
        // Unlinking is quick, and a drop cannot wait. There is nobody to tell of a failure.
        let _ = self.files.discard(self.unfinished.take());
    }
}
