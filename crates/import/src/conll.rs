//! Column files: CoNLL-2002, CoNLL-2003, CoNLL-U and their kin. A text is a block of lines: a sentence.
//!
//! What holds for a whole file (its columns, its label scheme) is found by [`survey`] before the first text.

mod columns;
mod sentence;
pub(crate) mod spans;
mod survey;
pub(crate) mod tags;

use crate::{
    format::{Dialect, Entry, Layout, Parse},
    records::Framing,
};

pub use columns::{ConllColumns, Role};
pub use tags::Scheme;

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "conll",
    about: "columns: CoNLL-2002, CoNLL-2003, CoNLL-U",
    recognises: columns::recognises,
    layout: Layout::Records(survey::survey),
    packed: None,
};

/// How one column file is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConllDialect {
    /// What the columns hold.
    pub columns: ConllColumns,
    /// How the tags mark spans.
    pub scheme: Scheme,
}

impl Dialect for ConllDialect {
    fn framing(&self) -> Framing {
        Framing::Blocks { comments: self.columns.has_comments() }
    }

    fn parser(&self) -> Box<dyn Parse> {
        Box::new(sentence::Parser::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;
