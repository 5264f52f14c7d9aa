//! Stories of loading.

use spanfleet_core::{Document, Extent};

use super::{Stage, bare, corpora, plain, plains, relation, rich, span};
use crate::SourceErrorKind;
use crate::load::LoadReport;

/// Everything about a document comes back, in input order.
pub async fn reads_what_was_loaded(stage: Stage) {
    let mut documents = vec![plain(7), rich()];
    documents.extend(bare());
    documents.extend(plains(5));
    let report = stage.load(&documents).await;
    let count = |count: usize| count as u64;
    let expected = LoadReport {
        texts_new: count(documents.len()),
        annotations: count(documents.iter().map(|document| document.annotations.len()).sum()),
        relations: count(documents.iter().map(|document| document.relations.len()).sum()),
        ..LoadReport::default()
    };
    assert_eq!(report, expected);
    assert_eq!(stage.read_all(&stage.everything()).await, documents);
}

/// What people really annotated comes back too.
pub async fn corpora_read_back(stage: Stage) {
    let mut expected: Vec<Document> = Vec::new();
    for (name, documents) in corpora() {
        let report = stage.load(&documents).await;
        assert_eq!((report.texts_new, report.rejected), (documents.len() as u64, Vec::new()), "{name}");
        expected.extend(documents);
    }
    let read = stage.read_all(&stage.everything()).await;
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
    let again = stage.load(&expected).await;
    assert_eq!((again.texts_unchanged, again.annotations), (expected.len() as u64, 0));
}

/// An import that broke off may be run again from its beginning.
pub async fn a_second_import_changes_nothing(stage: Stage) {
    let mut documents = plains(250);
    documents.push(rich());
    stage.load(&documents[..120]).await;
    let report = stage.load(&documents).await;
    assert_eq!((report.texts_new, report.texts_unchanged, report.texts_updated), (131, 120, 0));
    let report = stage.load(&documents).await;
    assert_eq!(
        (report.texts_new, report.texts_unchanged, report.annotations, report.relations),
        (0, 251, 0, 0)
    );
    assert_eq!(stage.read_all(&stage.everything()).await, documents);
}

/// It keeps its place among the texts.
pub async fn a_changed_text_is_replaced(stage: Stage) {
    let mut documents = plains(9);
    documents.insert(4, rich());
    stage.load(&documents).await;
    documents[1].text.push('!');
    documents[4].annotations.remove(3);
    documents[4].relations.pop();
    documents[4].metadata = None;
    documents[7].annotations[0].label = "CAT".into();
    documents[8].tokens = Some(Vec::new());
    let report = stage.load(&documents).await;
    assert_eq!((report.texts_new, report.texts_unchanged, report.texts_updated), (0, 6, 4));
    assert_eq!(report.relations, 2);
    assert_eq!(stage.read_all(&stage.everything()).await, documents);
}

/// Else the second would silently replace the first.
pub async fn an_id_comes_once_in_an_import(stage: Stage) {
    let mut documents = plains(150);
    documents[140].id = "plain-3".into();
    let refused = stage.try_load(stage.project, &documents).await.unwrap_err();
    assert_eq!(refused.kind, SourceErrorKind::Invalid);
    assert!(refused.message.contains("`plain-3`"), "{refused}");
    assert_eq!(stage.read_all(&stage.everything()).await, documents[..100], "the batch before it is there");
}

/// One bad document costs nobody else.
pub async fn what_can_not_be_stored_is_rejected_alone(stage: Stage) {
    let mut documents = plains(6);
    documents[1].relations.push(relation("a1", "nobody", None));
    documents[3].annotations[0].extent = Extent::Span { start: 0, end: u32::MAX };
    documents[4].annotations[0].label = "".into();
    let report = stage.load(&documents).await;
    let ids: Vec<&str> = report.rejected.iter().map(|rejected| rejected.id.as_str()).collect();
    assert_eq!(ids, ["plain-1", "plain-3", "plain-4"]);
    assert_eq!(stage.read_all(&stage.everything()).await, [plain(0), plain(2), plain(5)]);
}

/// Two imports of the same corpus, and one into another project with the same people.
pub async fn imports_at_once_load_once(stage: Stage) {
    let documents = plains(500);
    let (first, second, other) = tokio::join!(
        stage.load(&documents),
        stage.load(&documents),
        stage.try_load(stage.other_project, &documents),
    );
    assert_eq!(first.texts_new + second.texts_new, 500);
    assert_eq!(first.texts_unchanged + second.texts_unchanged, 500);
    assert_eq!(other.unwrap().texts_new, 500);
    let mut read = stage.read_all(&stage.everything()).await;
    read.sort_by_key(|document| document.id[6..].parse::<u32>().unwrap());
    assert_eq!(read, documents);
}

/// Two projects may have the same ids, and their rows lie between each other.
pub async fn projects_do_not_mix(stage: Stage) {
    for batch in plains(60).chunks(10) {
        stage.load(batch).await;
        let mut others = batch.to_vec();
        for document in &mut others {
            document.annotations.push(span("other", 0, 11, "OTHER", "carol"));
            document.relations.push(relation("other", "other", None));
        }
        stage.try_load(stage.other_project, &others).await.unwrap();
    }
    assert_eq!(stage.read_all(&stage.everything()).await, plains(60));
    let plan = stage.plan(&stage.everything(), spanfleet_core::options::Partitions::Auto).await;
    assert_eq!(plan.schema.labels, ["DOG", "PER"]);
    assert_eq!(plan.schema.relation_types, [""; 0]);
}
