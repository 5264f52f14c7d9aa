//! Errors for people: one lower-case sentence with its causes, and an exit code.

use std::{fmt, process::ExitCode};

use spanfleet_core::{OptionError, chain};

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

/// Done, but something was lost under `--strict`.
pub(crate) const LOSSES: u8 = 3;
const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

impl Failure {
    /// It failed.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), code: FAILED }
    }

    /// It was asked for wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), code: WRONG_USAGE }
    }

    /// It is done, but something was lost under `--strict`.
    pub(crate) fn losses(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), code: LOSSES }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::usage(error.to_string())
    }
}

macro_rules! from_errors {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::new(chain(&error))
            }
        })+
    };
}

from_errors!(
    std::io::Error,
    serde_json::Error,
    prometheus::Error,
    spanfleet_metastore::MetastoreError,
    spanfleet_queue::QueueError,
    spanfleet_source::SourceError,
    spanfleet_storage::StorageError,
);
