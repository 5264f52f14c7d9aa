//! The rows of a batch, many to a statement.

use std::borrow::Cow;

use spanfleet_core::{Annotation, CharIndex, Document, Json, ProjectId};
use spanfleet_source::SourceError;
use spanfleet_source::load::columns::{fragments_to_json, relation_ends, surface, tokens_to_json};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::Known;
use crate::error::Place;

const TEXTS: &str = "texts (id, project_id, external_id, content, metadata, tokens)";
const ANNOTATIONS: &str = "annotations (id, text_id, label_id, annotator_id, external_id, start_char, end_char, \
    fragments, selected_text, confidence_score, metadata, created_at)";
const RELATIONS: &str =
    "relations (text_id, source_annotation_id, target_annotation_id, relation_type, confidence_score)";
/// Rows of a full statement, which is prepared once: past this, more rows save nothing.
const STATEMENT_ROWS: usize = 64;

/// A document that has to be written, and where.
pub(crate) struct Write<'d> {
    pub(crate) document: &'d Document,
    pub(crate) text_id: i64,
    /// The id of its first annotation; the others follow.
    pub(crate) first_annotation: i64,
}

/// A cell.
enum Value<'v> {
    Integer(Option<i64>),
    Real(Option<f64>),
    Text(Option<Cow<'v, str>>),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Integer(Some(number))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Value<'v> {
        Value::Text(Some(Cow::Borrowed(text)))
    }
}

pub(crate) async fn insert_texts(
    database: &mut SqliteConnection,
    writes: &[Write<'_>],
    project: ProjectId,
    place: &Place,
) -> Result<(), SourceError> {
    let mut cells = Vec::with_capacity(writes.len() * 6);
    for Write { document, text_id, .. } in writes {
        cells.push([
            Value::from(*text_id),
            i64::from(project.0).into(),
            document.id.as_str().into(),
            document.text.as_str().into(),
            Value::Text(metadata_column(document).map(Cow::Borrowed)),
            Value::Text(tokens_column(document, place)?.map(Cow::Owned)),
        ]);
    }
    insert(database, TEXTS, cells, place).await
}

/// Gives their count.
pub(crate) async fn insert_annotations(
    database: &mut SqliteConnection,
    writes: &[Write<'_>],
    known: &Known,
    place: &Place,
) -> Result<u64, SourceError> {
    let mut cells = Vec::new();
    let mut index = CharIndex::default();
    for write in writes {
        index.rebuild(&write.document.text);
        for (annotation, id) in write.document.annotations.iter().zip(write.first_annotation..) {
            cells.push(annotation_cells(annotation, id, write, &index, known));
        }
    }
    let count = cells.len() as u64;
    insert(database, ANNOTATIONS, cells, place).await.map(|()| count)
}

fn annotation_cells<'d>(
    annotation: &'d Annotation,
    id: i64,
    write: &Write<'d>,
    index: &CharIndex,
    known: &Known,
) -> [Value<'d>; 12] {
    let extent = &annotation.extent;
    let hull = extent.hull();
    let annotator = annotation.annotator.as_deref().and_then(|name| known.people.get(name));
    [
        id.into(),
        write.text_id.into(),
        Value::Integer(known.labels.get(&*annotation.label).copied()),
        Value::Integer(annotator.copied()),
        annotation.id.as_str().into(),
        Value::Integer(hull.map(|hull| i64::from(hull.0))),
        Value::Integer(hull.map(|hull| i64::from(hull.1))),
        Value::Text(fragments_to_json(extent).map(Cow::Owned)),
        Value::Text(surface(&write.document.text, index, extent)),
        Value::Real(annotation.confidence),
        Value::Text(annotation.attributes.as_ref().map(|json| Cow::Borrowed(json.as_str()))),
        Value::Text(annotation.created_at.map(|time| Cow::Owned(time.to_string()))),
    ]
}

/// Gives their count.
pub(crate) async fn insert_relations(
    database: &mut SqliteConnection,
    writes: &[Write<'_>],
    place: &Place,
) -> Result<u64, SourceError> {
    let mut cells = Vec::new();
    for Write { document, text_id, first_annotation } in writes {
        for (relation, ends) in document.relations.iter().zip(relation_ends(document)) {
            let (source, target) =
                ends.ok_or_else(|| place.invalid("a relation without ends can't be stored"))?;
            cells.push([
                Value::from(*text_id),
                (first_annotation + source as i64).into(),
                (first_annotation + target as i64).into(),
                (&*relation.kind).into(),
                Value::Real(relation.confidence),
            ]);
        }
    }
    let count = cells.len() as u64;
    insert(database, RELATIONS, cells, place).await.map(|()| count)
}

async fn insert<const COLUMNS: usize>(
    database: &mut SqliteConnection,
    table: &str,
    rows: Vec<[Value<'_>; COLUMNS]>,
    place: &Place,
) -> Result<(), SourceError> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<_> = rows.by_ref().take(STATEMENT_ROWS).collect();
        let row = format!("({})", vec!["?"; COLUMNS].join(","));
        let sql = format!("INSERT INTO {table} VALUES {}", vec![row.as_str(); some.len()].join(","));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for cell in some.into_iter().flatten() {
            query = match cell {
                Value::Integer(number) => query.bind(number),
                Value::Real(number) => query.bind(number),
                Value::Text(text) => query.bind(text.map(Cow::into_owned)),
            };
        }
        query.execute(&mut *database).await.map_err(|error| place.failure("load", &error))?;
    }
    Ok(())
}

/// `texts.metadata` of a document.
pub(crate) fn metadata_column(document: &Document) -> Option<&str> {
    document.metadata.as_ref().map(Json::as_str)
}

/// `texts.tokens` of a document.
pub(crate) fn tokens_column(document: &Document, place: &Place) -> Result<Option<String>, SourceError> {
    let json = document.tokens.as_deref().map(tokens_to_json).transpose();
    json.map_err(|error| {
        place.invalid(&format!("the tokens of text `{}` can't be stored: {error}", document.id))
    })
}
