//! The laws of encoders, one suite for every entry of the catalogue: a new format is under them by its line there.
//!
//! | law | what it says |
//! | --- | --- |
//! | partition | a file of many parts is the file of one part, byte for byte, and so is its ledger |
//! | empty | no parts and empty parts leave no trace |
//! | sameness | the same documents give the same bytes, however often `out` is emptied |
//! | memory | what an encoder holds does not grow with the number of documents, or stays under the bound of one that holds a batch or its part |
//! | honesty | selected = written + losses |
//! | names | labels are written in the form that the order asks for |

use proptest::prelude::*;
use spanfleet_core::{Document, Ledger, Order, options::Annotators};

use crate::testing::{corpus, document, export, order, schema, uncompressed};
use crate::{Layout, Memory, PartSummary, Shaper, all, open, support::framing::assemble};

pub(crate) mod documents;

/// Options that lead encoders down different paths; a format ignores what is not its own.
const OPTIONS: &[&str] = &[
    "{}",
    r#"{"label_scheme":"BILOU","tokenizer":"whitespace","alignment":"strict","hierarchy":"path"}"#,
    r#"{"label_scheme":"IOBES","tokenizer":"gold","alignment":"contract","overlap":"first"}"#,
    r#"{"label_scheme":"IOB1","overlap":"confidence","docstart":true,"rows":"text","csv_bom":true}"#,
    r#"{"label_scheme":"IO","docstart":false,"spreadsheet_safe":true,"annotators":{"only":["bo"]}}"#,
    r#"{"label_map":{"PER":"HUMAN","O":null,"MY LABEL":"HUMAN"},"columns":"label,lemma,token,chunk"}"#,
    r#"{"annotators":"majority","preprocessing":["collapse_whitespace",{"normalize_unicode":"NFKC"},"lowercase",{"window":{"tokens":3,"stride":1}}]}"#,
    r#"{"annotators":"each","preprocessing":["split_sentences",{"min_confidence":0.5},"drop_unannotated"]}"#,
];

/// Options that only one format takes.
const OWN_OPTIONS: &[(&str, &str)] = &[
    ("conll", r#"{"conll_style":"conll2002","include_pos":true,"label_scheme":"IOB1"}"#),
    ("conll", r#"{"conll_style":"conll2003","tokenizer":"gold"}"#),
    ("conll", r#"{"conll_style":"conllu","tokenizer":"gold","docstart":true}"#),
    ("arrow", r#"{"arrow_ipc":"stream","compression":"zstd","batch_size":3}"#),
    ("jsonl", r#"{"jq":".annotations[] | {label, start}"}"#),
    ("json", r#"{"jq":"select(.annotations != []) | {id, text}"}"#),
    ("parquet", r#"{"compression":"zstd","batch_size":3}"#),
    ("transformers", r#"{"task_type":"sequence_classification"}"#),
    ("transformers", r#"{"task_type":"sequence_classification","multi_label":true,"data_files":"jsonl"}"#),
    ("transformers", r#"{"task_type":"relation_extraction","batch_size":2}"#),
    ("transformers", r#"{"task_type":"question_answering"}"#),
    ("transformers", r#"{"task_type":"language_modeling","data_files":"jsonl"}"#),
    ("squad", r#"{"squad_version":"2.0"}"#),
    ("chat", r#"{"task_type":"sequence_classification","system_message":"s"}"#),
    ("chat", r#"{"task_type":"relation_extraction","instruction":"{labels} {relations}"}"#),
    ("chat", r#"{"task_type":"question_answering"}"#),
];

fn orders() -> impl Iterator<Item = Order> {
    let own = OWN_OPTIONS.iter().map(|(format, options)| {
        let mut order = order(format, options);
        order.include.relations = true;
        order
    });
    let inclusions = |(at, options): (usize, &&str)| {
        let options = (*options).to_owned();
        all().iter().map(move |entry| {
            let mut order = order(entry.info.name, &options);
            order.include.relations = at % 2 == 0;
            order.include.hierarchies = at % 3 == 0;
            order.include.metadata = at != 4;
            order
        })
    };
    OPTIONS.iter().enumerate().flat_map(inclusions).chain(own)
}

/// Cuts documents after every position whose bit is set.
fn cut(documents: &[Document], bits: u32) -> Vec<&[Document]> {
    let (mut parts, mut from) = (Vec::new(), 0);
    for at in 1..documents.len() {
        if bits >> (at - 1) & 1 == 1 {
            parts.push(&documents[from..at]);
            from = at;
        }
    }
    parts.push(&documents[from..]);
    parts
}

fn check_partition(order: &Order, documents: &[Document], bits: u32) {
    let (whole, ledger) = export(order, &[documents]);
    let mut parts = cut(documents, bits);
    let (bytes, merged) = export(order, &parts);
    assert_eq!(merged, ledger, "{}: the ledger knows the cut", order.format);
    if open(order).unwrap().info().layout == Layout::OneFile {
        assert_eq!(bytes, whole, "{}: the bytes know the cut", order.format);
    }
    parts.insert(bits as usize % (parts.len() + 1), &[]);
    assert_eq!(export(order, &parts).0, bytes, "{}: an empty part left a trace", order.format);
}

fn check_honesty(order: &Order, documents: &[Document]) {
    let (_, ledger) = export(order, &[documents]);
    assert!(ledger.balances(), "{}: {ledger:?}", order.format);
    let options = &order.options;
    if !options.preprocessing.is_empty() || options.annotators == Annotators::Each {
        // Pieces of a text count as selected, each of them.
        return;
    }
    let annotations: usize = documents.iter().map(|document| document.annotations.len()).sum();
    let selected = (ledger.counts.texts_selected, ledger.counts.annotations_selected);
    assert_eq!(selected, (documents.len() as u64, annotations as u64), "{}", order.format);
}

/// Documents as an encoder gets them.
fn shaped(order: &Order, documents: &[Document]) -> Vec<Document> {
    let (mut shaper, mut shaped) = (Shaper::new(order, &schema(order, &[documents])), Vec::new());
    for document in documents {
        shaper.shape(document.clone(), &mut Ledger::default(), &mut shaped);
    }
    shaped
}

/// The caller may empty `out` after every document.
fn check_sameness(order: &Order, documents: &[Document]) {
    let (format, schema) = (open(order).unwrap(), schema(order, &[documents]));
    let documents = shaped(order, documents);
    let mut files = Vec::new();
    for empties in [false, true] {
        let (mut encoder, mut ledger) = (format.start(&schema).unwrap(), Ledger::default());
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        for document in &documents {
            encoder.push(document, &mut out, &mut ledger).unwrap();
            if empties {
                bytes.append(&mut out);
            }
        }
        let notes = encoder.finish(&mut out).unwrap();
        bytes.append(&mut out);
        let part = PartSummary { texts: ledger.counts.texts, notes };
        files.push(assemble(&*format, &schema, &[(part, bytes)]).unwrap());
    }
    assert_eq!(files[0], files[1], "{}", order.format);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_documents_obey(documents in documents::documents(), bits in any::<u32>()) {
        for order in orders() {
            check_partition(&order, &documents, bits);
            check_honesty(&order, &documents);
            check_sameness(&order, &documents);
        }
    }
}

#[test]
fn giants_obey() {
    let documents = documents::giants();
    for entry in all() {
        let mut order = order(entry.info.name, "{}");
        order.include.relations = true;
        let (whole, ledger) = export(&order, &[&documents]);
        assert!(ledger.balances(), "{}: {ledger:?}", order.format);
        let (bytes, merged) = export(&order, &cut(&documents, 0b010));
        assert_eq!(merged, ledger, "{}: the ledger knows the cut", order.format);
        let is_one_file = entry.info.layout == Layout::OneFile;
        assert!(!is_one_file || bytes == whole, "{}: the bytes know the cut", order.format);
    }
}

#[test]
fn every_cut_of_the_golden_corpus_gives_the_same_file() {
    let documents = corpus(include_str!("../../../tests/golden/corpus.jsonl"));
    for order in orders().step_by(3) {
        for bits in 0..1 << documents.len().saturating_sub(1).min(8) {
            check_partition(&order, &documents, bits);
        }
    }
}

#[test]
fn nothing_and_empty_parts_are_the_same_file() {
    for order in orders() {
        let nothing = export(&order, &[]).0;
        assert_eq!(export(&order, &[&[], &[]]).0, nothing, "{}", order.format);
    }
}

#[test]
fn labels_are_written_as_the_order_asks() {
    let text = document(
        r#"{"id":"t","text":"Ada","annotations":[{"id":"1","start":0,"end":3,"label":"Zroot/Zmid/Zleaf"}]}"#,
    );
    for entry in all() {
        for (hierarchy, expected) in [("leaf", "Zleaf"), ("root", "Zroot"), ("path", "Zroot/Zmid/Zleaf")] {
            let order = order(entry.info.name, &format!(r#"{{"hierarchy":"{hierarchy}"}}"#));
            let bytes = export(&order, &[std::slice::from_ref(&text)]).0;
            let content = uncompressed(entry.info.name, &bytes);
            let found = String::from_utf8_lossy(&content);
            let parts: Vec<_> =
                ["Zroot", "Zmid", "Zleaf"].into_iter().filter(|part| found.contains(part)).collect();
            assert!(found.contains(expected), "{}: {found}", entry.info.name);
            assert_eq!(parts.join("/"), expected, "{}: {found}", entry.info.name);
        }
    }
}

/// What an encoder may hold beside buffers for its widest text.
const HELD_BYTES: i64 = 64 << 10;
/// What an encoder of batches may hold: the cells of one, in columns that double when they grow.
const HELD_BATCH_BYTES: i64 = 10 << 20;
/// What it may keep of every batch before: Parquet's footer names each column of each row group.
const HELD_PER_BATCH_BYTES: i64 = 20 << 10;
/// Tokens and runs of the widest text, in bytes for every byte of it.
const HELD_PER_TEXT_BYTE: i64 = 32;

/// Bytes that an encoder holds after some documents, `out` emptied after each.
fn held_bytes(order: &Order, documents: &[Document], rounds: usize) -> i64 {
    let (format, mut out) = (open(order).unwrap(), Vec::with_capacity(64 << 20));
    let (schema, documents) = (schema(order, &[documents]), shaped(order, documents));
    let mut held = None;
    let info = allocation_counter::measure(|| {
        let mut encoder = format.start(&schema).unwrap();
        for document in documents.iter().cycle().take(documents.len() * rounds) {
            encoder.push(document, &mut out, &mut Ledger::default()).unwrap();
            out.clear();
        }
        held = Some(encoder);
    });
    drop(held);
    info.bytes_current
}

#[test]
fn encoders_hold_the_same_after_ten_times_the_documents() {
    let documents = documents::long();
    for order in orders() {
        let (few, many) = (held_bytes(&order, &documents, 1), held_bytes(&order, &documents, 10));
        // Steps may cut a text into many, which repeat some of it.
        let text_bytes: usize = shaped(&order, &documents).iter().map(|document| document.text.len()).sum();
        let bound = match open(&order).unwrap().info().memory {
            Memory::Buffers => few.min(HELD_BYTES),
            Memory::Batch => {
                let batches = 10 * documents.len() / order.options.batch_size;
                HELD_BATCH_BYTES + HELD_PER_BATCH_BYTES * batches as i64
            }
            Memory::Part => HELD_BYTES + HELD_PER_TEXT_BYTE * 10 * text_bytes as i64,
        };
        assert!(many <= bound, "{}: {few}, then {many} bytes, {bound} allowed", order.format);
    }
}

#[test]
fn encoders_hold_no_more_than_buffers_for_the_widest_text() {
    let documents = documents::wide();
    let bound = HELD_BYTES + HELD_PER_TEXT_BYTE * documents[0].text.len() as i64;
    for order in orders() {
        let held = held_bytes(&order, &documents, 1);
        let bound = match open(&order).unwrap().info().memory {
            Memory::Buffers => bound,
            Memory::Batch => bound + HELD_BATCH_BYTES,
            // Beside its buffers, it holds what it made.
            Memory::Part => 2 * bound,
        };
        assert!(held <= bound, "{}: {held} bytes, {bound} allowed", order.format);
    }
}
