//! Batches to bytes. What a writer made is taken out of it after every batch.

use arrow_array::RecordBatch;
use arrow_ipc::{
    CompressionType,
    writer::{FileWriter, IpcWriteOptions, StreamWriter},
};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression as Codec, GzipLevel, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
};
use spanfleet_core::{Options, options::Compression};

/// What a table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Parquet: a row group per batch.
    Parquet,
    /// Arrow's file format, with an index at its end.
    ArrowFile,
    /// Arrow's stream format.
    ArrowStream,
    /// JSON lines.
    Lines,
}

/// Why a table can't be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Arrow refuses a batch.
    #[error("can't write an Arrow batch: {0}")]
    Arrow(#[from] ArrowError),
    /// Parquet refuses a row group.
    #[error("can't write a Parquet row group: {0}")]
    Parquet(#[from] ParquetError),
    /// A row that no column can hold.
    #[error("its row takes {0} bytes, more than the 2 GiB of a column; split the text, or choose jsonl")]
    TooLarge(u64),
}

/// A file in the making.
pub(super) enum File {
    Parquet(Box<ArrowWriter<Vec<u8>>>),
    Indexed(Box<FileWriter<Vec<u8>>>),
    Stream(Box<StreamWriter<Vec<u8>>>),
}

impl File {
    /// Begins a file; `None` for JSON lines, which know no batches.
    pub(super) fn begin(
        container: Container,
        schema: &SchemaRef,
        options: &Options,
    ) -> Result<Option<File>, TableError> {
        Ok(match container {
            Container::Lines => None,
            Container::Parquet => {
                let properties = properties(schema, options)?;
                let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
                Some(File::Parquet(Box::new(writer)))
            }
            Container::ArrowFile => {
                let writer = FileWriter::try_new_with_options(Vec::new(), schema, ipc_options(options)?)?;
                Some(File::Indexed(Box::new(writer)))
            }
            Container::ArrowStream => {
                let writer = StreamWriter::try_new_with_options(Vec::new(), schema, ipc_options(options)?)?;
                Some(File::Stream(Box::new(writer)))
            }
        })
    }

    /// Writes a batch and appends to `out` what is ready.
    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), TableError> {
        match self {
            File::Parquet(writer) => {
                writer.write(batch)?;
                writer.flush()?;
                writer.sync().map_err(ParquetError::from)?;
                out.append(writer.inner_mut());
            }
            File::Indexed(writer) => {
                writer.write(batch)?;
                out.append(writer.get_mut());
            }
            File::Stream(writer) => {
                writer.write(batch)?;
                out.append(writer.get_mut());
            }
        }
        Ok(())
    }

    /// Ends the file and appends the rest of it.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> Result<(), TableError> {
        match self {
            File::Parquet(writer) => out.append(&mut writer.into_inner()?),
            File::Indexed(writer) => out.append(&mut writer.into_inner()?),
            File::Stream(writer) => out.append(&mut writer.into_inner()?),
        }
        Ok(())
    }
}

/// Chunks carry statistics; indexes of pages would grow with the file.
fn properties(schema: &SchemaRef, options: &Options) -> Result<WriterProperties, ParquetError> {
    let level = options.compression_level.map(i32::from);
    let codec = match options.compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Gzip => match level {
            Some(level) => Codec::GZIP(GzipLevel::try_new(level as u32)?),
            None => Codec::GZIP(GzipLevel::default()),
        },
        Compression::Zstd => match level {
            Some(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
            None => Codec::ZSTD(ZstdLevel::default()),
        },
    };
    // Arrow's schema carries its metadata already; readers of Parquet alone look for it here.
    let metadata = schema.metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let metadata: Vec<_> = metadata.collect();
    Ok(WriterProperties::builder()
        .set_compression(codec)
        .set_created_by("spanfleet".to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_key_value_metadata((!metadata.is_empty()).then_some(metadata))
        .build())
}

fn ipc_options(options: &Options) -> Result<IpcWriteOptions, ArrowError> {
    let codec = (options.compression == Compression::Zstd).then_some(CompressionType::ZSTD);
    let level = codec.and(options.compression_level).map(i32::from);
    IpcWriteOptions::default().try_with_compression(codec)?.try_with_compression_level(level)
}
