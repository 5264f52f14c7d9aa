//! What went wrong in the database, and the mend. Nothing here ever says the password.

use std::str::FromStr;
use std::time::Duration;

use spanfleet_source::{SourceError, SourceErrorKind};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Error};

/// Where the database is, without user and password.
#[derive(Clone, Debug)]
pub(crate) struct Place(String);

impl Place {
    pub(crate) fn of(options: &PgConnectOptions) -> Place {
        let database = options.get_database().unwrap_or(options.get_username());
        Place(format!("postgres://{}:{}/{database}", options.get_host(), options.get_port()))
    }

    /// The error of something that was tried there.
    pub(crate) fn failure(&self, tried: &str, error: &Error) -> SourceError {
        let cause = match error {
            Error::Database(database) => database.message().to_owned(),
            other => other.to_string(),
        };
        let mend = mend(error).map(|mend| format!("; {mend}")).unwrap_or_default();
        SourceError::new(kind(error), format!("can't {tried} in {self}: {cause}{mend}"))
    }

    /// The same for a step that is no query.
    pub(crate) fn invalid(&self, message: &str) -> SourceError {
        SourceError::new(SourceErrorKind::Invalid, format!("{message} in {self}"))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// Reads the URL; its own text never appears in the error, since it may hold a password.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, SourceError> {
    let refused = || {
        SourceError::new(
            SourceErrorKind::Configuration,
            "the database's address can't be read; write it as `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, \
             with special characters of the password percent-encoded",
        )
    };
    // Without the slashes all of it would be the name of a database, which errors show.
    let is_whole = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    let options = PgConnectOptions::from_str(url).ok().filter(|_| is_whole).ok_or_else(refused)?;
    Ok(options.application_name("spanfleet").disable_statement_logging())
}

/// One connection, or at once the reason why there is none.
pub(crate) async fn connect(
    options: &PgConnectOptions,
    place: &Place,
    patience: Duration,
) -> Result<PgConnection, SourceError> {
    match tokio::time::timeout(patience, PgConnection::connect_with(options)).await {
        Ok(connected) => connected.map_err(|error| place.failure("connect", &error)),
        Err(_) => Err(SourceError::new(
            SourceErrorKind::Transient,
            format!(
                "{place} does not answer within {} seconds; is it running and reachable?",
                patience.as_secs()
            ),
        )),
    }
}

fn code(error: &Error) -> Option<String> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).map(std::borrow::Cow::into_owned)
}

fn kind(error: &Error) -> SourceErrorKind {
    match error {
        Error::Configuration(_) | Error::Tls(_) | Error::ColumnDecode { .. } => {
            SourceErrorKind::Configuration
        }
        Error::Database(_) => kind_of_code(&code(error).unwrap_or_default()),
        _ => SourceErrorKind::Transient,
    }
}

/// What the class of an SQLSTATE asks for: the set-up (28 authorisation, 3D no database, 42 no table, column or
/// right, 25 a read-only server), the data (22, 23), or time. What a key refers to may just have been deleted.
fn kind_of_code(code: &str) -> SourceErrorKind {
    match (code, code.get(..2)) {
        ("23503", _) => SourceErrorKind::Transient,
        (_, Some("28" | "3D" | "3F" | "42" | "25" | "0A")) => SourceErrorKind::Configuration,
        (_, Some("22" | "23" | "54")) => SourceErrorKind::Invalid,
        _ => SourceErrorKind::Transient,
    }
}

fn mend(error: &Error) -> Option<&'static str> {
    match error {
        Error::Io(_) | Error::PoolTimedOut => return Some("is the server running and reachable?"),
        Error::Tls(_) => return Some("see `sslmode` and `sslrootcert` in the address"),
        _ => {}
    }
    match code(error)?.as_str() {
        "28P01" | "28000" => Some("see user and password in the address, and the server's pg_hba.conf"),
        "3D000" => Some("create the database, or name another in the address"),
        "42P01" => Some("run `spanfleet migrate`, or name a database with an annotation platform's tables"),
        "42501" => Some("grant the user of the address the right to it"),
        "53300" => Some("raise the server's `max_connections`, or ask for fewer"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_ever_told() {
        let options = options("postgres://ada:s3cret@db.example:5433/notes").unwrap();
        assert_eq!(Place::of(&options).to_string(), "postgres://db.example:5433/notes");
        let refused = super::options("postgres://ada:s3cret@db.example:port/notes").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("s3cret"));
        assert_eq!(refused.kind, SourceErrorKind::Configuration);
        let refused = super::options("postgres:ada:s3cret@db.example/notes").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("s3cret"));
    }
}
