//! A document in the making, for formats that say more than their text can bear: what is wrong is refused with
//! its reason, the rest stays.

use std::collections::{HashMap, HashSet};

use compact_str::{CompactString, format_compact};
use serde_json::{Map, Value};
use spanfleet_core::{Annotation, CharIndex, Document, Extent, Json, Kind, Relation, Timestamp, Token};

use crate::{
    intern::Interner,
    made::{Made, Refusal},
    place::Fault,
};

/// What the offsets of a format count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    CodePoints,
    /// As JavaScript and Java count: a character beyond the Basic Multilingual Plane is two.
    Utf16,
}

/// What is to be annotated, in the format's own unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    Text,
    Span(u64, u64),
    /// Several pieces, at least one. No format that has them states what they cover.
    Pieces(Vec<(u64, u64)>),
}

/// One annotation as the format states it.
#[derive(Clone, Debug)]
pub(crate) struct Stated<'a> {
    pub(crate) id: Option<CompactString>,
    pub(crate) extent: Wanted,
    pub(crate) label: &'a str,
    pub(crate) annotator: Option<&'a str>,
    pub(crate) confidence: Option<f64>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) created_at: Option<Timestamp>,
    /// The text that it says it covers.
    pub(crate) surface: Option<&'a str>,
}

impl<'a> Stated<'a> {
    /// A label of an extent and nothing else.
    pub(crate) fn new(extent: Wanted, label: &'a str) -> Stated<'a> {
        Stated {
            id: None,
            extent,
            label,
            annotator: None,
            confidence: None,
            attributes: Map::new(),
            created_at: None,
            surface: None,
        }
    }
}

/// A document in the making.
pub(crate) struct Draft<'n> {
    names: &'n mut Interner,
    text: String,
    chars: CharIndex,
    /// Where characters of two UTF-16 units begin, in those units; empty when offsets count code points.
    pairs: Vec<u64>,
    annotations: Vec<Annotation>,
    attributes: Vec<Map<String, Value>>,
    relations: Vec<Relation>,
    tokens: Option<Vec<Token>>,
    refusals: Vec<Refusal>,
    taken: HashSet<CompactString>,
    /// Where the ids of the source lead.
    index: HashMap<CompactString, usize>,
}

impl<'n> Draft<'n> {
    pub(crate) fn new(text: String, unit: Unit, names: &'n mut Interner) -> Draft<'n> {
        let chars = CharIndex::new(&text);
        let pairs = if unit == Unit::Utf16 { pairs(&text) } else { Vec::new() };
        Draft {
            names,
            text,
            chars,
            pairs,
            annotations: Vec::new(),
            attributes: Vec::new(),
            relations: Vec::new(),
            tokens: None,
            refusals: Vec::new(),
            taken: HashSet::new(),
            index: HashMap::new(),
        }
    }

    /// Adds an annotation or refuses it; `source` is how it stands in the file. Returns its place.
    pub(crate) fn add(&mut self, stated: Stated<'_>, source: impl FnOnce() -> String) -> Option<usize> {
        let checked =
            self.extent(&stated.extent).and_then(|extent| self.check(&stated, &extent).map(|()| extent));
        match checked {
            Ok(extent) => Some(self.push(stated, extent)),
            Err(reason) => {
                let name = stated.id.as_deref().map_or_else(String::new, |id| format!(" `{id}`"));
                self.refuse(Kind::Annotation, source(), format!("annotation{name}: {reason}"));
                None
            }
        }
    }

    /// Adds a relation between two ids of the source, or refuses it.
    pub(crate) fn relate(&mut self, from: &str, to: &str, kind: &str, source: impl FnOnce() -> String) {
        let place = |id: &str| self.index.get(id).copied().ok_or_else(|| id.to_owned());
        match (place(from), place(to)) {
            (Ok(from), Ok(to)) => self.relate_places(from, to, kind),
            (Err(id), _) | (_, Err(id)) => {
                let reason = format!("relation: `{id}` is no annotation that was taken from this text");
                self.refuse(Kind::Relation, source(), reason);
            }
        }
    }

    /// Adds a relation from, to, and of a type, as they stand in a JSON value; `form` says what it needs.
    pub(crate) fn relate_parts(
        &mut self,
        ends: Option<(CompactString, CompactString)>,
        kind: Option<CompactString>,
        form: &str,
        source: &Value,
    ) {
        if let Some(((from, to), kind)) = ends.zip(kind) {
            self.relate(&from, &to, &kind, || source.to_string());
        } else {
            self.refuse(Kind::Relation, source.to_string(), format!("relation: {form} is missing"));
        }
    }

    fn relate_places(&mut self, from: usize, to: usize, kind: &str) {
        let [source, target] = [from, to].map(|at| self.annotations[at].id.clone());
        self.relations.push(Relation { source, target, kind: self.names.get(kind), confidence: None });
    }

    /// Sets aside what can't be taken.
    pub(crate) fn refuse(&mut self, kind: Kind, part: String, reason: String) {
        self.refusals.push(Refusal { kind, part, fault: Fault::at(0, 1, reason) });
    }

    /// Moves what was refused since `before` refusals to a line of the record.
    pub(crate) fn place_refusals(&mut self, before: usize, line: u64) {
        self.refusals[before..].iter_mut().for_each(|refusal| refusal.fault.line = line);
    }

    pub(crate) fn refused(&self) -> usize {
        self.refusals.len()
    }

    /// Forgets which ids the source has used: the next annotator begins anew.
    pub(crate) fn begin_scope(&mut self) {
        self.index.clear();
    }

    /// Lets the source mean an annotation by one more name; the first of that name holds it.
    pub(crate) fn also(&mut self, place: usize, name: CompactString) {
        self.index.entry(name).or_insert(place);
    }

    /// The place of an id of the source.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Sets an attribute of an annotation.
    pub(crate) fn set_attribute(&mut self, place: usize, key: &str, value: Value) {
        self.attributes[place].insert(key.to_owned(), value);
    }

    /// Where a word lies next in the text from a byte on, which moves past it: in code points, for a text that is
    /// counted in them.
    pub(crate) fn find(&self, from_byte: &mut usize, word: &str) -> Option<(u64, u64)> {
        let rest = &self.text[*from_byte..];
        let skipped = if rest.starts_with(word) { 0 } else { rest.len() - rest.trim_start().len() };
        rest[skipped..].starts_with(word).then(|| {
            let begin = *from_byte + skipped;
            *from_byte = begin + word.len();
            let char_at = |byte| self.chars.char(&self.text, byte) as u64;
            (char_at(begin), char_at(*from_byte))
        })
    }

    /// Adds a token; one out of order, or out of the text, is not one and makes the reason.
    pub(crate) fn add_token(&mut self, start: u64, end: u64, mut token: Token) -> Result<(), String> {
        (token.start, token.end) = self.range(start, end)?;
        let tokens = self.tokens.get_or_insert_default();
        if tokens.last().is_some_and(|before| before.end > token.start) {
            return Err(format!("token {}: begins before the one before it ends", tokens.len() + 1));
        }
        tokens.push(token);
        Ok(())
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        self.tokens.as_deref().unwrap_or_default()
    }

    pub(crate) fn drop_tokens(&mut self) {
        self.tokens = None;
    }

    /// The document, with what was refused of it.
    pub(crate) fn finish(mut self, id: CompactString, metadata: Map<String, Value>, made: &mut Made) {
        for (annotation, attributes) in self.annotations.iter_mut().zip(self.attributes) {
            annotation.attributes =
                (!attributes.is_empty()).then(|| Json::from_value(&Value::Object(attributes)));
        }
        made.documents.push_back(Document {
            id,
            text: self.text,
            metadata: Some(Json::from_value(&Value::Object(metadata))),
            annotations: self.annotations,
            relations: self.relations,
            tokens: self.tokens,
        });
        made.refusals.append(&mut self.refusals);
    }

    fn push(&mut self, stated: Stated<'_>, extent: Extent) -> usize {
        let place = self.annotations.len();
        let id = self.free_id(stated.id.as_ref());
        if let Some(own) = stated.id {
            self.index.entry(own).or_insert(place);
        }
        self.annotations.push(Annotation {
            id,
            extent,
            label: self.names.get(stated.label),
            annotator: stated.annotator.map(|name| self.names.get(name)),
            confidence: stated.confidence,
            attributes: None,
            created_at: stated.created_at,
        });
        self.attributes.push(stated.attributes);
        place
    }

    /// The id that was stated, or `a<n>`; with `.2` and so on where that is taken.
    fn free_id(&mut self, stated: Option<&CompactString>) -> CompactString {
        let plain = stated.cloned().unwrap_or_else(|| format_compact!("a{}", self.annotations.len() + 1));
        let others = (2..).map(|times: u64| format_compact!("{plain}.{times}"));
        let free = std::iter::once(plain.clone()).chain(others).find(|id| !self.taken.contains(id));
        let id = free.unwrap_or_default();
        self.taken.insert(id.clone());
        id
    }

    fn extent(&self, wanted: &Wanted) -> Result<Extent, String> {
        match wanted {
            Wanted::Text => Ok(Extent::Text),
            Wanted::Span(start, end) => {
                self.range(*start, *end).map(|(start, end)| Extent::Span { start, end })
            }
            Wanted::Pieces(pieces) => {
                let pieces = pieces.iter().map(|(start, end)| self.range(*start, *end));
                pieces.collect::<Result<Vec<_>, _>>().map(Extent::Fragments)
            }
        }
    }

    /// A stretch of the text in code points.
    fn range(&self, start: u64, end: u64) -> Result<(u32, u32), String> {
        let chars = self.chars.chars() as u64;
        let length = chars + self.pairs.len() as u64;
        if start > end {
            return Err(format!("start {start} lies past end {end}"));
        }
        if end > length {
            return Err(format!("end {end} lies past the text, which has {length} characters"));
        }
        Ok((self.code_point(start)?, self.code_point(end)?))
    }

    fn code_point(&self, at: u64) -> Result<u32, String> {
        let before = self.pairs.partition_point(|pair| *pair < at);
        if before > 0 && self.pairs[before - 1] + 1 == at {
            return Err(format!("offset {at} lies within a character of two UTF-16 units"));
        }
        Ok((at - before as u64) as u32)
    }

    fn check(&self, stated: &Stated<'_>, extent: &Extent) -> Result<(), String> {
        if stated.label.is_empty() {
            return Err("its label is empty".to_owned());
        }
        let Some(surface) = stated.surface else { return Ok(()) };
        let covered = self.covered(extent);
        // Tools show a line break within a span as a space, or leave the carriage return out.
        let plain = |text: &str| text.replace("\r\n", " ").replace(['\n', '\r', '\u{a0}'], " ");
        if covered == surface || plain(covered).trim() == plain(surface).trim() {
            return Ok(());
        }
        Err(format!("covers `{covered}` but states `{surface}`"))
    }

    fn covered(&self, extent: &Extent) -> &str {
        let (start, end) = extent.hull().unwrap_or((0, self.chars.chars() as u32));
        self.chars.slice(&self.text, start, end).unwrap_or_default()
    }
}

/// Where characters of two UTF-16 units begin, in UTF-16 units.
fn pairs(text: &str) -> Vec<u64> {
    if text.is_ascii() {
        return Vec::new();
    }
    let mut pairs = Vec::new();
    for (at, character) in text.chars().enumerate() {
        if character.len_utf16() == 2 {
            pairs.push((at + pairs.len()) as u64);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(text: &str, unit: Unit, spans: &[(u64, u64)]) -> Vec<Result<Extent, String>> {
        let mut names = Interner::default();
        let draft = Draft::new(text.to_owned(), unit, &mut names);
        spans.iter().map(|(start, end)| draft.extent(&Wanted::Span(*start, *end))).collect()
    }

    #[test]
    fn utf_16_offsets_become_code_points() {
        let found = extents("a😀b😀", Unit::Utf16, &[(0, 1), (1, 3), (3, 4), (4, 6), (0, 6), (2, 3), (0, 7)]);
        let good: Vec<_> = found.iter().map(|extent| extent.clone().ok().and_then(|e| e.hull())).collect();
        assert_eq!(good, [Some((0, 1)), Some((1, 2)), Some((2, 3)), Some((3, 4)), Some((0, 4)), None, None]);
        assert!(found[5].as_ref().unwrap_err().contains("within a character of two"));
        let points = extents("a😀b", Unit::CodePoints, &[(1, 2), (2, 3)]);
        assert_eq!(points[1].as_ref().unwrap().hull(), Some((2, 3)));
    }

    #[test]
    fn what_disagrees_is_refused_and_the_rest_stays() {
        let (mut names, mut made) = (Interner::default(), Made::default());
        let mut draft = Draft::new("Ada\r\nBo".to_owned(), Unit::CodePoints, &mut names);
        let span = |id: &str, end, surface| Stated {
            id: Some(id.into()),
            surface: Some(surface),
            ..Stated::new(Wanted::Span(0, end), "P")
        };
        draft.add(span("x", 3, "Bo"), || "x".to_owned());
        draft.add(span("y", 7, "Ada Bo"), || "y".to_owned());
        draft.add(span("y", 3, "Ada"), || "y".to_owned());
        draft.relate("x", "y", "r", || "r".to_owned());
        draft.relate("y", "y", "r", || "r".to_owned());
        draft.finish("d".into(), Map::new(), &mut made);
        let ids: Vec<_> = made.documents[0].annotations.iter().map(|found| found.id.as_str()).collect();
        assert_eq!((ids, made.documents[0].relations.len()), (vec!["y", "y.2"], 1));
        let reasons: Vec<_> = made.refusals.iter().map(|refusal| refusal.fault.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "annotation `x`: covers `Ada` but states `Bo`",
                "relation: `x` is no annotation that was taken from this text"
            ]
        );
    }
}
