//! Labels and people out of their tables.

use std::collections::HashMap;
use std::sync::Arc;

use spanfleet_core::{ProjectId, filter::Id};
use spanfleet_source::SourceError;
use spanfleet_source::load::names::{LabelRow, Labels, numbers_and_names};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::error::Place;
use crate::tables::Tables;

/// The labels of a project. A platform may share its labels among all projects.
pub(crate) async fn labels(
    database: &mut PgConnection,
    tables: &Tables,
    project: ProjectId,
    place: &Place,
) -> Result<Labels, SourceError> {
    let is_own = tables.has("labels", "project_id");
    let condition = if is_own { "l.project_id = $1" } else { "$1::int4 IS NOT NULL" };
    let parent = tables.integer("l", "parent_id");
    let sql = format!("SELECT l.id::int8, ({parent})::int8, l.name::text FROM labels l WHERE {condition}");
    let rows: Result<Vec<(i64, Option<i64>, String)>, _> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(project.0).fetch_all(database).await;
    let rows = rows.map_err(|error| place.failure("read the labels", &error))?;
    let row = |(id, parent, name)| LabelRow { id, parent, name };
    Ok(Labels::new(&rows.into_iter().map(row).collect::<Vec<LabelRow>>()))
}

/// Everybody by id.
pub(crate) async fn people(
    database: &mut PgConnection,
    place: &Place,
) -> Result<HashMap<i64, Arc<str>>, SourceError> {
    let rows: Result<Vec<(i64, String)>, _> =
        sqlx::query_as("SELECT id::int8, name::text FROM users").fetch_all(database).await;
    let rows = rows.map_err(|error| place.failure("read the users", &error))?;
    Ok(rows.into_iter().map(|(id, name)| (id, name.into())).collect())
}

/// The ids that a filter means: numbers as they are, names by name.
pub(crate) async fn resolve_people(
    database: &mut PgConnection,
    wanted: &[Id],
    place: &Place,
) -> Result<Vec<i64>, SourceError> {
    let (mut ids, mut names) = numbers_and_names(wanted);
    names.retain(|name| is_storable(name));
    let found: Result<Vec<i64>, _> = sqlx::query_scalar("SELECT id::int8 FROM users WHERE name = ANY($1)")
        .bind(names)
        .fetch_all(database)
        .await;
    ids.extend(found.map_err(|error| place.failure("look up the annotators", &error))?);
    Ok(ids)
}

/// A name with a NUL is nobody's: PostgreSQL holds none, and refuses even to compare with one.
pub(crate) fn is_storable(name: &str) -> bool {
    !name.contains('\0')
}
