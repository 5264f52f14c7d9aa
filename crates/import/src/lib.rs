//! Foreign bytes to documents, pure: readers are handed in, nothing is opened here.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`format`] | the table of formats: names, recognition, how their files are laid out |
//! | [`jsonl`] | corpus JSONL, the neutral input |
//! | [`conll`] | column files: CoNLL-2002, CoNLL-2003, CoNLL-U and their kin |
//! | [`brat`] | brat standoff: `X.txt` with `X.ann` |
//! | [`label_studio`], [`doccano`], [`prodigy`], [`pubannotation`], [`webanno`] | exports of annotation tools |
//! | [`spacy`], [`squad`], [`hf_parquet`] | training data of others |
//! | [`made`] | what a record makes: documents, and what of them could not be taken |
//! | [`records`] | where the records of a file begin, without reading what they mean |
//! | [`reader`] | documents of a file one at a time, bad records set apart |
//! | [`place`] | file, line and column of an error |
//!
//! A new format is a module and a line in [`format`].

pub mod brat;
pub mod conll;
pub mod doccano;
mod draft;
pub mod format;
pub mod hf_parquet;
mod intern;
mod json;
pub mod jsonl;
pub mod label_studio;
pub mod made;
pub mod place;
pub mod prodigy;
pub mod pubannotation;
pub mod reader;
pub mod records;
pub mod spacy;
pub mod squad;
mod values;
pub mod webanno;

pub use conll::ConllColumns;
pub use format::{Dialect, FormatOptions, InputFormat, Layout};
pub use made::Made;
pub use place::{FileNames, Place, ReadError, Rejected};
pub use reader::Reader;
pub use records::{Framing, Position, Records};

#[cfg(test)]
mod tests;
