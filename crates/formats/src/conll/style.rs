//! The layouts of CoNLL: which columns, and what parts them.

use spanfleet_core::{
    OptionError, Options,
    options::{Column, ConllStyle},
};

use crate::support::tokenize::is_space;

/// How lines look.
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub(super) kind: ConllStyle,
    /// What a line tells of its token; CoNLL-U has places of its own for it.
    pub(super) columns: Vec<Column>,
    pub(super) parting: &'static str,
}

impl Style {
    /// As an order asks for; refuses columns that the layout has no place for.
    pub(super) fn new(options: &Options) -> Result<Style, OptionError> {
        let asked = &options.columns;
        let count = |column: Column| asked.iter().filter(|other| **other == column).count();
        let is_whole = count(Column::Token) == 1 && count(Column::Label) == 1;
        if !is_whole || asked.iter().any(|column| count(*column) > 1) {
            return Err(refuse(options, "token and label, each column at most once".to_owned()));
        }
        let style = Style::of(options.conll_style, asked);
        if asked.iter().all(|column| style.columns.contains(column)) {
            return Ok(style);
        }
        let allowed = format!("{} with conll_style={}", words(&style.columns), style.kind.as_str());
        Err(refuse(options, allowed))
    }

    fn of(kind: ConllStyle, asked: &[Column]) -> Style {
        let (columns, parting) = match kind {
            ConllStyle::Plain => (asked.to_vec(), "\t"),
            // The Dutch files have parts of speech, the Spanish ones don't.
            ConllStyle::Conll2002 if asked.contains(&Column::Pos) => {
                (vec![Column::Token, Column::Pos, Column::Label], " ")
            }
            ConllStyle::Conll2002 => (vec![Column::Token, Column::Label], " "),
            ConllStyle::Conll2003 => (vec![Column::Token, Column::Pos, Column::Chunk, Column::Label], " "),
            ConllStyle::Conllu => (vec![Column::Token, Column::Lemma, Column::Pos, Column::Label], "\t"),
        };
        Style { kind, columns, parting }
    }

    /// Whether every token is one word of text. Plain lines keep what the corpus has.
    pub(super) fn is_strict(&self) -> bool {
        self.kind != ConllStyle::Plain
    }

    /// Whether a character can't stand in a label: `|` and `=` part what CoNLL-U's last column holds.
    pub(super) fn refuses(&self, character: char) -> bool {
        is_space(character) || self.kind == ConllStyle::Conllu && matches!(character, '|' | '=')
    }
}

fn refuse(options: &Options, allowed: String) -> OptionError {
    OptionError::value("option", "columns", &words(&options.columns).into(), allowed)
}

fn words(columns: &[Column]) -> String {
    columns.iter().map(|column| column.as_str()).collect::<Vec<_>>().join(", ")
}

/// A name that stands in a comment: one without what readers end lines at.
pub(super) fn one_line(name: &str) -> String {
    let is_break = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    name.replace(is_break, "_")
}
