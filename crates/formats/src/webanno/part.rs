//! The texts of one part, an entry of the zip each.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use serde_json::Value;
use spanfleet_core::{Annotation, Change, CharIndex, Document, Ledger, Loss, Order, Relation};

use super::cells::{push_text, push_value};
use super::rows::{Row, Span, lay, rows_of, sentence_starts};
use crate::support::{
    file_names::file_stem,
    labels::span_of,
    names::LabelNames,
    tokenize::{TokenSpan, Tokenizer, is_space},
    zip::{self, ZipWriter},
};
use crate::{EncodeError, PartEncoder};

/// The layer of INCEpTION's and WebAnno's own that spans stand in, with the feature of their labels; and one of the
/// user's for relations between them.
const HEAD: &str = "#FORMAT=WebAnno TSV 3.3\n\
    #T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|value\n";
const RELATION_HEAD: &str = "#T_RL=webanno.custom.Relation|value|\
    BT_de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity\n";

pub(super) struct WebannoPart {
    tokenizer: Tokenizer,
    names: LabelNames,
    chars: CharIndex,
    content: String,
    zip: ZipWriter,
    /// Entries so far, as notes store them.
    table: Vec<u8>,
}

impl WebannoPart {
    pub(super) fn new(order: &Order) -> WebannoPart {
        WebannoPart {
            tokenizer: Tokenizer::new(order.options.tokenizer),
            names: LabelNames::new(&order.options),
            chars: CharIndex::default(),
            content: String::new(),
            zip: ZipWriter::new(),
            table: Vec::new(),
        }
    }
}

impl PartEncoder for WebannoPart {
    fn push(
        &mut self,
        document: &Document,
        out: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> Result<(), EncodeError> {
        self.chars.rebuild(&document.text);
        let tokens = self.tokenizer.tokenize(document, &self.chars).0;
        let mut spans = Vec::with_capacity(document.annotations.len());
        for annotation in &document.annotations {
            match place(annotation, document, &self.chars, tokens, ledger) {
                Ok(rows) => spans.push(Span { annotation, rows, number: 0 }),
                Err(loss) => ledger.lose_annotation(loss, &document.id, &annotation.id),
            }
        }
        let rows = lay(&mut spans);
        let sheet = Sheet::new(document, &self.chars, tokens, &spans, rows, ledger);
        self.content.clear();
        sheet.write(&mut self.names, &mut self.content);
        let name = format!("{}.tsv", file_stem(&document.id));
        let mut entry = self.zip.write(&name, self.content.as_bytes(), out).map_err(|error| {
            EncodeError::about(
                &document.id,
                format!("text `{}` can't be put into a zip: {error}", document.id),
            )
        })?;
        (entry.texts, entry.annotations) = (1, spans.len() as u32);
        entry.store(&mut self.table);
        ledger.counts.texts += 1;
        ledger.counts.tokens += tokens.len() as u64;
        ledger.counts.annotations_written += spans.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<Value, EncodeError> {
        zip::note_entries(&self.table).map(Value::from).map_err(|error| EncodeError {
            text: None,
            message: format!("can't note a part's files: {error}"),
        })
    }
}

/// The rows of an annotation, or why it has none.
fn place(
    annotation: &Annotation,
    document: &Document,
    chars: &CharIndex,
    tokens: &[TokenSpan],
    ledger: &mut Ledger,
) -> Result<Vec<Row>, Loss> {
    let (start, end) = span_of(annotation, chars)?;
    let is_blank = |from: u32, to: u32| {
        chars.slice(&document.text, from, to).is_some_and(|text| text.chars().all(is_space))
    };
    let span = Span { annotation, rows: rows_of(tokens, (start, end)), number: 0 };
    let Some((first, last)) = span.extent(tokens) else {
        return Err(if is_blank(start, end) { Loss::EmptySpan } else { Loss::Misaligned });
    };
    if (first, last) != (start, end) {
        let change =
            if is_blank(start, first) && is_blank(last, end) { Change::Trimmed } else { Change::Contracted };
        ledger.change_annotation(change, &document.id, &annotation.id);
    }
    Ok(span.rows)
}

/// One text with all that stands on its rows.
struct Sheet<'s> {
    document: &'s Document,
    chars: &'s CharIndex,
    tokens: &'s [TokenSpan],
    spans: &'s [Span<'s>],
    rows: BTreeMap<Row, Vec<usize>>,
    /// The first row of a relation's target, with the source and the target.
    relations: BTreeMap<Row, Vec<(&'s Relation, &'s Span<'s>, &'s Span<'s>)>>,
    /// Code points that take two UTF-16 units, ascending.
    wide: Vec<u32>,
    ids: HashMap<Row, String>,
}

impl<'s> Sheet<'s> {
    fn new(
        document: &'s Document,
        chars: &'s CharIndex,
        tokens: &'s [TokenSpan],
        spans: &'s [Span<'s>],
        rows: BTreeMap<Row, Vec<usize>>,
        ledger: &mut Ledger,
    ) -> Sheet<'s> {
        let by_id: HashMap<&str, &Span<'_>> =
            spans.iter().map(|span| (span.annotation.id.as_str(), span)).collect();
        let mut relations: BTreeMap<Row, Vec<_>> = BTreeMap::new();
        for relation in &document.relations {
            let ends = (by_id.get(relation.source.as_str()), by_id.get(relation.target.as_str()));
            let (Some(source), Some(target)) = ends else {
                ledger.lose_relation(Loss::EndpointMissing, &document.id, relation);
                continue;
            };
            relations.entry(target.rows[0]).or_default().push((relation, *source, *target));
            ledger.counts.relations_written += 1;
        }
        let is_wide = |(at, character): (usize, char)| (character.len_utf16() > 1).then_some(at as u32);
        let wide = document.text.chars().enumerate().filter_map(is_wide).collect();
        Sheet { document, chars, tokens, spans, rows, relations, wide, ids: HashMap::new() }
    }

    fn write(mut self, names: &mut LabelNames, out: &mut String) {
        out.push_str(HEAD);
        if !self.relations.is_empty() {
            out.push_str(RELATION_HEAD);
        }
        out.push('\n');
        let starts: Vec<usize> = sentence_starts(self.tokens, self.spans).into_iter().collect();
        self.name_rows(&starts);
        let text_end = self.document.text.chars().count() as u32;
        let mut from = 0;
        for (nth, start) in starts.iter().enumerate() {
            let next = starts.get(nth + 1).copied();
            let last = next.map_or(self.tokens.len(), |next| next) - 1;
            let end = next.map_or(text_end, |_| self.line_end(self.tokens[last].end));
            self.write_text((from, end), out);
            for token in *start..=last {
                self.write_token(token, names, out);
            }
            // The line break itself is in no sentence.
            from = end + 1;
        }
        if starts.is_empty() && text_end > 0 {
            self.write_text((0, text_end), out);
        }
    }

    /// Names every row by sentence, token and part, each from 1.
    fn name_rows(&mut self, starts: &[usize]) {
        let mut parts: HashMap<usize, u32> = HashMap::new();
        let named: Vec<Row> = self.rows.keys().copied().filter(|row| row.part.is_some()).collect();
        for row in named {
            let part = parts.entry(row.token).or_default();
            *part += 1;
            let id = format!("{}.{part}", token_id(starts, row.token));
            self.ids.insert(row, id);
        }
        for token in (0..self.tokens.len()).filter(|token| !self.tokens[*token].is_empty()) {
            self.ids.insert(Row { token, part: None }, token_id(starts, token));
        }
    }

    /// Where the first line break after a place stands.
    fn line_end(&self, from: u32) -> u32 {
        let rest = self.chars.byte(&self.document.text, from as usize).map(|at| &self.document.text[at..]);
        from + rest.unwrap_or_default().chars().take_while(|character| *character != '\n').count() as u32
    }

    fn write_text(&self, (start, end): (u32, u32), out: &mut String) {
        let text = self.chars.slice(&self.document.text, start, end).unwrap_or_default();
        out.push('\n');
        for line in text.split('\n') {
            out.push_str("#Text=");
            push_text(line, out);
            out.push('\n');
        }
    }

    fn write_token(&self, token: usize, names: &mut LabelNames, out: &mut String) {
        let whole = Row { token, part: None };
        if self.tokens[token].is_empty() {
            return;
        }
        self.write_row(whole, names, out);
        let parts = self.rows.range(whole..).map(|(row, _)| *row);
        let parts = parts.take_while(|row| row.token == token).filter(|row| row.part.is_some());
        for part in parts.collect::<Vec<_>>() {
            self.write_row(part, names, out);
        }
    }

    fn write_row(&self, row: Row, names: &mut LabelNames, out: &mut String) {
        let token = &self.tokens[row.token];
        let (start, end) = row.part.unwrap_or((token.start, token.end));
        let id = self.ids.get(&row).map(String::as_str).unwrap_or_default();
        // Writing into memory can't fail.
        let _written = write!(out, "{id}\t{}-{}\t", self.units(start), self.units(end));
        push_text(self.chars.slice(&self.document.text, start, end).unwrap_or_default(), out);
        out.push('\t');
        self.write_spans(row, names, out);
        if !self.relations.is_empty() {
            self.write_relations(row, out);
        }
        out.push('\n');
    }

    fn write_spans(&self, row: Row, names: &mut LabelNames, out: &mut String) {
        let spans = self.rows.get(&row).map(Vec::as_slice).unwrap_or_default();
        for (nth, span) in spans.iter().map(|at| &self.spans[*at]).enumerate() {
            out.push_str(if nth > 0 { "|" } else { "" });
            let name = names.of(&span.annotation.label);
            push_value(name.written.as_deref().unwrap_or(&name.path), out);
            if span.number > 0 {
                let _written = write!(out, "[{}]", span.number);
            }
        }
        out.push_str(if spans.is_empty() { "_\t" } else { "\t" });
    }

    fn write_relations(&self, row: Row, out: &mut String) {
        let relations = self.relations.get(&row).map(Vec::as_slice).unwrap_or_default();
        if relations.is_empty() {
            return out.push_str("_\t_\t");
        }
        for (nth, (relation, ..)) in relations.iter().enumerate() {
            out.push_str(if nth > 0 { "|" } else { "" });
            push_value(&relation.kind, out);
        }
        out.push('\t');
        for (nth, (_, source, target)) in relations.iter().enumerate() {
            out.push_str(if nth > 0 { "|" } else { "" });
            out.push_str(self.ids.get(&source.rows[0]).map(String::as_str).unwrap_or_default());
            if source.number > 0 || target.number > 0 {
                let _written = write!(out, "[{}_{}]", source.number, target.number);
            }
        }
        out.push('\t');
    }

    /// A place in UTF-16 units.
    fn units(&self, at: u32) -> u32 {
        at + self.wide.partition_point(|wide| *wide < at) as u32
    }
}

/// The number of a token's sentence, and its own in that sentence.
fn token_id(starts: &[usize], token: usize) -> String {
    let sentence = starts.partition_point(|start| *start <= token);
    format!("{sentence}-{}", token - starts[sentence - 1] + 1)
}
