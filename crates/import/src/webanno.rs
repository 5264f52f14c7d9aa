//! WebAnno TSV 3, as WebAnno and INCEpTION write it: one file is one text.
//!
//! | in the file | becomes |
//! | --- | --- |
//! | a value of a span layer (`#T_SP`) | a span; rows with the same `[1]` are one |
//! | its label | the feature `value`, `PosValue` or `DependencyType`; else the name of the layer |
//! | its other features, and the layer as `type` | attributes |
//! | a relation layer (`#T_RL`) | relations from the row that is named to the row that names it |
//! | a slot feature (`ROLE_…`) | relations from the host to what fills the slot, by the role, or `link` |
//! | a chain layer (`#T_CH`) | spans, and relations from each link to the next, `next` where it has no name |
//! | rows that are no part of another | tokens |
//!
//! Offsets count UTF-16 units. The text is that of the `#Text=` lines; what lay between sentences is not in the
//! file: its first character is taken for a line break, any other for a space. A row whose word is not what the
//! text has at its offsets rejects the file.

mod cells;
mod document;
mod lines;

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use crate::{
    format::{Dialect, Entry, FormatOptions, Layout, Parse},
    intern::Interner,
    made::Made,
    place::{Fault, FileNames, utf8},
    records::{BYTE_ORDER_MARK, Framing, Record},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "webanno",
    about: "WebAnno TSV 3",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

fn recognises(head: &[u8]) -> bool {
    head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).starts_with(b"#FORMAT=WebAnno TSV 3")
}

#[allow(clippy::unnecessary_wraps)] // the table's type
fn survey(_: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    Ok(Arc::new(Webanno))
}

#[derive(Debug)]
struct Webanno;

impl Dialect for Webanno {
    fn framing(&self) -> Framing {
        Framing::Whole
    }

    fn parser(&self) -> Box<dyn Parse> {
        Box::<Parser>::default()
    }
}

#[derive(Default)]
struct Parser {
    names: Interner,
}

impl Parse for Parser {
    fn parse(&mut self, record: &Record<'_>, names: &FileNames, made: &mut Made) -> Result<(), Fault> {
        let file = lines::File::read(utf8(record.bytes)?)?;
        document::make(&file, names, &mut self.names, made)
    }
}

#[cfg(test)]
mod tests;
