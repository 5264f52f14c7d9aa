use std::io::Cursor;

use flate2::{Compression, write::ZlibEncoder};
use proptest::{prelude::*, test_runner::TestRunner};
use rmp::encode;
use spanfleet_core::{Document, Extent, spacy_symbols::spacy_hash};

use super::*;
use crate::{
    FileNames, FormatOptions, InputFormat, Layout, Position, Reader, Rejected, tests::laws::mutated,
};

fn number(string: &str) -> u64 {
    let symbol = spanfleet_core::spacy_symbols::SYMBOLS.iter().position(|symbol| *symbol == string);
    symbol.map_or_else(|| spacy_hash(string), |at| at as u64)
}

/// A DocBin of two texts with the three smallest columns, as spaCy would write it.
fn docbin() -> Vec<u8> {
    let mut out = Vec::new();
    encode::write_map_len(&mut out, 8).unwrap();
    encode::write_str(&mut out, "attrs").unwrap();
    encode::write_array_len(&mut out, 3).unwrap();
    for column in [65, 77, 78] {
        encode::write_uint(&mut out, column).unwrap();
    }
    let rows = [("Ada", 3, "PERSON"), ("😀", 1, "PERSON"), ("met", 2, ""), ("root", 3, "PER")];
    let bytes = rows.iter().flat_map(|(word, iob, label)| [number(word), *iob, number(label)]);
    let bytes: Vec<u8> = bytes.flat_map(u64::to_le_bytes).collect();
    let lengths: Vec<u8> = [3_i32, 1].iter().flat_map(|length| length.to_le_bytes()).collect();
    for (key, bin) in [("tokens", bytes.as_slice()), ("spaces", &[1, 1, 0, 0]), ("lengths", &lengths)] {
        encode::write_str(&mut out, key).unwrap();
        encode::write_bin(&mut out, bin).unwrap();
    }
    encode::write_str(&mut out, "strings").unwrap();
    let strings = ["Ada", "😀", "met", "root", "PER", "PERSON"];
    encode::write_array_len(&mut out, 6).unwrap();
    for string in strings {
        encode::write_str(&mut out, string).unwrap();
    }
    encode::write_str(&mut out, "cats").unwrap();
    encode::write_array_len(&mut out, 2).unwrap();
    for value in [1.0, 0.75] {
        encode::write_map_len(&mut out, 1).unwrap();
        encode::write_str(&mut out, "good").unwrap();
        encode::write_f64(&mut out, value).unwrap();
    }
    encode::write_str(&mut out, "span_groups").unwrap();
    encode::write_array_len(&mut out, 2).unwrap();
    for spans in [vec![(0, 2, "PERSON"), (1, 3, "X"), (2, 9, "X")], vec![]] {
        let group = group(&spans);
        encode::write_bin(&mut out, &group).unwrap();
    }
    encode::write_str(&mut out, "user_data").unwrap();
    encode::write_array_len(&mut out, 2).unwrap();
    let mut data = Vec::new();
    encode::write_map_len(&mut data, 2).unwrap();
    encode::write_str(&mut data, "id").unwrap();
    encode::write_str(&mut data, "doc-1").unwrap();
    encode::write_array_len(&mut data, 1).unwrap();
    encode::write_str(&mut data, "._.").unwrap();
    encode::write_nil(&mut data).unwrap();
    encode::write_bin(&mut out, &data).unwrap();
    encode::write_bin(&mut out, b"\x80").unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&out).unwrap();
    zlib.finish().unwrap()
}

fn group(spans: &[(i32, i32, &str)]) -> Vec<u8> {
    let mut group = Vec::new();
    encode::write_map_len(&mut group, 2).unwrap();
    encode::write_str(&mut group, "name").unwrap();
    encode::write_str(&mut group, "sc").unwrap();
    encode::write_str(&mut group, "spans").unwrap();
    encode::write_array_len(&mut group, spans.len() as u32).unwrap();
    for (first, end, label) in spans {
        let wide = [0, 0, number(label)].into_iter().flat_map(u64::to_be_bytes);
        let short = [*first, *end, 0, 0].into_iter().flat_map(i32::to_be_bytes);
        encode::write_bin(&mut group, &wide.chain(short).collect::<Vec<u8>>()).unwrap();
    }
    let mut groups = Vec::new();
    encode::write_array_len(&mut groups, 1).unwrap();
    encode::write_bin(&mut groups, &group).unwrap();
    groups
}

fn lines(docbin: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let open = || Ok(Cursor::new(docbin));
    if let Err(error) = unpack_all(&open, &mut out) {
        writeln!(out, "{}", json!({KEY: {"broken": error.to_string()}})).unwrap();
    }
    out
}

fn read_docbin(docbin: &[u8]) -> (Vec<Document>, Vec<Rejected>) {
    let lines = lines(docbin);
    let Layout::Records(survey) = InputFormat::Spacy.entry().layout else { panic!("records") };
    let dialect = survey(&mut lines.as_slice(), &FormatOptions::default()).unwrap();
    let names = FileNames::new("x.spacy");
    let mut reader = Reader::new(lines.as_slice(), &*dialect, &names, Position::default());
    let (mut documents, mut rejects) = (Vec::new(), Vec::new());
    while let Some(read) = reader.next_document().unwrap() {
        match read {
            Ok(document) => documents.push(document),
            Err(rejected) => rejects.push(rejected),
        }
    }
    (documents, rejects)
}

#[test]
fn texts_entities_groups_and_categories_are_read() {
    assert!(is_docbin(&docbin()));
    assert_eq!(InputFormat::detect(&docbin()), Some(InputFormat::Spacy));
    let (documents, rejects) = read_docbin(&docbin());
    let reasons: Vec<_> = rejects.iter().map(|rejected| rejected.error.to_string()).collect();
    let shown = |document: &Document| {
        let found = document.annotations.iter();
        found
            .map(|found| (found.extent.hull(), found.label.to_string(), found.confidence))
            .collect::<Vec<_>>()
    };
    assert_eq!((documents[0].id.as_str(), documents[0].text.as_str()), ("doc-1", "Ada 😀 met"));
    assert_eq!(
        shown(&documents[0]),
        [
            (Some((0, 5)), "PERSON".into(), None),
            (Some((4, 9)), "X".into(), None),
            (None, "good".into(), None)
        ]
    );
    assert_eq!((documents[1].id.as_str(), documents[1].text.as_str()), ("x-2", "root"));
    assert_eq!(documents[1].annotations[1].extent, Extent::Text);
    assert_eq!(documents[1].annotations[1].confidence, Some(0.75));
    assert_eq!(
        reasons,
        ["x.spacy:1:1: annotation: a span that lies past the words of its text, or is empty"]
    );
}

#[test]
fn a_docbin_that_breaks_off_is_read_so_far_and_says_so() {
    let whole = docbin();
    let (documents, rejects) = read_docbin(&whole[..whole.len() / 2]);
    assert!(documents.is_empty());
    assert!(rejects[0].error.reason.contains("the DocBin can't be read from here on"), "{rejects:?}");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_unpacked_or_refused(changes in proptest::collection::vec((0..400_usize, 0..=255_u8), 0..6)) {
        let mut plain = Vec::new();
        ZlibDecoder::new(docbin().as_slice()).read_to_end(&mut plain).unwrap();
        for (at, byte) in changes {
            let length = plain.len();
            plain[at % length] = byte;
        }
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&plain).unwrap();
        let docbin = zlib.finish().unwrap();
        let lines = lines(&docbin).split(|byte| *byte == b'\n').count() - 1;
        let (documents, rejects) = read_docbin(&docbin);
        let texts = rejects.iter().filter(|rejected| rejected.kind == spanfleet_core::Kind::Text).count();
        proptest::prop_assert_eq!(documents.len() + texts, lines);
    }
}

/// The map inside, changed anywhere: each text is read or refused, in the memory of the file.
#[test]
fn mutated_files_are_read_or_refused() {
    let mut seed = Vec::new();
    ZlibDecoder::new(docbin().as_slice()).read_to_end(&mut seed).unwrap();
    let pack = |bytes: &[u8]| {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(bytes).unwrap();
        zlib.finish().unwrap()
    };
    let mut runner = TestRunner::new(ProptestConfig::with_cases(2_000));
    let checked = runner.run(&mutated(seed), |bytes| {
        let (documents, rejects) = read_docbin(&pack(&bytes));
        prop_assert!(documents.len() + rejects.len() <= 1_000, "{} texts", documents.len());
        Ok(())
    });
    checked.unwrap();
    let checked = runner.run(&mutated(docbin()), |bytes| {
        read_docbin(&bytes);
        Ok(())
    });
    checked.unwrap();
}
