//! Partitions that may begin only with blocks.

use std::fmt::Write;

use spanfleet_core::begins_block;

use super::*;

/// The ids of each partition; records that can't be read are set aside.
fn partitions(paths: &[PathBuf], asked: Partitions) -> Vec<Vec<String>> {
    let rejects = TempDir::new().unwrap();
    let aside = InvalidRecords::SetAside(rejects.path().join("rejects"));
    let source = CorpusSource::open(paths, &InputChoice::default(), &aside).unwrap();
    let cut = Cut { partitions: asked, needs_labels: false, at_blocks: true };
    runtime().block_on(async {
        let mut found = Vec::new();
        for bounds in &source.plan(&selection(), &cut).await.unwrap().partitions {
            let mut stream = source.read(&selection(), bounds).await.unwrap();
            let mut ids = Vec::new();
            while let Some(batch) = stream.recv().await {
                ids.extend(batch.unwrap().into_iter().map(|document| document.id.to_string()));
            }
            found.push(ids);
        }
        found
    })
}

/// Cuts in many ways and wants the same texts each time; gives the most partitions that there were.
fn check(paths: &[PathBuf]) -> usize {
    let whole = partitions(paths, Partitions::Count(1)).concat();
    let cut = |count| {
        let found = partitions(paths, Partitions::Count(count));
        assert!(found[1..].iter().all(|part| part.first().is_some_and(|id| begins_block(id))), "{count}");
        assert_eq!(found.concat(), whole, "{count}");
        found.len()
    };
    [2, 3, 10, 10_000].map(cut).into_iter().max().unwrap()
}

fn blocks(ids: impl Iterator<Item = String>) -> Vec<String> {
    ids.filter(|id| begins_block(id)).collect()
}

#[test]
fn generated_ids_begin_blocks_and_bad_records_do_not() {
    let (mut lines, mut columns) = (String::new(), String::new());
    for nth in 1..=3_000 {
        // Every second record is bad, among them some whose ids would begin a block.
        let text = if nth % 2 == 0 { "2" } else { "\"two\"" };
        writeln!(lines, "{{\"id\":\"line-{nth}\",\"text\":{text}}}").unwrap();
        columns.push_str("a B-X\nb I-X\n\n");
    }
    let folder = folder(&[("a.jsonl", &lines), ("b.conll", &columns)]);
    let good = blocks((1..=3_000).step_by(2).map(|nth| format!("line-{nth}")));
    let bad = blocks((2..=3_000).step_by(2).map(|nth| format!("line-{nth}")));
    let generated = blocks((1..=3_000).map(|nth| format!("b-{nth}")));
    assert!(!good.is_empty() && !bad.is_empty() && !generated.is_empty());
    assert_eq!(check(&[folder.path().to_owned()]), 1 + good.len() + generated.len());
}

#[test]
fn pairs_begin_blocks_by_their_file_names() {
    let ids = blocks((0..2_000).map(|nth| format!("p{nth:04}")));
    let folder = folder(&[("a.txt", "Ada"), ("a.ann", ""), ("z.txt", "Zoë"), ("z.ann", "")]);
    for (nth, id) in ids[..3].iter().enumerate() {
        fs::write(folder.path().join(format!("{id}.txt")), "Bo").unwrap();
        let annotations = if nth == 1 { "T1 broken" } else { "" };
        fs::write(folder.path().join(format!("{id}.ann")), annotations).unwrap();
    }
    assert_eq!(check(&[folder.path().to_owned()]), 3, "{ids:?}");
}
