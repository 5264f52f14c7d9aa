//! The lines of one part.

use serde_json::Value;
use spanfleet_core::{
    Annotation, Change, CharIndex, Document, Ledger, Loss, Options, Order, Token,
    options::{Column, ConllStyle, LabelScheme},
};

use super::docstart::{self, DocStarts, Ends};
use super::label::ColumnLabels;
use super::style::Style;
use super::universal;
use crate::support::{
    labels::{Labeller, Run, Tokenized},
    names::LabelNames,
    schemes::{Tag, Tagger},
    tokenize::{Origin, TokenSpan, Tokenizer, is_space},
};
use crate::{EncodeError, PartEncoder};

/// U+FEFF, which is a mark of the encoding at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What stands in a column that nothing is known for: no field may be empty.
pub(super) const UNKNOWN: &str = "_";

pub(super) struct ConllPart {
    tokenizer: Tokenizer,
    labeller: Labeller,
    chars: CharIndex,
    starts: DocStarts,
    ends: Option<Ends>,
    lines: Lines,
}

/// How lines are written; apart from what finds tokens and runs, which lines borrow from.
struct Lines {
    style: Style,
    unlabelled: Option<Unlabelled>,
    needs_gold: bool,
    scheme: LabelScheme,
    names: LabelNames,
    labels: ColumnLabels,
}

/// A line of nothing but a token and no label: most lines of most exports, which need no look at their columns.
#[derive(Clone, Copy)]
enum Unlabelled {
    /// The token, and what follows it.
    TokenFirst([u8; 3]),
    /// What precedes the token; the line ends behind it.
    LabelFirst([u8; 2]),
}

impl Unlabelled {
    fn new(style: &Style) -> Option<Unlabelled> {
        let &[parting] = style.parting.as_bytes() else { return None };
        match style.columns.as_slice() {
            [Column::Token, Column::Label] => Some(Unlabelled::TokenFirst([parting, b'O', b'\n'])),
            [Column::Label, Column::Token] => Some(Unlabelled::LabelFirst([b'O', parting])),
            _ => None,
        }
    }

    fn write(self, token: &str, out: &mut Vec<u8>) {
        match self {
            Unlabelled::TokenFirst(after) => {
                out.extend_from_slice(token.as_bytes());
                out.extend_from_slice(&after);
            }
            Unlabelled::LabelFirst(before) => {
                out.extend_from_slice(&before);
                out.extend_from_slice(token.as_bytes());
                out.push(b'\n');
            }
        }
    }
}

/// What one line is about.
struct Row<'d> {
    input: Tokenized<'d>,
    at: usize,
    tag: Option<Tag<'d>>,
    gold: Option<&'d Token>,
}

/// What was changed in a text beyond the moves of its spans.
#[derive(Default)]
struct Cleaning {
    was_cleaned: bool,
}

impl ConllPart {
    pub(super) fn new(order: &Order, style: Style) -> ConllPart {
        let options = &order.options;
        ConllPart {
            tokenizer: Tokenizer::new(options.tokenizer),
            labeller: Labeller::new(options),
            chars: CharIndex::default(),
            starts: DocStarts::new(options.docstart, &style),
            ends: None,
            lines: Lines::new(options, style),
        }
    }
}

impl PartEncoder for ConllPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        for relation in &document.relations {
            ledger.lose_relation(Loss::Unrepresentable, &document.id, relation);
        }
        self.chars.rebuild(&document.text);
        let (tokens, origin) = self.tokenizer.tokenize(document, &self.chars);
        if tokens.is_empty() {
            lose_text(document, ledger);
            return Ok(());
        }
        let input = Tokenized { document, chars: &self.chars, tokens, origin };
        let runs = self.labeller.label(input, &mut self.lines.names, ledger)?;
        let (key, begin) = (self.starts.key(document), out.len());
        // What stands before the first text is for `seal` to know.
        let is_first = self.ends.is_none();
        let ends = self.ends.get_or_insert_with(|| Ends { first: key.clone(), last: None, has_mark: false });
        if !is_first {
            self.starts.write(Some(&ends.last), &key, out);
        }
        ends.last = key;
        self.lines.write(input, runs, out, ledger);
        ends.has_mark |= is_first && out[begin..].starts_with(BYTE_ORDER_MARK);
        ledger.counts.texts += 1;
        ledger.counts.tokens += tokens.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        Ok(docstart::notes(self.ends))
    }
}

fn lose_text(document: &Document, ledger: &mut Ledger) {
    ledger.lose_text(Loss::Unrepresentable, &document.id);
    for annotation in &document.annotations {
        ledger.lose_annotation(Loss::Unrepresentable, &document.id, &annotation.id);
    }
}

impl Lines {
    fn new(options: &Options, style: Style) -> Lines {
        let is_gold = |column: &Column| matches!(column, Column::Pos | Column::Lemma | Column::Chunk);
        Lines {
            unlabelled: Unlabelled::new(&style),
            needs_gold: style.columns.iter().any(is_gold),
            style,
            scheme: options.label_scheme,
            names: LabelNames::new(options),
            labels: ColumnLabels::default(),
        }
    }

    fn write(&mut self, input: Tokenized<'_>, runs: &[Run], out: &mut Vec<u8>, ledger: &mut Ledger) {
        let mut cleaning = Cleaning { was_cleaned: input.origin == Origin::BrokenGold };
        let mut tagger = Tagger::new(self.scheme, runs);
        let mut gold = GoldTokens::new(input, self.needs_gold);
        let (mut begin, mut number) = (0, 0);
        while begin < input.tokens.len() {
            let sentence = begin..sentence_end(input.tokens, runs, begin);
            number += 1;
            if self.style.kind == ConllStyle::Conllu {
                universal::write_comments(input, number, sentence.clone(), out);
            }
            for at in sentence.clone() {
                let (token, tag) = (&input.tokens[at], tagger.tag(at));
                if let (Some(unlabelled), None, Origin::Rule) = (self.unlabelled, tag, input.origin) {
                    unlabelled.write(token.text(&input.document.text), out);
                    continue;
                }
                let row = Row { input, at, tag, gold: gold.of(token) };
                if self.style.kind == ConllStyle::Conllu {
                    let touches_next = at + 1 < sentence.end && universal::touch(input.tokens, at);
                    self.write_universal(&row, at - begin + 1, touches_next, out, &mut cleaning);
                } else {
                    self.write_columns(&row, out, &mut cleaning);
                }
                out.push(b'\n');
            }
            out.push(b'\n');
            begin = sentence.end;
        }
        self.count_changes(input.document, runs, &cleaning, ledger);
    }

    fn write_columns(&mut self, row: &Row<'_>, out: &mut Vec<u8>, cleaning: &mut Cleaning) {
        for at in 0..self.style.columns.len() {
            if at > 0 {
                out.extend_from_slice(self.style.parting.as_bytes());
            }
            match self.style.columns[at] {
                Column::Token => write_token(row, &self.style, out, cleaning),
                Column::Label => self.write_tag(row, out),
                Column::Pos => write_gold(row.gold.and_then(|token| token.pos.as_deref()), out, cleaning),
                Column::Lemma => write_gold(row.gold.and_then(|token| token.lemma.as_deref()), out, cleaning),
                Column::Chunk => write_gold(row.gold.and_then(|token| token.chunk.as_deref()), out, cleaning),
            }
        }
    }

    /// ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC.
    fn write_universal(
        &mut self,
        row: &Row<'_>,
        number: usize,
        touches_next: bool,
        out: &mut Vec<u8>,
        cleaning: &mut Cleaning,
    ) {
        out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        out.push(b'\t');
        write_token(row, &self.style, out, cleaning);
        out.push(b'\t');
        write_gold(row.gold.and_then(|token| token.lemma.as_deref()), out, cleaning);
        for part_of_speech in universal::parts_of_speech(row.gold) {
            out.push(b'\t');
            write_gold(part_of_speech, out, cleaning);
        }
        out.extend_from_slice(b"\t_\t_\t_\t_\t");
        if row.tag.is_some() {
            out.extend_from_slice(b"NER=");
            self.write_tag(row, out);
        }
        out.extend_from_slice(match (row.tag.is_some(), touches_next) {
            (true, true) => b"|SpaceAfter=No",
            (false, true) => b"SpaceAfter=No",
            (true, false) => b"",
            (false, false) => UNKNOWN.as_bytes(),
        });
    }

    fn write_tag(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        let Some(tag) = row.tag else { return out.push(b'O') };
        let annotation = &row.input.document.annotations[tag.run.annotation as usize];
        let is_orphan = tag.is_first
            && self.scheme == LabelScheme::Bio
            && !tag.run.touches
            && is_orphan(row.input, annotation);
        out.extend_from_slice(if is_orphan { "I-" } else { tag.prefix }.as_bytes());
        let name = self.names.of(&annotation.label);
        let label = name.written.as_deref().unwrap_or(&name.path);
        let encoded = self.labels.encoded(name.number, label, &self.style);
        out.extend_from_slice(encoded.unwrap_or(label).as_bytes());
    }

    fn count_changes(&mut self, document: &Document, runs: &[Run], cleaning: &Cleaning, ledger: &mut Ledger) {
        if cleaning.was_cleaned {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        for run in runs {
            let is_lost = self.scheme == LabelScheme::Io && run.touches;
            let annotation = &document.annotations[run.annotation as usize];
            let name = self.names.of(&annotation.label);
            let label = name.written.as_deref().unwrap_or(&name.path);
            if !is_lost && self.labels.encoded(name.number, label, &self.style).is_some() {
                ledger.change_annotation(Change::Relabelled, &document.id, &annotation.id);
            }
        }
    }
}

/// Where the sentence ends that begins at a token: at a line break that no run crosses.
fn sentence_end(tokens: &[TokenSpan], runs: &[Run], begin: usize) -> usize {
    let is_inside = |at: usize| {
        let run = runs.get(runs.partition_point(|run| (run.last as usize) < at));
        run.is_some_and(|run| (run.first as usize) < at)
    };
    let ends = |at: &usize| tokens[*at].after_line_break && !is_inside(*at);
    (begin + 1..tokens.len()).find(ends).unwrap_or(tokens.len())
}

fn write_token(row: &Row<'_>, style: &Style, out: &mut Vec<u8>, cleaning: &mut Cleaning) {
    let text = row.input.tokens[row.at].text(&row.input.document.text);
    if row.input.origin != Origin::Gold {
        return out.extend_from_slice(text.as_bytes());
    }
    if style.is_strict() {
        return write_strictly(text, out, cleaning);
    }
    let is_parting = |character: char| matches!(character, '\t' | '\r' | '\n');
    cleaning.was_cleaned |= text.contains(is_parting);
    out.extend(text.bytes().map(|byte| if is_parting(char::from(byte)) { b'_' } else { byte }));
}

/// A token of the corpus without white space; `_` for one of nothing.
fn write_strictly(text: &str, out: &mut Vec<u8>, cleaning: &mut Cleaning) {
    cleaning.was_cleaned |= text.is_empty() || text.contains(is_space);
    out.extend_from_slice(universal::form(text).as_bytes());
}

/// Whether the corpus began this span with an `I-` tag. It is given back, so that what was read from CoNLL is
/// written as it was.
fn is_orphan(input: Tokenized<'_>, annotation: &Annotation) -> bool {
    let Some(attributes) = annotation.attributes.as_ref().filter(|_| input.origin == Origin::Gold) else {
        return false;
    };
    memchr::memmem::find(attributes.as_str().as_bytes(), b"\"irregular\"").is_some()
        && attributes
            .member(&["irregular"])
            .is_some_and(|tag| tag.as_str().and_then(|tag| tag.strip_prefix("I-")) == Some(&annotation.label))
}

fn write_gold(value: Option<&str>, out: &mut Vec<u8>, cleaning: &mut Cleaning) {
    let value = value.filter(|value| !value.is_empty()).unwrap_or(UNKNOWN);
    if !value.contains(is_space) {
        return out.extend_from_slice(value.as_bytes());
    }
    cleaning.was_cleaned = true;
    out.extend_from_slice(value.replace(is_space, UNKNOWN).as_bytes());
}

/// Finds the gold token with the very extent of a token, walking along both.
struct GoldTokens<'d> {
    rest: std::slice::Iter<'d, Token>,
}

impl<'d> GoldTokens<'d> {
    fn new(input: Tokenized<'d>, is_needed: bool) -> GoldTokens<'d> {
        // Broken tokens are not in order, and nothing they say can be trusted.
        let is_usable = is_needed && input.origin != Origin::BrokenGold;
        let tokens = input.document.tokens.as_deref().filter(|_| is_usable);
        GoldTokens { rest: tokens.unwrap_or_default().iter() }
    }

    fn of(&mut self, token: &TokenSpan) -> Option<&'d Token> {
        while let Some(gold) = self.rest.as_slice().first() {
            if (gold.start, gold.end) == (token.start, token.end) {
                self.rest.next();
                return Some(gold);
            }
            if gold.start > token.start || (gold.start == token.start && gold.end > token.end) {
                return None;
            }
            self.rest.next();
        }
        None
    }
}
