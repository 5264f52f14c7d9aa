//! The rows of a batch, as binary COPY wants them. Pure.

use spanfleet_core::{CharIndex, Document, Json, ProjectId};
use spanfleet_source::load::columns::{fragments_to_json, relation_ends, surface, tokens_to_json};
use spanfleet_source::{SourceError, SourceErrorKind};

use super::Known;
use crate::copy::RowsIn;
use crate::error::Place;

/// Takes [`texts`].
pub(crate) const TEXTS: &str =
    "COPY texts (id, project_id, external_id, content, metadata, tokens) FROM STDIN (FORMAT binary)";
/// Takes [`annotations`].
pub(crate) const ANNOTATIONS: &str = "COPY annotations (id, text_id, label_id, annotator_id, external_id, \
    start_char, end_char, fragments, selected_text, confidence_score, metadata, created_at) FROM STDIN (FORMAT binary)";
/// Takes [`relations`]. Nothing names a relation, so the table numbers them itself.
pub(crate) const RELATIONS: &str = "COPY relations (text_id, source_annotation_id, target_annotation_id, \
    relation_type, confidence_score) FROM STDIN (FORMAT binary)";

/// A document that has to be written, and where.
pub(crate) struct Write<'d> {
    pub(crate) document: &'d Document,
    pub(crate) text_id: i64,
    /// Which of the batch's annotation ids is its first.
    pub(crate) first_annotation: usize,
}

impl<'d> From<(&'d Document, i64)> for Write<'d> {
    fn from((document, text_id): (&'d Document, i64)) -> Write<'d> {
        Write { document, text_id, first_annotation: 0 }
    }
}

pub(crate) fn texts(writes: &[Write<'_>], project: ProjectId) -> Result<Option<Vec<u8>>, SourceError> {
    let mut rows = RowsIn::default();
    for Write { document, text_id, .. } in writes {
        let tokens = tokens_column(document)?;
        rows.row(6).int8(*text_id).int4(Some(project.0)).text(Some(&document.id)).text(Some(&document.text));
        rows.text(document.metadata.as_ref().map(Json::as_str)).text(tokens.as_deref());
    }
    Ok(rows.end())
}

pub(crate) fn annotations(writes: &[Write<'_>], ids: &[i64], known: &Known) -> Option<Vec<u8>> {
    let mut rows = RowsIn::default();
    let mut index = CharIndex::default();
    for Write { document, text_id, first_annotation } in writes {
        index.rebuild(&document.text);
        for (annotation, id) in document.annotations.iter().zip(&ids[*first_annotation..]) {
            let extent = &annotation.extent;
            let hull = extent.hull();
            let annotator = annotation.annotator.as_deref().and_then(|name| known.people.get(name));
            let label = known.labels.get(&*annotation.label);
            rows.row(12).int8(*id).int8(*text_id);
            rows.int4(label.map(|id| *id as i32))
                .int4(annotator.map(|id| *id as i32))
                .text(Some(&annotation.id));
            rows.int4(hull.map(|hull| hull.0 as i32)).int4(hull.map(|hull| hull.1 as i32));
            rows.text(fragments_to_json(extent).as_deref());
            rows.text(surface(&document.text, &index, extent).as_deref());
            rows.number(annotation.confidence).text(annotation.attributes.as_ref().map(Json::as_str));
            rows.moment(annotation.created_at);
        }
    }
    rows.end()
}

pub(crate) fn relations(
    writes: &[Write<'_>],
    ids: &[i64],
    place: &Place,
) -> Result<Option<Vec<u8>>, SourceError> {
    let mut rows = RowsIn::default();
    for Write { document, text_id, first_annotation } in writes {
        for (relation, ends) in document.relations.iter().zip(relation_ends(document)) {
            let (source, target) =
                ends.ok_or_else(|| place.invalid("a relation without ends can't be stored"))?;
            rows.row(5)
                .int8(*text_id)
                .int8(ids[first_annotation + source])
                .int8(ids[first_annotation + target]);
            rows.text(Some(&relation.kind)).number(relation.confidence);
        }
    }
    Ok(rows.end())
}

/// `texts.tokens` of a document.
pub(crate) fn tokens_column(document: &Document) -> Result<Option<String>, SourceError> {
    document.tokens.as_deref().map(tokens_to_json).transpose().map_err(|error| {
        let message = format!("the tokens of text `{}` can't be written as JSON: {error}", document.id);
        SourceError::new(SourceErrorKind::Invalid, message)
    })
}
