//! The loops that an export spends its time in, each alone and over the same texts. `make hot-paths` times them;
//! `make test` counts their instructions, which tells a slower loop on the noisiest of machines.

mod rows;

use std::{collections::BTreeSet, hint::black_box};

use serde_json::Map;
use spanfleet_core::{
    CharIndex, Document, Ledger, Options, Order, Schema,
    options::{Compression, Tokenizer as TokenizerKind},
    order::Include,
};
use spanfleet_formats::{
    EncodeError, Shaper, open,
    support::{
        compress::Compressor,
        labels::{Labeller, Tokenized},
        names::LabelNames,
        tokenize::Tokenizer,
    },
};
use spanfleet_import::{FileNames, Position, Reader, jsonl::Jsonl};
use spanfleet_source_postgres::Documents;

/// The corpus of the examples: people, ships and places, overlapping and discontinuous spans, relations.
const CORPUS: &str = include_str!("../../../examples/harbour/harbour.jsonl");
/// How often it is taken: 120 texts, some 60 KB.
const TIMES: usize = 10;

/// One loop. Its memory is kept from run to run, as a worker keeps it from text to text.
pub struct HotPath {
    /// What it does, and how.
    pub name: String,
    run: Box<dyn FnMut() -> usize>,
}

impl HotPath {
    fn new(name: impl Into<String>, run: impl FnMut() -> usize + 'static) -> HotPath {
        HotPath { name: name.into(), run: Box::new(run) }
    }

    /// Goes over all texts once; gives a size of what came out, so that none of it can be left out.
    pub fn run(&mut self) -> usize {
        black_box((self.run)())
    }
}

/// Every loop, in the order of an export.
pub fn all() -> Vec<HotPath> {
    let documents = documents();
    let mut paths = vec![reading(), decoding(&documents)];
    paths.extend([TokenizerKind::Words, TokenizerKind::Whitespace, TokenizerKind::Spacy].map(tokenizing));
    paths.push(labelling("sequence", |labeller, input, names, ledger| {
        labeller.label(input, names, ledger).map(<[_]>::len)
    }));
    paths.push(labelling("spans", |labeller, input, names, ledger| {
        labeller.spans(input, names, ledger).map(|spans| spans.all.len())
    }));
    paths.extend(spanfleet_formats::all().iter().map(|entry| encoding(entry.info.name)));
    paths.extend([
        compressing(Compression::Gzip, 1),
        compressing(Compression::Gzip, 6),
        compressing(Compression::Zstd, 3),
    ]);
    paths
}

fn lines() -> String {
    CORPUS.repeat(TIMES)
}

fn read(lines: &str) -> Vec<Document> {
    let mut reader =
        Reader::new(lines.as_bytes(), &Jsonl, &FileNames::new("harbour.jsonl"), Position::default());
    let mut documents = Vec::new();
    while let Some(document) = reader.next_document().expect("memory can be read") {
        documents.push(document.expect("the example is valid"));
    }
    documents
}

/// Documents with ids of their own: some formats name files by them.
fn documents() -> Vec<Document> {
    let mut documents = read(&lines());
    for (nth, document) in documents.iter_mut().enumerate() {
        document.id = format!("{}-{nth}", document.id).into();
    }
    documents
}

fn order(format: &str) -> Order {
    let (options, filter) = (Map::new(), Map::new());
    let include = Include { relations: true, ..Include::default() };
    Order::new(format, &[&options], &filter, include).expect("the defaults suit every format")
}

/// What a plan knows of the texts.
fn schema(order: &Order, documents: &[Document]) -> Schema {
    let labels = documents.iter().flat_map(|document| &document.annotations).map(|it| it.label.to_string());
    let kinds = documents.iter().flat_map(|document| &document.relations).map(|it| it.kind.to_string());
    let sorted = |names: BTreeSet<String>| names.into_iter().collect();
    let planned = Schema {
        labels: sorted(labels.collect()),
        relation_types: sorted(kinds.collect()),
        ..Schema::default()
    };
    Shaper::new(order, &planned).schema()
}

fn reading() -> HotPath {
    let lines = lines();
    HotPath::new("read/jsonl", move || read(&lines).len())
}

fn decoding(documents: &[Document]) -> HotPath {
    let rows = rows::of(documents);
    HotPath::new("decode/copy", move || {
        let whole = |bytes: &bytes::Bytes| std::iter::once(Ok(bytes.clone()));
        let mut decoded = Documents::new(whole(&rows.texts), whole(&rows.annotations), None, rows.names());
        let mut annotations = 0;
        while let Some((_, document)) = decoded.next().expect("the rows are whole") {
            annotations += document.annotations.len();
        }
        annotations
    })
}

fn tokenizing(kind: TokenizerKind) -> HotPath {
    let (documents, mut tokenizer, mut chars) = (documents(), Tokenizer::new(kind), CharIndex::default());
    HotPath::new(format!("tokenize/{}", kind.as_str()), move || {
        let mut tokens = 0;
        for document in &documents {
            chars.rebuild(&document.text);
            tokens += tokenizer.tokenize(document, &chars).0.len();
        }
        tokens
    })
}

/// A way of labelling tokens; how many runs there are.
type Label = fn(&mut Labeller, Tokenized<'_>, &mut LabelNames, &mut Ledger) -> Result<usize, EncodeError>;

/// Spans on tokens that were found before.
fn labelling(what: &str, label: Label) -> HotPath {
    let options = Options::default();
    let tokenized: Vec<_> = documents()
        .into_iter()
        .map(|document| {
            let chars = CharIndex::new(&document.text);
            let mut tokenizer = Tokenizer::new(options.tokenizer);
            let (tokens, origin) = tokenizer.tokenize(&document, &chars);
            let tokens = tokens.to_vec();
            (document, chars, tokens, origin)
        })
        .collect();
    let (mut labeller, mut names) = (Labeller::new(&options), LabelNames::new(&options));
    HotPath::new(format!("label/{what}"), move || {
        let (mut ledger, mut runs) = (Ledger::default(), 0);
        for (document, chars, tokens, origin) in &tokenized {
            let input = Tokenized { document, chars, tokens, origin: *origin };
            runs += label(&mut labeller, input, &mut names, &mut ledger).expect("overlaps are resolved");
        }
        runs
    })
}

fn encoding(format: &str) -> HotPath {
    let documents = documents();
    let order = order(format);
    let schema = schema(&order, &documents);
    let mut out = Vec::new();
    HotPath::new(format!("encode/{format}"), move || {
        let format = open(&order).expect("the format is in the catalogue");
        let mut encoder = format.start(&schema).expect("a part can be begun");
        let (mut ledger, mut bytes) = (Ledger::default(), 0);
        for document in &documents {
            encoder.push(document, &mut out, &mut ledger).expect("the example can be written");
            bytes += out.len();
            out.clear();
        }
        encoder.finish(&mut out).expect("the part can be ended");
        bytes + out.len()
    })
}

fn compressing(compression: Compression, level: u8) -> HotPath {
    let lines = lines();
    let mut out = Vec::new();
    let mut compressor = Compressor::new(compression, Some(level)).expect("the level exists");
    HotPath::new(format!("compress/{}-{level}", compression.as_str()), move || {
        out.clear();
        compressor.write(lines.as_bytes(), &mut out).expect("memory can be written");
        compressor.finish(&mut out).expect("memory can be written");
        out.len()
    })
}
