mod blocks;

use std::fs;

use proptest::prelude::*;
use spanfleet_core::{
    Annotation, Document, Extent, Filter, Json, ProjectId, Relation, Token, options::Partitions,
};
use tempfile::TempDir;

use super::*;
use crate::contract;

fn selection() -> Selection {
    Selection { project: ProjectId(0), filter: Filter::default(), include: contract::EVERYTHING }
}

fn open(paths: &[PathBuf]) -> Result<CorpusSource, SourceError> {
    CorpusSource::open(paths, &InputChoice::default(), &InvalidRecords::Stop)
}

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

/// Everything a source reads, cut in one way, up to the first error.
fn read(source: &CorpusSource, partitions: Partitions) -> (Vec<Document>, Option<String>) {
    runtime().block_on(async {
        let plan = source
            .plan(&selection(), &Cut { partitions, needs_labels: false, at_blocks: false })
            .await
            .unwrap();
        let (mut documents, mut error) = (Vec::new(), None);
        for bounds in &plan.partitions {
            let mut stream = source.read(&selection(), bounds).await.unwrap();
            while let Some(batch) = stream.recv().await {
                match batch {
                    Ok(batch) => documents.extend(batch),
                    Err(failed) => error = error.or(Some(failed.to_string())),
                }
            }
        }
        (documents, error)
    })
}

fn ids(source: &CorpusSource) -> Vec<String> {
    let (documents, error) = read(source, Partitions::Auto);
    assert_eq!(error, None);
    documents.iter().map(|document| document.id.to_string()).collect()
}

fn refused(paths: &[PathBuf], expected: &str) {
    let message = open(paths).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn the_contract_holds() {
    let kept = std::sync::Mutex::new(Vec::new());
    runtime().block_on(contract::contract(async |documents: Vec<Document>| {
        let lines: String = documents.iter().map(line).collect();
        let folder = folder(&[("corpus.jsonl", &lines)]);
        let source = open(&[folder.path().join("corpus.jsonl")]).unwrap();
        kept.lock().unwrap().push(folder);
        (Arc::new(source) as Arc<dyn Source>, selection())
    }));
}

/// A document as a line of corpus JSONL, with the digits and keys that it has.
fn line(document: &Document) -> String {
    let Document { id, text, metadata, annotations, relations, tokens } = document;
    let metadata = raw(metadata.as_ref());
    let (annotations, relations) = (list(annotations, annotation), list(relations, relation));
    let tokens = tokens.as_ref().map_or("null".to_owned(), |tokens| list(tokens, token));
    let (id, text) = (quoted(id), quoted(text));
    format!(
        "{{\"id\":{id},\"text\":{text},\"metadata\":{metadata},\"annotations\":{annotations},\
         \"relations\":{relations},\"tokens\":{tokens}}}\n"
    )
}

fn list<T>(items: &[T], item: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn optional(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), quoted)
}

fn raw(json: Option<&Json>) -> String {
    json.map_or("null".to_owned(), |json| json.as_str().to_owned())
}

fn annotation(found: &Annotation) -> String {
    let pieces = match &found.extent {
        Extent::Fragments(pieces) => {
            format!("{:?}", pieces.iter().map(|piece| [piece.0, piece.1]).collect::<Vec<_>>())
        }
        _ => "null".to_owned(),
    };
    let end = |end: Option<u32>| end.map_or("null".to_owned(), |end| end.to_string());
    let hull = found.extent.hull();
    format!(
        "{{\"id\":{},\"start\":{},\"end\":{},\"fragments\":{pieces},\"label\":{},\"annotator\":{},\
         \"confidence\":{},\"attributes\":{},\"created_at\":{}}}",
        quoted(&found.id),
        end(hull.map(|hull| hull.0)),
        end(hull.map(|hull| hull.1)),
        quoted(&found.label),
        optional(found.annotator.as_deref()),
        found.confidence.map_or("null".to_owned(), |number| number.to_string()),
        raw(found.attributes.as_ref()),
        optional(found.created_at.map(|time| time.to_string()).as_deref()),
    )
}

fn relation(found: &Relation) -> String {
    let (source, target, kind) = (quoted(&found.source), quoted(&found.target), quoted(&found.kind));
    let confidence = found.confidence.map_or("null".to_owned(), |number| number.to_string());
    format!("{{\"source\":{source},\"target\":{target},\"type\":{kind},\"confidence\":{confidence}}}")
}

fn token(found: &Token) -> String {
    let [pos, lemma, chunk] =
        [&found.pos, &found.lemma, &found.chunk].map(|value| optional(value.as_deref()));
    format!(
        "{{\"start\":{},\"end\":{},\"pos\":{pos},\"lemma\":{lemma},\"chunk\":{chunk}}}",
        found.start, found.end
    )
}

const PAIR: [(&str, &str); 2] = [("b/one.txt", "Ada met"), ("b/one.ann", "T1\tPER 0 3\tAda\n")];

#[test]
fn folders_are_read_by_name_and_each_file_by_its_content() {
    let [text, annotations] = PAIR;
    let files = [
        ("c.conll", "a B-X\n\nb O\n"),
        ("a.data", "{\"text\":\"x\"}\n"),
        ("README.md", "# words"),
        text,
        annotations,
    ];
    let folder = folder(&files);
    let source = open(&[folder.path().to_owned()]).unwrap();
    assert_eq!(ids(&source), ["a-1", "b/one", "c-1", "c-2"]);
    let one = open(&[folder.path().join("b/one.ann")]).unwrap();
    assert_eq!(ids(&one), ["one"]);
}

#[test]
fn the_nearest_configuration_gives_the_hierarchy() {
    let conf = "[entities]\n!Living\n\tPER\n";
    let files = [
        ("annotation.conf", conf),
        ("b/one.txt", "Ada met"),
        ("b/one.ann", "T1\tPER 0 3\tAda\n"),
        ("c/annotation.conf", "[entities]\nPER\n"),
        ("c/two.txt", "Ada met"),
        ("c/two.ann", "T1\tPER 0 3\tAda\nT2\tPER 0 2\tAda\n"),
    ];
    let folder = folder(&files);
    let rejects = folder.path().join("rejects");
    let aside = InvalidRecords::SetAside(rejects.clone());
    let source = CorpusSource::open(&[folder.path().to_owned()], &InputChoice::default(), &aside).unwrap();
    let (documents, _) = read(&source, Partitions::Auto);
    let labels: Vec<_> = documents.iter().map(|document| document.annotations[0].label.to_string()).collect();
    assert_eq!((labels, source.rejected()), (vec!["Living/PER".to_owned(), "PER".to_owned()], 1));
    let line: serde_json::Value = serde_json::from_str(&fs::read_to_string(&rejects).unwrap()).unwrap();
    assert_eq!((&line["kind"], &line["line"], &line["column"]), (&"annotation".into(), &2.into(), &1.into()));
}

#[test]
fn stems_that_meet_are_widened() {
    let line = "{\"text\":\"x\"}\n";
    let folder = folder(&[("train.jsonl", line), ("train.conll", "a O\n"), ("sub/train.jsonl", line)]);
    let source = open(&[folder.path().to_owned()]).unwrap();
    let root = folder.path().display();
    assert_eq!(
        ids(&source),
        [format!("{root}/sub/train.jsonl-1"), "train.conll-1".into(), format!("{root}/train.jsonl-1")]
    );
}

#[test]
fn compressed_files_keep_their_names() {
    let folder = folder(&[]);
    let path = folder.path().join("x.jsonl.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"{\"text\":\"x\"}\n{\"text\":1}").unwrap();
    encoder.finish().unwrap();
    let source = open(std::slice::from_ref(&path)).unwrap();
    let (documents, error) = read(&source, Partitions::Auto);
    assert_eq!(documents[0].id, "x-1");
    assert!(error.unwrap().starts_with(&format!("{}:2:9: ", path.display())));
}

#[test]
fn what_can_not_be_opened_is_refused_with_the_mend() {
    let folder = folder(&[("prose.txt", "Just words.\n"), ("lone/x.ann", ""), ("empty/.hidden", "")]);
    let inside = |name: &str| vec![folder.path().join(name)];
    refused(&[], "no input was named");
    refused(
        &inside("prose.txt"),
        "looks like none of the input formats; say which with --input-format: hf-parquet, webanno, label-studio, squad",
    );
    refused(&inside("lone"), "has no .txt beside it");
    refused(&inside("empty"), "holds no corpus files");
    refused(&inside("nothing"), "can't read");
    let both = CorpusSource::open(
        &inside("prose.txt"),
        &InputChoice::default(),
        &InvalidRecords::SetAside(folder.path().join("prose.txt")),
    );
    assert!(both.unwrap_err().to_string().contains("both an input and the reject file"));
    assert_eq!(fs::read_to_string(folder.path().join("prose.txt")).unwrap(), "Just words.\n");
}

#[test]
fn a_file_that_changes_is_noticed() {
    let folder = folder(&[("x.jsonl", "{\"text\":\"x\"}\n")]);
    let source = open(&[folder.path().join("x.jsonl")]).unwrap();
    fs::write(folder.path().join("x.jsonl"), "{\"text\":\"longer\"}\n").unwrap();
    let error = runtime().block_on(source.check()).unwrap_err();
    assert!(error.message.contains("changed since the export began"));
    assert!(read(&source, Partitions::Auto).1.is_some());
}

#[test]
fn bad_records_stop_the_reading_after_the_good_ones() {
    let folder = folder(&[("x.jsonl", "{\"text\":\"a\"}\n\n{\"text\":2}\n{\"text\":\"c\"}\n")]);
    let source = open(&[folder.path().join("x.jsonl")]).unwrap();
    let (documents, error) = read(&source, Partitions::Count(1));
    assert_eq!(documents.len(), 1);
    assert!(error.unwrap().contains("x.jsonl:3:9: invalid type: integer `2`, expected a string"));
    let asked = Cut { partitions: Partitions::Auto, needs_labels: true, at_blocks: false };
    let error = runtime().block_on(source.plan(&selection(), &asked)).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid);
}

#[test]
fn bad_records_are_set_aside_once() {
    let folder = folder(&[("x.jsonl", "{\"text\":\"a\"}\n{\"text\":2}\n{\"text\":\"c\"}\n")]);
    let rejects = folder.path().join("rejects.jsonl");
    let aside = InvalidRecords::SetAside(rejects.clone());
    let source = CorpusSource::open(&[folder.path().to_owned()], &InputChoice::default(), &aside).unwrap();
    for _ in 0..2 {
        let (documents, error) = read(&source, Partitions::Count(3));
        let ids: Vec<_> = documents.iter().map(|document| document.id.as_str()).collect();
        assert_eq!((ids, error), (vec!["x-1", "x-3"], None));
    }
    assert_eq!(source.rejected(), 1);
    let line: serde_json::Value =
        serde_json::from_str(fs::read_to_string(&rejects).unwrap().trim_end()).unwrap();
    assert_eq!((&line["line"], &line["record"]), (&2.into(), &"{\"text\":2}".into()));
    // The folder holds the reject file now, but it is no input.
    CorpusSource::open(&[folder.path().to_owned()], &InputChoice::default(), &aside).unwrap();
}

#[test]
fn json_arrays_are_cut_like_lines() {
    let paragraph = |nth: u32| format!("{{\"paragraphs\": [{{\"context\": \"Ada {nth}\", \"qas\": []}}]}}");
    let articles = (0..50).map(paragraph).collect::<Vec<_>>().join(",\n");
    let task = |nth: u32| format!("{{\"id\": {nth}, \"data\": {{\"text\": \"Ada 😀 {nth}\"}}}}");
    let tasks = (0..50).map(task).collect::<Vec<_>>().join(", ");
    let squad = format!("{{\"version\": \"1.1\", \"data\": [{articles}], \"more\": [1]}}");
    let folder = folder(&[("squad.json", &squad), ("tasks.json", &format!("[{tasks}]\n"))]);
    for name in ["squad.json", "tasks.json"] {
        let source = open(&[folder.path().join(name)]).unwrap();
        let whole = read(&source, Partitions::Count(1));
        assert_eq!((whole.0.len(), &whole.1), (50, &None), "{name}");
        assert_eq!(read(&source, Partitions::Count(7)), whole, "{name}");
        let cut = Cut { partitions: Partitions::Count(7), needs_labels: false, at_blocks: false };
        assert_eq!(runtime().block_on(source.plan(&selection(), &cut)).unwrap().partitions.len(), 7);
    }
}

#[test]
fn the_newest_file_dates_the_selection() {
    let folder = folder(&[("x.jsonl", "{\"text\":\"a\"}\n")]);
    let source = open(&[folder.path().to_owned()]).unwrap();
    let plan =
        || {
            runtime().block_on(source.plan(
                &selection(),
                &Cut { partitions: Partitions::Auto, needs_labels: false, at_blocks: false },
            ))
        };
    let taken_at = plan().unwrap().taken_at;
    assert!(taken_at.is_some());
    assert_eq!(plan().unwrap().taken_at, taken_at);
}

#[test]
fn auto_keeps_every_core_busy_and_small_inputs_whole() {
    let line = format!("{{\"text\":\"{}\"}}\n", "x".repeat(10_000));
    let folder = folder(&[("small.jsonl", &line), ("large.jsonl", &line.repeat(1_000))]);
    let parts = |name: &str| {
        let source = open(&[folder.path().join(name)]).unwrap();
        let cut = Cut { partitions: Partitions::Auto, needs_labels: false, at_blocks: false };
        runtime().block_on(source.plan(&selection(), &cut)).unwrap().partitions.len()
    };
    assert_eq!((parts("small.jsonl"), parts("large.jsonl")), (1, 9));
}

#[test]
fn bounds_of_another_version_are_refused() {
    let folder = folder(&[("x.jsonl", "{\"text\":\"a\"}\n")]);
    let source = open(&[folder.path().to_owned()]).unwrap();
    let error = runtime().block_on(source.read(&selection(), &Bounds("{}".into()))).unwrap_err();
    assert!(error.message.contains("plan again"));
}

/// Blocks of a column file, and lines of JSON, some of them bad.
fn pieces() -> impl Strategy<Value = (Vec<String>, bool)> {
    let blocks = prop::sample::select(vec![
        "-DOCSTART-\n\n",
        "a B-X\nb I-X\n\n",
        "c O\n\n",
        "\n",
        "-DOCSTART-\nd I-Y\n\n",
        "bad\n\n",
    ]);
    let lines = prop::sample::select(vec![
        "{\"text\":\"a\"}\n",
        "\n",
        "{\"text\":\"😀\",\"id\":\"x\"}\r\n",
        "{bad\n",
        "{\"text\":\"c\"}\n",
    ]);
    let many = |piece: prop::sample::Select<&'static str>| {
        prop::collection::vec(piece.prop_map(str::to_owned), 0..20)
    };
    prop_oneof![
        many(blocks).prop_map(|pieces| (pieces, true)),
        many(lines).prop_map(|pieces| (pieces, false))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_cut_changes_nothing(first in pieces(), second in pieces(), parts in 1..30_u32) {
        let folder = folder(&[]);
        let mut paths = Vec::new();
        for (nth, (pieces, is_conll)) in [first, second].iter().enumerate() {
            paths.push(folder.path().join(format!("{nth}.{}", if *is_conll { "conll" } else { "jsonl" })));
            // Enough good lines that the format can be told.
            let start = if *is_conll { "x O\n".repeat(40) + "\n" } else { "{\"text\":\"x\"}\n".to_owned() };
            fs::write(&paths[nth], start + &pieces.concat()).unwrap();
        }
        let read_aside = |partitions| {
            let aside = InvalidRecords::SetAside(folder.path().join("rejects"));
            let source = CorpusSource::open(&paths, &InputChoice::default(), &aside).unwrap();
            let (documents, error) = read(&source, partitions);
            assert_eq!(error, None);
            (documents, source.rejected())
        };
        let whole = read_aside(Partitions::Count(1));
        prop_assert_eq!(&read_aside(Partitions::Count(parts)), &whole);
        prop_assert_eq!(&read_aside(Partitions::Auto), &whole);
    }
}
