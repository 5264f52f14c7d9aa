//! What went wrong with the store, and what to do next.

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// There is no such object.
    NotFound,
    /// The set-up is wrong: no such bucket, access denied, a bad key. No retry helps.
    Configuration,
    /// The store asks for less.
    Throttled,
    /// May work next time.
    Transient,
}

/// An error of the store. Its text holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    /// What to do next.
    pub kind: StorageErrorKind,
    /// What was tried and why it failed, as a lower-case sentence with the key or bucket in backticks.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StorageError {
    /// An error without a cause below it.
    pub fn new(kind: StorageErrorKind, message: impl Into<String>) -> StorageError {
        StorageError { kind, message: message.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
        self.source = Some(source.into());
        self
    }
}
