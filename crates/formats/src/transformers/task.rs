//! What every task gives: its columns, and the rows of a text.

use spanfleet_core::{Document, Ledger, Order, Schema, options::TaskType};

use super::{
    language::Language, questions::Questions, relations::Relations, sequences::Sequences,
    subwords::SubwordTokens, tokens::Tokens,
};
use crate::EncodeError;
pub(super) use crate::support::homeless::lose_relations;
use crate::support::{
    subwords::Subwords,
    table::{Cell, Column},
};

/// Takes a row: a cell for every column.
pub(super) type Emit<'e> = dyn FnMut(&[Cell<'_>]) -> Result<(), EncodeError> + 'e;

/// Texts to rows. Every annotation, relation and text is written or lost, exactly once.
pub(super) trait Task: Send {
    /// The columns of its rows.
    fn columns(&self) -> Vec<Column>;
    /// Emits the rows of a text and counts.
    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError>;
    /// The names that stand in `labels.json`, by their ids.
    fn label_names(&self) -> Option<Vec<String>> {
        None
    }
}

/// The task of an order.
pub(super) fn make(
    task_type: TaskType,
    order: &Order,
    schema: &Schema,
    subwords: Option<&Subwords>,
) -> Box<dyn Task> {
    match task_type {
        TaskType::TokenClassification if order.options.tokenizer_file.is_some() => {
            Box::new(SubwordTokens::new(order, schema, subwords.cloned()))
        }
        TaskType::TokenClassification => Box::new(Tokens::new(order, schema)),
        TaskType::SequenceClassification => Box::new(Sequences::new(order, schema)),
        TaskType::RelationExtraction => Box::new(Relations::new(order, schema)),
        TaskType::QuestionAnswering => Box::new(Questions::default()),
        TaskType::LanguageModeling => Box::new(Language),
    }
}
