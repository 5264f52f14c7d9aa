//! Where a bare loop writes: a file, through a compressor.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use libdeflater::{CompressionLvl, Compressor};

/// What libdeflate gets at once.
const BLOCK_BYTES: usize = 256 << 10;

/// A file that what is written is compressed into.
pub(crate) enum Sink {
    Plain(File),
    ZlibRs(Box<GzEncoder<File>>),
    Libdeflate { compressor: Box<Compressor>, file: File, out: Vec<u8> },
    Zstd(Box<zstd::Encoder<'static, File>>),
}

impl Sink {
    /// By a compressor's name and level, such as `libdeflate` and 1.
    pub(crate) fn create(path: &Path, compressor: &str, level: i32) -> io::Result<Sink> {
        let file = File::create(path)?;
        Ok(match compressor {
            "none" => Sink::Plain(file),
            "zlib-rs" => {
                let level = flate2::Compression::new(level.unsigned_abs());
                Sink::ZlibRs(Box::new(GzEncoder::new(file, level)))
            }
            "libdeflate" => {
                let level = CompressionLvl::new(level).map_err(|_| io::Error::other("no such level"))?;
                Sink::Libdeflate { compressor: Box::new(Compressor::new(level)), file, out: Vec::new() }
            }
            "zstd" => Sink::Zstd(Box::new(zstd::Encoder::new(file, level)?)),
            other => return Err(io::Error::other(format!("no compressor `{other}`"))),
        })
    }

    /// Bytes that should be gathered before they are written.
    pub(crate) const fn block_bytes() -> usize {
        BLOCK_BYTES
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Plain(file) => file.write_all(bytes),
            Sink::ZlibRs(encoder) => encoder.write_all(bytes),
            Sink::Libdeflate { compressor, file, out } => {
                out.resize(compressor.gzip_compress_bound(bytes.len()), 0);
                let length = compressor.gzip_compress(bytes, out).map_err(io::Error::other)?;
                file.write_all(&out[..length])
            }
            Sink::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Sink::Plain(_) | Sink::Libdeflate { .. } => Ok(()),
            Sink::ZlibRs(encoder) => encoder.finish().map(drop),
            Sink::Zstd(encoder) => encoder.finish().map(drop),
        }
    }
}
