//! Corpus JSONL: one text per line, offsets in code points. A hot loop: one pass over the line, no value tree.

mod fault;
mod wire;

use std::{io, io::BufRead, sync::Arc};

use compact_str::{CompactString, format_compact};
use foldhash::{HashSet, HashSetExt};
use serde_json::value::RawValue;
use spanfleet_core::{Annotation, Document, Extent, Json, Relation, Timestamp, Token};

use crate::{
    format::{Dialect, Entry, FormatOptions, Layout, Parse},
    intern::Interner,
    made::Made,
    place::{Fault, FileNames, utf8},
    records::{BYTE_ORDER_MARK, Framing, Record},
};
use fault::{Complaint, Part};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "jsonl",
    about: "corpus JSONL, one text per line",
    recognises,
    layout: Layout::Records(survey),
    packed: None,
};

fn recognises(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    head.trim_ascii_start().first() == Some(&b'{')
}

#[allow(clippy::unnecessary_wraps)] // the table's type
fn survey(_: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    Ok(Arc::new(Jsonl))
}

/// Corpus JSONL has one dialect.
#[derive(Debug)]
pub struct Jsonl;

impl Dialect for Jsonl {
    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn parser(&self) -> Box<dyn Parse> {
        Box::<Parser>::default()
    }
}

/// Reads lines; shares strings that repeat between them.
#[derive(Default)]
struct Parser {
    names: Interner,
    last_time: (String, Option<Timestamp>),
}

impl Parse for Parser {
    fn parse(&mut self, record: &Record<'_>, names: &FileNames, made: &mut Made) -> Result<(), Fault> {
        let line = utf8(record.bytes)?;
        let wire: wire::Line<'_> =
            serde_json::from_str(line).map_err(|error| fault::of_json(line, &error))?;
        let mut document = self.document(wire).map_err(|complaint| complaint.placed(line))?;
        if document.id.is_empty() {
            document.id = format_compact!("{}-{}", names.stem, record.at.text + 1);
        }
        made.documents.push_back(document);
        Ok(())
    }
}

impl Parser {
    fn document(&mut self, line: wire::Line<'_>) -> Result<Document, Complaint> {
        let text = line.text.0.into_owned();
        let mut length = Length::of(&text);
        let metadata = object(line.metadata, Part::Line, "metadata")?;
        let annotations = self.annotations(line.annotations.unwrap_or_default(), &mut length)?;
        let relations = self.relations(line.relations.unwrap_or_default(), &annotations)?;
        let tokens = line.tokens.map(|words| tokens(words, &mut length)).transpose()?;
        let id = line.id.map(|id| id.0).unwrap_or_default();
        Ok(Document { id, text, metadata, annotations, relations, tokens })
    }

    fn annotations(
        &mut self,
        list: Vec<wire::Labelled<'_>>,
        length: &mut Length<'_>,
    ) -> Result<Vec<Annotation>, Complaint> {
        let mut annotations = Vec::with_capacity(list.len());
        for (nth, labelled) in list.into_iter().enumerate() {
            annotations.push(self.annotation(nth, labelled, length)?);
        }
        refuse_twins(&annotations)?;
        name_the_nameless(&mut annotations);
        Ok(annotations)
    }

    fn annotation(
        &mut self,
        nth: usize,
        labelled: wire::Labelled<'_>,
        length: &mut Length<'_>,
    ) -> Result<Annotation, Complaint> {
        let part = Part::Annotation(nth);
        let id = labelled.id.map(|id| id.0).unwrap_or_default();
        let complain = |reason: String| Complaint::about_annotation(nth, &id, &reason);
        let label = labelled.label_path.or(labelled.label).filter(|label| !label.0.is_empty());
        let label = label
            .ok_or_else(|| complain("`label` is missing or empty; every annotation needs one".into()))?;
        let extent = extent(labelled.start, labelled.end, labelled.fragments, length).map_err(complain)?;
        let created_at = match labelled.created_at {
            Some(time) => Some(self.time(&time.0).map_err(complain)?),
            None => None,
        };
        Ok(Annotation {
            extent,
            label: self.names.get(&label.0),
            annotator: labelled.annotator.map(|name| self.names.get(&name.0)),
            confidence: labelled.confidence.map(|number| number.0),
            attributes: object(labelled.attributes, part, "attributes")?,
            created_at,
            id,
        })
    }

    /// Times repeat from annotation to annotation; reading one takes longer than comparing it.
    fn time(&mut self, text: &str) -> Result<Timestamp, String> {
        if self.last_time.0 != text || self.last_time.1.is_none() {
            self.last_time = (text.to_owned(), Timestamp::parse(text));
        }
        let refuse =
            || format!("`created_at` is `{text}`, which is no RFC 3339 time such as 2026-01-02T03:04:05Z");
        self.last_time.1.ok_or_else(refuse)
    }

    fn relations(
        &mut self,
        list: Vec<wire::Related<'_>>,
        annotations: &[Annotation],
    ) -> Result<Vec<Relation>, Complaint> {
        let ids = Ids::of(annotations, list.len());
        let mut relations = Vec::with_capacity(list.len());
        for (nth, related) in list.into_iter().enumerate() {
            let complain = |reason: String| Complaint { part: Part::Relation(nth), reason };
            for (end, id) in [("source", &related.source.0), ("target", &related.target.0)] {
                if !ids.has(id) {
                    let number = nth + 1;
                    return Err(complain(format!(
                        "relation {number}: {end} `{id}` is no annotation of this text"
                    )));
                }
            }
            if related.kind.0.is_empty() {
                return Err(complain(format!("relation {}: `type` is empty", nth + 1)));
            }
            relations.push(Relation {
                source: related.source.0,
                target: related.target.0,
                kind: self.names.get(&related.kind.0),
                confidence: related.confidence.map(|number| number.0),
            });
        }
        Ok(relations)
    }
}

/// The code points of a text, counted when first asked for.
struct Length<'t> {
    text: &'t str,
    chars: Option<u32>,
}

impl Length<'_> {
    fn of(text: &str) -> Length<'_> {
        Length { text, chars: None }
    }

    fn chars(&mut self) -> u32 {
        *self.chars.get_or_insert_with(|| self.text.chars().count() as u32)
    }

    fn check(&mut self, start: u32, end: u32) -> Result<(), String> {
        if start > end {
            return Err(format!("start {start} lies past end {end}; the end is exclusive and never smaller"));
        }
        if end > self.chars() {
            let chars = self.chars();
            let lies = format!("end {end} lies past the text, which has {chars} code points");
            return Err(format!("{lies}; offsets count Unicode code points"));
        }
        Ok(())
    }
}

fn extent(
    start: Option<u32>,
    end: Option<u32>,
    fragments: Option<Vec<(u32, u32)>>,
    length: &mut Length<'_>,
) -> Result<Extent, String> {
    let span =
        match (start, end) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            _ => return Err(
                "one of `start` and `end` is missing; give both, or neither for a label of the whole text"
                    .into(),
            ),
        };
    let pieces = fragments.unwrap_or_default();
    for (start, end) in pieces.iter().copied().chain(span) {
        length.check(start, end)?;
    }
    let extent = match (pieces.as_slice(), span) {
        (&[], None) => Extent::Text,
        (&[], Some((start, end))) | (&[(start, end)], _) => Extent::Span { start, end },
        _ => Extent::Fragments(pieces),
    };
    match (extent.hull(), span) {
        (Some(hull), Some(span)) if hull != span => Err(format!(
            "`fragments` reach from {} to {}, but start..end is {}..{}",
            hull.0, hull.1, span.0, span.1
        )),
        _ => Ok(extent),
    }
}

fn tokens(words: Vec<wire::Word>, length: &mut Length<'_>) -> Result<Vec<Token>, Complaint> {
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
    for (nth, word) in words.into_iter().enumerate() {
        let complain = |reason: String| Complaint {
            part: Part::Token(nth),
            reason: format!("token {}: {reason}", nth + 1),
        };
        length.check(word.start, word.end).map_err(complain)?;
        if let Some(before) = tokens.last().filter(|before| before.end > word.start) {
            let reason =
                format!("start {} lies before {}, the end of the token before it", word.start, before.end);
            return Err(complain(format!("{reason}; tokens stand in order and do not overlap")));
        }
        let short = |short: Option<wire::Short>| short.map(|short| short.0);
        let (pos, lemma, chunk) = (short(word.pos), short(word.lemma), short(word.chunk));
        tokens.push(Token { start: word.start, end: word.end, pos, lemma, chunk });
    }
    Ok(tokens)
}

fn object(raw: Option<&RawValue>, part: Part, key: &str) -> Result<Option<Json>, Complaint> {
    match raw {
        None => Ok(None),
        Some(raw) if raw.get().starts_with('{') => match Json::half_character(raw.get()) {
            None => Ok(Some(Json::from_raw(raw))),
            Some(half) => {
                let reason =
                    format!("`{key}` holds `{half}`, half of a character; write both halves, or neither");
                Err(Complaint { part, reason })
            }
        },
        Some(_) => Err(Complaint { part, reason: format!("`{key}` has to be an object") }),
    }
}

/// Below this many, comparing is faster than hashing.
const FEW: usize = 16;

/// The ids of a document's annotations, for looking up.
enum Ids<'a> {
    Few(&'a [Annotation]),
    Many(HashSet<&'a str>),
}

impl Ids<'_> {
    fn of(annotations: &[Annotation], lookups: usize) -> Ids<'_> {
        if annotations.len() <= FEW || lookups == 0 {
            return Ids::Few(annotations);
        }
        Ids::Many(annotations.iter().map(|annotation| annotation.id.as_str()).collect())
    }

    fn has(&self, id: &str) -> bool {
        match self {
            Ids::Few(annotations) => annotations.iter().any(|annotation| annotation.id == id),
            Ids::Many(ids) => ids.contains(id),
        }
    }
}

fn refuse_twins(annotations: &[Annotation]) -> Result<(), Complaint> {
    let mut seen = HashSet::new();
    for (nth, annotation) in
        annotations.iter().enumerate().filter(|(_, annotation)| !annotation.id.is_empty())
    {
        let id = annotation.id.as_str();
        let is_twin = if annotations.len() <= FEW {
            annotations[..nth].iter().any(|other| other.id == id)
        } else {
            !seen.insert(id)
        };
        if is_twin {
            let reason = "another annotation of this text has this id; ids are unique within a text";
            return Err(Complaint::about_annotation(nth, id, reason));
        }
    }
    Ok(())
}

/// Gives `a<n>` to annotations without an id, or `a<n>.2` and so on where that is taken.
fn name_the_nameless(annotations: &mut [Annotation]) {
    if annotations.iter().all(|annotation| !annotation.id.is_empty()) {
        return;
    }
    let given = annotations.iter().filter(|annotation| !annotation.id.is_empty());
    let taken: HashSet<CompactString> = given.map(|annotation| annotation.id.clone()).collect();
    for (nth, annotation) in
        annotations.iter_mut().enumerate().filter(|(_, annotation)| annotation.id.is_empty())
    {
        let plain = format_compact!("a{}", nth + 1);
        let others = (2..).map(|times: u64| format_compact!("a{}.{times}", nth + 1));
        let free = std::iter::once(plain).chain(others).find(|name| !taken.contains(name));
        annotation.id = free.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
