//! A selection resolved to ids, and the statements that read it.
//!
//! COPY takes no parameters. Whatever stands in a statement is a number of ours: names from a filter were
//! resolved to ids by bound queries before, and what it says of metadata stands there in hexadecimal digits.

use std::fmt::{Display, Write as _};

use spanfleet_core::{Include, ProjectId, TextLimit, Timestamp, filter::MetadataCondition};
use spanfleet_source::load::names::{Labels, numbers_and_names};
use spanfleet_source::load::range::Range;
use spanfleet_source::{Selection, SourceError};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::error::Place;
use crate::names::{is_storable, resolve_people};
use crate::tables::Tables;

mod conditions;

/// What is read of a project.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) project: ProjectId,
    pub(crate) range: Range,
    pub(crate) include: Include,
    /// The chosen texts, ascending.
    pub(crate) texts: Option<Vec<i64>>,
    pub(crate) labels: Option<Vec<i64>>,
    pub(crate) annotators: Option<Vec<i64>>,
    pub(crate) date_from: Option<Timestamp>,
    pub(crate) date_to: Option<Timestamp>,
    pub(crate) min_agreement: Option<f64>,
    pub(crate) has_annotations: Option<bool>,
    pub(crate) metadata: Vec<MetadataCondition>,
    /// Whether texts of other projects lie between, whose annotations have to be left out.
    pub(crate) is_shared: bool,
}

impl Slice {
    pub(crate) async fn resolve(
        database: &mut PgConnection,
        tables: &Tables,
        selection: &Selection,
        labels: &Labels,
        range: Range,
        place: &Place,
    ) -> Result<Slice, SourceError> {
        let filter = &selection.filter;
        let mut slice = Slice {
            labels: labels.resolve_filter(filter),
            date_from: filter.date_from,
            date_to: filter.date_to,
            min_agreement: filter.min_agreement,
            has_annotations: filter.has_annotations,
            metadata: filter.metadata.clone(),
            ..Slice::whole(selection.project, range, selection.include)
        };
        if let Some(wanted) = &filter.annotator_ids {
            slice.annotators = Some(resolve_people(database, wanted, place).await?);
        }
        if let Some(wanted) = &filter.text_ids {
            let (numbers, mut names) = numbers_and_names(wanted);
            names.retain(|name| is_storable(name));
            slice.texts = Some(slice.find_texts(database, tables, &numbers, &names, place).await?);
        }
        Ok(slice)
    }

    /// All texts of a range with all their annotations.
    pub(crate) fn whole(project: ProjectId, range: Range, include: Include) -> Slice {
        Slice {
            project,
            range,
            include,
            texts: None,
            labels: None,
            annotators: None,
            date_from: None,
            date_to: None,
            min_agreement: None,
            has_annotations: None,
            metadata: Vec::new(),
            is_shared: false,
        }
    }

    /// Some of the chosen texts after one; `None` when all texts are chosen.
    pub(crate) fn some_texts_after(&self, after: i64, most: usize) -> Option<&[i64]> {
        let texts = self.texts.as_deref()?;
        let begin = texts.partition_point(|id| *id <= after);
        Some(&texts[begin..texts.len().min(begin + most)])
    }

    async fn find_texts(
        &self,
        database: &mut PgConnection,
        tables: &Tables,
        numbers: &[i64],
        names: &[&str],
        place: &Place,
    ) -> Result<Vec<i64>, SourceError> {
        let external = if tables.has("texts", "external_id") { "t.external_id::text" } else { "NULL::text" };
        let condition = self.own_texts(tables);
        let sql = format!(
            "SELECT t.id::int8 FROM texts t WHERE t.id = ANY($1) AND {condition} \
             UNION SELECT t.id::int8 FROM texts t WHERE {external} = ANY($2) AND {condition}"
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(numbers).bind(names);
        let ids: Result<Vec<i64>, _> = query.fetch_all(database).await;
        let mut ids = ids.map_err(|error| place.failure("look up the texts", &error))?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Looks whether the range of texts is the project's alone: most are, and then no join is needed.
    pub(crate) async fn look_for_others(
        &mut self,
        database: &mut PgConnection,
        place: &Place,
    ) -> Result<(), SourceError> {
        if self.texts.is_none() {
            // Both are counted over an index, without a look at the texts.
            let sql = "SELECT (SELECT count(*) FROM texts WHERE id > $1 AND id <= $2) \
                <> (SELECT count(*) FROM texts WHERE project_id = $3 AND id > $1 AND id <= $2)";
            let query =
                sqlx::query_scalar(sql).bind(self.range.after).bind(self.range.through).bind(self.project.0);
            let shared = query.fetch_one(database).await;
            self.is_shared = shared.map_err(|error| place.failure("look at the texts", &error))?;
        }
        Ok(())
    }

    /// Of a text beyond the limit its length comes alone.
    pub(crate) fn copy_texts(&self, tables: &Tables, limit: TextLimit) -> String {
        let content = tables.text("t", "content");
        let columns = [
            tables.integer("t", "id"),
            tables.text("t", "external_id"),
            format!("octet_length({content})"),
            format!("CASE WHEN octet_length({content}) <= {} THEN {content} END", limit.bytes()),
            self.optional_text(tables, "t", "metadata"),
            tables.text("t", "tokens"),
        ];
        copy_out(&columns, "texts t", &self.own_texts(tables), "t.id")
    }

    pub(crate) fn copy_annotations(&self, tables: &Tables) -> String {
        let columns = [
            tables.integer("a", "text_id"),
            tables.integer("a", "id"),
            tables.text("a", "external_id"),
            tables.integer("a", "label_id"),
            tables.integer("a", "annotator_id"),
            tables.integer("a", "start_char"),
            tables.integer("a", "end_char"),
            tables.text("a", "fragments"),
            tables.number("a", "confidence_score"),
            self.optional_text(tables, "a", "metadata"),
            tables.moment("a", "created_at"),
        ];
        let from = self.annotations(tables, &self.join_texts(tables, "a.text_id"));
        copy_out(&columns, &from, &self.annotations_condition(tables), "a.text_id, a.id")
    }

    /// Its ends may be annotations that a filter leaves out, so their shown ids come along.
    pub(crate) fn copy_relations(&self, tables: &Tables) -> String {
        let text = if tables.has("relations", "text_id") { "r.text_id" } else { "a.text_id" };
        let through = self.range.relations_through;
        let columns = [
            format!("{text}::int8"),
            tables.integer("a", "id"),
            tables.text("a", "external_id"),
            tables.integer("b", "id"),
            tables.text("b", "external_id"),
            tables.text("r", "relation_type"),
            tables.number("r", "confidence_score"),
        ];
        let from = format!(
            "relations r JOIN annotations a ON a.id = r.source_annotation_id \
             JOIN annotations b ON b.id = r.target_annotation_id{}",
            self.join_texts(tables, text)
        );
        let condition = format!("{} AND r.id <= {through}", self.texts_condition(text));
        copy_out(&columns, &from, &condition, &format!("{text}, r.id"))
    }

    /// How many texts and annotations there are. Where other projects' texts lie between, or some are left out, the
    /// annotations have to be joined; else it is enough to count over their index.
    pub(crate) fn count(&self, tables: &Tables) -> String {
        let (texts, condition) = (self.own_texts(tables), self.annotations_condition(tables));
        let joined = self.annotations(tables, &self.join_own_texts(tables, "a.text_id"));
        let joined = format!("SELECT count(*) FROM {joined} WHERE {condition}");
        let annotations = match self.min_agreement {
            Some(_) => joined,
            None => format!(
                "SELECT CASE WHEN own.texts = (SELECT count(*) FROM texts WHERE id BETWEEN own.first AND own.last) \
                 THEN (SELECT count(*) FROM annotations a WHERE a.text_id BETWEEN own.first AND own.last AND {condition}) \
                 ELSE ({joined}) END"
            ),
        };
        format!(
            "SELECT own.texts, ({annotations}) \
             FROM (SELECT count(*) AS texts, min(t.id) AS first, max(t.id) AS last FROM texts t WHERE {texts}) own"
        )
    }

    /// Every type of relation.
    pub(crate) fn relation_types(&self, tables: &Tables) -> String {
        let (join, text) = if tables.has("relations", "text_id") {
            ("", "r.text_id")
        } else {
            (" JOIN annotations a ON a.id = r.source_annotation_id", "a.text_id")
        };
        let condition = self.texts_condition(text);
        format!(
            "SELECT DISTINCT r.relation_type::text FROM relations r{join}{} WHERE {condition}",
            self.join_own_texts(tables, text)
        )
    }

    fn optional_text(&self, tables: &Tables, alias: &str, column: &str) -> String {
        if self.include.metadata { tables.text(alias, column) } else { "NULL::text".to_owned() }
    }
}

fn copy_out(columns: &[String], from: &str, condition: &str, order: &str) -> String {
    let columns = columns.join(", ");
    format!(
        "COPY (SELECT {columns} FROM {from} WHERE {condition} ORDER BY {order}) TO STDOUT (FORMAT binary)"
    )
}

fn is_among(column: &str, ids: &[i64]) -> String {
    if ids.is_empty() { "FALSE".to_owned() } else { format!("{column} IN ({})", list(ids)) }
}

fn list(ids: &[impl Display]) -> String {
    let mut out = String::with_capacity(ids.len() * 8);
    for (at, id) in ids.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(out, "{comma}{id}");
    }
    out
}

/// An instant to the microsecond, of any year.
fn instant(moment: Timestamp) -> String {
    let (seconds, micros) = (moment.micros().div_euclid(1_000_000), moment.micros().rem_euclid(1_000_000));
    format!("(TIMESTAMPTZ 'epoch' + INTERVAL '1 second' * {seconds} + INTERVAL '1 microsecond' * {micros})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_matches_nothing() {
        assert_eq!(is_among("a.label_id", &[]), "FALSE");
        assert_eq!(is_among("a.label_id", &[3, 4]), "a.label_id IN (3,4)");
    }
}
