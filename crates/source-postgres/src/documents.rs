//! Streams of rows, each in order of texts, merged into documents.

use bytes::Bytes;
use spanfleet_core::{Annotation, Document, Json, Relation, TextLimit, Token};
use spanfleet_source::load::columns::{extent, tokens_from_json};
use spanfleet_source::load::names::Names;
use spanfleet_source::{SourceError, SourceErrorKind};

use crate::copy::{Fields, Rows};

/// Documents out of a stream of texts, one of annotations and one of relations. Rows of texts that are not in
/// the first stream are passed over.
#[derive(Debug)]
pub struct Documents<C> {
    texts: Rows<C>,
    annotations: Beside<C>,
    relations: Option<Beside<C>>,
    names: Names,
    limit: TextLimit,
    /// How many annotations the text before had: room for as many saves most texts from growing.
    annotations_before: usize,
}

/// Room is made for so many annotations at most, before they are there.
const ANNOTATIONS_EXPECTED_MAX: usize = 64;

/// A stream whose next row waits until the texts come to it.
#[derive(Debug)]
struct Beside<C> {
    rows: Rows<C>,
    /// The text of the row that waits; none before the first and after the last.
    text: Option<i64>,
    has_begun: bool,
}

impl<C: Iterator<Item = Result<Bytes, SourceError>>> Beside<C> {
    fn new(rows: Rows<C>) -> Beside<C> {
        Beside { rows, text: None, has_begun: false }
    }

    fn advance(&mut self) -> Result<(), SourceError> {
        self.text = if self.rows.advance()? { self.rows.fields().integer()? } else { None };
        Ok(())
    }

    /// Whether a row of this text waits. Rows of texts before it go.
    fn is_at(&mut self, text: i64) -> Result<bool, SourceError> {
        if !self.has_begun {
            self.has_begun = true;
            self.advance()?;
        }
        while self.text.is_some_and(|waiting| waiting < text) {
            self.advance()?;
        }
        Ok(self.text == Some(text))
    }

    /// The fields after the text's id.
    fn fields(&self) -> Result<Fields<'_>, SourceError> {
        let mut fields = self.rows.fields();
        fields.next()?;
        Ok(fields)
    }
}

impl<C: Iterator<Item = Result<Bytes, SourceError>>> Documents<C> {
    /// Over chunks of whole rows, with the columns of `slice.rs`.
    pub fn new(texts: C, annotations: C, relations: Option<C>, names: Names) -> Documents<C> {
        Documents {
            texts: Rows::new(texts),
            annotations: Beside::new(Rows::new(annotations)),
            relations: relations.map(|chunks| Beside::new(Rows::new(chunks))),
            names,
            limit: TextLimit::default(),
            annotations_before: 0,
        }
    }

    /// The same with another limit, which the stream of texts holds too.
    pub(crate) fn limited(self, limit: TextLimit) -> Documents<C> {
        Documents { limit, ..self }
    }

    /// The next document with the row id of its text.
    #[allow(clippy::should_implement_trait)] // it can fail
    pub fn next(&mut self) -> Result<Option<(i64, Document)>, SourceError> {
        if !self.texts.advance()? {
            return Ok(None);
        }
        let (text_id, mut document) = text(self.texts.fields(), self.limit)?;
        document.annotations.reserve(self.annotations_before);
        while self.annotations.is_at(text_id)? {
            document.annotations.push(annotation(self.annotations.fields()?, text_id, &mut self.names)?);
            self.annotations.advance()?;
        }
        self.annotations_before = document.annotations.len().min(ANNOTATIONS_EXPECTED_MAX);
        if let Some(relations) = &mut self.relations {
            while relations.is_at(text_id)? {
                document.relations.push(relation(relations.fields()?, &mut self.names)?);
                relations.advance()?;
            }
        }
        Ok(Some((text_id, document)))
    }
}

fn text(mut fields: Fields<'_>, limit: TextLimit) -> Result<(i64, Document), SourceError> {
    let text_id = required(fields.integer()?, "texts.id")?;
    let external_id = fields.text()?;
    let bytes = required(fields.integer()?, "texts.content")?;
    if let Some(refusal) = limit.refusal(bytes as u64) {
        let id = external_id.map_or_else(|| text_id.to_string(), str::to_owned);
        return Err(SourceError::new(SourceErrorKind::Invalid, format!("text `{id}` {refusal}")));
    }
    let document = Document {
        id: external_id.map_or_else(|| text_id.to_string().into(), Into::into),
        text: required(fields.text()?, "texts.content")?.to_owned(),
        metadata: json(fields.text()?, text_id, "metadata")?,
        tokens: tokens(fields.text()?, text_id)?,
        ..Document::default()
    };
    Ok((text_id, document))
}

fn annotation(mut fields: Fields<'_>, text_id: i64, names: &mut Names) -> Result<Annotation, SourceError> {
    let row_id = required(fields.integer()?, "annotations.id")?;
    let external_id = fields.text()?;
    let label_id = required(fields.integer()?, "annotations.label_id")?;
    let annotator_id = fields.integer()?;
    let (start, end, fragments) = (fields.integer()?, fields.integer()?, fields.text()?);
    let extent = extent(start, end, fragments)
        .map_err(|error| bad_json(text_id, &format!("the fragments of annotation {row_id}"), &error))?;
    Ok(Annotation {
        id: external_id.map_or_else(|| row_id.to_string().into(), Into::into),
        extent,
        label: names.label(label_id, row_id)?,
        annotator: annotator_id.map(|id| names.person(id)),
        confidence: fields.number()?,
        attributes: json(fields.text()?, text_id, "annotation metadata")?,
        created_at: fields.moment()?,
    })
}

fn relation(mut fields: Fields<'_>, names: &mut Names) -> Result<Relation, SourceError> {
    let mut end = || {
        let row_id = required(fields.integer()?, "relations.source_annotation_id")?;
        let external_id = fields.text()?;
        Ok::<_, SourceError>(external_id.map_or_else(|| row_id.to_string().into(), Into::into))
    };
    let (source, target) = (end()?, end()?);
    let kind = required(fields.text()?, "relations.relation_type")?;
    Ok(Relation { source, target, kind: names.relation_type(kind), confidence: fields.number()? })
}

fn tokens(column: Option<&str>, text_id: i64) -> Result<Option<Vec<Token>>, SourceError> {
    column.map(tokens_from_json).transpose().map_err(|error| bad_json(text_id, "tokens", &error))
}

fn json(column: Option<&str>, text_id: i64, what: &str) -> Result<Option<Json>, SourceError> {
    column.map(Json::parse).transpose().map_err(|error| bad_json(text_id, what, &error))
}

fn bad_json(text_id: i64, what: &str, error: &serde_json::Error) -> SourceError {
    let message = format!("text {text_id}: {what} can't be read: {error}");
    SourceError::new(SourceErrorKind::Invalid, message)
}

fn required<T>(value: Option<T>, column: &str) -> Result<T, SourceError> {
    value.ok_or_else(|| SourceError::new(SourceErrorKind::Invalid, format!("`{column}` is NULL in some row")))
}
