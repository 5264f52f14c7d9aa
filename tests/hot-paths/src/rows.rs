//! Documents as the rows that PostgreSQL would send of them.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use spanfleet_core::{Document, Extent, Json};
use spanfleet_source::load::names::Names;
use spanfleet_source_postgres::RowsIn;

/// Two streams, and the names that they refer to.
pub(crate) struct Streams {
    pub(crate) texts: Bytes,
    pub(crate) annotations: Bytes,
    labels: Numbers,
    people: Numbers,
}

/// Names by the numbers that stand in rows.
#[derive(Default)]
struct Numbers(HashMap<Arc<str>, i64>);

impl Numbers {
    fn of(&mut self, name: &Arc<str>) -> i64 {
        let next = self.0.len() as i64;
        *self.0.entry(Arc::clone(name)).or_insert(next)
    }

    fn by_number(&self) -> HashMap<i64, Arc<str>> {
        self.0.iter().map(|(name, number)| (*number, Arc::clone(name))).collect()
    }
}

impl Streams {
    pub(crate) fn names(&self) -> Names {
        Names::new(self.labels.by_number(), self.people.by_number())
    }
}

/// The columns of `slice.rs`, in its order.
pub(crate) fn of(documents: &[Document]) -> Streams {
    let (mut texts, mut annotations) = (RowsIn::default(), RowsIn::default());
    let (mut labels, mut people) = (Numbers::default(), Numbers::default());
    for (text_id, document) in (0..).zip(documents) {
        texts
            .row(6)
            .int8(text_id)
            .text(Some(&document.id))
            .int4(Some(document.text.len() as i32))
            .text(Some(&document.text))
            .text(document.metadata.as_ref().map(Json::as_str))
            .text(None);
        for (row_id, annotation) in (0..).zip(&document.annotations) {
            let (start, end) = match annotation.extent {
                Extent::Span { start, end } => (Some(start as i32), Some(end as i32)),
                _ => (None, None),
            };
            annotations
                .row(11)
                .int8(text_id)
                .int8(row_id)
                .text(Some(&annotation.id))
                .int8(labels.of(&annotation.label))
                .int4(annotation.annotator.as_ref().map(|name| people.of(name) as i32))
                .int4(start)
                .int4(end)
                .text(None)
                .number(annotation.confidence)
                .text(annotation.attributes.as_ref().map(Json::as_str))
                .moment(annotation.created_at);
        }
    }
    let whole = |rows: RowsIn| rows.end().expect("there are rows").into();
    Streams { texts: whole(texts), annotations: whole(annotations), labels, people }
}
