//! The documents of a slice: its texts and relations at once, its annotations as a stream.

use std::iter::Peekable;
use std::vec::IntoIter;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use spanfleet_core::{Annotation, Document, Json, Relation, Timestamp};
use spanfleet_source::SourceError;
use spanfleet_source::load::columns::{extent, tokens_from_json};
use spanfleet_source::load::names::Names;
use sqlx::sqlite::SqliteConnection;

use crate::error::Place;
use crate::slice::Slice;

/// id, external id, content, metadata, tokens
pub(crate) type TextRow = (i64, Option<String>, String, Option<String>, Option<String>);
/// text, id, external id, label, annotator, start, end, fragments, confidence, metadata, time
pub(crate) type AnnotationRow = (
    i64,
    i64,
    Option<String>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<f64>,
    Option<String>,
    Option<String>,
);
/// text, the ends by id and external id, type, confidence
pub(crate) type RelationRow = (i64, i64, Option<String>, i64, Option<String>, String, Option<f64>);

/// The documents of a slice, one after the other.
pub(crate) struct Documents<'c> {
    texts: IntoIter<TextRow>,
    annotations: BoxStream<'c, Result<AnnotationRow, sqlx::Error>>,
    /// An annotation whose text is still to come.
    ahead: Option<AnnotationRow>,
    relations: Peekable<IntoIter<RelationRow>>,
    names: &'c mut Names,
    place: &'c Place,
}

impl<'c> Documents<'c> {
    pub(crate) async fn open(
        database: &'c mut SqliteConnection,
        slice: &Slice,
        names: &'c mut Names,
        place: &'c Place,
    ) -> Result<Documents<'c>, SourceError> {
        let failure = |error: sqlx::Error| place.failure("read", &error);
        let texts = slice.texts_query().fetch_all(&mut *database).await.map_err(failure)?;
        let relations = if slice.include.relations {
            slice.relations_query().fetch_all(&mut *database).await.map_err(failure)?
        } else {
            Vec::new()
        };
        Ok(Documents {
            texts: texts.into_iter(),
            annotations: slice.annotations_query().fetch(database),
            ahead: None,
            relations: relations.into_iter().peekable(),
            names,
            place,
        })
    }

    /// The next document with the row id of its text.
    pub(crate) async fn next(&mut self) -> Result<Option<(i64, Document)>, SourceError> {
        let Some(row) = self.texts.next() else { return Ok(None) };
        let (text_id, mut document) = self.text(row)?;
        while let Some(row) = self.annotation_of(text_id).await? {
            document.annotations.push(self.annotation(row)?);
        }
        while let Some(row) = self.relations.next_if(|row| row.0 <= text_id) {
            if row.0 == text_id {
                document.relations.push(relation(row, self.names));
            }
        }
        Ok(Some((text_id, document)))
    }

    /// The next annotation of this text. Those of texts before it, which went meanwhile, are passed over.
    async fn annotation_of(&mut self, text_id: i64) -> Result<Option<AnnotationRow>, SourceError> {
        loop {
            if self.ahead.is_none() {
                let row = self.annotations.next().await.transpose();
                self.ahead = row.map_err(|error| self.place.failure("read", &error))?;
            }
            match self.ahead.take_if(|row| row.0 <= text_id) {
                Some(row) if row.0 < text_id => {}
                found => return Ok(found),
            }
        }
    }

    fn text(&self, row: TextRow) -> Result<(i64, Document), SourceError> {
        let (text_id, external_id, text, metadata, tokens) = row;
        let tokens = tokens.as_deref().map(tokens_from_json).transpose();
        let document = Document {
            id: external_id.map_or_else(|| text_id.to_string().into(), Into::into),
            text,
            metadata: self.json(metadata.as_deref(), text_id, "metadata")?,
            tokens: tokens.map_err(|error| self.bad_column(text_id, "tokens", &error.to_string()))?,
            ..Document::default()
        };
        Ok((text_id, document))
    }

    fn annotation(&mut self, row: AnnotationRow) -> Result<Annotation, SourceError> {
        let (text_id, row_id, external_id, label_id, annotator_id, ..) = row;
        let (.., start, end, fragments, confidence, metadata, created_at) = row;
        let extent = extent(start, end, fragments.as_deref());
        let created_at = created_at.map(|time| {
            let refuse =
                || self.bad_column(text_id, "an annotation's created_at", &format!("`{time}` is no time"));
            Timestamp::parse(&time).ok_or_else(refuse)
        });
        Ok(Annotation {
            id: external_id.map_or_else(|| row_id.to_string().into(), Into::into),
            extent: extent.map_err(|error| self.bad_column(text_id, "fragments", &error.to_string()))?,
            label: self.names.label(label_id, row_id)?,
            annotator: annotator_id.map(|id| self.names.person(id)),
            confidence: confidence.filter(|number| number.is_finite()),
            attributes: self.json(metadata.as_deref(), text_id, "annotation metadata")?,
            created_at: created_at.transpose()?,
        })
    }

    fn json(&self, column: Option<&str>, text_id: i64, what: &str) -> Result<Option<Json>, SourceError> {
        let json = column.map(Json::parse).transpose();
        json.map_err(|error| self.bad_column(text_id, what, &error.to_string()))
    }

    fn bad_column(&self, text_id: i64, what: &str, reason: &str) -> SourceError {
        self.place.invalid(&format!("{what} of text {text_id} can't be read: {reason}"))
    }
}

fn relation(row: RelationRow, names: &mut Names) -> Relation {
    let (_, source_id, source, target_id, target, kind, confidence) = row;
    let shown =
        |id: i64, external_id: Option<String>| external_id.map_or_else(|| id.to_string().into(), Into::into);
    Relation {
        source: shown(source_id, source),
        target: shown(target_id, target),
        kind: names.relation_type(&kind),
        confidence: confidence.filter(|number| number.is_finite()),
    }
}
