//! Which columns the platform really has.
//!
//! Our own migration makes all of them. A platform that was there before may lack some or have others types:
//! what is missing reads as NULL, what is of another type is cast.

use std::collections::HashMap;

use spanfleet_source::{SourceError, SourceErrorKind};
use sqlx::postgres::Postgres;

use crate::error::Place;

/// The columns found, by table and name, with their types.
#[derive(Debug)]
pub(crate) struct Tables {
    types: HashMap<(String, String), String>,
}

/// What no export can do without.
const REQUIRED: &[(&str, &[&str])] = &[
    ("texts", &["id", "project_id", "content"]),
    ("annotations", &["id", "text_id", "label_id", "start_char", "end_char"]),
    ("labels", &["id", "name"]),
    ("users", &["id", "name"]),
];

/// Follows the search path, as the statements themselves do.
const DETECT: &str = "SELECT wanted.name, a.attname::text, t.typname::text \
    FROM unnest(ARRAY['texts', 'annotations', 'labels', 'users', 'relations']) AS wanted(name) \
    JOIN pg_attribute a ON a.attrelid = to_regclass(wanted.name) AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_type t ON t.oid = a.atttypid";

impl Tables {
    pub(crate) async fn detect<'c>(
        database: impl sqlx::Executor<'c, Database = Postgres>,
        place: &Place,
    ) -> Result<Tables, SourceError> {
        let rows: Result<Vec<(String, String, String)>, _> = sqlx::query_as(DETECT).fetch_all(database).await;
        let rows = rows.map_err(|error| place.failure("look for the tables", &error))?;
        let types = rows.into_iter().map(|(table, column, kind)| ((table, column), kind)).collect();
        let tables = Tables { types };
        tables.check(place)?;
        Ok(tables)
    }

    fn check(&self, place: &Place) -> Result<(), SourceError> {
        let refuse = |what: String| {
            let mend = "run `spanfleet migrate`, or name a database with an annotation platform's tables";
            SourceError::new(SourceErrorKind::Configuration, format!("{what} is missing in {place}: {mend}"))
        };
        for (table, columns) in REQUIRED {
            if !self.has_table(table) {
                return Err(refuse(format!("table `{table}`")));
            }
            if let Some(column) = columns.iter().find(|column| !self.has(table, column)) {
                return Err(refuse(format!("column `{table}.{column}`")));
            }
        }
        Ok(())
    }

    fn kind(&self, table: &str, column: &str) -> Option<&str> {
        self.types.get(&(table.to_owned(), column.to_owned())).map(String::as_str)
    }

    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        self.kind(table, column).is_some()
    }

    pub(crate) fn has_table(&self, table: &str) -> bool {
        self.types.keys().any(|(name, _)| name == table)
    }

    /// An integer of any width.
    pub(crate) fn integer(&self, alias: &str, column: &str) -> String {
        self.read_as(alias, column, &["int2", "int4", "int8"], "int8")
    }

    /// Text, or JSON as text.
    pub(crate) fn text(&self, alias: &str, column: &str) -> String {
        self.read_as(alias, column, &["text", "varchar", "json"], "text")
    }

    /// An instant; one without a zone is UTC, which is the session's zone.
    pub(crate) fn moment(&self, alias: &str, column: &str) -> String {
        self.read_as(alias, column, &["timestamptz", "timestamp"], "timestamptz")
    }

    pub(crate) fn number(&self, alias: &str, column: &str) -> String {
        self.read_as(alias, column, &["float8"], "float8")
    }

    fn read_as(&self, alias: &str, column: &str, plain: &[&str], cast: &str) -> String {
        match self.kind(table_of(alias), column) {
            None => format!("NULL::{cast}"),
            Some(kind) if plain.contains(&kind) => format!("{alias}.{column}"),
            Some(_) => format!("{alias}.{column}::{cast}"),
        }
    }
}

/// The alias that each table has in the statements.
fn table_of(alias: &str) -> &'static str {
    match alias {
        "t" => "texts",
        "l" => "labels",
        "u" => "users",
        "r" => "relations",
        _ => "annotations",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_columns_as_they_are_and_casts_the_others() {
        let column =
            |table: &str, name: &str, kind: &str| ((table.to_owned(), name.to_owned()), kind.to_owned());
        let types = [
            column("texts", "id", "int4"),
            column("texts", "metadata", "jsonb"),
            column("annotations", "created_at", "timestamp"),
            column("annotations", "confidence_score", "numeric"),
        ];
        let tables = Tables { types: types.into() };
        assert_eq!(tables.integer("t", "id"), "t.id");
        assert_eq!(tables.text("t", "metadata"), "t.metadata::text");
        assert_eq!(tables.text("t", "tokens"), "NULL::text");
        assert_eq!(tables.moment("a", "created_at"), "a.created_at");
        assert_eq!(tables.number("a", "confidence_score"), "a.confidence_score::float8");
    }
}
