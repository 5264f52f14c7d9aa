//! Where a selection is cut, and how much it is.
//!
//! Cuts are ids of texts, found by one look over the index of a project's texts. Sizes come from a sample of them, so
//! annotations are never read in full, but for one case: labels that have others below them, or a filter that
//! may leave labels out. Whether such a label occurs, only the annotations know.

use spanfleet_core::{Schema, Timestamp, begins_block, options::Partitions};
use spanfleet_source::load::cut::{ANNOTATION_BYTES, SAMPLES, Sample, even_places, weighted_places};
use spanfleet_source::load::names::Labels;
use spanfleet_source::load::range::Range;
use spanfleet_source::{Bounds, Cut, Effort, Plan, Selection, SelectionCount, SourceError};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;

use crate::PostgresSource;
use crate::error::Place;
use crate::names;
use crate::slice::Slice;
use crate::tables::Tables;

/// Texts that are looked at for the beginning of a block: one in 256 begins one.
const BLOCK_TEXTS: usize = 1024;

pub(crate) async fn plan(
    source: &PostgresSource,
    selection: &Selection,
    cut: &Cut,
) -> Result<Plan, SourceError> {
    let (tables, place) = (source.tables().await?, &source.place);
    let mut database = source.pool.acquire().await.map_err(|error| place.failure("connect", &error))?;
    let labels = names::labels(&mut database, &tables, selection.project, place).await?;
    let (taken_at, range) = horizon(&mut database, &tables, place).await?;
    let slice = Slice::resolve(&mut database, &tables, selection, &labels, range, place).await?;
    let mut planner = Planner { database: &mut database, tables: &tables, place, slice: &slice };
    let mut ends = planner.ends(cut.partitions).await?;
    if cut.at_blocks {
        ends = planner.ends_of_blocks(&ends).await?;
    }
    let schema = if cut.needs_labels { planner.schema(&labels).await? } else { Schema::default() };
    Ok(Plan { partitions: range.cut_at(&ends)?, schema, taken_at: Some(taken_at) })
}

/// The bounds of the first texts.
pub(crate) async fn first(
    source: &PostgresSource,
    selection: &Selection,
    texts: usize,
) -> Result<Option<Bounds>, SourceError> {
    let (tables, place) = (source.tables().await?, &source.place);
    let mut database = source.pool.acquire().await.map_err(|error| place.failure("connect", &error))?;
    let labels = names::labels(&mut database, &tables, selection.project, place).await?;
    let (_, range) = horizon(&mut database, &tables, place).await?;
    let slice = Slice::resolve(&mut database, &tables, selection, &labels, range, place).await?;
    let condition = slice.own_texts(&tables);
    let sql = format!("SELECT t.id::int8 FROM texts t WHERE {condition} ORDER BY t.id LIMIT {texts}");
    let ids: Result<Vec<i64>, _> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *database).await;
    let ids = ids.map_err(|error| place.failure("look for the first texts", &error))?;
    Ok(range.cut_at(ids.last().map_or(&[][..], std::slice::from_ref))?.pop())
}

/// The last rows there are now.
async fn horizon(
    database: &mut PgConnection,
    tables: &Tables,
    place: &Place,
) -> Result<(Timestamp, Range), SourceError> {
    let relations = if tables.has_table("relations") { "(SELECT max(id) FROM relations)" } else { "0" };
    let sql = format!(
        "SELECT now(), COALESCE((SELECT max(id) FROM texts), 0)::int8, \
         COALESCE((SELECT max(id) FROM annotations), 0)::int8, COALESCE({relations}, 0)::int8"
    );
    let row: Result<(OffsetDateTime, i64, i64, i64), _> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_one(database).await;
    let (now, through, annotations_through, relations_through) =
        row.map_err(|error| place.failure("look for the last rows", &error))?;
    Ok((now.into(), Range { through, annotations_through, relations_through, ..Range::ALL }))
}

/// A selected text, and how many there are up to it.
struct Mark {
    place: u64,
    text_id: i64,
}

struct Planner<'p> {
    database: &'p mut PgConnection,
    tables: &'p Tables,
    place: &'p Place,
    slice: &'p Slice,
}

impl Planner<'_> {
    /// The last text of each partition.
    async fn ends(&mut self, partitions: Partitions) -> Result<Vec<i64>, SourceError> {
        let marks = self.marks().await?;
        let places = match partitions {
            Partitions::Count(parts) => {
                even_places(marks.last().map_or(0, |mark| mark.place), u64::from(parts))
            }
            Partitions::Auto => weighted_places(&self.samples(&marks).await?),
        };
        self.texts_at(&places, &marks).await
    }

    /// The ends moved on, each to just before a text that begins a block.
    async fn ends_of_blocks(&mut self, ends: &[i64]) -> Result<Vec<i64>, SourceError> {
        let Some((last, inner)) = ends.split_last() else { return Ok(Vec::new()) };
        let mut moved: Vec<i64> = Vec::new();
        for end in inner {
            if moved.last().is_some_and(|before| before >= end) {
                continue;
            }
            match self.next_block(*end).await? {
                Some(text_id) => moved.push(text_id - 1),
                None => break,
            }
        }
        moved.push(*last);
        Ok(moved)
    }

    /// The first text after one that begins a block.
    async fn next_block(&mut self, mut after: i64) -> Result<Option<i64>, SourceError> {
        loop {
            let texts = self.shown_ids(after).await?;
            if let Some((text_id, _)) = texts.iter().find(|(_, shown)| begins_block(shown)) {
                return Ok(Some(*text_id));
            }
            match texts.last() {
                Some((last, _)) => after = *last,
                None => return Ok(None),
            }
        }
    }

    /// Some of the texts after one, with the ids that documents show.
    async fn shown_ids(&mut self, after: i64) -> Result<Vec<(i64, String)>, SourceError> {
        let some = self.slice.some_texts_after(after, BLOCK_TEXTS);
        // A list of texts is chosen already, and what stands in a statement should be short.
        let condition = match some {
            None => self.slice.own_texts(self.tables),
            Some(_) => "TRUE".to_owned(),
        };
        let sql = format!(
            "SELECT t.id::int8, COALESCE({}, t.id::text) FROM texts t \
             WHERE {condition} AND t.id > $1 AND ($2 IS NULL OR t.id = ANY($2)) ORDER BY t.id LIMIT {BLOCK_TEXTS}",
            self.tables.text("t", "external_id"),
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(some);
        query.fetch_all(&mut *self.database).await.map_err(|error| self.failure(&error))
    }

    /// Some of the selected texts, the last among them, with their places: one look over an index, in which each of
    /// [`SAMPLES`] equal ranges of ids gives its last text and their number.
    async fn marks(&mut self) -> Result<Vec<Mark>, SourceError> {
        if let Some(ids) = &self.slice.texts {
            let places = even_places(ids.len() as u64, SAMPLES).into_iter();
            return Ok(places.map(|place| Mark { place, text_id: ids[place as usize - 1] }).collect());
        }
        let condition = self.slice.own_texts(self.tables);
        let sql = format!(
            "WITH ends AS (SELECT min(t.id)::int8 AS first, max(t.id)::int8 AS last FROM texts t WHERE {condition}) \
             SELECT max(t.id)::int8 AS id, count(*) FROM texts t, ends WHERE {condition} \
             GROUP BY (t.id - ends.first) / ((ends.last - ends.first) / {SAMPLES} + 1) ORDER BY id"
        );
        let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *self.database).await;
        let rows: Vec<(i64, i64)> = rows.map_err(|error| self.failure(&error))?;
        let mut place = 0;
        let mark = |(text_id, texts)| {
            place += texts as u64;
            Mark { place, text_id }
        };
        Ok(rows.into_iter().map(mark).collect())
    }

    /// What each marked text takes, annotations included.
    async fn samples(&mut self, marks: &[Mark]) -> Result<Vec<Sample>, SourceError> {
        let ids: Vec<i64> = marks.iter().map(|mark| mark.text_id).collect();
        // The length of a text is known without reading it, even where it is stored apart.
        let length =
            |column: &str| format!("COALESCE(octet_length(({})::text), 0)", self.tables.text("t", column));
        let sql = format!(
            "SELECT t.id::int8, ({} + {} + {ANNOTATION_BYTES} * \
             (SELECT count(*) FROM annotations a WHERE a.text_id = t.id))::int8 \
             FROM texts t WHERE t.id = ANY($1) ORDER BY t.id",
            length("content"),
            length("tokens"),
        );
        let rows = sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *self.database).await;
        let sizes: Vec<(i64, i64)> = rows.map_err(|error| self.failure(&error))?;
        let bytes_of =
            |id: i64| sizes.binary_search_by_key(&id, |size| size.0).map_or(0, |at| sizes[at].1 as u64);
        Ok(marks.iter().map(|mark| Sample { place: mark.place, bytes: bytes_of(mark.text_id) }).collect())
    }

    /// The texts at these places of the selection, counted from 1: each is looked for from the mark before it on.
    async fn texts_at(&mut self, places: &[u64], marks: &[Mark]) -> Result<Vec<i64>, SourceError> {
        if let Some(ids) = &self.slice.texts {
            return Ok(places.iter().map(|place| ids[*place as usize - 1]).collect());
        }
        let before = |place: &u64| {
            let after = marks.partition_point(|mark| mark.place < *place).checked_sub(1);
            after.map_or((i64::MIN, place - 1), |at| (marks[at].text_id, place - marks[at].place - 1))
        };
        let (after, passed): (Vec<i64>, Vec<u64>) = places.iter().map(before).unzip();
        let passed: Vec<i64> = passed.into_iter().map(|texts| texts as i64).collect();
        let sql = format!(
            "SELECT (SELECT t.id::int8 FROM texts t WHERE {} AND t.id > mark.id ORDER BY t.id \
             OFFSET mark.passed LIMIT 1) FROM unnest($1, $2) WITH ORDINALITY AS mark(id, passed, place) \
             ORDER BY mark.place",
            self.slice.own_texts(self.tables)
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(after).bind(passed);
        query.fetch_all(&mut *self.database).await.map_err(|error| self.failure(&error))
    }

    async fn schema(&mut self, labels: &Labels) -> Result<Schema, SourceError> {
        let occurring =
            if self.may_lack_labels(labels) { Some(self.occurring_labels(labels).await?) } else { None };
        let labels = labels.sorted_paths(occurring.as_deref().or(self.slice.labels.as_deref()));
        let with_relations = self.slice.include.relations && self.tables.has_table("relations");
        let relation_types = if with_relations { self.relation_types().await? } else { Vec::new() };
        let is_multi_label = self.is_multi_label().await?;
        Ok(Schema { labels, relation_types, is_multi_label, ..Schema::default() })
    }

    fn may_lack_labels(&self, labels: &Labels) -> bool {
        let Slice { texts, annotators, date_from, date_to, min_agreement, .. } = self.slice;
        let is_narrowed = texts.is_some() || annotators.is_some() || date_from.is_some() || date_to.is_some();
        let looks_inside = min_agreement.is_some() || self.slice.looks_into_texts();
        is_narrowed || looks_inside || labels.is_hierarchy() || !self.has_own_labels()
    }

    /// Else its labels may be those of other projects.
    fn has_own_labels(&self) -> bool {
        self.tables.has("labels", "project_id")
    }

    async fn occurring_labels(&mut self, labels: &Labels) -> Result<Vec<i64>, SourceError> {
        let ids: Vec<i64> = labels.paths().keys().copied().collect();
        let slice = self.slice;
        let join = if self.has_own_labels() && !slice.looks_into_texts() {
            String::new()
        } else {
            slice.join_own_texts(self.tables, "a.text_id")
        };
        let (annotations, condition) =
            (slice.annotations(self.tables, &join), slice.annotations_condition(self.tables));
        let sql = format!(
            "SELECT DISTINCT a.label_id::int8 FROM {annotations} \
             WHERE {condition} AND a.label_id = ANY($1)"
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(ids);
        query.fetch_all(&mut *self.database).await.map_err(|error| self.failure(&error))
    }

    /// Whether any text has several labels of the whole text.
    async fn is_multi_label(&mut self) -> Result<bool, SourceError> {
        let (slice, tables) = (self.slice, self.tables);
        let (join, condition) =
            (slice.join_own_texts(tables, "a.text_id"), slice.annotations_condition(tables));
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {} WHERE {condition} AND a.start_char IS NULL \
             GROUP BY a.text_id HAVING count(DISTINCT a.label_id) > 1)",
            slice.annotations(tables, &join)
        );
        let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *self.database).await;
        found.map_err(|error| self.failure(&error))
    }

    async fn relation_types(&mut self) -> Result<Vec<String>, SourceError> {
        let sql = self.slice.relation_types(self.tables);
        let types = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *self.database).await;
        let mut types: Vec<String> = types.map_err(|error| self.failure(&error))?;
        types.sort_unstable();
        Ok(types)
    }

    fn failure(&self, error: &sqlx::Error) -> SourceError {
        self.place.failure("plan the export", error)
    }
}

/// Counts in a transaction that the server cuts short when counting takes long.
pub(crate) async fn count(
    source: &PostgresSource,
    selection: &Selection,
    effort: Effort,
) -> Result<Option<SelectionCount>, SourceError> {
    let (tables, place) = (source.tables().await?, &source.place);
    let mut database = source.pool.begin().await.map_err(|error| place.failure("connect", &error))?;
    let failure = |error: &sqlx::Error| place.failure("count", error);
    let labels = names::labels(&mut database, &tables, selection.project, place).await?;
    let slice = Slice::resolve(&mut database, &tables, selection, &labels, Range::ALL, place).await?;
    if let Effort::Quick(limit) = effort {
        let limit = format!("SET LOCAL statement_timeout = {}", limit.as_millis().max(1));
        sqlx::raw_sql(AssertSqlSafe(limit)).execute(&mut *database).await.map_err(|error| failure(&error))?;
    }
    let row: Result<(i64, i64), _> =
        sqlx::query_as(AssertSqlSafe(slice.count(&tables))).fetch_one(&mut *database).await;
    match row {
        Ok((texts, annotations)) => {
            Ok(Some(SelectionCount { texts: texts as u64, annotations: annotations as u64 }))
        }
        Err(error) if is_cut_short(&error) => Ok(None),
        Err(error) => Err(failure(&error)),
    }
}

fn is_cut_short(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|database| database.code().as_deref() == Some("57014"))
}
