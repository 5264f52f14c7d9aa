use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    file::metadata::{ParquetMetaData, RowGroupMetaData},
};
use spanfleet_core::Options;

use super::*;
use crate::testing::order;

fn options(json: &str) -> Options {
    order("jsonl", json).options
}

fn columns() -> Vec<Column> {
    let pair = vec![Column::new("start", Kind::Integer), Column::new("name", Kind::Text)];
    vec![Column::new("text", Kind::Text), Column::new("pairs", Kind::list_of(pair))]
}

fn rows(count: i64) -> Vec<[Cell<'static>; 2]> {
    let pair = |start| Cell::Struct(vec![Cell::Integer(start), Cell::Null]);
    let row = |at: i64| match at % 3 {
        0 => [Cell::Text("é"), Cell::list((0..at % 5).map(pair))],
        1 => [Cell::Null, Cell::Null],
        _ => [Cell::Text(""), Cell::List(Vec::new())],
    };
    (0..count).map(row).collect()
}

fn write(container: Container, options: &Options, rows: &[[Cell<'_>; 2]]) -> (Vec<u8>, TableNotes) {
    let mut out = Vec::new();
    let mut writer = TableWriter::begin(container, columns(), None, options).unwrap();
    for row in rows {
        writer.push(row, &mut out).unwrap();
    }
    let notes = writer.finish(&mut out).unwrap();
    (out, notes)
}

fn parquet_metadata(bytes: Vec<u8>) -> ParquetMetaData {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    builder.metadata().as_ref().clone()
}

#[test]
fn every_container_holds_the_same_rows() {
    let rows = rows(25);
    let options = options(r#"{"batch_size":10}"#);
    let expected = write(Container::Lines, &options, &rows);
    assert!(
        expected.0.starts_with(b"{\"text\":\"\xc3\xa9\",\"pairs\":[]}\n{\"text\":null,\"pairs\":null}\n")
    );
    let parquet = write(Container::Parquet, &options, &rows).0;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap();
    let from_parquet: Vec<_> = reader.with_batch_size(10).build().unwrap().map(Result::unwrap).collect();
    let file = write(Container::ArrowFile, &options, &rows).0;
    let file = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(file), None).unwrap();
    let from_file: Vec<_> = file.map(Result::unwrap).collect();
    let stream = write(Container::ArrowStream, &options, &rows).0;
    let stream = arrow_ipc::reader::StreamReader::try_new(std::io::Cursor::new(stream), None).unwrap();
    let from_stream: Vec<_> = stream.map(Result::unwrap).collect();
    assert_eq!(from_file.iter().map(arrow_array::RecordBatch::num_rows).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(from_file, from_stream);
    assert_eq!(from_file, from_parquet);
    assert_eq!(expected.1.rows, 25);
}

#[test]
fn batches_end_at_the_batch_size_or_when_they_are_wide() {
    let groups = |options: &Options, rows: &[[Cell<'_>; 2]]| {
        let metadata = parquet_metadata(write(Container::Parquet, options, rows).0);
        metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect::<Vec<_>>()
    };
    assert_eq!(groups(&options(r#"{"batch_size":7}"#), &rows(16)), [7, 7, 2]);
    let text = "x".repeat(3 << 20);
    let wide: Vec<_> = (0..3).map(|_| [Cell::Text(&text), Cell::Null]).collect();
    assert_eq!(groups(&options("{}"), &wide), [2, 1]);
}

#[test]
fn compression_is_the_codec_of_the_columns() {
    for (compression, codec) in [("gzip", "GZIP"), ("zstd", "ZSTD"), ("none", "UNCOMPRESSED")] {
        let options = options(&format!(r#"{{"compression":"{compression}"}}"#));
        let metadata = parquet_metadata(write(Container::Parquet, &options, &rows(9)).0);
        let found = format!("{:?}", metadata.row_group(0).column(0).compression());
        assert!(found.starts_with(codec), "{found}");
    }
}

#[test]
fn every_column_and_item_may_be_null() {
    fn check(field: &arrow_schema::Field) {
        assert!(field.is_nullable(), "{field:?}");
        match field.data_type() {
            arrow_schema::DataType::List(item) => check(item),
            arrow_schema::DataType::Struct(fields) => fields.iter().for_each(|field| check(field)),
            _ => {}
        }
    }
    let schema = arrow_schema(&crate::support::record_table::columns(true), None);
    schema.fields().iter().for_each(|field| check(field));
}
