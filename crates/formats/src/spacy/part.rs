//! The documents of one part.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use rmp::encode::{write_array_len, write_bin, write_map_len, write_str};
use serde_json::Value;
use spanfleet_core::{
    Change, CharIndex, Document, Extent, Ledger, Loss, Order, Schema, options::LabelScheme,
};

use super::docbin::{DocBin, Iob, Stored};
use super::pieces::{self, MOST_CHARS};
use super::user_data::{self, Place, Tie};
use crate::support::rows::Rows;
use crate::support::{
    labels::{Labeller, Run, Spans, Tokenized},
    names::LabelNames,
    tokenize::{Origin, Tokenizer},
};
use crate::{EncodeError, PartEncoder};

/// Tokens of one part: spaCy's matrix of them is one MessagePack `bin`, of at most 4 GiB.
const MOST_TOKENS: usize = 40_000_000;
/// The universal parts of speech, which are numbers to spaCy.
const UNIVERSAL: &[&str] = &[
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT",
    "SCONJ", "SYM", "VERB", "X",
];

pub(super) struct SpacyPart {
    tokenizer: Tokenizer,
    labeller: Labeller,
    chars: CharIndex,
    rows: Rows,
    writer: Writer,
    schema_labels: Vec<String>,
}

/// What is written; apart from what finds tokens and spans, which it borrows from.
struct Writer {
    names: LabelNames,
    bin: DocBin,
    has_spans: bool,
    /// The entity of each row: how it stands in it, and the place of the label.
    entities: Vec<(Iob, u32)>,
}

/// A document with everything found in it.
#[derive(Clone, Copy)]
struct Found<'d> {
    document: &'d Document,
    rows: &'d Rows,
    spans: Spans<'d>,
}

impl SpacyPart {
    pub(super) fn new(order: &Order, schema: &Schema) -> SpacyPart {
        // The scheme is spaCy's own; under `IO`, spans that touch would count as lost.
        let mut options = order.options.clone();
        options.label_scheme = LabelScheme::Bio;
        SpacyPart {
            tokenizer: Tokenizer::new(options.tokenizer),
            labeller: Labeller::new(&options),
            chars: CharIndex::default(),
            rows: Rows::default(),
            writer: Writer {
                names: LabelNames::new(&options),
                bin: DocBin::new(),
                has_spans: false,
                entities: Vec::new(),
            },
            schema_labels: schema.labels.clone(),
        }
    }
}

impl PartEncoder for SpacyPart {
    fn push(&mut self, document: &Document, _: &mut Vec<u8>, ledger: &mut Ledger) -> Result<(), EncodeError> {
        self.chars.rebuild(&document.text);
        let (tokens, origin) = self.tokenizer.tokenize(document, &self.chars);
        self.rows.take_words(document, tokens, origin);
        let input = Tokenized { document, chars: &self.chars, tokens: &self.rows.words, origin };
        let spans = self.labeller.spans(input, &mut self.writer.names, ledger)?;
        self.rows.lay_out(&document.text, &self.chars);
        if self.writer.bin.tokens() + self.rows.all.len() > MOST_TOKENS {
            return Err(too_many_tokens(document));
        }
        if origin == Origin::BrokenGold {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        ledger.counts.texts += 1;
        ledger.counts.tokens += self.rows.all.len() as u64;
        let found = Found { document, rows: &self.rows, spans };
        self.writer.write(found, ledger).map_err(|error| in_text(document, &error))
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Value, EncodeError> {
        let Writer { bin, has_spans, .. } = self.writer;
        // Where spans are labelled too, nothing tells which of the other parts' labels are about texts.
        let is_all = bin.has_text_labels() && !has_spans;
        let more = if is_all { self.schema_labels.as_slice() } else { &[] };
        bin.write(more, out)
            .map_err(|error| EncodeError { text: None, message: format!("can't write a DocBin: {error}") })?;
        Ok(Value::Null)
    }
}

fn too_many_tokens(document: &Document) -> EncodeError {
    EncodeError::about(
        &document.id,
        format!(
            "text `{}` is one too many for its .spacy file, which can't hold more than {MOST_TOKENS} tokens; \
             raise `partitions`",
            document.id
        ),
    )
}

fn in_text(document: &Document, error: &io::Error) -> EncodeError {
    EncodeError::about(&document.id, format!("text `{}` can't be put into a DocBin: {error}", document.id))
}

impl Found<'_> {
    /// First and last row of a run of words.
    fn rows_of(&self, run: &Run) -> (u32, u32) {
        (self.rows.of_word[run.first as usize], self.rows.of_word[run.last as usize])
    }
}

impl Writer {
    fn write(&mut self, found: Found<'_>, ledger: &mut Ledger) -> io::Result<()> {
        let Found { document, rows, spans } = found;
        self.has_spans |= document.annotations.iter().any(|annotation| annotation.extent != Extent::Text);
        let extents: Vec<(u32, u32)> = spans.all.iter().map(|span| found.rows_of(span)).collect();
        let pieces = pieces::cut(&rows.all, &document.text, MOST_CHARS, &extents);
        if pieces.len() > 1 {
            ledger.change_text(Change::SplitText, &document.id);
        }
        let homes = place_spans(found, &extents, &pieces, ledger);
        let ties = tie(found, &extents, &homes, &pieces, ledger);
        let text_labels = self.text_labels(document, ledger);
        self.mark_entities(found, &pieces);
        for (part, piece) in pieces.iter().enumerate() {
            self.push_tokens(found, piece);
            let groups = self.span_groups(found, part, piece, &homes)?;
            let start = rows.all.get(piece.start).map_or(0, |row| row.token.start);
            let place = (pieces.len() > 1).then_some(Place { part: part as u32, start });
            let mut data = Vec::new();
            user_data::write(document, place.as_ref(), &ties[part], &mut data)?;
            self.bin.end_document(piece.len(), &text_labels, &groups, &data)?;
        }
        Ok(())
    }

    /// Labels of the whole text, each once.
    fn text_labels(&mut self, document: &Document, ledger: &mut Ledger) -> Vec<u32> {
        let mut places = Vec::new();
        for annotation in document.annotations.iter().filter(|annotation| annotation.extent == Extent::Text) {
            let name = self.names.of(&annotation.label);
            let place = self.bin.strings.place(name.written.as_deref().unwrap_or(&name.path));
            if places.contains(&place) {
                ledger.lose_annotation(Loss::Duplicate, &document.id, &annotation.id);
            } else {
                ledger.counts.annotations_written += 1;
                places.push(place);
            }
        }
        places
    }

    fn label_of(&mut self, document: &Document, run: &Run) -> u32 {
        let name = self.names.of(&document.annotations[run.annotation as usize].label);
        self.bin.strings.place(name.written.as_deref().unwrap_or(&name.path))
    }

    fn mark_entities(&mut self, found: Found<'_>, pieces: &[Range<usize>]) {
        self.entities.clear();
        self.entities.resize(found.rows.all.len(), (Iob::Outside, 0));
        for run in found.spans.sequence {
            let (first, last) = found.rows_of(run);
            if piece_of(pieces, first) != piece_of(pieces, last) {
                continue;
            }
            let label = self.label_of(found.document, run);
            self.entities[first as usize..=last as usize].fill((Iob::Inside, label));
            self.entities[first as usize].0 = Iob::Begin;
        }
    }

    fn push_tokens(&mut self, found: Found<'_>, piece: &Range<usize>) {
        let Found { document, rows, .. } = found;
        for at in piece.clone() {
            let row = &rows.all[at];
            let gold = row.gold.and_then(|gold| document.tokens.as_ref()?.get(gold as usize));
            let pos = gold.and_then(|token| token.pos.as_deref()).unwrap_or_default();
            let lemma = gold.and_then(|token| token.lemma.as_deref()).unwrap_or_default();
            // Looked up only if it is one: most tokens have none.
            let universal = if UNIVERSAL.contains(&pos) { self.bin.strings.symbol(pos) } else { None };
            let (iob, entity) = self.entities[at];
            let token = Stored {
                orth: self.bin.strings.place(row.token.text(&document.text)),
                lemma: self.bin.strings.place(lemma),
                tag: self.bin.strings.place(pos),
                entity,
                pos: universal.unwrap_or_default() as u8,
                iob,
                has_space: row.has_space,
                is_first: at == piece.start,
            };
            self.bin.push(token);
        }
    }

    /// `spans["sc"]`: every span of the piece, as 40 bytes in big-endian order.
    fn span_groups(
        &mut self,
        found: Found<'_>,
        part: usize,
        piece: &Range<usize>,
        homes: &[Option<(u32, u32)>],
    ) -> io::Result<Vec<u8>> {
        let is_here = |home: &Option<(u32, u32)>| home.is_some_and(|(of, _)| of as usize == part);
        let held = homes.iter().filter(|home| is_here(home)).count() as u32;
        let (mut groups, mut group) = (Vec::new(), Vec::new());
        if held == 0 {
            write_array_len(&mut groups, 0)?;
            return Ok(groups);
        }
        write_map_len(&mut group, 3)?;
        write_str(&mut group, "name")?;
        write_str(&mut group, "sc")?;
        write_str(&mut group, "attrs")?;
        write_map_len(&mut group, 0)?;
        write_str(&mut group, "spans")?;
        write_array_len(&mut group, held)?;
        for (span, _) in found.spans.all.iter().zip(homes).filter(|(_, home)| is_here(home)) {
            let label = self.label_of(found.document, span);
            write_bin(&mut group, &self.span_record(found, piece, span, label))?;
        }
        write_array_len(&mut groups, 1)?;
        write_bin(&mut groups, &group)?;
        Ok(groups)
    }

    /// Id, knowledge base id and label; first token and one past the last; the same in code points.
    fn span_record(&self, found: Found<'_>, piece: &Range<usize>, span: &Run, label: u32) -> [u8; 40] {
        let (first, last) = found.rows_of(span);
        let begin = found.rows.all[piece.start].token.start;
        let (head, tail) = (found.rows.all[first as usize].token, found.rows.all[last as usize].token);
        let before = piece.start as u32;
        let mut record = [0; 40];
        record[16..24].copy_from_slice(&self.bin.strings.id(label).to_be_bytes());
        let numbers = [first - before, last + 1 - before, head.start - begin, tail.end - begin];
        for (at, number) in numbers.into_iter().enumerate() {
            record[24 + 4 * at..28 + 4 * at].copy_from_slice(&number.to_be_bytes());
        }
        record
    }
}

/// The piece of every span and its place there; a span that crosses a cut is lost.
fn place_spans(
    found: Found<'_>,
    extents: &[(u32, u32)],
    pieces: &[Range<usize>],
    ledger: &mut Ledger,
) -> Vec<Option<(u32, u32)>> {
    let mut held = vec![0; pieces.len()];
    let place = |((first, last), span): (&(u32, u32), &Run)| {
        let piece = piece_of(pieces, *first);
        if piece != piece_of(pieces, *last) {
            let annotation = &found.document.annotations[span.annotation as usize];
            ledger.counts.annotations_written -= 1;
            ledger.lose_annotation(Loss::Truncated, &found.document.id, &annotation.id);
            return None;
        }
        held[piece] += 1;
        Some((piece as u32, held[piece] - 1))
    };
    extents.iter().zip(found.spans.all).map(place).collect()
}

fn piece_of(pieces: &[Range<usize>], row: u32) -> usize {
    pieces.partition_point(|piece| piece.end <= row as usize)
}

/// The relations of every piece. Spans stand by their places: a relation from or to anything else is lost.
fn tie<'d>(
    found: Found<'d>,
    extents: &[(u32, u32)],
    homes: &[Option<(u32, u32)>],
    pieces: &[Range<usize>],
    ledger: &mut Ledger,
) -> Vec<Vec<Tie<'d>>> {
    let mut ties: Vec<Vec<Tie<'d>>> = pieces.iter().map(|_| Vec::new()).collect();
    let Found { document, spans, .. } = found;
    if document.relations.is_empty() {
        return ties;
    }
    let own = spans.all.iter().zip(0..).map(|(span, at)| (span.annotation, at));
    let span_of: HashMap<&str, u32> = own
        .chain(spans.merged.iter().copied())
        .map(|(annotation, span)| (document.annotations[annotation as usize].id.as_str(), span))
        .collect();
    let mut known = HashSet::new();
    for relation in &document.relations {
        let span = |id: &str| span_of.get(id).copied().and_then(|at| Some((at, homes[at as usize]?)));
        let (Some((source, home)), Some((target, other))) = (span(&relation.source), span(&relation.target))
        else {
            ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
            continue;
        };
        if home.0 != other.0 {
            ledger.lose_relation(Loss::Truncated, &document.id, relation);
        } else if known.insert((source, target, &*relation.kind)) {
            let piece = home.0 as usize;
            let token = |span: u32| extents[span as usize].0 - pieces[piece].start as u32;
            ledger.counts.relations_written += 1;
            ties[piece].push(Tie {
                ends: (home.1, other.1),
                tokens: (token(source), token(target)),
                kind: &relation.kind,
                confidence: relation.confidence,
            });
        } else {
            ledger.lose_relation(Loss::Duplicate, &document.id, relation);
        }
    }
    ties
}
