//! `relation_extraction`: a text with its spans, which may overlap, and relations by the places of spans.

use std::collections::HashMap;

use spanfleet_core::{CharIndex, Document, Ledger, Loss, Order, Schema};

use super::{
    classes::Classes,
    task::{Emit, Task},
};
use crate::EncodeError;
use crate::support::{
    labels::span_of,
    names::LabelNames,
    table::{Cell, Column, Kind},
};

pub(super) struct Relations {
    names: LabelNames,
    labels: Classes,
    types: Classes,
    chars: CharIndex,
}

impl Relations {
    pub(super) fn new(order: &Order, schema: &Schema) -> Relations {
        Relations {
            names: LabelNames::new(&order.options),
            labels: Classes::new(schema.labels.clone()),
            types: Classes::new(schema.relation_types.clone()),
            chars: CharIndex::default(),
        }
    }

    /// Continuous spans with a character in them, and the place of each by its annotation's id.
    fn entities<'d>(
        &mut self,
        document: &'d Document,
        ledger: &mut Ledger,
    ) -> Result<(Vec<Cell<'d>>, HashMap<&'d str, i64>), EncodeError> {
        self.chars.rebuild(&document.text);
        let (mut entities, mut places) = (Vec::new(), HashMap::new());
        for annotation in &document.annotations {
            let (start, end) = match span_of(annotation, &self.chars) {
                Ok(span) => span,
                Err(loss) => {
                    ledger.lose_annotation(loss, &document.id, &annotation.id);
                    continue;
                }
            };
            let name = self.names.of(&annotation.label);
            let label = self.labels.id(name.written.as_deref().unwrap_or(&name.path), document)?;
            places.insert(&*annotation.id, entities.len() as i64);
            entities.push(Cell::Struct(vec![
                Cell::Text(&annotation.id),
                Cell::Integer(start.into()),
                Cell::Integer(end.into()),
                Cell::Integer(label),
            ]));
            ledger.counts.annotations_written += 1;
        }
        Ok((entities, places))
    }

    fn relations(
        &self,
        document: &Document,
        places: &HashMap<&str, i64>,
        ledger: &mut Ledger,
    ) -> Result<Vec<Cell<'static>>, EncodeError> {
        let mut relations = Vec::new();
        for relation in &document.relations {
            let ends = (places.get(&*relation.source), places.get(&*relation.target));
            let (Some(head), Some(tail)) = ends else {
                ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
                continue;
            };
            let kind = self.types.id(&relation.kind, document)?;
            relations.push(Cell::Struct([*head, *tail, kind].map(Cell::Integer).to_vec()));
            ledger.counts.relations_written += 1;
        }
        Ok(relations)
    }
}

impl Task for Relations {
    fn columns(&self) -> Vec<Column> {
        let entity = vec![
            Column::new("id", Kind::Text),
            Column::new("start", Kind::Integer),
            Column::new("end", Kind::Integer),
            Column::new("label", self.labels.kind()),
        ];
        let relation = vec![
            Column::new("head", Kind::Integer),
            Column::new("tail", Kind::Integer),
            Column::new("type", self.types.kind()),
        ];
        vec![
            Column::new("id", Kind::Text),
            Column::new("text", Kind::Text),
            Column::new("entities", Kind::list_of(entity)),
            Column::new("relations", Kind::list_of(relation)),
        ]
    }

    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError> {
        let (entities, places) = self.entities(document, ledger)?;
        let relations = self.relations(document, &places, ledger)?;
        let (id, text) = (Cell::Text(&document.id), Cell::Text(&document.text));
        emit(&[id, text, Cell::List(entities), Cell::List(relations)])?;
        ledger.counts.texts += 1;
        Ok(())
    }
}
