//! `language_modeling`: the text itself.

use spanfleet_core::{Document, Ledger, Loss};

use super::task::{Emit, Task, lose_relations};
use crate::EncodeError;
use crate::support::table::{Cell, Column, Kind};

pub(super) struct Language;

impl Task for Language {
    fn columns(&self) -> Vec<Column> {
        vec![Column::new("id", Kind::Text), Column::new("text", Kind::Text)]
    }

    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError> {
        emit(&[Cell::Text(&document.id), Cell::Text(&document.text)])?;
        ledger.counts.texts += 1;
        for annotation in &document.annotations {
            ledger.lose_annotation(Loss::Unrepresentable, &document.id, &annotation.id);
        }
        lose_relations(document, ledger);
        Ok(())
    }
}
