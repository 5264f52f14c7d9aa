//! What a read holds, whatever the size of its partition. In a process of its own: the peak is the process's.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod support;

use spanfleet_core::options::Partitions;
use spanfleet_source::load::contract::plain;

/// Two chunks and a batch of each stream, some room for the allocator.
const ALLOWED_BYTES: u64 = 24 * 1024 * 1024;
const TEXTS: usize = 4_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_holds_a_batch_and_no_partition() {
    let Some(stage) = support::stage().await else { return println!("skipped: no server") };
    for from in (0..TEXTS).step_by(100) {
        let mut documents: Vec<_> = (from..from + 100).map(plain).collect();
        for document in &mut documents {
            document.text = document.text.repeat(2_000);
        }
        stage.load(&documents).await;
    }
    let plan = stage.plan(&stage.everything(), Partitions::Count(1)).await;
    // Writing 5 there resets the peak to what is held now.
    if std::fs::write("/proc/self/clear_refs", "5").is_err() {
        return println!("skipped: this system does not tell its peak memory");
    }
    let before_bytes = peak_bytes();
    let mut stream = stage.source.read(&stage.everything(), &plan.partitions[0]).await.unwrap();
    let (mut texts, mut read_bytes) = (0, 0);
    while let Some(batch) = stream.recv().await {
        for document in batch.unwrap() {
            (texts, read_bytes) = (texts + 1, read_bytes + document.text.len() as u64);
        }
    }
    let grown_bytes = peak_bytes() - before_bytes;
    assert_eq!(texts, TEXTS);
    assert!(
        grown_bytes < ALLOWED_BYTES && ALLOWED_BYTES < read_bytes / 3,
        "{grown_bytes} of {read_bytes} bytes"
    );
}

fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
