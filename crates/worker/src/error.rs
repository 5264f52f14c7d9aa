//! What a failure of a step means for the next try.

use spanfleet_core::{OptionError, chain, job::ErrorClass};
use spanfleet_formats::EncodeError;
use spanfleet_metastore::{MetastoreError, MetastoreErrorKind};
use spanfleet_source::{SourceError, SourceErrorKind};
use spanfleet_storage::{StorageError, StorageErrorKind};

/// Why a step did not end well.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The task failed; the message says why, with its causes.
    #[error("{message}")]
    Failed {
        /// What it means for the next try.
        class: ErrorClass,
        /// For people.
        message: String,
    },
    /// The task is not ours any more: write nothing, report nothing.
    #[error("the task is another's")]
    Lost,
    /// We are stopping; the task goes back.
    #[error("this process is stopping")]
    Stopped,
}

impl StepError {
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> StepError {
        StepError::Failed { class, message: message.into() }
    }
}

impl From<StorageError> for StepError {
    fn from(error: StorageError) -> StepError {
        let class = match error.kind {
            // A part that is gone may come back with the next attempt's fence.
            StorageErrorKind::NotFound | StorageErrorKind::Transient => ErrorClass::Transient,
            StorageErrorKind::Throttled => ErrorClass::Throttled,
            StorageErrorKind::Configuration => ErrorClass::Configuration,
        };
        StepError::new(class, chain(&error))
    }
}

impl From<SourceError> for StepError {
    fn from(error: SourceError) -> StepError {
        let class = match error.kind {
            SourceErrorKind::Invalid => ErrorClass::Poison,
            SourceErrorKind::Configuration => ErrorClass::Configuration,
            SourceErrorKind::Transient => ErrorClass::Transient,
        };
        StepError::new(class, chain(&error))
    }
}

impl From<MetastoreError> for StepError {
    fn from(error: MetastoreError) -> StepError {
        let class = match error.kind {
            MetastoreErrorKind::Configuration => ErrorClass::Configuration,
            MetastoreErrorKind::Transient => ErrorClass::Transient,
            MetastoreErrorKind::Corrupt => ErrorClass::Poison,
        };
        StepError::new(class, chain(&error))
    }
}

impl From<EncodeError> for StepError {
    fn from(error: EncodeError) -> StepError {
        let place = error.text.as_ref().map_or_else(String::new, |text| format!("text `{text}`: "));
        StepError::new(ErrorClass::Poison, format!("{place}{}", error.message))
    }
}

impl From<OptionError> for StepError {
    fn from(error: OptionError) -> StepError {
        StepError::new(ErrorClass::Poison, error.to_string())
    }
}

/// Compression into memory fails only on a level that it does not know.
impl From<std::io::Error> for StepError {
    fn from(error: std::io::Error) -> StepError {
        StepError::new(ErrorClass::Poison, format!("can't compress: {error}"))
    }
}
