//! The table of foreign formats. To add one: a module, and a line in `formats!` below.

use std::{fmt, fs::File, io, io::BufRead, sync::Arc};

use crate::{
    brat,
    conll::{self, ConllColumns},
    doccano, hf_parquet, jsonl, label_studio,
    made::Made,
    place::{Fault, FileNames},
    prodigy, pubannotation,
    records::{Framing, Record},
    spacy, squad, webanno,
};

/// What the table holds of a format.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The word after `--input-format`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Whether the beginning of a file looks like this format; the last line may be cut.
    pub recognises: fn(head: &[u8]) -> bool,
    /// How its files lie on disk.
    pub layout: Layout,
    /// For files whose texts don't lie one after another.
    pub packed: Option<Packed>,
}

/// Files that have to be unpacked: laid down as lines, one a text, which the format reads then.
#[derive(Clone, Copy)]
pub struct Packed {
    /// Whether the beginning of a file shows that it is packed.
    pub recognises: fn(head: &[u8]) -> bool,
    /// Writes the lines. The file may be opened as often as needed.
    pub unpack: fn(open: &Open<'_>, out: &mut dyn io::Write) -> io::Result<()>,
}

/// Opens a packed file at its beginning.
pub type Open<'o> = dyn Fn() -> io::Result<File> + 'o;

/// How the files of a format lie on disk.
#[derive(Clone, Copy)]
pub enum Layout {
    /// Files of many records. The function reads what holds for a whole file before its first record.
    Records(fn(input: &mut dyn BufRead, options: &FormatOptions) -> io::Result<Arc<dyn Dialect>>),
    /// Folders of `X.txt` with `X.ann`, one text each.
    Pairs,
}

/// Choices that some formats offer.
#[derive(Clone, Debug, Default)]
pub struct FormatOptions {
    /// What the columns of CoNLL files hold; found by content when not given.
    pub conll_columns: Option<ConllColumns>,
}

/// How one file is to be read.
pub trait Dialect: Send + Sync + fmt::Debug {
    /// What makes a record.
    fn framing(&self) -> Framing;
    /// A parser with memory of its own, for one thread.
    fn parser(&self) -> Box<dyn Parse>;
}

/// Makes documents of records.
pub trait Parse: Send {
    /// Adds what a record makes to `made`, which comes empty; an error rejects the record as a whole.
    fn parse(&mut self, record: &Record<'_>, names: &FileNames, made: &mut Made) -> Result<(), Fault>;
}

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $module:ident,)+) => {
        /// A foreign format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum InputFormat { $($(#[$doc])* $variant,)+ }
        impl InputFormat {
            /// Every format, in the order in which content is tried.
            pub const ALL: &'static [InputFormat] = &[$(InputFormat::$variant,)+];
            /// Its line in the table.
            pub fn entry(self) -> &'static Entry {
                match self { $(InputFormat::$variant => &$module::ENTRY,)+ }
            }
        }
    };
}

formats! {
    /// Parquet of Hugging Face.
    HfParquet = hf_parquet,
    /// WebAnno TSV.
    Webanno = webanno,
    /// Label Studio.
    LabelStudio = label_studio,
    /// SQuAD.
    Squad = squad,
    /// Prodigy.
    Prodigy = prodigy,
    /// doccano.
    Doccano = doccano,
    /// PubAnnotation.
    Pubannotation = pubannotation,
    /// spaCy.
    Spacy = spacy,
    /// Corpus JSONL.
    Jsonl = jsonl,
    /// Columns.
    Conll = conll,
    /// Standoff.
    Brat = brat,
}

impl InputFormat {
    /// The word after `--input-format`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The format of a name. `auto` is no format: leave the choice open instead.
    pub fn parse(name: &str) -> Option<InputFormat> {
        InputFormat::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The names, for help and errors.
    pub fn names() -> String {
        InputFormat::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
    }

    /// The format of a file by the beginning of its content; `None` when it looks like none of them.
    pub fn detect(head: &[u8]) -> Option<InputFormat> {
        InputFormat::ALL.iter().copied().find(|format| (format.entry().recognises)(head))
    }
}

/// How much of a file [`InputFormat::detect`] wants to see.
pub const HEAD_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Option<InputFormat>) {
        assert_eq!(InputFormat::detect(head.as_bytes()), expected, "{head}");
    }

    #[test]
    fn content_tells_the_format() {
        check("\u{feff}\n {\"text\": 1}", Some(InputFormat::Jsonl));
        check("[{\"text\": 1}]", None);
        check("-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n", Some(InputFormat::Conll));
        check("Ada\tB-PER\nmet\tO\n", Some(InputFormat::Conll));
        check("# text = Ada\n1\tAda\tada\tPROPN\t_\t_\t0\troot\t_\tNER=B-PER\n", Some(InputFormat::Conll));
        check("1\tAda\tB-PER\t-\t-\n2\tmet\tO\t-\t-\n", Some(InputFormat::Conll));
        check("Just some words\nand more of them\n", None);
        check("", None);
    }

    #[test]
    fn names_are_read_back() {
        for format in InputFormat::ALL {
            assert_eq!(InputFormat::parse(format.name()), Some(*format));
        }
        assert_eq!(
            InputFormat::names(),
            "hf-parquet, webanno, label-studio, squad, prodigy, doccano, pubannotation, spacy, jsonl, conll, brat"
        );
    }
}
