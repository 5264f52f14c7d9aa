//! References held once for a batch instead of once for a row.
//!
//! PostgreSQL looks up each foreign key of each row that comes in, which is three quarters of an import. A batch
//! refers to a few labels and people, to texts that its own transaction holds, and to annotations that it has
//! just made. So their rows are locked once, as the look-ups would lock them, and the rows go in without
//! look-ups: for which the server wants a superuser. With less right, or where the tables have triggers that
//! somebody needs, the server looks them up.

use std::collections::HashSet;

use spanfleet_source::{SourceError, SourceErrorKind};
use sqlx::postgres::PgConnection;

use super::Known;
use super::rows::Write;
use crate::error::Place;

/// Whether look-ups may be left out.
const MAY_HOLD: &str = "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT EXISTS (\
    SELECT 1 FROM pg_trigger WHERE NOT tgisinternal \
    AND tgrelid IN (to_regclass('annotations'), to_regclass('relations')))";

/// How the keys of a batch are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The rows that a batch refers to are held by us.
    Held,
    /// The server looks up every key.
    LookedUp,
}

impl Keys {
    pub(crate) async fn of(database: &mut PgConnection, place: &Place) -> Result<Keys, SourceError> {
        let may_hold: Result<bool, _> = sqlx::query_scalar(MAY_HOLD).fetch_one(database).await;
        let may_hold = may_hold.map_err(|error| place.failure("look at the user's rights", &error))?;
        Ok(if may_hold { Keys::Held } else { Keys::LookedUp })
    }

    /// Holds what the annotations of a batch refer to, and turns look-ups off until [`Keys::release`].
    pub(crate) async fn hold(
        self,
        database: &mut PgConnection,
        writes: &[Write<'_>],
        known: &Known,
        place: &Place,
    ) -> Result<(), SourceError> {
        if self == Keys::LookedUp {
            return Ok(());
        }
        let annotations = || writes.iter().flat_map(|write| &write.document.annotations);
        let labels = annotations().filter_map(|annotation| known.labels.get(&*annotation.label));
        let people =
            annotations().filter_map(|annotation| known.people.get(annotation.annotator.as_deref()?));
        let (labels, people): (HashSet<i64>, HashSet<i64>) =
            (labels.copied().collect(), people.copied().collect());
        lock(
            database,
            "SELECT id::int8 FROM labels WHERE id = ANY($1) ORDER BY id FOR KEY SHARE",
            labels,
            place,
        )
        .await?;
        lock(
            database,
            "SELECT id::int8 FROM users WHERE id = ANY($1) ORDER BY id FOR KEY SHARE",
            people,
            place,
        )
        .await?;
        set_role(database, "SET LOCAL session_replication_role = replica", place).await
    }

    /// Turns look-ups on again.
    pub(crate) async fn release(self, database: &mut PgConnection, place: &Place) -> Result<(), SourceError> {
        match self {
            Keys::Held => set_role(database, "SET LOCAL session_replication_role = origin", place).await,
            Keys::LookedUp => Ok(()),
        }
    }
}

/// Until the transaction ends, nobody may delete these rows.
async fn lock(
    database: &mut PgConnection,
    sql: &'static str,
    ids: HashSet<i64>,
    place: &Place,
) -> Result<(), SourceError> {
    let ids: Vec<i64> = ids.into_iter().collect();
    let held: Result<Vec<i64>, _> = sqlx::query_scalar(sql).bind(&ids).fetch_all(database).await;
    let held = held.map_err(|error| place.failure("hold labels and users", &error))?;
    if held.len() == ids.len() {
        return Ok(());
    }
    let message = format!("a label or a user was deleted in {place} during the import; run the import again");
    Err(SourceError::new(SourceErrorKind::Transient, message))
}

async fn set_role(database: &mut PgConnection, sql: &'static str, place: &Place) -> Result<(), SourceError> {
    let set = sqlx::raw_sql(sql).execute(database).await;
    set.map(drop).map_err(|error| place.failure("load", &error))
}
