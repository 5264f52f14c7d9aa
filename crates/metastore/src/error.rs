//! What went wrong with the metastore, and what to do next.

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetastoreErrorKind {
    /// The set-up is wrong: wrong password, no such database, a missing table. No retry helps.
    Configuration,
    /// May work next time.
    Transient,
    /// A stored value that this version can't read.
    Corrupt,
}

/// An error of the metastore. Its text holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct MetastoreError {
    /// What to do next.
    pub kind: MetastoreErrorKind,
    /// What was tried and why it failed.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl MetastoreError {
    /// An error without a cause below it.
    pub fn new(kind: MetastoreErrorKind, message: impl Into<String>) -> MetastoreError {
        MetastoreError { kind, message: message.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> MetastoreError {
        self.source = Some(source.into());
        self
    }
}
