//! Where one document ends and the next begins.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use spanfleet_core::{
    Document, Options,
    options::{Column, DocStart},
};

use crate::EncodeError;

/// The document that a text belongs to: `metadata.file` and `metadata.doc` as JSON. `None` when it names none.
pub(super) type DocKey = Option<String>;

/// The members of a text's metadata that name its document; all others are skipped.
#[derive(Deserialize)]
struct Place<'m> {
    #[serde(borrow, default)]
    file: Option<&'m RawValue>,
    #[serde(borrow, default)]
    doc: Option<&'m RawValue>,
}

/// Knows before which texts the line stands, and the line.
pub(super) struct DocStarts {
    when: DocStart,
    line: Vec<u8>,
}

impl DocStarts {
    pub(super) fn new(options: &Options) -> DocStarts {
        DocStarts { when: options.docstart, line: line(&options.columns) }
    }

    /// The document of a text.
    pub(super) fn key(&self, document: &Document) -> DocKey {
        let metadata = document.metadata.as_ref()?.as_str();
        // Most corpora have no such member: a search spares reading the whole object.
        if self.when == DocStart::Never || memchr::memmem::find(metadata.as_bytes(), b"\"doc\"").is_none() {
            return None;
        }
        let place: Place<'_> = serde_json::from_str(metadata).ok()?;
        let doc = place.doc?.get();
        let is_scalar = doc != "null" && !doc.starts_with(['{', '[']);
        is_scalar.then(|| json!([place.file, doc]).to_string())
    }

    /// Appends the line where one stands between a text of the document `before` (`None`: nothing is before)
    /// and one of the document `next`.
    pub(super) fn write(&self, before: Option<&DocKey>, next: &DocKey, out: &mut Vec<u8>) {
        let is_start = match (self.when, next) {
            (DocStart::Never, _) | (DocStart::Auto, None) => false,
            (DocStart::Always, None) => true,
            (_, Some(_)) => before != Some(next),
        };
        if is_start {
            out.extend_from_slice(&self.line);
        }
    }
}

/// The line as CoNLL 2003 has it, in the order's columns, and the empty line after it. With token, pos, chunk and
/// label it is `-DOCSTART- -X- O O`, which spaCy's converter asks for to the letter.
fn line(columns: &[Column]) -> Vec<u8> {
    let cell = |column: &Column| match column {
        Column::Token => "-DOCSTART-",
        Column::Pos | Column::Lemma => "-X-",
        Column::Chunk | Column::Label => "O",
    };
    let cells: Vec<_> = columns.iter().map(cell).collect();
    format!("{}\n\n", cells.join("\t")).into_bytes()
}

/// The documents of the first and last text of a part; null when it wrote no text.
pub(super) fn notes(ends: Option<(DocKey, DocKey)>) -> Value {
    ends.map_or(Value::Null, |(first, last)| json!({"first": first, "last": last}))
}

/// What [`notes`] wrote.
pub(super) fn read_notes(notes: &Value) -> Result<Option<(DocKey, DocKey)>, EncodeError> {
    let key = |name: &str| match notes.get(name) {
        Some(Value::Null) => Ok(None),
        Some(Value::String(key)) => Ok(Some(key.clone())),
        _ => Err(EncodeError {
            text: None,
            message: format!("notes `{notes}` of a part are not CoNLL's; run the export again"),
        }),
    };
    if notes.is_null() {
        return Ok(None);
    }
    Ok(Some((key("first")?, key("last")?)))
}
