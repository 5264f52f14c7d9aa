//! Standard input and compressed files, laid down where they can be cut and read twice.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use spanfleet_import::format::Packed;
use tempfile::{NamedTempFile, TempPath};

/// How a stream is compressed, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    fn of(first: &[u8]) -> Packing {
        match first {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::None,
        }
    }
}

/// Copies standard input into a file of its own.
pub(super) fn standard_input() -> io::Result<TempPath> {
    spool(io::stdin().lock())
}

/// Copies a file that is compressed or can't be read twice (a pipe); `None` when it can be used as it is.
pub(super) fn file(path: &Path) -> io::Result<Option<TempPath>> {
    let file = File::open(path)?;
    let is_plain = file.metadata()?.is_file();
    let mut input = BufReader::new(file);
    if is_plain && Packing::of(input.fill_buf()?) == Packing::None {
        return Ok(None);
    }
    spool(input).map(Some)
}

fn spool(mut input: impl BufRead) -> io::Result<TempPath> {
    let mut output = NamedTempFile::with_prefix("spanfleet-input-")?;
    // A pipe may give its first bytes one at a time.
    let mut first = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut first)?;
    let packing = Packing::of(&first);
    let whole = io::Cursor::new(first).chain(input);
    match packing {
        Packing::None => copy(whole, &mut output)?,
        Packing::Gzip => copy(flate2::bufread::MultiGzDecoder::new(whole), &mut output)?,
        Packing::Zstd => copy(zstd::stream::read::Decoder::with_buffer(whole)?, &mut output)?,
    }
    Ok(output.into_temp_path())
}

fn copy(mut input: impl Read, output: &mut NamedTempFile) -> io::Result<()> {
    io::copy(&mut input, output.as_file_mut())?;
    output.flush()
}

/// Lays a packed file down as lines.
pub(super) fn unpacked(path: &Path, packed: Packed) -> io::Result<TempPath> {
    let mut output = io::BufWriter::new(NamedTempFile::new()?);
    (packed.unpack)(&|| File::open(path), &mut output)?;
    Ok(output.into_inner().map_err(io::IntoInnerError::into_error)?.into_temp_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spooled(bytes: &[u8]) -> Vec<u8> {
        std::fs::read(spool(bytes).unwrap()).unwrap()
    }

    #[test]
    fn compressed_streams_are_unpacked_member_after_member() {
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(spooled(&[gzip(b"ab"), gzip(b"cd")].concat()), b"abcd");
        let zstd = |text: &[u8]| zstd::stream::encode_all(text, 1).unwrap();
        assert_eq!(spooled(&[zstd(b"ab"), zstd(b"cd")].concat()), b"abcd");
        assert_eq!(spooled(b"ab"), b"ab");
        assert_eq!(spooled(b""), b"");
    }
}
