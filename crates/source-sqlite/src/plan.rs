//! Where a selection is cut, and how much it is.

use spanfleet_core::{Schema, Timestamp, begins_block, options::Partitions};
use spanfleet_source::load::cut::{ANNOTATION_BYTES, SAMPLES, Sample, even_places, weighted_places};
use spanfleet_source::load::names::Labels;
use spanfleet_source::load::range::Range;
use spanfleet_source::{Bounds, Cut, Plan, Selection, SelectionCount, SourceError};
use sqlx::sqlite::SqliteConnection;

use crate::SqliteSource;
use crate::error::Place;
use crate::names;
use crate::slice::{Slice, json_list};

/// Texts that are looked at for the beginning of a block: one in 256 begins one.
const BLOCK_TEXTS: usize = 1024;

pub(crate) async fn plan(
    source: &SqliteSource,
    selection: &Selection,
    cut: &Cut,
) -> Result<Plan, SourceError> {
    let place = &source.place;
    let mut database = source.connection().await?;
    let labels = names::labels(&mut database, selection.project, place).await?;
    let (taken_at, range) = horizon(&mut database, place).await?;
    let slice = Slice::resolve(&mut database, selection, &labels, range, place).await?;
    let mut planner = Planner { database: &mut database, place, slice: &slice };
    let mut ends = planner.ends(cut.partitions).await?;
    if cut.at_blocks {
        ends = planner.ends_of_blocks(&ends).await?;
    }
    let schema = if cut.needs_labels { planner.schema(&labels).await? } else { Schema::default() };
    Ok(Plan { partitions: range.cut_at(&ends)?, schema, taken_at })
}

/// The bounds of the first texts.
pub(crate) async fn first(
    source: &SqliteSource,
    selection: &Selection,
    texts: usize,
) -> Result<Option<Bounds>, SourceError> {
    let place = &source.place;
    let mut database = source.connection().await?;
    let labels = names::labels(&mut database, selection.project, place).await?;
    let (_, range) = horizon(&mut database, place).await?;
    let slice = Slice::resolve(&mut database, selection, &labels, range, place).await?;
    let ids = slice.shown_ids_query(range.after, None, texts).fetch_all(&mut *database).await;
    let ids = ids.map_err(|error| place.failure("look for the first texts", &error))?;
    let end: Vec<i64> = ids.last().map(|(id, _)| *id).into_iter().collect();
    Ok(range.cut_at(&end)?.pop())
}

/// The last rows there are now.
async fn horizon(
    database: &mut SqliteConnection,
    place: &Place,
) -> Result<(Option<Timestamp>, Range), SourceError> {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT max(id) FROM texts), \
               (SELECT max(id) FROM annotations), (SELECT max(id) FROM relations)";
    let row = sqlx::query_as(sql).fetch_one(database).await;
    let (now, texts, annotations, relations): (String, Option<i64>, Option<i64>, Option<i64>) =
        row.map_err(|error| place.failure("look for the last rows", &error))?;
    let range = Range {
        through: texts.unwrap_or_default(),
        annotations_through: annotations.unwrap_or_default(),
        relations_through: relations.unwrap_or_default(),
        ..Range::ALL
    };
    Ok((Timestamp::parse(&now), range))
}

struct Planner<'p> {
    database: &'p mut SqliteConnection,
    place: &'p Place,
    slice: &'p Slice,
}

impl Planner<'_> {
    /// The last text of each partition.
    async fn ends(&mut self, partitions: Partitions) -> Result<Vec<i64>, SourceError> {
        let texts = count_texts(self.database, self.slice, self.place).await?;
        let places = match partitions {
            Partitions::Count(parts) => even_places(texts, u64::from(parts)),
            Partitions::Auto => weighted_places(&self.samples(texts).await?),
        };
        Ok(self.texts_at(&places).await?.into_iter().map(|(_, id)| id).collect())
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
        let query = self.slice.shown_ids_query(after, some, BLOCK_TEXTS);
        query.fetch_all(&mut *self.database).await.map_err(|error| self.failure(&error))
    }

    /// Texts at even distances, the last among them, with what each takes.
    async fn samples(&mut self, texts: u64) -> Result<Vec<Sample>, SourceError> {
        let found = self.texts_at(&even_places(texts, SAMPLES)).await?;
        let ids: Vec<i64> = found.iter().map(|(_, id)| *id).collect();
        let sql = "SELECT octet_length(t.content) + COALESCE(octet_length(t.tokens), 0) \
                   + ?2 * (SELECT count(*) FROM annotations a WHERE a.text_id = t.id) \
                   FROM texts t WHERE t.id IN (SELECT value FROM json_each(?1)) ORDER BY t.id";
        let query = sqlx::query_scalar(sql).bind(json_list(&ids)).bind(ANNOTATION_BYTES as i64);
        let sizes: Vec<i64> =
            query.fetch_all(&mut *self.database).await.map_err(|error| self.failure(&error))?;
        let samples = found.iter().zip(sizes);
        Ok(samples.map(|((place, _), bytes)| Sample { place: *place, bytes: bytes as u64 }).collect())
    }

    /// The texts at these places of the selection, counted from 1.
    async fn texts_at(&mut self, places: &[u64]) -> Result<Vec<(u64, i64)>, SourceError> {
        if let Some(ids) = &self.slice.texts {
            return Ok(places.iter().map(|place| (*place, ids[*place as usize - 1])).collect());
        }
        let rows = self.slice.places_query(places).fetch_all(&mut *self.database).await;
        let rows = rows.map_err(|error| self.failure(&error))?;
        Ok(rows.into_iter().map(|(place, id)| (place as u64, id)).collect())
    }

    /// One machine's annotations are soon read through, so the labels are exactly those that occur.
    async fn schema(&mut self, labels: &Labels) -> Result<Schema, SourceError> {
        let found = self.slice.labels_query().fetch_all(&mut *self.database).await;
        let found = found.map_err(|error| self.failure(&error))?;
        let occurring: Vec<i64> = found.into_iter().map(|(id,)| id).collect();
        let mut relation_types = Vec::new();
        if self.slice.include.relations {
            let found = self.slice.relation_types_query().fetch_all(&mut *self.database).await;
            relation_types =
                found.map_err(|error| self.failure(&error))?.into_iter().map(|(kind,)| kind).collect();
        }
        let several = self.slice.several_labels_query().fetch_optional(&mut *self.database).await;
        let is_multi_label = several.map_err(|error| self.failure(&error))?.is_some();
        let labels = labels.sorted_paths(Some(&occurring));
        Ok(Schema { labels, relation_types, is_multi_label, ..Schema::default() })
    }

    fn failure(&self, error: &sqlx::Error) -> SourceError {
        self.place.failure("plan the export", error)
    }
}

async fn count_texts(
    database: &mut SqliteConnection,
    slice: &Slice,
    place: &Place,
) -> Result<u64, SourceError> {
    if let Some(ids) = &slice.texts {
        return Ok(ids.len() as u64);
    }
    let count = slice.count_texts_query().fetch_one(database).await;
    count.map(|(count,)| count as u64).map_err(|error| place.failure("count", &error))
}

pub(crate) async fn count(
    source: &SqliteSource,
    selection: &Selection,
) -> Result<SelectionCount, SourceError> {
    let place = &source.place;
    let mut database = source.connection().await?;
    let labels = names::labels(&mut database, selection.project, place).await?;
    let slice = Slice::resolve(&mut database, selection, &labels, Range::ALL, place).await?;
    let texts = count_texts(&mut database, &slice, place).await?;
    let annotations = slice.count_annotations_query().fetch_one(&mut *database).await;
    let (annotations,) = annotations.map_err(|error| place.failure("count", &error))?;
    Ok(SelectionCount { texts, annotations: annotations as u64 })
}

/// Whether the tables are there.
pub(crate) async fn check(source: &SqliteSource) -> Result<(), SourceError> {
    let mut database = source.connection().await?;
    let query = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')");
    let found: Result<Vec<String>, _> = query.fetch_all(&mut *database).await;
    let found = found.map_err(|error| source.place.failure("look for the tables", &error))?;
    let needed = ["texts", "annotations", "labels", "users", "relations"];
    match needed.iter().find(|table| !found.iter().any(|name| name == *table)) {
        Some(table) => Err(source.place.missing(&format!("table `{table}`"))),
        None => Ok(()),
    }
}
