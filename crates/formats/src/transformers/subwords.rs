//! `token_classification` in a model's own tokens: a row per window, ready for a collator.
//!
//! Labels that no loss is computed on are -100: special tokens, white space and, under `label_subtokens=first`, all
//! tokens of a word but its first. `word_ids` are places of words, `null` for special tokens; `offsets` are code
//! points of the text, 0 and 0 for special tokens.
//!
//! A text that is longer than `max_length` makes several windows, of which each repeats the last `stride` tokens of
//! the one before. A span that a window cuts is tagged anew in each, so that no window begins inside a span.

use spanfleet_core::{
    CharIndex, Document, Ledger, Order, Schema,
    options::{LabelScheme, LabelSubtokens},
};

use super::{
    classes::Tags,
    task::{Emit, Task, lose_relations},
};
use crate::EncodeError;
use crate::support::{
    labels::{Labeller, Run, Tokenized},
    names::LabelNames,
    schemes::Tagger,
    subwords::{Cut, Subword, Subwords},
    table::{Cell, Column, Kind},
    tokenize::Origin,
};

/// What PyTorch's cross entropy ignores.
const IGNORED: i64 = -100;

pub(super) struct SubwordTokens {
    subwords: Option<Subwords>,
    labeller: Labeller,
    names: LabelNames,
    tags: Tags,
    scheme: LabelScheme,
    which: LabelSubtokens,
    chars: CharIndex,
}

impl SubwordTokens {
    pub(super) fn new(order: &Order, schema: &Schema, subwords: Option<Subwords>) -> SubwordTokens {
        let options = &order.options;
        SubwordTokens {
            subwords,
            labeller: Labeller::new(options),
            names: LabelNames::new(options),
            tags: Tags::new(options.label_scheme, &schema.labels),
            scheme: options.label_scheme,
            which: options.label_subtokens,
            chars: CharIndex::default(),
        }
    }

    fn cut(&mut self, document: &Document) -> Result<Cut, EncodeError> {
        self.chars.rebuild(&document.text);
        let subwords = self.subwords.as_ref().ok_or_else(|| EncodeError {
            text: None,
            message: "the tokenizer's file was not read by the process that encodes".to_owned(),
        })?;
        subwords.cut(document, &self.chars).map_err(|error| {
            let message = format!("text `{}`: the tokenizer refuses it: {error}", document.id);
            EncodeError::about(&document.id, message)
        })
    }
}

impl Task for SubwordTokens {
    fn columns(&self) -> Vec<Column> {
        let offset = vec![Column::new("start", Kind::Integer), Column::new("end", Kind::Integer)];
        vec![
            Column::new("id", Kind::Text),
            Column::new("window", Kind::Integer),
            Column::new("input_ids", Kind::list(Kind::Integer)),
            Column::new("attention_mask", Kind::list(Kind::Integer)),
            Column::new("labels", Kind::list(Kind::Integer)),
            Column::new("word_ids", Kind::list(Kind::Integer)),
            Column::new("offsets", Kind::list_of(offset)),
        ]
    }

    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError> {
        let cut = self.cut(document)?;
        lose_relations(document, ledger);
        // Like gold tokens, units may leave characters out.
        let input = Tokenized { document, chars: &self.chars, tokens: &cut.units, origin: Origin::Gold };
        let runs = self.labeller.label(input, &mut self.names, ledger)?;
        let mut labels = Vec::with_capacity(runs.len());
        for run in runs {
            let name = self.names.of(&document.annotations[run.annotation as usize].label);
            labels.push(self.tags.label(name.written.as_deref().unwrap_or(&name.path), document)?);
        }
        ledger.counts.texts += 1;
        ledger.counts.tokens += cut.units.len() as u64;
        for (at, window) in cut.windows.iter().enumerate() {
            let tags = window_labels(window, runs, &labels, &self.tags, self.scheme, self.which);
            emit(&[
                Cell::Text(&document.id),
                Cell::Integer(at as i64),
                integers(window, |token| Some(token.id.into())),
                integers(window, |token| Some(token.is_attended.into())),
                Cell::list(tags.into_iter().map(Cell::Integer)),
                integers(window, |token| token.unit.map(Into::into)),
                Cell::list(window.iter().map(offset)),
            ])?;
        }
        Ok(())
    }

    fn label_names(&self) -> Option<Vec<String>> {
        Some(self.tags.classes().names().to_vec())
    }
}

fn integers(window: &[Subword], of: impl Fn(&Subword) -> Option<i64>) -> Cell<'static> {
    Cell::list(window.iter().map(|token| Cell::integer(of(token))))
}

fn offset(token: &Subword) -> Cell<'static> {
    Cell::Struct(vec![Cell::Integer(token.span.0.into()), Cell::Integer(token.span.1.into())])
}

/// The label of every token of a window: tags over the tokens that carry one, as if they were a text of their own.
fn window_labels(
    window: &[Subword],
    runs: &[Run],
    labels: &[i64],
    tags: &Tags,
    scheme: LabelScheme,
    which: LabelSubtokens,
) -> Vec<i64> {
    let carriers = carriers(window, which);
    let mut clipped = Vec::new();
    for (run, label) in runs.iter().zip(labels) {
        let first = carriers.partition_point(|(_, unit)| *unit < run.first);
        let end = carriers.partition_point(|(_, unit)| *unit <= run.last);
        if first < end {
            let touches = run.touches && first > 0;
            clipped.push((Run { first: first as u32, last: end as u32 - 1, touches, ..*run }, *label));
        }
    }
    let clipped_runs: Vec<Run> = clipped.iter().map(|(run, _)| *run).collect();
    let mut tagger = Tagger::new(scheme, &clipped_runs);
    let mut out = vec![IGNORED; window.len()];
    let mut at_run = 0;
    for (at, (token, _)) in carriers.iter().enumerate() {
        let Some(tag) = tagger.tag(at) else {
            out[*token] = 0;
            continue;
        };
        while clipped[at_run].0.last < at as u32 {
            at_run += 1;
        }
        out[*token] = tags.id(tag.prefix, clipped[at_run].1);
    }
    out
}

/// The tokens of a window that carry labels, with their units, ascending.
fn carriers(window: &[Subword], which: LabelSubtokens) -> Vec<(usize, u32)> {
    let mut carriers: Vec<(usize, u32)> = Vec::new();
    // A window may begin inside a word, whose first token stands in the one before.
    for (at, token) in window.iter().enumerate() {
        let Some(unit) = token.unit else { continue };
        let is_next = carriers.last().is_none_or(|(_, before)| *before != unit);
        if is_next || which == LabelSubtokens::All {
            carriers.push((at, unit));
        }
    }
    carriers
}

#[cfg(test)]
mod tests;
