//! A selection resolved to ids, and its conditions. Lists of ids are bound as JSON arrays.

use serde::Serialize;
use serde_json::{Value, json};
use spanfleet_core::filter::{MetadataCondition, MetadataValue};
use spanfleet_core::{Include, ProjectId, Timestamp};
use spanfleet_source::load::names::{Labels, numbers_and_names};
use spanfleet_source::load::range::Range;
use spanfleet_source::{Selection, SourceError};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Sqlite};

use crate::documents::{AnnotationRow, RelationRow, TextRow};
use crate::error::Place;
use crate::names;

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
    /// Conditions on metadata, as one parameter.
    pub(crate) metadata: Option<String>,
}

/// The annotations `a` that are chosen, whoever agrees. Times are text in UTC: without their `Z`, a shorter
/// fraction comes first, as it should.
const CHOSEN: &str = "a.id <= ?5 \
    AND (?6 IS NULL OR a.label_id IN (SELECT value FROM json_each(?6))) \
    AND (?7 IS NULL OR a.annotator_id IN (SELECT value FROM json_each(?7))) \
    AND (?8 IS NULL OR rtrim(a.created_at, 'Z') >= rtrim(?8, 'Z')) \
    AND (?9 IS NULL OR rtrim(a.created_at, 'Z') <= rtrim(?9, 'Z'))";

/// Annotations with the number of different people who made each, and of those on its text: ranks from both ends
/// of a window meet in it.
const AGREED: &str = "dense_rank() OVER (same ORDER BY COALESCE(a.annotator_id, -1)) \
    + dense_rank() OVER (same ORDER BY COALESCE(a.annotator_id, -1) DESC) - 1 AS made, \
    dense_rank() OVER (text ORDER BY COALESCE(a.annotator_id, -1)) \
    + dense_rank() OVER (text ORDER BY COALESCE(a.annotator_id, -1) DESC) - 1 AS people";
const AGREED_WINDOWS: &str = "WINDOW text AS (PARTITION BY a.text_id), \
    same AS (PARTITION BY a.text_id, a.label_id, a.start_char, a.end_char, a.fragments)";

/// Texts `t` whose metadata has one of the values of each condition, as `MetadataCondition::takes` has it.
const METADATA: &str = "(?10 IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(?10) c WHERE NOT EXISTS (\
    SELECT 1 FROM json_each(c.value, '$.values') v WHERE CASE json_type(t.metadata, c.value ->> 'path') \
    WHEN 'text' THEN json_extract(t.metadata, c.value ->> 'path') = v.value ->> 'text' \
    WHEN 'integer' THEN json_extract(t.metadata, c.value ->> 'path') = v.value ->> 'number' \
    WHEN 'real' THEN json_extract(t.metadata, c.value ->> 'path') = v.value ->> 'number' \
    WHEN 'true' THEN v.value ->> 'text' = 'true' \
    WHEN 'false' THEN v.value ->> 'text' = 'false' ELSE FALSE END)))";

pub(crate) type Query<'q, O> = sqlx::query::QueryAs<'q, Sqlite, O, SqliteArguments>;

impl Slice {
    pub(crate) async fn resolve(
        database: &mut SqliteConnection,
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
            metadata: (!filter.metadata.is_empty()).then(|| conditions(&filter.metadata)),
            ..Slice::whole(selection.project, range, selection.include)
        };
        if let Some(wanted) = &filter.annotator_ids {
            slice.annotators = Some(names::resolve_people(database, wanted, place).await?);
        }
        if let Some(wanted) = &filter.text_ids {
            let (numbers, names) = numbers_and_names(wanted);
            slice.texts = Some(slice.find_texts(database, &numbers, &names, place).await?);
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
            metadata: None,
        }
    }

    /// The same without its list of texts, which may be long.
    pub(crate) fn clone_without_texts(&self) -> Slice {
        let (labels, annotators, metadata) =
            (self.labels.clone(), self.annotators.clone(), self.metadata.clone());
        Slice { texts: None, labels, annotators, metadata, ..*self }
    }

    /// Some of the chosen texts after one; `None` when all texts are chosen.
    pub(crate) fn some_texts_after(&self, after: i64, most: usize) -> Option<&[i64]> {
        let texts = self.texts.as_deref()?;
        let begin = texts.partition_point(|id| *id <= after);
        Some(&texts[begin..texts.len().min(begin + most)])
    }

    async fn find_texts(
        &self,
        database: &mut SqliteConnection,
        numbers: &[i64],
        names: &[&str],
        place: &Place,
    ) -> Result<Vec<i64>, SourceError> {
        let texts = self.of_texts();
        let sql = format!(
            "SELECT t.id FROM texts t WHERE {texts} AND t.id IN (SELECT value FROM json_each(?11)) \
             UNION SELECT t.id FROM texts t WHERE {texts} \
             AND t.external_id IN (SELECT value FROM json_each(?12)) ORDER BY id"
        );
        let query: Query<'_, (i64,)> = self.bind(sql).bind(json_list(numbers)).bind(json_list(names));
        let found = query.fetch_all(database).await;
        let found = found.map_err(|error| place.failure("look up the texts", &error))?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// Whole texts.
    pub(crate) fn texts_query<'q>(&self) -> Query<'q, TextRow> {
        let sql = format!(
            "SELECT t.id, t.external_id, t.content, CASE WHEN ?11 THEN t.metadata END, t.tokens \
             FROM texts t WHERE {} ORDER BY t.id",
            self.of_texts()
        );
        self.bind(sql).bind(self.include.metadata)
    }

    pub(crate) fn annotations_query<'q>(&self) -> Query<'q, AnnotationRow> {
        let sql = format!(
            "SELECT a.text_id, a.id, a.external_id, a.label_id, a.annotator_id, a.start_char, a.end_char, \
             a.fragments, a.confidence_score, CASE WHEN ?11 THEN a.metadata END, a.created_at{} \
             ORDER BY t.id, a.id",
            self.annotations_of_texts()
        );
        self.bind(sql).bind(self.include.metadata)
    }

    /// Their ends may be annotations that a filter leaves out, so their shown ids come along.
    pub(crate) fn relations_query<'q>(&self) -> Query<'q, RelationRow> {
        self.bind(format!(
            "SELECT r.text_id, a.id, a.external_id, b.id, b.external_id, r.relation_type, r.confidence_score \
             FROM texts t CROSS JOIN relations r ON r.text_id = t.id \
             CROSS JOIN annotations a ON a.id = r.source_annotation_id \
             CROSS JOIN annotations b ON b.id = r.target_annotation_id \
             WHERE {} AND r.id <= ?11 ORDER BY t.id, r.id",
            self.of_texts()
        ))
        .bind(self.range.relations_through)
    }

    /// Ids of the next texts with what each takes, roughly.
    pub(crate) fn sizes_query<'q>(&self, limit: i64) -> Query<'q, (i64, i64)> {
        let sql = format!(
            "SELECT t.id, octet_length(t.content) + COALESCE(octet_length(t.tokens), 0) FROM texts t \
             WHERE {} ORDER BY t.id LIMIT ?11",
            self.of_texts()
        );
        self.bind(sql).bind(limit)
    }

    /// Ids of some texts after one with the ids that documents show.
    pub(crate) fn shown_ids_query<'q>(
        &self,
        after: i64,
        some: Option<&[i64]>,
        limit: usize,
    ) -> Query<'q, (i64, String)> {
        let sql = format!(
            "SELECT t.id, COALESCE(t.external_id, CAST(t.id AS TEXT)) FROM texts t WHERE {} AND t.id > ?11 \
             AND (?12 IS NULL OR t.id IN (SELECT value FROM json_each(?12))) ORDER BY t.id LIMIT ?13",
            self.of_texts()
        );
        self.bind(sql).bind(after).bind(some.map(json_list)).bind(limit as i64)
    }

    /// The texts at these places, counted from 1.
    pub(crate) fn places_query<'q>(&self, places: &[u64]) -> Query<'q, (i64, i64)> {
        let sql = format!(
            "SELECT place, id FROM (SELECT t.id, row_number() OVER (ORDER BY t.id) AS place FROM texts t \
             WHERE {}) WHERE place IN (SELECT value FROM json_each(?11)) ORDER BY place",
            self.of_texts()
        );
        self.bind(sql).bind(json_list(places))
    }

    /// How many texts there are.
    pub(crate) fn count_texts_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind(format!("SELECT count(*) FROM texts t WHERE {}", self.of_texts()))
    }

    /// How many annotations of texts there are.
    pub(crate) fn count_annotations_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind(format!("SELECT count(*){}", self.annotations_of_texts()))
    }

    /// The labels that occur.
    pub(crate) fn labels_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind(format!("SELECT DISTINCT a.label_id{}", self.annotations_of_texts()))
    }

    /// A text with several labels of the whole text, if there is one.
    pub(crate) fn several_labels_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind(format!(
            "SELECT a.text_id{} AND a.start_char IS NULL \
             GROUP BY a.text_id HAVING count(DISTINCT a.label_id) > 1 LIMIT 1",
            self.annotations_of_texts()
        ))
    }

    /// The types of relations that occur, sorted.
    pub(crate) fn relation_types_query<'q>(&self) -> Query<'q, (String,)> {
        self.bind(format!(
            "SELECT DISTINCT r.relation_type FROM texts t CROSS JOIN relations r ON r.text_id = t.id \
             WHERE {} AND r.id <= ?11 ORDER BY r.relation_type",
            self.of_texts()
        ))
        .bind(self.range.relations_through)
    }

    /// The condition on `texts t`.
    fn of_texts(&self) -> String {
        let mut sql = "t.project_id = ?1 AND t.id > ?2 AND t.id <= ?3 \
                       AND (?4 IS NULL OR t.id IN (SELECT value FROM json_each(?4)))"
            .to_owned();
        if self.metadata.is_some() {
            sql.push_str(" AND ");
            sql.push_str(METADATA);
        }
        if let Some(wanted) = self.has_annotations {
            let has = match self.min_agreement {
                None => format!("EXISTS (SELECT 1 FROM annotations a WHERE a.text_id = t.id AND {CHOSEN})"),
                Some(_) => format!("t.id IN (SELECT a.text_id FROM {})", self.annotations()),
            };
            sql.push_str(if wanted { " AND " } else { " AND NOT " });
            sql.push_str(&has);
        }
        sql
    }

    /// The annotations `a` of those texts. Texts stand outermost in each join: their index gives the order, the
    /// index of what is on them follows it.
    fn annotations_of_texts(&self) -> String {
        let (annotations, texts) = (self.annotations(), self.of_texts());
        format!(" FROM texts t CROSS JOIN {annotations} ON a.text_id = t.id WHERE {texts} AND {CHOSEN}")
    }

    /// What `annotations a` are taken from: the table, or what is left of it where so many people agree.
    fn annotations(&self) -> String {
        let Some(least) = self.min_agreement else { return "annotations a".to_owned() };
        format!(
            "(SELECT * FROM (SELECT a.*, {AGREED} FROM annotations a \
             WHERE a.text_id > ?2 AND a.text_id <= ?3 AND {CHOSEN} {AGREED_WINDOWS}) \
             WHERE made >= {least:?} * people) a"
        )
    }

    /// The first ten parameters, which all statements share.
    fn bind<'q, O>(&self, sql: String) -> Query<'q, O>
    where
        O: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
    {
        let Range { after, through, annotations_through, .. } = self.range;
        let time = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(self.project.0)
            .bind(after)
            .bind(through)
            .bind(self.texts.as_deref().map(json_list))
            .bind(annotations_through)
            .bind(self.labels.as_deref().map(json_list))
            .bind(self.annotators.as_deref().map(json_list))
            .bind(time(self.date_from))
            .bind(time(self.date_to))
            .bind(self.metadata.clone())
    }
}

/// Conditions on metadata as JSON: `[{"path": "$.\"a\"", "values": [{"text": "1", "number": 1}]}]`.
fn conditions(conditions: &[MetadataCondition]) -> String {
    let path = |keys: &[String]| keys.iter().fold("$".to_owned(), |path, key| format!("{path}.\"{key}\""));
    let value = |value: &MetadataValue| json!({"text": value.text(), "number": value.number()});
    let condition = |it: &MetadataCondition| json!({"path": path(&it.path), "values": it.values.iter().map(value).collect::<Vec<_>>()});
    conditions.iter().map(condition).collect::<Value>().to_string()
}

/// A list as one parameter.
pub(crate) fn json_list<T: Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
