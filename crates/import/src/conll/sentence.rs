//! One block of lines to one document.

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::{Annotation, Document, Extent, Json, Token};

use super::{
    ConllDialect, Role,
    columns::{cells, is_word_id},
    spans::spans,
    tags::Tag,
};
use crate::{
    format::Parse,
    intern::Interner,
    made::Made,
    place::{Fault, FileNames, utf8},
    records::Record,
};

/// Reads sentences; shares strings that repeat between them.
pub(super) struct Parser {
    dialect: ConllDialect,
    labels: Interner,
}

impl Parser {
    pub(super) fn new(dialect: ConllDialect) -> Parser {
        Parser { dialect, labels: Interner::default() }
    }
}

impl Parse for Parser {
    fn parse(&mut self, record: &Record<'_>, names: &FileNames, made: &mut Made) -> Result<(), Fault> {
        let lines = self.lines(utf8(record.bytes)?)?;
        let placed = place_words(&lines)?;
        made.documents.push_back(Document {
            id: format_compact!("{}-{}", names.stem, record.at.text + 1),
            metadata: Some(metadata(record, names, &lines.comments)),
            annotations: self.annotations(&lines, &placed.extents),
            relations: Vec::new(),
            tokens: Some(placed.tokens),
            text: placed.text,
        });
        Ok(())
    }
}

/// The lines of a sentence, taken apart.
#[derive(Default)]
struct Lines<'a> {
    comments: Vec<&'a str>,
    /// The `# text =` of CoNLL-U.
    text: Option<&'a str>,
    rows: Vec<Row<'a>>,
    /// The tags of all rows, one after the other; as many for each row as there are layers.
    tags: Vec<(Tag<'a>, &'a str)>,
}

/// A line with a word.
#[derive(Default)]
struct Row<'a> {
    /// Lines after the first line of the record.
    line: u64,
    id: &'a str,
    token: &'a str,
    pos: Option<&'a str>,
    lemma: Option<&'a str>,
    chunk: Option<&'a str>,
    no_space_after: bool,
}

impl Parser {
    fn lines<'a>(&self, block: &'a str) -> Result<Lines<'a>, Fault> {
        let mut lines = Lines::default();
        let has_comments = self.dialect.columns.has_comments();
        for (number, line) in block.split_terminator('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            match line.strip_prefix('#').filter(|_| has_comments) {
                Some(comment) => lines.add_comment(comment),
                None => self.add_row(number as u64, line, &mut lines)?,
            }
        }
        Ok(lines)
    }

    /// Takes a line as a word. An empty node stands for no piece of the text and is passed over.
    fn add_row<'a>(&self, number: u64, line: &'a str, lines: &mut Lines<'a>) -> Result<(), Fault> {
        let roles = self.dialect.columns.roles();
        let (mut row, tags_before) = (Row { line: number, ..Row::default() }, lines.tags.len());
        let (mut count, mut wrong) = (0, None);
        for cell in cells(line) {
            let role = roles.get(count).copied().unwrap_or(Role::Skip);
            let filled = row.fill(cell, role, &mut lines.tags);
            wrong = wrong.or(filled.err().map(|reason| (cell, reason)));
            count += 1;
        }
        if count != roles.len() {
            let reason = format!("{count} columns where the file has {}", roles.len());
            return Err(Fault::at(number, 1, format!("{reason}; part the columns of every line alike")));
        }
        if let Some((cell, reason)) = wrong {
            let byte_at = cell.as_ptr() as usize - line.as_ptr() as usize;
            return Err(Fault::at(number, line[..byte_at].chars().count() as u64 + 1, reason));
        }
        if row.id.contains('.') {
            lines.tags.truncate(tags_before);
        } else {
            lines.rows.push(row);
        }
        Ok(())
    }

    fn annotations(&mut self, lines: &Lines<'_>, extents: &[(u32, u32)]) -> Vec<Annotation> {
        let layers = lines.tags.len().checked_div(lines.rows.len()).unwrap_or_default();
        let columns: Vec<usize> = self.dialect.columns.labels().collect();
        let mut annotations = Vec::new();
        for layer in 0..layers {
            let tags = lines.tags.iter().skip(layer).step_by(layers).copied();
            for span in spans(tags, self.dialect.scheme) {
                let layer = columns.get(layer).filter(|_| layer > 0).map(|column| column + 1);
                annotations.push(Annotation {
                    id: format_compact!("a{}", annotations.len() + 1),
                    extent: Extent::Span { start: extents[span.first].0, end: extents[span.last].1 },
                    label: self.labels.get(span.label),
                    annotator: None,
                    confidence: None,
                    attributes: attributes(span.irregular, layer),
                    created_at: None,
                });
            }
        }
        annotations
    }
}

impl<'a> Row<'a> {
    fn fill(&mut self, cell: &'a str, role: Role, tags: &mut Vec<(Tag<'a>, &'a str)>) -> Result<(), String> {
        let known = (cell != "_").then_some(cell);
        match role {
            Role::Id if is_word_id(cell) => self.id = cell,
            Role::Id => return Err(format!("`{cell}` is no word number")),
            Role::Token => self.token = cell,
            Role::Pos => self.pos = known,
            Role::Lemma => self.lemma = known,
            Role::Chunk => self.chunk = known,
            Role::Label => tags.push(tag(cell.trim())?),
            Role::Misc => {
                self.no_space_after = cell.split('|').any(|pair| pair == "SpaceAfter=No");
                tags.push(tag(misc_label(cell).unwrap_or("O"))?);
            }
            Role::Skip => {}
        }
        Ok(())
    }
}

fn tag(cell: &str) -> Result<(Tag<'_>, &str), String> {
    let refuse = || format!("`{cell}` is no tag; tags are `O` and B-, I-, L-, U-, E- or S- with a label");
    Ok((Tag::of(cell).ok_or_else(refuse)?, cell))
}

/// The tag in the MISC column of CoNLL-U.
pub(super) fn misc_label(cell: &str) -> Option<&str> {
    let pairs = || cell.split('|').filter_map(|pair| pair.split_once('='));
    let value =
        |wanted: &str| pairs().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
    // `Entity=` also holds brackets of coreference, which are no tags.
    value("NER").or_else(|| value("Entity").filter(|value| Tag::of(value).is_some()))
}

impl<'a> Lines<'a> {
    fn add_comment(&mut self, comment: &'a str) {
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        let value = comment.strip_prefix("text").and_then(|rest| rest.trim_start().strip_prefix('='));
        match value.filter(|_| self.text.is_none()) {
            Some(text) => self.text = Some(text.strip_prefix(' ').unwrap_or(text)),
            None => self.comments.push(comment),
        }
    }
}

/// The text of a sentence and where its rows lie in it.
#[derive(Default)]
struct Placed {
    text: String,
    chars: u32,
    extents: Vec<(u32, u32)>,
    tokens: Vec<Token>,
}

fn place_words(lines: &Lines<'_>) -> Result<Placed, Fault> {
    let mut placed = Placed {
        extents: Vec::with_capacity(lines.rows.len()),
        tokens: Vec::with_capacity(lines.rows.len()),
        ..Placed::default()
    };
    let mut space_before = false;
    // The last word number of a contraction, and where that lies: its words share its place.
    let mut contraction: Option<(u32, (u32, u32))> = None;
    for row in &lines.rows {
        let number = row.id.parse::<u32>().unwrap_or_default();
        if let Some((_, extent)) = contraction.filter(|(last, _)| (1..=*last).contains(&number)) {
            placed.extents.push(extent);
            continue;
        }
        let extent = match lines.text {
            Some(text) => placed.locate(text, row)?,
            None => placed.append(row.token, space_before),
        };
        space_before = !row.no_space_after;
        contraction = row.id.split_once('-').and_then(|(_, last)| Some((last.parse().ok()?, extent)));
        placed.extents.push(extent);
        placed.tokens.push(token(row, extent));
    }
    if let Some(text) = lines.text {
        text.clone_into(&mut placed.text);
    }
    Ok(placed)
}

impl Placed {
    fn append(&mut self, token: &str, space_before: bool) -> (u32, u32) {
        if space_before {
            self.text.push(' ');
            self.chars += 1;
        }
        self.text.push_str(token);
        self.advance(token)
    }

    /// Finds the token next in the sentence's own text; `self.text` is what lies before.
    fn locate(&mut self, text: &str, row: &Row<'_>) -> Result<(u32, u32), Fault> {
        let rest = &text[self.text.len()..];
        let trimmed = rest.trim_start();
        if !trimmed.starts_with(row.token) {
            let reason =
                format!("the token `{}` does not come next in the `# text` of its sentence", row.token);
            return Err(Fault::at(
                row.line,
                1,
                format!("{reason}; mend one of them, or take the comment out"),
            ));
        }
        self.text.push_str(&rest[..rest.len() - trimmed.len() + row.token.len()]);
        self.chars += rest[..rest.len() - trimmed.len()].chars().count() as u32;
        Ok(self.advance(row.token))
    }

    fn advance(&mut self, token: &str) -> (u32, u32) {
        let start = self.chars;
        self.chars += token.chars().count() as u32;
        (start, self.chars)
    }
}

fn token(row: &Row<'_>, (start, end): (u32, u32)) -> Token {
    let [pos, lemma, chunk] = [row.pos, row.lemma, row.chunk].map(|value| value.map(CompactString::from));
    Token { start, end, pos, lemma, chunk }
}

fn attributes(irregular: Option<&str>, layer: Option<usize>) -> Option<Json> {
    if irregular.is_none() && layer.is_none() {
        return None;
    }
    let mut map = Map::new();
    map.extend(layer.map(|layer| ("layer".to_owned(), Value::from(layer))));
    map.extend(irregular.map(|tag| ("irregular".to_owned(), Value::from(tag))));
    Some(Json::from_value(&Value::Object(map)))
}

fn metadata(record: &Record<'_>, names: &FileNames, comments: &[&str]) -> Json {
    let mut map = Map::new();
    map.insert("file".to_owned(), Value::from(&*names.name));
    map.insert("sent".to_owned(), Value::from(record.at.text + 1));
    if record.document > 0 {
        map.insert("doc".to_owned(), Value::from(record.document));
    }
    for comment in comments {
        let (key, value) = match comment.split_once('=') {
            Some((key, value)) => (key.trim(), Value::from(value.trim())),
            None => (comment.trim(), Value::Bool(true)),
        };
        map.entry(key).or_insert(value);
    }
    Json::from_value(&Value::Object(map))
}
