//! Parquet as `datasets` keeps it: one row, one text.
//!
//! | columns | become |
//! | --- | --- |
//! | `tokens` with `ner_tags`, `tags` or `labels` | words joined by spaces, spans from BIO or BILOU tags, tokens |
//! | `pos_tags`, `chunk_tags` | part of speech and chunk of the tokens |
//! | `text` with `label` or `labels` | labels of the whole text |
//! | `text` with `spans` or `entities` of `start`, `end`, `label` | spans, in code points |
//! | `context` with `question` and `answers` | as [`squad`] reads it |
//! | `id`, every other column | the id, metadata |
//!
//! Numbers of a `ClassLabel` become its names, which stand in the file's schema. Files are unpacked to lines, row
//! group by row group, so that they can be cut anywhere.

mod rows;
mod unpack;

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use crate::{
    format::{Dialect, Entry, FormatOptions, Layout, Packed},
    json,
};

/// The line in the table.
pub const ENTRY: Entry = Entry {
    name: "hf-parquet",
    about: "Parquet of Hugging Face datasets",
    recognises: is_parquet,
    layout: Layout::Records(survey),
    packed: Some(Packed { recognises: is_parquet, unpack: unpack::unpack }),
};

/// The key of a line that was unpacked.
const KEY: &str = "parquet";

fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(b"PAR1")
}

fn survey(input: &mut dyn BufRead, _: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    json::dialect(input, None, rows::read)
}

#[cfg(test)]
mod tests;
