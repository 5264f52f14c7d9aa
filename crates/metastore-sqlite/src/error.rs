//! What each failure means, and its mend.

use spanfleet_metastore::{MetastoreError, MetastoreErrorKind};
use sqlx::error::DatabaseError;

/// SQLite's failure in our words.
pub(crate) fn explain(error: sqlx::Error, address: &str) -> MetastoreError {
    use MetastoreErrorKind::{Configuration, Corrupt, Transient};
    let (kind, message) = match &error {
        sqlx::Error::Database(cause) => by_code(cause.as_ref(), address),
        sqlx::Error::Io(cause) => (Configuration, format!("`{address}` can't be opened ({cause})")),
        sqlx::Error::PoolTimedOut => (Transient, format!("`{address}` is too busy")),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            (Corrupt, format!("`{address}` holds a value that this version can't read ({error})"))
        }
        _ => (Transient, format!("`{address}` failed ({error})")),
    };
    MetastoreError::new(kind, message).because(error)
}

pub(crate) fn tables_missing(address: &str) -> MetastoreError {
    MetastoreError::new(
        MetastoreErrorKind::Configuration,
        format!("`{address}` lacks tables of this version; run `spanfleet migrate`"),
    )
}

/// Whether another connection holds the lock.
pub(crate) fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|cause| class(cause) == 5)
}

/// The lower byte of the result code; the rest says more.
fn class(cause: &dyn DatabaseError) -> i32 {
    cause.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default() & 0xff
}

fn by_code(cause: &dyn DatabaseError, address: &str) -> (MetastoreErrorKind, String) {
    use MetastoreErrorKind::{Configuration, Corrupt, Transient};
    let said = cause.message();
    match class(cause) {
        1 if said.contains("no such table") || said.contains("no such column") => {
            (Configuration, tables_missing(address).message)
        }
        1 => (Configuration, format!("`{address}` does not understand a statement ({said})")),
        3 | 8 | 14 | 23 => (
            Configuration,
            format!("`{address}` can't be opened for writing ({said}); look at the file's path and rights"),
        ),
        11 | 26 => (Corrupt, format!("`{address}` is damaged or no SQLite database ({said})")),
        18..=20 => (Corrupt, format!("`{address}` refuses a value ({said})")),
        _ => (Transient, format!("`{address}` could not do it now ({said})")),
    }
}
