//! The lines of one part.

use serde_json::Value;
use spanfleet_core::{
    Annotation, Change, CharIndex, Document, Ledger, Loss, Options, Order, Token,
    options::{Column, LabelScheme},
};

use super::docstart::{self, DocKey, DocStarts};
use super::label::ColumnLabels;
use crate::support::{
    labels::{Labeller, Run, Tokenized},
    names::LabelNames,
    schemes::{Tag, Tagger},
    tokenize::{Origin, TokenSpan, Tokenizer, is_space},
};
use crate::{EncodeError, PartEncoder};

/// What stands in a column that nothing is known for: no field may be empty.
const UNKNOWN: &str = "_";

pub(super) struct ConllPart {
    tokenizer: Tokenizer,
    labeller: Labeller,
    chars: CharIndex,
    starts: DocStarts,
    ends: Option<(DocKey, DocKey)>,
    lines: Lines,
}

/// How lines are written; apart from what finds tokens and runs, which lines borrow from.
struct Lines {
    columns: Vec<Column>,
    needs_gold: bool,
    scheme: LabelScheme,
    names: LabelNames,
    labels: ColumnLabels,
}

/// What was changed in a text beyond the moves of its spans.
#[derive(Default)]
struct Cleaning {
    was_cleaned: bool,
}

impl ConllPart {
    pub(super) fn new(order: &Order) -> ConllPart {
        let options = &order.options;
        ConllPart {
            tokenizer: Tokenizer::new(options.tokenizer),
            labeller: Labeller::new(options),
            chars: CharIndex::default(),
            starts: DocStarts::new(options),
            ends: None,
            lines: Lines::new(options),
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
        let key = self.starts.key(document);
        match &mut self.ends {
            // What stands before the first text is for `seal` to know.
            None => self.ends = Some((key.clone(), key)),
            Some((_, last)) => {
                self.starts.write(Some(last), &key, out);
                *last = key;
            }
        }
        self.lines.write(input, runs, out, ledger);
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
    fn new(options: &Options) -> Lines {
        let is_gold = |column: &Column| matches!(column, Column::Pos | Column::Lemma | Column::Chunk);
        Lines {
            columns: options.columns.clone(),
            needs_gold: options.columns.iter().any(is_gold),
            scheme: options.label_scheme,
            names: LabelNames::new(options),
            labels: ColumnLabels::default(),
        }
    }

    fn write(&mut self, input: Tokenized<'_>, runs: &[Run], out: &mut Vec<u8>, ledger: &mut Ledger) {
        let mut cleaning = Cleaning { was_cleaned: input.origin == Origin::BrokenGold };
        let mut tagger = Tagger::new(self.scheme, runs);
        let mut gold = GoldTokens::new(input, self.needs_gold);
        for (at, token) in input.tokens.iter().enumerate() {
            let tag = tagger.tag(at);
            let is_inside_run = tag.is_some_and(|tag| !tag.is_first);
            if at > 0 && token.after_line_break && !is_inside_run {
                out.push(b'\n');
            }
            let gold = gold.of(token);
            for (column_at, column) in self.columns.iter().enumerate() {
                if column_at > 0 {
                    out.push(b'\t');
                }
                let value = match column {
                    Column::Token => {
                        write_token(input, token, out, &mut cleaning);
                        continue;
                    }
                    Column::Label => {
                        write_tag(&mut self.names, &mut self.labels, self.scheme, input, tag, out);
                        continue;
                    }
                    Column::Pos => gold.and_then(|token| token.pos.as_deref()),
                    Column::Lemma => gold.and_then(|token| token.lemma.as_deref()),
                    Column::Chunk => gold.and_then(|token| token.chunk.as_deref()),
                };
                write_gold(value, out, &mut cleaning);
            }
            out.push(b'\n');
        }
        out.push(b'\n');
        self.count_changes(input.document, runs, &cleaning, ledger);
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
            if !is_lost && self.labels.encoded(name.number, label).is_some() {
                ledger.change_annotation(Change::Relabelled, &document.id, &annotation.id);
            }
        }
    }
}

fn write_token(input: Tokenized<'_>, token: &TokenSpan, out: &mut Vec<u8>, cleaning: &mut Cleaning) {
    let text = token.text(&input.document.text).as_bytes();
    if input.origin != Origin::Gold || memchr::memchr3(b'\t', b'\r', b'\n', text).is_none() {
        return out.extend_from_slice(text);
    }
    cleaning.was_cleaned = true;
    out.extend(text.iter().map(|byte| if matches!(byte, b'\t' | b'\r' | b'\n') { b'_' } else { *byte }));
}

fn write_tag(
    names: &mut LabelNames,
    labels: &mut ColumnLabels,
    scheme: LabelScheme,
    input: Tokenized<'_>,
    tag: Option<Tag<'_>>,
    out: &mut Vec<u8>,
) {
    let Some(tag) = tag else { return out.push(b'O') };
    let annotation = &input.document.annotations[tag.run.annotation as usize];
    let is_orphan =
        tag.is_first && scheme == LabelScheme::Bio && !tag.run.touches && is_orphan(input, annotation);
    out.extend_from_slice(if is_orphan { "I-" } else { tag.prefix }.as_bytes());
    let name = names.of(&annotation.label);
    let label = name.written.as_deref().unwrap_or(&name.path);
    out.extend_from_slice(labels.encoded(name.number, label).unwrap_or(label).as_bytes());
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
