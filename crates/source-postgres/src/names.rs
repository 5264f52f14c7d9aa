//! Labels and people by id: the streams carry numbers, documents carry names that they share.

use std::collections::HashMap;
use std::sync::Arc;

use spanfleet_core::{ProjectId, filter::Id};
use spanfleet_source::SourceError;
use spanfleet_source::load::columns::{LabelRow, label_paths};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::error::Place;
use crate::tables::Tables;

/// The names that a read needs, loaded once for it.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) labels: HashMap<i64, Arc<str>>,
    pub(crate) people: HashMap<i64, Arc<str>>,
}

/// The labels of a project.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) rows: Vec<LabelRow>,
    pub(crate) paths: HashMap<i64, Arc<str>>,
}

impl Labels {
    pub(crate) async fn load(
        database: &mut PgConnection,
        tables: &Tables,
        project: ProjectId,
        place: &Place,
    ) -> Result<Labels, SourceError> {
        // A platform may share its labels among all projects.
        let condition =
            if tables.has("labels", "project_id") { "l.project_id = $1" } else { "$1::int4 IS NOT NULL" };
        let parent = tables.integer("l", "parent_id");
        let sql =
            format!("SELECT l.id::int8, ({parent})::int8, l.name::text FROM labels l WHERE {condition}");
        let rows: Result<Vec<(i64, Option<i64>, String)>, _> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(project.0).fetch_all(database).await;
        let rows = rows.map_err(|error| place.failure("read the labels", &error))?;
        let rows: Vec<LabelRow> =
            rows.into_iter().map(|(id, parent, name)| LabelRow { id, parent, name }).collect();
        Ok(Labels { paths: label_paths(&rows), rows })
    }

    /// The ids that a filter means: numbers as they are, names by path or by last component.
    pub(crate) fn resolve(&self, wanted: &[Id]) -> Vec<i64> {
        let is_meant = |row: &LabelRow, id: &Id| match id {
            Id::Number(number) => *number == row.id,
            Id::Name(name) => *name == row.name || **name == *self.paths[&row.id],
        };
        let chosen = self.rows.iter().filter(|row| wanted.iter().any(|id| is_meant(row, id)));
        chosen.map(|row| row.id).collect()
    }
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
    let (mut ids, names) = numbers_and_names(wanted);
    let named: Result<Vec<i64>, _> = sqlx::query_scalar("SELECT id::int8 FROM users WHERE name = ANY($1)")
        .bind(names)
        .fetch_all(database)
        .await;
    ids.extend(named.map_err(|error| place.failure("look up the annotators", &error))?);
    Ok(ids)
}

/// The numbers and the names among ids.
pub(crate) fn numbers_and_names(ids: &[Id]) -> (Vec<i64>, Vec<String>) {
    let (mut numbers, mut names) = (Vec::new(), Vec::new());
    for id in ids {
        match id {
            Id::Number(number) => numbers.push(*number),
            Id::Name(name) => names.push(name.clone()),
        }
    }
    (numbers, names)
}
