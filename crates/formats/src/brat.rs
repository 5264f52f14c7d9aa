//! brat standoff: a zip per split with `ID.txt` and `ID.ann` for every text, and `annotation.conf`.
//!
//! | what is annotated | what becomes of it |
//! | --- | --- |
//! | a span, in one piece or several | a `T` line; overlapping and equal ones too |
//! | a span over a line break | a fragment per line, which brat joins by a space |
//! | white space beside such a line break, or a break at the edge | left out: `trimmed` |
//! | a label with characters that brat refuses | written as `MY_u20_LABEL`, shown as it is by `visual.conf`: `relabelled` |
//! | CR LF or CR in a text | written as LF, offsets moved along: the text is `cleaned` |
//! | a label of the whole text | lost: `unrepresentable` |
//! | no character, or only white space | lost: `empty_span` |
//! | offsets outside the text, or reversed | lost: `out_of_range` |
//!
//! What an import of brat kept in `metadata.brat_…` comes back: events with their arguments, which are relations of
//! the text, roles of relations, and what was said of either; see `kept`. Attributes that are `true` or one word are `A` lines; annotator, confidence and what else is known of a span
//! are notes. Numbers of lines begin at 1 in every text: ids of annotations are not kept.
//!
//! Entries are written with the parts; the directory at the end of the zip is made by `seal` from what parts note
//! of their entries, some twenty bytes a text. An encoder holds that, and no texts. File names are ids with `/`
//! and the like percent-encoded. Two that differ by case alone are refused: many systems take them for one.

use serde_json::{Value, json};
use spanfleet_core::{Order, Schema, options::Compression};

use crate::support::{
    framing::same_glue,
    zip::{self, ZipEntry, ZipWriter},
};
use crate::{
    Compressed, EncodeError, Entry, Envelope, Format, FormatInfo, Layout, Member, Memory, Outcome,
    PartEncoder, PartSummary,
};

mod conf;
mod kept;
mod lines;
mod names;
mod notes;
mod part;
mod text;

use notes::{PartNotes, Vocabulary};
use part::BratPart;

pub(crate) const ENTRY: Entry =
    Entry { info: INFO, make: |order| Ok(Box::new(Brat { order: order.clone() })) };

const INFO: FormatInfo = FormatInfo {
    name: "brat",
    kind: "brat",
    title: "brat standoff: a zip with .txt and .ann files and their configuration",
    extension: "zip",
    other_extensions: &[],
    media_type: "application/zip",
    version: "1",
    layout: Layout::OneFile,
    needs_labels: false,
    memory: Memory::Part,
    is_ml_ready: false,
    supports_streaming: false,
    // A zip is compressed inside.
    compressions: &[Compression::None],
    compressed: Compressed::Around,
    schema,
};

struct Brat {
    order: Order,
}

impl Format for Brat {
    fn info(&self) -> &FormatInfo {
        &INFO
    }

    fn start(&self, _: &Schema) -> Result<Box<dyn PartEncoder>, EncodeError> {
        Ok(Box::new(BratPart::new(&self.order)))
    }

    fn seal(&self, _: &Schema, parts: &[PartSummary]) -> Result<Envelope, EncodeError> {
        let (mut words, mut entries) = (Vocabulary::default(), Vec::new());
        for part in parts {
            let (part_words, mut part_entries) = read_notes(&part.notes)?;
            words.merge(part_words);
            entries.append(&mut part_entries);
        }
        zip::refuse_twins(&entries)?;
        let (mut tail, mut zip) = (Vec::new(), ZipWriter::new());
        for (name, content) in configuration(&words) {
            let entry = zip.write(name, content.as_bytes(), &mut tail).map_err(|error| EncodeError {
                text: None,
                message: format!("`{name}` can't be put into a zip: {error}"),
            })?;
            entries.push(entry);
        }
        tail.append(&mut zip::directory(entries.iter()));
        Ok(Envelope { glue: same_glue(b"", parts), tail, ..Envelope::default() })
    }

    fn members(&self, notes: &Value) -> Result<Vec<Member>, EncodeError> {
        read_notes(notes).map(|(_, entries)| zip::members(entries))
    }

    /// The configuration of all splits together, for a folder that they are unpacked into.
    fn beside(&self, _: &Schema, outcome: &Outcome<'_>) -> Vec<(String, Vec<u8>)> {
        let mut words = Vocabulary::default();
        let notes = outcome.files.iter().flat_map(|file| &file.notes);
        notes.filter_map(|notes| read_notes(notes).ok()).for_each(|(part, _)| words.merge(part));
        configuration(&words).map(|(name, content)| (name.to_owned(), content.into_bytes())).collect()
    }
}

fn configuration(words: &Vocabulary) -> impl Iterator<Item = (&'static str, String)> {
    let visual = conf::visual(words).map(|content| ("visual.conf", content));
    std::iter::once(("annotation.conf", conf::annotation(words))).chain(visual)
}

fn read_notes(notes: &Value) -> Result<(Vocabulary, Vec<ZipEntry>), EncodeError> {
    let read = || {
        let notes: PartNotes = serde_json::from_value(notes.clone()).ok()?;
        let entries = notes.entries()?;
        Some((notes.words, entries))
    };
    read().ok_or_else(|| EncodeError {
        text: None,
        message: "a part's notes are not those of a brat export; run the export again".to_owned(),
    })
}

/// A line of an `.ann` file.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of brat standoff",
        "type": "string",
        "anyOf": [
            {"pattern": "^T[0-9]+\\t[A-Za-z0-9_/-]+ [0-9]+ [0-9]+(;[0-9]+ [0-9]+)*\\t.*$", "title": "a span"},
            {"pattern": "^R[0-9]+\\t[A-Za-z0-9_/-]+ [A-Za-z0-9_/-]+:[TE][0-9]+ [A-Za-z0-9_/-]+:[TE][0-9]+\\t$", "title": "a relation"},
            {"pattern": "^E[0-9]+\\t[A-Za-z0-9_/-]+:T[0-9]+( [A-Za-z0-9_/-]+:[TE][0-9]+)*$", "title": "an event"},
            {"pattern": "^A[0-9]+\\t[A-Za-z0-9_/-]+ [TER][0-9]+( .+)?$", "title": "an attribute"},
            {"pattern": "^N[0-9]+\\t[^ ]+ [TER][0-9]+ [^ ]*\\t.*$", "title": "an entry of a reference"},
            {"pattern": "^#[0-9]+\\t[^ ]+ [TER][0-9]+\\t.*$", "title": "a note"}
        ]
    })
}

#[cfg(test)]
mod tests;
