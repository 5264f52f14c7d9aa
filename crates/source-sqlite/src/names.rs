//! Labels and people out of their tables.

use std::collections::HashMap;
use std::sync::Arc;

use spanfleet_core::{ProjectId, filter::Id};
use spanfleet_source::SourceError;
use spanfleet_source::load::names::{LabelRow, Labels, numbers_and_names};
use sqlx::sqlite::SqliteConnection;

use crate::error::Place;
use crate::slice::json_list;

/// The labels of a project.
pub(crate) async fn labels(
    database: &mut SqliteConnection,
    project: ProjectId,
    place: &Place,
) -> Result<Labels, SourceError> {
    let query = sqlx::query_as("SELECT id, parent_id, name FROM labels WHERE project_id = ?").bind(project.0);
    let rows: Result<Vec<(i64, Option<i64>, String)>, _> = query.fetch_all(database).await;
    let rows = rows.map_err(|error| place.failure("read the labels", &error))?;
    let row = |(id, parent, name)| LabelRow { id, parent, name };
    Ok(Labels::new(&rows.into_iter().map(row).collect::<Vec<LabelRow>>()))
}

/// Everybody by id.
pub(crate) async fn people(
    database: &mut SqliteConnection,
    place: &Place,
) -> Result<HashMap<i64, Arc<str>>, SourceError> {
    let rows: Result<Vec<(i64, String)>, _> =
        sqlx::query_as("SELECT id, name FROM users").fetch_all(database).await;
    let rows = rows.map_err(|error| place.failure("read the users", &error))?;
    Ok(rows.into_iter().map(|(id, name)| (id, name.into())).collect())
}

/// The ids that a filter means: numbers as they are, names by name.
pub(crate) async fn resolve_people(
    database: &mut SqliteConnection,
    wanted: &[Id],
    place: &Place,
) -> Result<Vec<i64>, SourceError> {
    let (mut ids, names) = numbers_and_names(wanted);
    let query = sqlx::query_scalar("SELECT id FROM users WHERE name IN (SELECT value FROM json_each(?))");
    let found: Result<Vec<i64>, _> = query.bind(json_list(&names)).fetch_all(database).await;
    ids.extend(found.map_err(|error| place.failure("look up the annotators", &error))?);
    Ok(ids)
}
