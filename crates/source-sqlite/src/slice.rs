//! A selection resolved to ids, and its conditions. Lists of ids are bound as JSON arrays.

use serde::Serialize;
use spanfleet_core::{Include, ProjectId, Timestamp};
use spanfleet_source::load::names::{Labels, numbers_and_names};
use spanfleet_source::load::range::Range;
use spanfleet_source::{Selection, SourceError};
use sqlx::Sqlite;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};

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
}

/// The texts `t` of a slice; takes `Slice::bind_texts`.
macro_rules! of_texts {
    () => {
        "t.project_id = ?1 AND t.id > ?2 AND t.id <= ?3 \
         AND (?4 IS NULL OR t.id IN (SELECT value FROM json_each(?4)))"
    };
}
/// The annotations `a` of those texts; takes `Slice::bind_annotations`. Times are text in UTC: without their
/// `Z`, a shorter fraction comes first, as it should. Texts stand outermost in each join: their index gives the
/// order, the index of what is on them follows it.
macro_rules! from_annotations {
    () => {
        concat!(
            " FROM texts t CROSS JOIN annotations a ON a.text_id = t.id WHERE ",
            of_texts!(),
            " AND a.id <= ?5 \
             AND (?6 IS NULL OR a.label_id IN (SELECT value FROM json_each(?6))) \
             AND (?7 IS NULL OR a.annotator_id IN (SELECT value FROM json_each(?7))) \
             AND (?8 IS NULL OR rtrim(a.created_at, 'Z') >= rtrim(?8, 'Z')) \
             AND (?9 IS NULL OR rtrim(a.created_at, 'Z') <= rtrim(?9, 'Z'))"
        )
    };
}

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
            labels: filter.label_ids.as_deref().map(|wanted| labels.resolve(wanted)),
            date_from: filter.date_from,
            date_to: filter.date_to,
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
        let (texts, labels, annotators) = (None, None, None);
        Slice { project, range, include, texts, labels, annotators, date_from: None, date_to: None }
    }

    /// The same without its list of texts, which may be long.
    pub(crate) fn clone_without_texts(&self) -> Slice {
        let (labels, annotators) = (self.labels.clone(), self.annotators.clone());
        Slice { texts: None, labels, annotators, ..*self }
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
        let sql = "SELECT id FROM texts WHERE project_id = ?1 AND id > ?2 AND id <= ?3 \
                   AND id IN (SELECT value FROM json_each(?4)) \
                   UNION SELECT id FROM texts WHERE project_id = ?1 AND id > ?2 AND id <= ?3 \
                   AND external_id IN (SELECT value FROM json_each(?5)) ORDER BY id";
        let query =
            sqlx::query_scalar(sql).bind(self.project.0).bind(self.range.after).bind(self.range.through);
        let query = query.bind(json_list(numbers)).bind(json_list(names));
        query.fetch_all(database).await.map_err(|error| place.failure("look up the texts", &error))
    }

    /// Whole texts.
    pub(crate) fn texts_query<'q>(&self) -> Query<'q, TextRow> {
        let sql = concat!(
            "SELECT t.id, t.external_id, t.content, CASE WHEN ?5 THEN t.metadata END, t.tokens FROM texts t WHERE ",
            of_texts!(),
            " ORDER BY t.id"
        );
        self.bind_texts(sqlx::query_as(sql)).bind(self.include.metadata)
    }

    pub(crate) fn annotations_query<'q>(&self) -> Query<'q, AnnotationRow> {
        let sql = concat!(
            "SELECT a.text_id, a.id, a.external_id, a.label_id, a.annotator_id, a.start_char, a.end_char, \
             a.fragments, a.confidence_score, CASE WHEN ?10 THEN a.metadata END, a.created_at",
            from_annotations!(),
            " ORDER BY t.id, a.id"
        );
        self.bind_annotations(sqlx::query_as(sql)).bind(self.include.metadata)
    }

    /// Their ends may be annotations that a filter leaves out, so their shown ids come along.
    pub(crate) fn relations_query<'q>(&self) -> Query<'q, RelationRow> {
        let sql = concat!(
            "SELECT r.text_id, a.id, a.external_id, b.id, b.external_id, r.relation_type, r.confidence_score \
             FROM texts t CROSS JOIN relations r ON r.text_id = t.id \
             CROSS JOIN annotations a ON a.id = r.source_annotation_id \
             CROSS JOIN annotations b ON b.id = r.target_annotation_id WHERE ",
            of_texts!(),
            " AND r.id <= ?5 ORDER BY t.id, r.id"
        );
        self.bind_texts(sqlx::query_as(sql)).bind(self.range.relations_through)
    }

    /// Ids of the next texts with what each takes, roughly.
    pub(crate) fn sizes_query<'q>(&self, limit: i64) -> Query<'q, (i64, i64)> {
        let sql = concat!(
            "SELECT t.id, octet_length(t.content) + COALESCE(octet_length(t.tokens), 0) FROM texts t WHERE ",
            of_texts!(),
            " ORDER BY t.id LIMIT ?5"
        );
        self.bind_texts(sqlx::query_as(sql)).bind(limit)
    }

    /// How many annotations of texts there are.
    pub(crate) fn count_annotations_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind_annotations(sqlx::query_as(concat!("SELECT count(*)", from_annotations!())))
    }

    /// The labels that occur.
    pub(crate) fn labels_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind_annotations(sqlx::query_as(concat!("SELECT DISTINCT a.label_id", from_annotations!())))
    }

    /// A text with several labels of the whole text, if there is one.
    pub(crate) fn several_labels_query<'q>(&self) -> Query<'q, (i64,)> {
        self.bind_annotations(sqlx::query_as(concat!(
            "SELECT a.text_id",
            from_annotations!(),
            " AND a.start_char IS NULL GROUP BY a.text_id HAVING count(DISTINCT a.label_id) > 1 LIMIT 1"
        )))
    }

    /// The types of relations that occur, sorted.
    pub(crate) fn relation_types_query<'q>(&self) -> Query<'q, (String,)> {
        let sql = concat!(
            "SELECT DISTINCT r.relation_type FROM texts t CROSS JOIN relations r ON r.text_id = t.id WHERE ",
            of_texts!(),
            " AND r.id <= ?5 ORDER BY r.relation_type"
        );
        self.bind_texts(sqlx::query_as(sql)).bind(self.range.relations_through)
    }

    /// The first four parameters.
    fn bind_texts<'q, O>(&self, query: Query<'q, O>) -> Query<'q, O> {
        let Range { after, through, .. } = self.range;
        query.bind(self.project.0).bind(after).bind(through).bind(self.texts.as_deref().map(json_list))
    }

    /// The first nine parameters.
    fn bind_annotations<'q, O>(&self, query: Query<'q, O>) -> Query<'q, O> {
        let time = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        self.bind_texts(query)
            .bind(self.range.annotations_through)
            .bind(self.labels.as_deref().map(json_list))
            .bind(self.annotators.as_deref().map(json_list))
            .bind(time(self.date_from))
            .bind(time(self.date_to))
    }
}

/// A list as one parameter.
pub(crate) fn json_list<T: Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
