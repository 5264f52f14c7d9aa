//! brat standoff: `X.txt` with `X.ann`.
//!
//! | line | becomes |
//! | --- | --- |
//! | `T1 Type 0 3;5 9 text` | an annotation, its text compared with what it covers |
//! | `R1 Type Arg1:T1 Arg2:T2` | a relation |
//! | `E1 Type:T1 Role:T2 …` | a relation trigger → argument for each role; the line stays in `metadata.brat_events` |
//! | `* Equiv T1 T2 …` | relations `Equiv` from each to the next |
//! | `A1`/`M1 Name T1 [Value]` | an attribute of the annotation, `true` without a value |
//! | `N1 Reference T1 DB:ID text` | `normalizations` in the attributes |
//! | `#1 AnnotatorNotes T1 text` | `notes` in the attributes |
//!
//! Where an `annotation.conf` lies beside the texts or above them, the types of spans are paths in its hierarchy.
//! A `T` line that states another text than it covers is rejected, and what needs it with it; the rest stays.
//! What hangs on an event hangs on its trigger. What hangs on anything else stands in `metadata.brat_…`.

mod conf;
mod lines;
mod standoff;

pub use conf::Hierarchy;
use spanfleet_core::{Document, Kind};

use crate::{
    format::{Entry, Layout},
    place::{Fault, FileNames, Place, ReadError, Rejected, utf8},
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "brat",
    about: "brat standoff, X.txt with X.ann",
    recognises,
    layout: Layout::Pairs,
    packed: None,
};

/// A pair is told by its names; the content of a `.txt` can be anything.
fn recognises(_: &[u8]) -> bool {
    false
}

/// One text with its annotations, as bytes.
#[derive(Debug)]
pub struct Pair<'a> {
    /// The path of X below the folder that was given, without extension.
    pub id: &'a str,
    /// The content of `X.txt`.
    pub text: Vec<u8>,
    /// The names of `X.txt`.
    pub text_names: &'a FileNames,
    /// The content of `X.ann`; a text without one has no annotations.
    pub annotations: &'a [u8],
    /// The names of `X.ann`.
    pub annotation_names: &'a FileNames,
    /// Which type stands below which.
    pub hierarchy: &'a Hierarchy,
}

/// Reads one pair: its document, and the lines of `X.ann` that could not be taken.
pub fn read(pair: Pair<'_>) -> Result<(Document, Vec<Rejected>), Rejected> {
    let text = String::from_utf8(pair.text).map_err(|error| {
        let fault = utf8(error.as_bytes()).err().unwrap_or_else(|| Fault::at(0, 1, "not UTF-8"));
        reject(pair.text_names, Kind::Text, 0, "", fault)
    })?;
    let whole = |fault, line: &str| reject(pair.annotation_names, Kind::Text, 0, line, fault);
    let lines = utf8(pair.annotations).map_err(|fault| whole(fault, ""))?;
    let line_of = |fault: &Fault| lines.split('\n').nth(fault.line as usize).unwrap_or_default();
    let made = standoff::document(pair.id, text, lines, pair.hierarchy);
    let (document, refused) = made.map_err(|fault| whole(fault.clone(), line_of(&fault)))?;
    let refused = refused.into_iter().enumerate().map(|(nth, (kind, fault))| {
        let line = line_of(&fault);
        reject(pair.annotation_names, kind, nth as u32, line, fault)
    });
    Ok((document, refused.collect()))
}

fn reject(names: &FileNames, kind: Kind, nth: u32, line: &str, fault: Fault) -> Rejected {
    let place = Place { file: names.shown.clone(), line: fault.line + 1, column: fault.column };
    Rejected {
        kind,
        record: line.trim_end_matches('\r').to_owned(),
        error: ReadError { place, reason: fault.reason },
        key: (0, nth),
    }
}

#[cfg(test)]
mod tests;
