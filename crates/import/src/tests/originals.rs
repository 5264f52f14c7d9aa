//! Every original of the corpora, read by its own format's reader, against the neutral form of the same texts.

use std::collections::BTreeMap;

use spanfleet_core::Kind;

use super::*;

/// All files below a folder, sorted.
pub(super) fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { files_below(&path, files) } else { files.push(path) }
    }
}

/// The documents of a file, and how many texts, annotations and relations were rejected.
fn read_with_rejects(path: &Path, format: &str) -> (Vec<Document>, [usize; 3]) {
    let bytes = std::fs::read(path).unwrap();
    let detected = InputFormat::detect(&bytes).map(InputFormat::name);
    assert_eq!(detected, Some(format), "{}", path.display());
    let mut rejects = [0; 3];
    let mut documents = Vec::new();
    for read in read_all(&bytes, &*dialect_of(&bytes), &path.to_string_lossy()) {
        match read {
            Ok(document) => documents.push(document),
            Err(rejected) => rejects[rejected.kind as usize] += 1,
        }
    }
    (documents, rejects)
}

/// What must agree: text, spans with labels, and relations between the places of their ends.
type Bones = (String, Vec<(Extent, String)>, Vec<(usize, String, usize)>);

fn bones(document: &Document) -> Bones {
    let mut places: Vec<usize> = (0..document.annotations.len()).collect();
    let key = |place: &usize| {
        let found = &document.annotations[*place];
        (format!("{:?}", found.extent), found.label.to_string())
    };
    places.sort_by_key(key);
    let place = |id: &str| {
        let at = document.annotations.iter().position(|found| found.id == id).unwrap();
        places.iter().position(|place| *place == at).unwrap()
    };
    let annotations = places.iter().map(|at| &document.annotations[*at]);
    let annotations = annotations.map(|found| (found.extent.clone(), found.label.to_string())).collect();
    let relations = document.relations.iter();
    let mut relations: Vec<_> =
        relations.map(|r| (place(&r.source), r.kind.to_string(), place(&r.target))).collect();
    relations.sort();
    (document.text.clone(), annotations, relations)
}

fn file_of(document: &Document) -> String {
    let file = document.metadata.as_ref().and_then(|metadata| metadata.member(&["file"]));
    file.and_then(|file| file.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Compares each original that the corpus names with what the corpus has of it; the named files have rejects.
fn agree(name: &str, format: &str, expected_rejects: &[(&str, [usize; 3])]) {
    let Some(folder) = corpus(name) else { return };
    let mut by_file: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for document in read_file(&folder.join("corpus.jsonl")) {
        by_file.entry(file_of(&document)).or_default().push(document);
    }
    assert!(!by_file.is_empty());
    for (file, expected) in by_file {
        let (found, rejects) = read_with_rejects(&folder.join("original").join(&file), format);
        let wanted = expected_rejects.iter().find(|(name, _)| *name == file);
        assert_eq!(rejects, wanted.map_or([0; 3], |(_, rejects)| *rejects), "{name}/{file}");
        assert_eq!(found.len(), expected.len(), "{name}/{file}");
        for (found, expected) in found.iter().zip(&expected) {
            if wanted.is_none() {
                assert_eq!(bones(found), bones(expected), "{name}/{file}: {}", expected.id);
            }
        }
    }
}

#[test]
fn squad_is_read_as_its_corpora_say() {
    for language in ["en", "ar", "zh"] {
        agree(&format!("xquad-{language}"), "squad", &[]);
    }
}

#[test]
fn doccano_is_read_as_its_corpora_say() {
    agree("doccano-fixtures", "doccano", &[]);
    agree("multileg-en", "doccano", &[]);
    agree("multileg-lv", "doccano", &[]);
}

#[test]
fn prodigy_is_read_as_its_corpus_says() {
    agree("prodigy-emerson", "prodigy", &[]);
    let Some(folder) = corpus("prodigy-emerson") else { return };
    let (found, _) = read_with_rejects(&folder.join("original/emerson_annotated_text.jsonl"), "prodigy");
    for (found, expected) in found.iter().zip(read_file(&folder.join("corpus.jsonl"))) {
        let confidence = |document: &Document| document.annotations[0].confidence;
        assert_eq!(confidence(found), confidence(&expected));
        let attributes = |document: &Document| {
            let attributes = document.annotations[0].attributes.as_ref().map(spanfleet_core::Json::to_value);
            attributes.and_then(|value| value.as_object().cloned())
        };
        // As maps: the order of the keys is that of the original.
        assert_eq!(attributes(found), attributes(&expected));
    }
}

/// The corpus keeps two spans whose stated text disagrees with their offsets; here they are rejected.
#[test]
fn label_studio_is_read_as_its_corpus_says() {
    let rejects = [0, 1, 0];
    let files = [("rich_text_plain/tasks.json", rejects), ("rich_text_plain/annotations/1.json", rejects)];
    agree("labelstudio-examples", "label-studio", &files);
    assert_eq!((Kind::Text as usize, Kind::Annotation as usize, Kind::Relation as usize), (0, 1, 2));
}

#[test]
fn pubannotation_is_read_as_its_corpus_says() {
    agree("pubannotation-en", "pubannotation", &[]);
    let Some(folder) = corpus("pubannotation-en") else { return };
    for expected in read_file(&folder.join("corpus.jsonl")) {
        let (found, _) =
            read_with_rejects(&folder.join("original").join(file_of(&expected)), "pubannotation");
        for (found, expected) in found[0].annotations.iter().zip(&expected.annotations) {
            assert_eq!(found.annotator, expected.annotator);
            let attributes = |annotation: &spanfleet_core::Annotation| {
                let attributes = annotation.attributes.as_ref().map(spanfleet_core::Json::to_value);
                attributes.and_then(|value| value.as_object().cloned()).unwrap_or_default()
            };
            assert_eq!(attributes(found), attributes(expected));
        }
    }
}

#[test]
fn spacy_json_is_read_as_its_corpora_say() {
    agree("spacy-json-demos", "spacy", &[]);
}

#[test]
fn categories_are_read_as_their_corpus_says() {
    agree("cooking-multilabel", "spacy", &[]);
    let Some(folder) = corpus("cooking-multilabel") else { return };
    let (found, _) = read_with_rejects(&folder.join("original/cooking-dev.jsonl"), "spacy");
    for (found, expected) in found.iter().zip(read_file(&folder.join("corpus.jsonl"))) {
        let member = |document: &Document, key| document.metadata.as_ref().unwrap().member(&[key]);
        for key in ["cats", "meta"] {
            assert_eq!(member(found, key), member(&expected, key), "{}", expected.id);
        }
    }
}

fn spans_of(documents: &[Document]) -> Vec<(Option<(u32, u32)>, String)> {
    let found = documents.iter().flat_map(|document| &document.annotations);
    let mut spans: Vec<_> = found.map(|found| (found.extent.hull(), found.label.to_string())).collect();
    spans.sort();
    spans
}

fn kinds_of(documents: &[Document]) -> Vec<String> {
    let mut kinds: Vec<_> =
        documents.iter().flat_map(|document| &document.relations).map(|r| r.kind.to_string()).collect();
    kinds.sort();
    kinds
}

fn case_of(document: &Document) -> String {
    document.id.split_once(':').unwrap().1.to_owned()
}

/// The corpus has the annotators of a text together; in the original each has a file of their own.
#[test]
fn webanno_files_of_several_annotators_are_read_as_their_corpus_says() {
    let Some(folder) = corpus("webanno-curation-suite") else { return };
    for expected in read_file(&folder.join("corpus.jsonl")) {
        let mut found = Vec::new();
        for user in ["user1", "user2", "curator"] {
            let file = folder.join("original").join(case_of(&expected)).join(format!("{user}.tsv"));
            let (documents, rejects) = read_with_rejects(&file, "webanno");
            assert_eq!(rejects, [0; 3], "{}", expected.id);
            assert_eq!(documents[0].text, expected.text);
            found.extend(documents);
        }
        let expected = [expected];
        assert_eq!(spans_of(&found), spans_of(&expected), "{}", expected[0].id);
        assert_eq!(kinds_of(&found), kinds_of(&expected), "{}", expected[0].id);
    }
}

/// Cases whose TSV says something else than their XMI, from which the corpus was made: what stands on white
/// space was moved, and a dependency stands between parts of speech, not between words.
const OTHERWISE: [&str; 3] = [
    "testAnnotationWithLeadingWhitespaceAtStart",
    "testZeroWidthAnnotationBeforeFirstTokenIsMovedToBeginOfFirstToken",
    "testDependencyWithValues",
];

/// A layer without a value is labelled by its name, which is `Span` in the TSV and `NamedEntity` in the XMI.
#[test]
fn webanno_files_are_read_as_their_corpus_says() {
    let Some(folder) = corpus("webanno-tsv3-suite") else { return };
    for expected in read_file(&folder.join("corpus.jsonl")) {
        let file = folder.join("original").join(case_of(&expected)).join("reference.tsv");
        let (found, rejects) = read_with_rejects(&file, "webanno");
        assert_eq!((rejects, &found[0].text), ([0; 3], &expected.text), "{}", expected.id);
        let (case, expected) = (case_of(&expected), [expected]);
        let renamed = |mut spans: Vec<(Option<(u32, u32)>, String)>| {
            spans
                .iter_mut()
                .filter(|(_, label)| label == "Span")
                .for_each(|span| span.1 = "NamedEntity".into());
            spans
        };
        assert_eq!(kinds_of(&found), kinds_of(&expected), "{case}");
        if !OTHERWISE.contains(&case.as_str()) {
            assert_eq!(renamed(spans_of(&found)), spans_of(&expected), "{case}");
        }
    }
}
