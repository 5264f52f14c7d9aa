//! A DocBin: zlib over a MessagePack map. What is kept of a token until then is a fifth of what spaCy's matrix has.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use flate2::{Compression, write::ZlibEncoder};
use rmp::encode::{
    write_array_len, write_bin, write_bin_len, write_bool, write_f64, write_map_len, write_str, write_uint,
};

use super::strings::Strings;

/// spaCy's own columns, in its order; merging DocBins needs the same in all: ORTH NORM LEMMA POS TAG DEP ENT_IOB
/// ENT_TYPE HEAD SENT_START ENT_KB_ID MORPH ENT_ID.
const COLUMNS: [u64; 13] = [65, 67, 73, 74, 75, 76, 77, 78, 79, 80, 452, 453, 454];
const ROW_BYTES: usize = COLUMNS.len() * 8;
/// A token has 104 bytes, most of them zeros. Of 1,500 texts with 46 MB of them, zlib's default (6) took two thirds of
/// the export: 0.46 s for 3.3 MB, where 2 takes 0.16 s for 4.1 MB.
const ZLIB_LEVEL: Compression = Compression::new(2);
/// Tokens that are kept side by side. One list of all would be there twice while it grows, and to its end.
const RUN_TOKENS: usize = 16 << 10;
/// Bytes that go to zlib at once.
const WRITE_BYTES: usize = 64 << 10;

/// Inside, outside and beginning of an entity; 0 would mean that nobody has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Iob {
    Inside = 1,
    Outside = 2,
    Begin = 3,
}

/// One token, strings by their place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) orth: u32,
    pub(super) lemma: u32,
    pub(super) tag: u32,
    pub(super) entity: u32,
    /// The number of a universal part of speech, 0 for none.
    pub(super) pos: u8,
    pub(super) iob: Iob,
    pub(super) has_space: bool,
    pub(super) is_first: bool,
}

/// The documents of one part.
pub(super) struct DocBin {
    pub(super) strings: Strings,
    /// In runs of [`RUN_TOKENS`].
    tokens: Vec<Vec<Stored>>,
    token_count: usize,
    lengths: Vec<u32>,
    /// Labels of whole texts: for each document, where its own end in `text_labels`.
    text_label_ends: Vec<u32>,
    text_labels: Vec<u32>,
    /// One MessagePack `bin` per document.
    span_groups: Vec<u8>,
    /// One MessagePack `bin` per document.
    user_data: Vec<u8>,
}

impl DocBin {
    pub(super) fn new() -> DocBin {
        DocBin {
            strings: Strings::new(),
            tokens: Vec::new(),
            token_count: 0,
            lengths: Vec::new(),
            text_label_ends: Vec::new(),
            text_labels: Vec::new(),
            span_groups: Vec::new(),
            user_data: Vec::new(),
        }
    }

    pub(super) fn tokens(&self) -> usize {
        self.token_count
    }

    /// A token of the document that ends next.
    pub(super) fn push(&mut self, token: Stored) {
        if self.token_count.is_multiple_of(RUN_TOKENS) {
            self.tokens.push(Vec::new());
        }
        self.tokens.last_mut().expect("a run was begun").push(token);
        self.token_count += 1;
    }

    /// Ends a document of the last `tokens` tokens.
    pub(super) fn end_document(
        &mut self,
        tokens: usize,
        text_labels: &[u32],
        span_groups: &[u8],
        user_data: &[u8],
    ) -> io::Result<()> {
        self.lengths.push(tokens as u32);
        self.text_labels.extend_from_slice(text_labels);
        self.text_label_ends.push(self.text_labels.len() as u32);
        write_bin(&mut self.span_groups, span_groups)?;
        Ok(write_bin(&mut self.user_data, user_data)?)
    }

    /// Whether any document has a label of its whole text.
    pub(super) fn has_text_labels(&self) -> bool {
        !self.text_labels.is_empty()
    }

    /// Writes the file; every document gets every category, with 1.0 or 0.0.
    pub(super) fn write(mut self, more_categories: &[String], out: &mut Vec<u8>) -> io::Result<()> {
        let zlib = ZlibEncoder::new(out, ZLIB_LEVEL);
        let mut file = BufWriter::with_capacity(WRITE_BYTES, zlib);
        write_map_len(&mut file, 10)?;
        write_str(&mut file, "version")?;
        write_str(&mut file, "0.1")?;
        write_str(&mut file, "attrs")?;
        write_array_len(&mut file, COLUMNS.len() as u32)?;
        for column in COLUMNS {
            write_uint(&mut file, column)?;
        }
        self.write_tokens(&mut file)?;
        self.write_strings(&mut file)?;
        self.write_categories(more_categories, &mut file)?;
        self.write_flags(&mut file)?;
        for (key, content) in [("span_groups", &self.span_groups), ("user_data", &self.user_data)] {
            write_str(&mut file, key)?;
            write_array_len(&mut file, self.lengths.len() as u32)?;
            file.write_all(content)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(drop)
    }

    /// Tokens go as they are written: the file grows as they do.
    fn write_tokens(&mut self, file: &mut impl Write) -> io::Result<()> {
        write_str(file, "tokens")?;
        write_bin_len(file, (self.token_count * ROW_BYTES) as u32)?;
        let mut spaces = Vec::with_capacity(self.token_count);
        let mut row = [0; ROW_BYTES];
        for token in std::mem::take(&mut self.tokens).into_iter().flatten() {
            let id = |place| self.strings.id(place);
            let known = [
                (0, id(token.orth)),
                (2, id(token.lemma)),
                (3, token.pos.into()),
                (4, id(token.tag)),
                (6, token.iob as u64),
                (7, id(token.entity)),
                (9, token.is_first.into()),
            ];
            for (column, number) in known {
                row[column * 8..][..8].copy_from_slice(&number.to_le_bytes());
            }
            file.write_all(&row)?;
            spaces.push(token.has_space.into());
        }
        write_str(file, "spaces")?;
        write_bin(file, &spaces)?;
        write_str(file, "lengths")?;
        write_bin_len(file, (self.lengths.len() * 4) as u32)?;
        self.lengths.iter().try_for_each(|length| file.write_all(&length.to_le_bytes()))
    }

    fn write_strings(&self, file: &mut impl Write) -> io::Result<()> {
        let strings = self.strings.sorted();
        write_str(file, "strings")?;
        write_array_len(file, strings.len() as u32)?;
        for string in strings {
            write_str(file, string)?;
        }
        Ok(())
    }

    fn write_categories(&self, more_categories: &[String], file: &mut impl Write) -> io::Result<()> {
        let texts = self.strings.texts();
        let known = self.text_labels.iter().map(|place| texts[*place as usize]);
        let categories: BTreeSet<&str> = known.chain(more_categories.iter().map(String::as_str)).collect();
        write_str(file, "cats")?;
        write_array_len(file, self.lengths.len() as u32)?;
        let mut begin = 0;
        for end in &self.text_label_ends {
            let own: Vec<&str> = self.text_labels[begin as usize..*end as usize]
                .iter()
                .map(|place| texts[*place as usize])
                .collect();
            begin = *end;
            write_map_len(file, categories.len() as u32)?;
            for category in &categories {
                write_str(file, category)?;
                write_f64(file, if own.contains(category) { 1.0 } else { 0.0 })?;
            }
        }
        Ok(())
    }

    fn write_flags(&self, file: &mut impl Write) -> io::Result<()> {
        write_str(file, "flags")?;
        write_array_len(file, self.lengths.len() as u32)?;
        for _ in &self.lengths {
            write_map_len(file, 1)?;
            write_str(file, "has_unknown_spaces")?;
            write_bool(file, false)?;
        }
        Ok(())
    }
}
