//! What went wrong in the database, and the mend.

use std::str::FromStr;
use std::time::Duration;

use spanfleet_source::{SourceError, SourceErrorKind};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Error};

/// How long to wait for another that writes, such as the metastore in the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the database is.
#[derive(Clone, Debug)]
pub(crate) struct Place(String);

impl Place {
    /// The error of something that was tried there.
    pub(crate) fn failure(&self, tried: &str, error: &Error) -> SourceError {
        let cause = match error {
            Error::Database(database) => database.message().to_owned(),
            other => other.to_string(),
        };
        let mend = mend(error).map(|mend| format!("; {mend}")).unwrap_or_default();
        SourceError::new(kind(error), format!("can't {tried} in {self}: {cause}{mend}"))
    }

    /// The error of a part of the set-up that is not there.
    pub(crate) fn missing(&self, what: &str) -> SourceError {
        let message = format!("{what} is missing in {self}: {MIGRATE}");
        SourceError::new(SourceErrorKind::Configuration, message)
    }

    /// The error of data that can't be read.
    pub(crate) fn invalid(&self, message: &str) -> SourceError {
        SourceError::new(SourceErrorKind::Invalid, format!("{message} in {self}"))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

const MIGRATE: &str = "run `spanfleet migrate`, or name a database with an annotation platform's tables";

/// Reads the URL. The file keeps its journal: the metastore's lets readers go on while another writes, and another tool's
/// is that tool's to choose.
pub(crate) fn options(url: &str) -> Result<(SqliteConnectOptions, Place), SourceError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| {
        let message = format!("the address `{url}` is not of the form `sqlite://path/to/file.db`: {error}");
        SourceError::new(SourceErrorKind::Configuration, message)
    })?;
    let options = options.create_if_missing(false).foreign_keys(true).busy_timeout(BUSY_TIMEOUT);
    Ok((options, Place(format!("`{url}`"))))
}

/// One connection beside any pool.
pub(crate) async fn connect(
    options: &SqliteConnectOptions,
    place: &Place,
) -> Result<SqliteConnection, SourceError> {
    SqliteConnection::connect_with(options).await.map_err(|error| place.failure("connect", &error))
}

/// The primary result code: the extended ones keep it in their lowest byte.
fn code(error: &Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

const ERROR: i32 = 1;
const BUSY: i32 = 5;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CAN_NOT_OPEN: i32 = 14;
const TOO_BIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const NO_DATABASE: i32 = 26;

fn kind(error: &Error) -> SourceErrorKind {
    match (error, code(error)) {
        (_, Some(CONSTRAINT | TOO_BIG | CORRUPT)) => SourceErrorKind::Invalid,
        (_, Some(ERROR | READ_ONLY | CAN_NOT_OPEN | NO_DATABASE)) | (Error::Configuration(_), _) => {
            SourceErrorKind::Configuration
        }
        (Error::ColumnDecode { .. } | Error::Decode(_), _) => SourceErrorKind::Invalid,
        _ => SourceErrorKind::Transient,
    }
}

fn mend(error: &Error) -> Option<&'static str> {
    match code(error)? {
        ERROR if error.to_string().contains("no such") => Some(MIGRATE),
        BUSY => Some("another process writes to it for a long time"),
        CAN_NOT_OPEN => Some("is the path right and readable?"),
        IO | FULL => Some("is the disk full or broken?"),
        NO_DATABASE => Some("name a SQLite database"),
        _ => None,
    }
}
