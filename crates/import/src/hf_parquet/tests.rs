use std::{fs::File, sync::Arc};

use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use proptest::{prelude::*, test_runner::TestRunner};
use spanfleet_core::Document;

use super::*;
use crate::{FileNames, InputFormat, Position, Reader, tests::laws::mutated};

const SCHEMA: &str = "message rows {
    required binary text (UTF8);
    required int64 label;
    required group tokens (LIST) { repeated group list { required binary element (UTF8); } }
    required group ner_tags (LIST) { repeated group list { required int64 element; } }
}";
const FEATURES: &str = r#"{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["bad", "good"]},
    "ner_tags": {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["O", "B-PER", "I-PER"]}}}}}"#;

/// Two rows: `Ada 😀 met` with tags, and `No` without.
fn write(path: &std::path::Path) {
    let features = KeyValue::new("huggingface".to_owned(), FEATURES.to_owned());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let properties = Arc::new(properties.set_key_value_metadata(Some(vec![features])).build());
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut file = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    let words = |words: &[&str]| words.iter().map(|word| ByteArray::from(*word)).collect::<Vec<_>>();
    let (levels, repeats) = ([1, 1, 1, 1], [0, 1, 1, 0]);
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&words(&["Ada 😀 met", "No"]), None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1, 0], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let tokens = words(&["Ada", "😀", "met", "No"]);
    column.typed::<ByteArrayType>().write_batch(&tokens, Some(&levels), Some(&repeats)).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1, 2, 0, 0], Some(&levels), Some(&repeats)).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

#[allow(clippy::disallowed_methods)] // a test is its own source
fn read(path: &std::path::Path) -> (Vec<Document>, Vec<String>) {
    let packed = ENTRY.packed.unwrap();
    let mut lines = Vec::new();
    (packed.unpack)(&|| File::open(path), &mut lines).unwrap();
    let dialect = survey(&mut lines.as_slice(), &FormatOptions::default()).unwrap();
    let names = FileNames::new("x.parquet");
    let mut reader = Reader::new(lines.as_slice(), &*dialect, &names, Position::default());
    let (mut documents, mut reasons) = (Vec::new(), Vec::new());
    while let Some(read) = reader.next_document().unwrap() {
        match read {
            Ok(document) => documents.push(document),
            Err(rejected) => reasons.push(rejected.error.reason),
        }
    }
    (documents, reasons)
}

#[test]
fn rows_become_texts_with_the_names_of_their_labels() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path);
    assert_eq!(InputFormat::detect(&std::fs::read(&path).unwrap()), Some(InputFormat::HfParquet));
    let (documents, reasons) = read(&path);
    assert_eq!(reasons, Vec::<String>::new());
    let shown = |document: &Document| {
        let found = document.annotations.iter();
        found.map(|found| (found.extent.hull(), found.label.to_string())).collect::<Vec<_>>()
    };
    assert_eq!((documents[0].id.as_str(), documents[0].text.as_str()), ("x-1", "Ada 😀 met"));
    assert_eq!(shown(&documents[0]), [(Some((0, 5)), "PER".to_owned()), (None, "good".to_owned())]);
    assert_eq!(shown(&documents[1]), [(None, "bad".to_owned())]);
    assert_eq!(documents[0].tokens.as_ref().unwrap().len(), 3);
}

#[test]
fn a_file_that_is_damaged_says_so() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path);
    let bytes = std::fs::read(&path).unwrap();
    for length in [4, bytes.len() / 3, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let (documents, reasons) = read(&path);
        assert!(documents.is_empty());
        assert!(reasons[0].starts_with("the Parquet file can't be read from here on: "), "{reasons:?}");
    }
}

/// Whatever stands in the file: no panic gets out, and what breaks off says so.
#[test]
fn mutated_files_are_read_or_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path);
    let seed = std::fs::read(&path).unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    let checked = runner.run(&mutated(seed), |bytes| {
        std::fs::write(&path, bytes).unwrap();
        let (documents, reasons) = read(&path);
        prop_assert!(documents.len() + reasons.len() <= 64, "{} texts", documents.len());
        Ok(())
    });
    checked.unwrap();
}
