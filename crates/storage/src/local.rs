//! A directory as a store. The reference for the other drivers: nothing to install, files readable by hand.
//!
//! An object is written under `~unfinished/` (no key begins with `~`) and renamed to its place, so that a
//! reader sees all of it or nothing. File work runs on the blocking pool. One limit that S3 does not have:
//! `a` and `a/b` cannot both be objects.

mod files;
mod upload;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Composed, Link, LinkOptions, ObjectInfo, Piece, Storage, StorageError, StorageErrorKind, Upload,
};
use crate::{check_key, check_prefix};
use files::Files;
use upload::LocalUpload;

/// A directory that holds objects as files.
#[derive(Clone, Debug)]
pub struct LocalStorage {
    files: Files,
}

impl LocalStorage {
    /// A store under this directory, which is created when the first object is written. A finished object
    /// survives a loss of power.
    pub fn new(root: impl Into<PathBuf>) -> LocalStorage {
        let root = root.into();
        let root = std::path::absolute(&root).unwrap_or(root);
        LocalStorage { files: Files::new(root, true) }
    }

    /// The same without waiting for the disk: for one-shot exports, which are simply run again after a loss
    /// of power.
    #[must_use]
    pub fn without_sync(self) -> LocalStorage {
        LocalStorage { files: Files::new(self.files.root().to_owned(), false) }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        self.files.root()
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let files = self.files.clone();
        blocking(move || work(&files)).await
    }
}

#[async_trait]
impl Storage for LocalStorage {
    async fn begin(&self, key: &str, _media_type: &str) -> Result<Box<dyn Upload>, StorageError> {
        check_key(key)?;
        let name = key.to_owned();
        let unfinished = self.run(move |files| files.begin(&name)).await?;
        Ok(Box::new(LocalUpload::new(self.files.clone(), key.to_owned(), unfinished)))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StorageError> {
        check_key(key)?;
        let key = key.to_owned();
        self.run(move |files| files.head(key)).await
    }

    async fn read(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError> {
        check_key(key)?;
        let key = key.to_owned();
        self.run(move |files| files.read(&key, offset, bytes)).await
    }

    async fn compose(
        &self,
        key: &str,
        _media_type: &str,
        pieces: &[Piece],
    ) -> Result<Composed, StorageError> {
        check_key(key)?;
        let (key, pieces) = (key.to_owned(), pieces.to_vec());
        let bytes = self.run(move |files| files.compose(&key, &pieces)).await?;
        Ok(Composed { bytes, sha256: None })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StorageError> {
        check_prefix(prefix)?;
        let prefix = prefix.to_owned();
        self.run(move |files| files.list(&prefix)).await
    }

    async fn folders(&self) -> Result<Vec<String>, StorageError> {
        self.run(Files::folders).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StorageError> {
        keys.iter().try_for_each(|key| check_key(key))?;
        let keys = keys.to_vec();
        self.run(move |files| keys.iter().try_for_each(|key| files.delete(key))).await
    }

    async fn link(&self, key: &str, _link: &LinkOptions) -> Result<Link, StorageError> {
        check_key(key)?;
        Ok(Link::Carried)
    }

    async fn abort_unfinished(&self, prefix: &str) -> Result<usize, StorageError> {
        check_prefix(prefix)?;
        let prefix = prefix.to_owned();
        self.run(move |files| files.abort_unfinished(&prefix)).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.run(Files::check).await
    }

    fn address(&self) -> String {
        format!("file://{}", self.files.root().display())
    }
}

/// Runs file work where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(StorageError::new(StorageErrorKind::Transient, "file work was cut short").because(error))
    })
}

#[cfg(test)]
mod tests;
