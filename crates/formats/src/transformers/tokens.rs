//! `token_classification`: the tokens of a text, and a tag for each.

use spanfleet_core::{Change, CharIndex, Document, Ledger, Order, Schema, options::LabelScheme};

use super::{
    classes::Tags,
    task::{Emit, Task, lose_relations},
};
use crate::EncodeError;
use crate::support::{
    labels::{Labeller, Run, Tokenized},
    names::LabelNames,
    schemes::Tagger,
    table::{Cell, Column, Kind},
    tokenize::{Origin, TokenSpan, Tokenizer},
};

pub(super) struct Tokens {
    tokenizer: Tokenizer,
    labeller: Labeller,
    names: LabelNames,
    tags: Tags,
    scheme: LabelScheme,
    chars: CharIndex,
}

impl Tokens {
    pub(super) fn new(order: &Order, schema: &Schema) -> Tokens {
        let options = &order.options;
        Tokens {
            tokenizer: Tokenizer::new(options.tokenizer),
            labeller: Labeller::new(options),
            names: LabelNames::new(options),
            tags: Tags::new(options.label_scheme, &schema.labels),
            scheme: options.label_scheme,
            chars: CharIndex::default(),
        }
    }
}

impl Task for Tokens {
    fn columns(&self) -> Vec<Column> {
        let offset = vec![Column::new("start", Kind::Integer), Column::new("end", Kind::Integer)];
        vec![
            Column::new("id", Kind::Text),
            Column::new("text", Kind::Text),
            Column::new("tokens", Kind::list(Kind::Text)),
            Column::new("offsets", Kind::list_of(offset)),
            Column::new("ner_tags", Kind::list(self.tags.classes().kind())),
        ]
    }

    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError> {
        lose_relations(document, ledger);
        self.chars.rebuild(&document.text);
        let (tokens, origin) = self.tokenizer.tokenize(document, &self.chars);
        let input = Tokenized { document, chars: &self.chars, tokens, origin };
        let runs = self.labeller.label(input, &mut self.names, ledger)?;
        let tags = tags_of(input, Tagger::new(self.scheme, runs), &mut self.names, &self.tags)?;
        if origin == Origin::BrokenGold {
            ledger.change_text(Change::Cleaned, &document.id);
        }
        ledger.counts.texts += 1;
        ledger.counts.tokens += tokens.len() as u64;
        emit(&[
            Cell::Text(&document.id),
            Cell::Text(&document.text),
            Cell::list(tokens.iter().map(|token| Cell::Text(token.text(&document.text)))),
            Cell::list(tokens.iter().map(offset)),
            Cell::list(tags.into_iter().map(Cell::Integer)),
        ])
    }

    fn label_names(&self) -> Option<Vec<String>> {
        Some(self.tags.classes().names().to_vec())
    }
}

fn offset(token: &TokenSpan) -> Cell<'static> {
    Cell::Struct(vec![Cell::Integer(token.start.into()), Cell::Integer(token.end.into())])
}

/// The id of every token's tag.
fn tags_of(
    input: Tokenized<'_>,
    mut tagger: Tagger<'_>,
    names: &mut LabelNames,
    tags: &Tags,
) -> Result<Vec<i64>, EncodeError> {
    let mut label_of = |run: &Run| {
        let name = names.of(&input.document.annotations[run.annotation as usize].label);
        tags.label(name.written.as_deref().unwrap_or(&name.path), input.document)
    };
    let tag = |at| match tagger.tag(at) {
        None => Ok(0),
        Some(tag) => Ok(tags.id(tag.prefix, label_of(tag.run)?)),
    };
    (0..input.tokens.len()).map(tag).collect()
}
