//! The S3 client alone, against the test's server: what the bytes of an export cost on their way.

use std::process::Command;
use std::time::Instant;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use spanfleet_storage::{Piece, Storage, StorageError, sha256};
use spanfleet_storage_s3::{S3Settings, S3Storage};
use spanfleet_tests::shared;

use crate::cpu;
use crate::report::Section;
use crate::stage::{Figures, runs};

const MIB: usize = 1 << 20;
/// Of one object, written in pieces of a mebibyte as a worker does.
const WHOLE: usize = 256 * MIB;
/// Parts too small to be copied inside the store: they pass through the client.
const SMALL: (usize, usize) = (1_000, 64 << 10);
/// Parts that the store copies.
const LARGE: (usize, usize) = (40, 8 * MIB);
const KIND: &str = "application/octet-stream";

/// Measures it, in a process of its own for each round.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("The S3 client");
    let bucket = shared().fresh_bucket();
    let mut rows: Vec<(String, Figures, Figures)> = Vec::new();
    for nth in 0..=runs() {
        let output = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["client", &bucket.name])
            .env("AWS_ENDPOINT_URL_S3", &bucket.server.endpoint)
            .env("AWS_ACCESS_KEY_ID", &bucket.server.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &bucket.server.secret_key)
            .output()
            .expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (at, line) in String::from_utf8_lossy(&output.stdout).lines().enumerate() {
            let [what, cpu, wall] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("`{line}`?") };
            if nth == 0 {
                // The first round warms the server, and says what there is.
                rows.push((what.to_owned(), Figures::default(), Figures::default()));
                continue;
            }
            let number = |text: &str| text.parse().expect("figures are numbers");
            rows[at].1.push(number(cpu));
            rows[at].2.push(number(wall));
        }
    }
    section.say(
        "CPU of the client's process alone. The server is the test's own, on the same two cores: its walls say nothing of \
         another store's.",
    );
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(what, cpu, wall)| vec![what, cpu.show(), wall.show()]).collect();
    section.table(&["what", "client's CPU s per GB", "wall s"], &rows);
    section
}

/// `bench client`: prints what each step took, by tabs.
pub(crate) fn work(bucket: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    // As a task, like everything that a worker does: the thread that waits for it would be woken for every frame.
    let steps = runtime.block_on(runtime.spawn(steps(bucket.to_owned())));
    steps.expect("no step panics").expect("the store does what it is asked");
}

async fn steps(bucket: String) -> Result<(), StorageError> {
    let settings =
        S3Settings { path_style: true, ..S3Settings::from_address(&format!("s3://{bucket}/bench"))? };
    let storage = S3Storage::connect(settings).await?;
    storage.check().await?;
    let mut random = StdRng::seed_from_u64(7);
    let block: Bytes = (0..MIB).map(|_| random.random::<u8>()).collect::<Vec<u8>>().into();

    let step = Step::begin(format!("upload of {} MiB", WHOLE / MIB), WHOLE);
    put(&storage, "whole", &block, WHOLE).await?;
    step.end();

    let step = Step::begin(format!("the same read back, with its SHA-256, {} MiB", WHOLE / MIB), WHOLE);
    sha256(&storage, "whole", WHOLE as u64).await?.expect("the object is there");
    step.end();

    for ((count, bytes), how) in [(SMALL, "carried by the client"), (LARGE, "copied by the store")] {
        let mut pieces = Vec::with_capacity(count);
        for nth in 0..count {
            let key = format!("parts-{bytes}/{nth}");
            put(&storage, &key, &block, bytes).await?;
            pieces.push(Piece::Object { key, bytes: bytes as u64 });
        }
        let said = format!("composing {count} parts of {} KiB, {how}", bytes >> 10);
        let step = Step::begin(said, count * bytes);
        storage.compose("composed", KIND, &pieces).await?;
        step.end();
    }
    Ok(())
}

/// An object of so many bytes, a block after the other.
async fn put(storage: &S3Storage, key: &str, block: &Bytes, bytes: usize) -> Result<(), StorageError> {
    let mut upload = storage.begin(key, KIND).await?;
    let mut left = bytes;
    while left > 0 {
        let piece = block.slice(..left.min(block.len()));
        left -= piece.len();
        upload.write(piece).await?;
    }
    upload.finish().await.map(drop)
}

/// Something that is being measured.
struct Step {
    what: String,
    bytes: usize,
    cpu: f64,
    begun: Instant,
}

impl Step {
    fn begin(what: String, bytes: usize) -> Step {
        Step { what, bytes, cpu: cpu::own(), begun: Instant::now() }
    }

    fn end(self) {
        let per_gigabyte = (cpu::own() - self.cpu) / (self.bytes as f64 / 1e9);
        println!("{}\t{per_gigabyte}\t{}", self.what, self.begun.elapsed().as_secs_f64());
    }
}
