//! A zip whose entries are written part by part: each entry with its own head, and at the end the directory of all.

use std::collections::HashSet;
use std::io::{self, Read, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compress, Compression, FlushCompress, Status, read::DeflateDecoder, write::DeflateEncoder};

use crate::{EncodeError, Member};

const LOCAL_HEAD: u32 = 0x0403_4b50;
const DIRECTORY_HEAD: u32 = 0x0201_4b50;
const DIRECTORY_END: u32 = 0x0605_4b50;
const DIRECTORY_END_64: u32 = 0x0606_4b50;
const DIRECTORY_END_64_LOCATOR: u32 = 0x0706_4b50;
/// Names are UTF-8.
const FLAGS: u16 = 0x0800;
const DEFLATED: u16 = 8;
/// The first of January 1980, where a zip's time begins: the same data is the same file.
const DATE: u16 = 1 << 5 | 1;
/// Of the specification that added deflate, and of the one that added 64 bits.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Bytes of an entry's head before its name.
const LOCAL_HEAD_BYTES: u64 = 30;

/// What the directory says of an entry, but for its offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZipEntry {
    pub(crate) name: String,
    checksum: u32,
    compressed_bytes: u32,
    bytes: u32,
    /// Texts and annotations in it, which no zip says.
    pub(crate) texts: u32,
    pub(crate) annotations: u32,
}

impl ZipEntry {
    /// Bytes of the whole entry.
    pub(crate) fn entry_bytes(&self) -> u64 {
        LOCAL_HEAD_BYTES + self.name.len() as u64 + u64::from(self.compressed_bytes)
    }

    /// Appends a compact form to a table.
    pub(crate) fn store(&self, table: &mut Vec<u8>) {
        let name_bytes = self.name.len() as u32;
        for number in
            [name_bytes, self.checksum, self.compressed_bytes, self.bytes, self.texts, self.annotations]
        {
            table.extend_from_slice(&number.to_le_bytes());
        }
        table.extend_from_slice(self.name.as_bytes());
    }

    /// The first entry of a table, and the rest of it; `None` when it is broken.
    pub(crate) fn restore(table: &[u8]) -> Option<(ZipEntry, &[u8])> {
        let (numbers, rest) = table.split_at_checked(24)?;
        let number = |at: usize| {
            numbers.get(4 * at..4 * at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes)
        };
        let (name, rest) = rest.split_at_checked(number(0)? as usize)?;
        let name = String::from_utf8(name.to_vec()).ok()?;
        let entry = ZipEntry {
            name,
            checksum: number(1)?,
            compressed_bytes: number(2)?,
            bytes: number(3)?,
            texts: number(4)?,
            annotations: number(5)?,
        };
        Some((entry, rest))
    }

    /// What stands in the entry's own head and in the directory alike, from the flags to the length of the name.
    fn write_common(&self, out: &mut Vec<u8>) {
        for number in [FLAGS, DEFLATED, 0, DATE] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.checksum, self.compressed_bytes, self.bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&LOCAL_HEAD.to_le_bytes());
        out.extend_from_slice(&VERSION.to_le_bytes());
        self.write_common(out);
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
    }

    fn write_directory(&self, offset: u64, out: &mut Vec<u8>) {
        let short = u32::try_from(offset).unwrap_or(u32::MAX);
        let is_long = short == u32::MAX;
        let version = if is_long { VERSION_64 } else { VERSION };
        out.extend_from_slice(&DIRECTORY_HEAD.to_le_bytes());
        out.extend_from_slice(&version.to_le_bytes());
        out.extend_from_slice(&version.to_le_bytes());
        self.write_common(out);
        let extra: u16 = if is_long { 12 } else { 0 };
        out.extend_from_slice(&extra.to_le_bytes());
        // No comment, first disk, no attributes.
        out.extend_from_slice(&[0; 10]);
        out.extend_from_slice(&short.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
        if is_long {
            out.extend_from_slice(&[1, 0, 8, 0]);
            out.extend_from_slice(&offset.to_le_bytes());
        }
    }
}

/// Writes entries, with a compressor that it keeps.
pub(crate) struct ZipWriter {
    compress: Compress,
}

impl ZipWriter {
    pub(crate) fn new() -> ZipWriter {
        ZipWriter { compress: Compress::new(Compression::default(), false) }
    }

    /// Appends an entry; fails on content of 4 GiB and more.
    pub(crate) fn write(&mut self, name: &str, content: &[u8], out: &mut Vec<u8>) -> io::Result<ZipEntry> {
        let too_large = |_| io::Error::other("a file in a zip can't have 4 GiB or more");
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let mut entry = ZipEntry {
            name: name.to_owned(),
            checksum: checksum.sum(),
            compressed_bytes: 0,
            bytes: content.len().try_into().map_err(too_large)?,
            texts: 0,
            annotations: 0,
        };
        let head = out.len();
        entry.write_head(out);
        let begin = out.len();
        self.deflate(content, out)?;
        entry.compressed_bytes = (out.len() - begin).try_into().map_err(too_large)?;
        let mut finished = Vec::with_capacity(begin - head);
        entry.write_head(&mut finished);
        out[head..begin].copy_from_slice(&finished);
        Ok(entry)
    }

    fn deflate(&mut self, content: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.compress.reset();
        loop {
            let read = self.compress.total_in() as usize;
            // Deflate needs at most a little more than it reads.
            out.reserve((content.len() - read) / 2 + 128);
            let status = self.compress.compress_vec(&content[read..], out, FlushCompress::Finish);
            if status.map_err(io::Error::other)? == Status::StreamEnd {
                return Ok(());
            }
        }
    }
}

/// A table of stored entries as notes hold it: deflated, in base64, for most of it is names that are alike.
pub(crate) fn note_entries(table: &[u8]) -> io::Result<String> {
    let mut deflater = DeflateEncoder::new(Vec::new(), Compression::best());
    deflater.write_all(table)?;
    Ok(STANDARD.encode(deflater.finish()?))
}

/// The entries that [`note_entries`] noted; `None` when the note is broken.
pub(crate) fn noted_entries(note: &str) -> Option<Vec<ZipEntry>> {
    let deflated = STANDARD.decode(note).ok()?;
    let mut table = Vec::new();
    DeflateDecoder::new(deflated.as_slice()).read_to_end(&mut table).ok()?;
    let (mut entries, mut rest) = (Vec::new(), table.as_slice());
    while !rest.is_empty() {
        let (entry, after) = ZipEntry::restore(rest)?;
        entries.push(entry);
        rest = after;
    }
    Some(entries)
}

/// The entries of a part as members of its bundle.
pub(crate) fn members(entries: Vec<ZipEntry>) -> Vec<Member> {
    let mut offset = 0;
    let member = |entry: ZipEntry| {
        let begin = offset + LOCAL_HEAD_BYTES + entry.name.len() as u64;
        offset += entry.entry_bytes();
        Member {
            deflated: begin..offset,
            bytes: u64::from(entry.bytes),
            texts: u64::from(entry.texts),
            annotations: u64::from(entry.annotations),
            name: entry.name,
        }
    };
    entries.into_iter().map(member).collect()
}

/// Refuses names of which unpacking would write one file over the other, on systems too that know no case.
pub(crate) fn refuse_twins(entries: &[ZipEntry]) -> Result<(), EncodeError> {
    let mut names = HashSet::with_capacity(entries.len());
    match entries.iter().find(|entry| !names.insert(entry.name.to_lowercase())) {
        None => Ok(()),
        Some(twin) => Err(EncodeError {
            text: None,
            message: format!(
                "two texts would be the file `{}`, as case does not tell files apart everywhere; give texts ids of \
                 their own, or choose a format that keeps them in one file",
                twin.name
            ),
        }),
    }
}

/// The directory of all entries, which stand one after the other from the file's beginning.
pub(crate) fn directory<'e>(entries: impl Iterator<Item = &'e ZipEntry>) -> Vec<u8> {
    let (mut out, mut offset, mut count) = (Vec::new(), 0, 0_u64);
    for entry in entries {
        entry.write_directory(offset, &mut out);
        offset += entry.entry_bytes();
        count += 1;
    }
    let bytes = out.len() as u64;
    let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let short_count = u16::try_from(count).unwrap_or(u16::MAX);
    if short_count == u16::MAX || short(bytes) == u32::MAX || short(offset) == u32::MAX {
        end_64(count, bytes, offset, &mut out);
    }
    out.extend_from_slice(&DIRECTORY_END.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&short_count.to_le_bytes());
    out.extend_from_slice(&short_count.to_le_bytes());
    out.extend_from_slice(&short(bytes).to_le_bytes());
    out.extend_from_slice(&short(offset).to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// The end of a directory in 64 bits, and where it is.
fn end_64(count: u64, bytes: u64, offset: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&DIRECTORY_END_64.to_le_bytes());
    // Bytes that follow this number.
    out.extend_from_slice(&44_u64.to_le_bytes());
    out.extend_from_slice(&VERSION_64.to_le_bytes());
    out.extend_from_slice(&VERSION_64.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    for number in [count, count, bytes, offset] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&DIRECTORY_END_64_LOCATOR.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(offset + bytes).to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_stored_and_restored() {
        let mut out = Vec::new();
        let entry = ZipWriter::new().write("é.txt", &b"Ada ".repeat(1000), &mut out).unwrap();
        assert_eq!(entry.entry_bytes(), out.len() as u64);
        let mut table = Vec::new();
        entry.store(&mut table);
        assert_eq!(ZipEntry::restore(&table), Some((entry, &[][..])));
        assert_eq!(ZipEntry::restore(&table[..17]), None);
    }

    #[test]
    fn many_entries_and_far_offsets_take_64_bits() {
        let entry = ZipEntry {
            name: "a".to_owned(),
            checksum: 1,
            compressed_bytes: u32::MAX - 32,
            bytes: 9,
            texts: 1,
            annotations: 0,
        };
        let entries = vec![entry; 3];
        let directory = directory(entries.iter());
        // The third begins past 4 GiB.
        let third = &directory[2 * 47..];
        assert_eq!(third[42..46], [0xff; 4]);
        assert_eq!(third[47..59], [&[1, 0, 8, 0][..], &(2 * u64::from(u32::MAX - 1)).to_le_bytes()].concat());
        assert_eq!(directory[2 * 47 + 59..][..4], DIRECTORY_END_64.to_le_bytes());
    }
}
