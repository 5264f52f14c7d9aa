//! Real corpora read back, and laws over random bytes.

pub(crate) mod laws;
mod originals;

use std::path::{Path, PathBuf};

use spanfleet_core::{Document, Extent};

use crate::{
    Dialect, FileNames, FormatOptions, InputFormat, Layout, Position, Reader, Rejected,
    brat::{self, Pair},
};

/// The folder of real corpora; absent on most machines, and then a test has nothing to say.
fn corpus(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let root = std::env::var_os("SPANFLEET_CORPORA").map_or(beside, PathBuf::from);
    let folder = root.join(name);
    if !folder.is_dir() {
        println!("skipped: no corpus `{name}`; name the folder of corpora in SPANFLEET_CORPORA");
        return None;
    }
    Some(folder)
}

fn dialect_of(bytes: &[u8]) -> std::sync::Arc<dyn Dialect> {
    let format = InputFormat::detect(bytes).unwrap();
    let Layout::Records(survey) = format.entry().layout else { panic!("{} has no records", format.name()) };
    survey(&mut &*bytes, &FormatOptions::default()).unwrap()
}

fn read_all(bytes: &[u8], dialect: &dyn Dialect, name: &str) -> Vec<Result<Document, Rejected>> {
    let mut reader = Reader::new(bytes, dialect, &FileNames::new(name), Position::default());
    std::iter::from_fn(|| reader.next_document().unwrap()).collect()
}

fn read_file(path: &Path) -> Vec<Document> {
    let bytes = std::fs::read(path).unwrap();
    let all = read_all(&bytes, &*dialect_of(&bytes), &path.to_string_lossy());
    all.into_iter().map(|document| document.unwrap_or_else(|rejected| panic!("{}", rejected.error))).collect()
}

/// What two readings of one text have to agree on.
type Essence = (String, Vec<(Extent, String)>, Option<Vec<(u32, u32)>>, Vec<(String, String, String)>);

fn essence(document: &Document) -> Essence {
    let annotations =
        document.annotations.iter().map(|found| (found.extent.clone(), found.label.to_string()));
    let tokens =
        |tokens: &Vec<spanfleet_core::Token>| tokens.iter().map(|token| (token.start, token.end)).collect();
    let relations = &document.relations;
    let relations =
        relations.iter().map(|r| (r.source.to_string(), r.kind.to_string(), r.target.to_string()));
    (document.text.clone(), annotations.collect(), document.tokens.as_ref().map(tokens), relations.collect())
}

fn column_files_agree(name: &str, originals: &[&str]) {
    let Some(folder) = corpus(name) else { return };
    let expected = read_file(&folder.join("corpus.jsonl"));
    let found: Vec<Document> =
        originals.iter().flat_map(|file| read_file(&folder.join("original").join(file))).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(essence(found), essence(expected), "{}", expected.id);
        for key in ["file", "sent", "doc"] {
            let member = |document: &Document| document.metadata.as_ref().unwrap().member(&[key]);
            if let Some(expected) = member(expected) {
                assert_eq!(member(found), Some(expected));
            }
        }
    }
}

#[test]
fn column_files_are_read_as_their_corpora_say() {
    column_files_agree("btc-en-f", &["f.conll"]);
    column_files_agree("wnut17-en", &["emerging.dev.conll", "emerging.test.annotated"]);
    column_files_agree("turku-fi-conll", &["dev.tsv"]);
    column_files_agree("uner-zh", &["zh_gsdsimp-ud-dev.iob2", "zh_gsdsimp-ud-test.iob2"]);
}

/// The words of each token, and of each span with its label.
fn words(document: &Document) -> (Vec<String>, Vec<(String, String)>) {
    let index = spanfleet_core::CharIndex::new(&document.text);
    let words = |start, end| index.slice(&document.text, start, end).unwrap().replace(' ', "");
    let tokens = document.tokens.iter().flatten().map(|token| words(token.start, token.end)).collect();
    let span = |found: &spanfleet_core::Annotation| {
        let (start, end) = found.extent.hull().unwrap();
        (words(start, end), found.label.to_string())
    };
    (tokens, document.annotations.iter().map(span).collect())
}

/// The corpus stands between spaces what the original's `# text` writes without: the words are the same.
#[test]
fn spaced_words_are_the_words_of_the_original() {
    let Some(folder) = corpus("uner-zh-spaced") else { return };
    let expected = read_file(&folder.join("corpus.jsonl"));
    let found = read_file(&folder.join("original/zh_gsdsimp-ud-test.iob2"));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(words(found), words(expected), "{}", expected.id);
    }
}

fn read_pairs(folder: &Path) -> Vec<Document> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<PathBuf> =
        names.filter(|path| path.extension().is_some_and(|kind| kind == "txt")).collect();
    texts.sort();
    let read = |path: &PathBuf| {
        let annotations = std::fs::read(path.with_extension("ann")).unwrap();
        let names = FileNames::new(&path.to_string_lossy());
        let text = std::fs::read(path).unwrap();
        brat::read(Pair {
            id: &names.stem,
            text,
            text_names: &names,
            annotations: &annotations,
            annotation_names: &names,
            hierarchy: &brat::Hierarchy::default(),
        })
    };
    let all = texts.iter().map(|path| read(path).unwrap_or_else(|rejected| panic!("{}", rejected.error)));
    all.inspect(|(_, refused)| assert_eq!(refused, &[])).map(|(document, _)| document).collect()
}

#[test]
fn standoff_is_read_as_its_corpora_say() {
    for name in ["litbank-coref", "litbank-entities", "turku-fi-brat", "wetlab-dev"] {
        let Some(folder) = corpus(name) else { return };
        let expected = read_file(&folder.join("corpus.jsonl"));
        let found = read_pairs(&folder.join("original"));
        assert_eq!(found.len(), expected.len());
        for found in found {
            let wanted = format!("{name}:{}", found.id);
            let expected = expected.iter().find(|document| document.id == wanted).unwrap();
            assert_eq!(essence(&found), essence(expected), "{wanted}");
            for key in ["brat_events", "brat_relations", "brat_notes"] {
                let member = |document: &Document| document.metadata.as_ref().unwrap().member(&[key]);
                assert_eq!(member(&found), member(expected), "{wanted} {key}");
            }
        }
    }
}

#[test]
fn every_corpus_is_valid() {
    let Some(folder) = corpus("") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path().join("corpus.jsonl");
        if file.is_file() {
            assert!(!read_file(&file).is_empty());
        }
    }
}

#[test]
fn an_entity_of_spacy_that_is_in_the_group_of_all_spans_is_one_annotation() {
    let doc = br#"{"text":"Ada Bo","ents":[{"start":0,"end":3,"label":"PER"}],
        "spans":{"sc":[{"start":0,"end":3,"label":"PER","kb_id":""},{"start":0,"end":6,"label":"PAIR","kb_id":""}]}}"#;
    let line = String::from_utf8_lossy(doc).replace('\n', " ");
    let found = read_all(line.as_bytes(), &*dialect_of(line.as_bytes()), "docs.jsonl");
    let labels: Vec<_> =
        found[0].as_ref().unwrap().annotations.iter().map(|it| it.label.to_string()).collect();
    assert_eq!(labels, ["PER", "PAIR"]);
}
