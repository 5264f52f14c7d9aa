//! Where one document ends and the next begins.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use spanfleet_core::{
    Document,
    options::{Column, ConllStyle, DocStart},
};

use super::style::{self, Style};
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

/// Knows before which texts a line stands, and the line.
pub(super) struct DocStarts {
    when: DocStart,
    /// `None` for CoNLL-U, whose line names the document.
    line: Option<Vec<u8>>,
}

impl DocStarts {
    pub(super) fn new(when: DocStart, style: &Style) -> DocStarts {
        DocStarts { when, line: (style.kind != ConllStyle::Conllu).then(|| line(style)) }
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
    /// and one of the document `next`. A text of no document ends the one before it.
    pub(super) fn write(&self, before: Option<&DocKey>, next: &DocKey, out: &mut Vec<u8>) {
        let is_start = match (self.when, next) {
            (DocStart::Never, _) => false,
            (DocStart::Auto, None) => matches!(before, Some(Some(_))),
            (DocStart::Always, None) => true,
            (_, Some(_)) => before != Some(next),
        };
        match &self.line {
            _ if !is_start => {}
            Some(line) => out.extend_from_slice(line),
            None => out.extend_from_slice(new_document(next).as_bytes()),
        }
    }
}

/// The line as CoNLL 2003 has it, and the empty line after it. spaCy's converter asks for `-DOCSTART- -X- O O` to
/// the letter, with any parting of the other lines.
fn line(style: &Style) -> Vec<u8> {
    let four = [Column::Token, Column::Pos, Column::Chunk, Column::Label];
    let parting = if style.columns == four { " " } else { style.parting };
    let cell = |column: &Column| match (column, style.kind) {
        (Column::Token, _) | (Column::Pos, ConllStyle::Conll2002) => "-DOCSTART-",
        (Column::Pos | Column::Lemma, _) => "-X-",
        (Column::Chunk | Column::Label, _) => "O",
    };
    let cells: Vec<_> = style.columns.iter().map(cell).collect();
    format!("{}\n\n", cells.join(parting)).into_bytes()
}

/// CoNLL-U's comment on the first sentence of a document.
fn new_document(document: &DocKey) -> String {
    let Some((file, doc)) = document.as_ref().and_then(|key| serde_json::from_str(key).ok()) else {
        return "# newdoc\n".to_owned();
    };
    let (file, doc): (Value, String) = (file, doc);
    let words = [file, serde_json::from_str(&doc).unwrap_or(Value::Null)];
    let shown = words.iter().filter(|word| !word.is_null());
    let shown: Vec<_> =
        shown.map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)).collect();
    format!("# newdoc id = {}\n", style::one_line(&shown.join("-")))
}

/// What `seal` needs to know of a part that wrote texts.
pub(super) struct Ends {
    /// The document of its first text.
    pub(super) first: DocKey,
    /// The document of its last text.
    pub(super) last: DocKey,
    /// Whether its first byte is that of a U+FEFF, which readers take off the beginning of a file.
    pub(super) has_mark: bool,
}

/// As a part notes it; null when it wrote no text.
pub(super) fn notes(ends: Option<Ends>) -> Value {
    ends.map_or(
        Value::Null,
        |Ends { first, last, has_mark }| json!({"first": first, "last": last, "has_mark": has_mark}),
    )
}

/// What [`notes`] wrote.
pub(super) fn read_notes(notes: &Value) -> Result<Option<Ends>, EncodeError> {
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
    let has_mark = notes.get("has_mark") == Some(&Value::Bool(true));
    Ok(Some(Ends { first: key("first")?, last: key("last")?, has_mark }))
}
