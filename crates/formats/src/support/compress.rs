//! Gzip members and zstd frames. Members that stand one after the other read as one file, so that every
//! part and every piece of glue is compressed on its own.

use std::io::{self, Read, Write};

use flate2::{GzBuilder, read::DeflateDecoder, write::GzEncoder};
use spanfleet_core::options::Compression;

/// Gzip's own default: files small enough to send, at half the speed of the fastest level.
const GZIP_LEVEL: u8 = 6;
/// Zstandard's own default.
const ZSTD_LEVEL: u8 = 3;
/// What an encoder gets at once. Encoders look at the end of what they got, so that writes of other sizes would
/// give other members.
const BLOCK_BYTES: usize = 64 << 10;

/// Compresses one member. The same bytes give the same member, however they are cut into writes.
pub struct Compressor {
    stream: Stream,
    /// The beginning of the next block.
    block: Vec<u8>,
}

enum Stream {
    Plain,
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(Box<zstd::Encoder<'static, Vec<u8>>>),
}

impl Compressor {
    /// Starts a member. Without a level: 6 for gzip, 3 for zstd.
    pub fn new(compression: Compression, level: Option<u8>) -> io::Result<Compressor> {
        let stream = match compression {
            Compression::None => Stream::Plain,
            Compression::Gzip => {
                let level = flate2::Compression::new(level.unwrap_or(GZIP_LEVEL).into());
                // No time and no file name in the header: the same data is the same file.
                Stream::Gzip(Box::new(GzBuilder::new().mtime(0).write(Vec::new(), level)))
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), level.unwrap_or(ZSTD_LEVEL).into())?;
                encoder.include_checksum(true)?;
                Stream::Zstd(Box::new(encoder))
            }
        };
        Ok(Compressor { stream, block: Vec::new() })
    }

    /// Compresses bytes; appends to `out` what is ready.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        if matches!(self.stream, Stream::Plain) {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        while self.block.len() + bytes.len() >= BLOCK_BYTES {
            let (now, later) = bytes.split_at(BLOCK_BYTES - self.block.len());
            self.block.extend_from_slice(now);
            self.write_block(out)?;
            bytes = later;
        }
        self.block.extend_from_slice(bytes);
        Ok(())
    }

    fn write_block(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        // The encoder writes into the caller's buffer, which it borrows by swapping.
        match &mut self.stream {
            Stream::Plain => out.extend_from_slice(&self.block),
            Stream::Gzip(encoder) => {
                std::mem::swap(encoder.get_mut(), out);
                let written = encoder.write_all(&self.block);
                std::mem::swap(encoder.get_mut(), out);
                written?;
            }
            Stream::Zstd(encoder) => {
                std::mem::swap(encoder.get_mut(), out);
                let written = encoder.write_all(&self.block);
                std::mem::swap(encoder.get_mut(), out);
                written?;
            }
        }
        self.block.clear();
        Ok(())
    }

    /// Ends the member and appends the rest of it.
    pub fn finish(mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.write_block(out)?;
        match self.stream {
            Stream::Plain => {}
            Stream::Gzip(encoder) => out.append(&mut encoder.finish()?),
            Stream::Zstd(encoder) => out.append(&mut encoder.finish()?),
        }
        Ok(())
    }
}

/// What was deflated (RFC 1951) from so many bytes.
pub fn inflate(deflated: &[u8], bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(bytes as usize);
    DeflateDecoder::new(deflated).read_to_end(&mut content)?;
    if content.len() as u64 == bytes {
        Ok(content)
    } else {
        Err(io::Error::other(format!("{} bytes came out of what was deflated from {bytes}", content.len())))
    }
}

/// One member that holds all the bytes; nothing at all for no bytes, which read the same in a longer file.
pub fn member(compression: Compression, level: Option<u8>, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    if !bytes.is_empty() {
        let mut compressor = Compressor::new(compression, level)?;
        compressor.write(bytes, &mut out)?;
        compressor.finish(&mut out)?;
    }
    Ok(out)
}

/// What a compressed file's name ends with, dot included.
pub const fn extension(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "",
        Compression::Gzip => ".gz",
        Compression::Zstd => ".zst",
    }
}

/// `Content-Type` of a compressed file; `None` when it is that of the format.
pub const fn media_type(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("application/gzip"),
        Compression::Zstd => Some("application/zstd"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::catalogue::ALL_COMPRESSIONS;

    fn read(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match compression {
            Compression::None => out.extend_from_slice(bytes),
            Compression::Gzip => {
                flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).map(drop).unwrap();
            }
            Compression::Zstd => zstd::Decoder::new(bytes).unwrap().read_to_end(&mut out).map(drop).unwrap(),
        }
        out
    }

    fn sample() -> Vec<u8> {
        (0..200_000_u32).flat_map(|n| (n.wrapping_mul(n) % 251).to_le_bytes()).collect()
    }

    #[test]
    fn members_concatenate() {
        for compression in ALL_COMPRESSIONS {
            let mut file = Vec::new();
            for piece in [&b"head\n"[..], &sample(), b"", b"tail"] {
                file.extend(member(*compression, None, piece).unwrap());
            }
            let expected = [&b"head\n"[..], &sample(), b"tail"].concat();
            assert!(read(*compression, &file) == expected, "{compression:?}");
        }
    }

    #[test]
    fn an_empty_member_is_a_valid_file() {
        for compression in ALL_COMPRESSIONS {
            let mut out = Vec::new();
            Compressor::new(*compression, None).unwrap().finish(&mut out).unwrap();
            assert_eq!(read(*compression, &out), b"");
        }
    }

    #[test]
    fn the_cut_of_writes_does_not_show_and_levels_count() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let (mut cut, bytes) = (Vec::new(), sample());
            let mut compressor = Compressor::new(compression, Some(1)).unwrap();
            for piece in bytes.chunks(7_001) {
                compressor.write(piece, &mut cut).unwrap();
            }
            compressor.finish(&mut cut).unwrap();
            assert!(cut == member(compression, Some(1), &bytes).unwrap(), "{compression:?}");
            assert!(cut != member(compression, Some(9), &bytes).unwrap(), "{compression:?}");
        }
    }

    #[test]
    fn gzip_headers_hold_no_time() {
        assert_eq!(&member(Compression::Gzip, None, b"a").unwrap()[4..8], [0; 4]);
    }
}
