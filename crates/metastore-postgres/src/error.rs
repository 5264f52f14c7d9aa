//! What each failure of the server means, and its mend.

use spanfleet_metastore::{MetastoreError, MetastoreErrorKind};
use sqlx::error::DatabaseError;

/// The server's failure in our words. Nothing of the connection's options goes in: they hold the password.
pub(crate) fn explain(error: sqlx::Error, address: &str) -> MetastoreError {
    use MetastoreErrorKind::{Configuration, Corrupt, Transient};
    let (kind, message) = match &error {
        sqlx::Error::Database(cause) => by_code(cause.as_ref(), address),
        sqlx::Error::Io(cause) => (
            Transient,
            format!("`{address}` can't be reached ({cause}); is the server up, and the address right?"),
        ),
        sqlx::Error::PoolTimedOut => (
            Transient,
            format!("no connection to `{address}` came free in time: the server is down, or too busy"),
        ),
        sqlx::Error::Tls(cause) => (
            Configuration,
            format!("no secure connection to `{address}` ({cause}); look at `sslmode` in `DATABASE_URL`"),
        ),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::TypeNotFound { .. } => {
            (Corrupt, format!("`{address}` holds a value that this version can't read ({error})"))
        }
        _ => (Transient, format!("the connection to `{address}` failed ({error})")),
    };
    MetastoreError::new(kind, message).because(error)
}

pub(crate) fn tables_missing(address: &str) -> MetastoreError {
    MetastoreError::new(
        MetastoreErrorKind::Configuration,
        format!("`{address}` lacks tables of this version; run `spanfleet migrate`"),
    )
}

fn by_code(cause: &dyn DatabaseError, address: &str) -> (MetastoreErrorKind, String) {
    use MetastoreErrorKind::{Configuration, Corrupt, Transient};
    let code = cause.code().unwrap_or_default();
    let said = cause.message();
    match code.as_ref() {
        "28P01" | "28000" => {
            (Configuration, format!("`{address}` refuses user or password ({said}); mend `DATABASE_URL`"))
        }
        "3D000" => (
            Configuration,
            format!("`{address}` does not exist ({said}); create the database or mend `DATABASE_URL`"),
        ),
        "42P01" | "42703" | "3F000" => (Configuration, tables_missing(address).message),
        "42501" => (Configuration, format!("`{address}` gives this user too few rights ({said})")),
        // Class 22: a value that no column takes, such as NUL in JSONB. Class 23: a row that contradicts others.
        code if code.starts_with("22") || code.starts_with("23") => {
            (Corrupt, format!("`{address}` refuses a value ({said})"))
        }
        code if code.starts_with("42") => {
            (Configuration, format!("`{address}` does not understand a statement ({said})"))
        }
        _ => (Transient, format!("`{address}` could not do it now ({said})")),
    }
}
