//! Gzip members and zstd frames. They read as one file where they stand one after the other, so that every part and
//! every piece of glue is compressed on its own.

use std::io::{self, Read, Write};

use flate2::read::DeflateDecoder;
use libdeflater::CompressionLvl;
use spanfleet_core::options::Compression;

/// On the Pareto front of size and speed (docs/performance.md).
const GZIP_LEVEL: u8 = 6;
/// Zstandard's own default.
const ZSTD_LEVEL: u8 = 3;
/// What libdeflate gets at once, a gzip member of its own: far more than the 32 KiB that Deflate looks back.
pub const MEMBER_BYTES: usize = 256 << 10;
/// What zstd gets at once. It looks at the end of what it got, so that writes of other sizes would give other frames.
const BLOCK_BYTES: usize = 64 << 10;

/// Compresses pieces of a file that read as one. The same bytes give the same pieces, however they are cut into
/// writes.
pub struct Compressor {
    stream: Stream,
    /// What waits to be compressed at once.
    waiting: Vec<u8>,
    /// Whether something of the piece at hand was compressed.
    has_begun: bool,
}

enum Stream {
    Plain,
    Gzip {
        compressor: Box<libdeflater::Compressor>,
        /// Room for a member of the worst size: few come near it, and the caller's buffer grows by what they have.
        member: Vec<u8>,
    },
    Zstd {
        level: i32,
        frame: Option<Box<zstd::Encoder<'static, Vec<u8>>>>,
    },
}

impl Compressor {
    /// Without a level: 6 for gzip, 3 for zstd.
    pub fn new(compression: Compression, level: Option<u8>) -> io::Result<Compressor> {
        let stream = match compression {
            Compression::None => Stream::Plain,
            Compression::Gzip => {
                let level = CompressionLvl::new(level.unwrap_or(GZIP_LEVEL).into())
                    .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "gzip has no such level"))?;
                Stream::Gzip { compressor: Box::new(libdeflater::Compressor::new(level)), member: Vec::new() }
            }
            Compression::Zstd => Stream::Zstd { level: level.unwrap_or(ZSTD_LEVEL).into(), frame: None },
        };
        Ok(Compressor { stream, waiting: Vec::new(), has_begun: false })
    }

    /// Compresses bytes; appends to `out` what is ready.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let at_once = match self.stream {
            Stream::Plain => {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            Stream::Gzip { .. } => MEMBER_BYTES,
            Stream::Zstd { .. } => BLOCK_BYTES,
        };
        while self.waiting.len() + bytes.len() >= at_once {
            let (now, later) = bytes.split_at(at_once - self.waiting.len());
            self.waiting.extend_from_slice(now);
            self.compress(out)?;
            bytes = later;
        }
        self.waiting.extend_from_slice(bytes);
        Ok(())
    }

    fn compress(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain => {}
            Stream::Gzip { compressor, member } => {
                let most_bytes = compressor.gzip_compress_bound(self.waiting.len());
                member.resize(member.len().max(most_bytes), 0);
                // The header that libdeflate writes holds neither time nor name: the same data is the same file.
                let bytes = compressor.gzip_compress(&self.waiting, member).map_err(io::Error::other)?;
                out.extend_from_slice(&member[..bytes]);
            }
            Stream::Zstd { level, frame } => {
                let encoder = match frame {
                    Some(encoder) => encoder,
                    None => frame.insert(begin_frame(*level)?),
                };
                // The encoder writes into the caller's buffer, which it borrows by swapping.
                std::mem::swap(encoder.get_mut(), out);
                let written = encoder.write_all(&self.waiting);
                std::mem::swap(encoder.get_mut(), out);
                written?;
            }
        }
        self.waiting.clear();
        self.has_begun = true;
        Ok(())
    }

    /// Ends the piece and appends the rest of it; what is written next begins another. A piece of nothing is a valid
    /// file.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        if !self.waiting.is_empty() || !self.has_begun {
            self.compress(out)?;
        }
        self.has_begun = false;
        if let Stream::Zstd { frame, .. } = &mut self.stream
            && let Some(encoder) = frame.take()
        {
            out.append(&mut encoder.finish()?);
        }
        Ok(())
    }
}

fn begin_frame(level: i32) -> io::Result<Box<zstd::Encoder<'static, Vec<u8>>>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level)?;
    encoder.include_checksum(true)?;
    Ok(Box::new(encoder))
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
