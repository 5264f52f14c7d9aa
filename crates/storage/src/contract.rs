//! The contract that every driver passes: `contract::check_all(storage)` in a test of the driver's crate.
//! The store must be empty under the prefixes used here, and only this suite may work in it.
#![allow(clippy::unwrap_used, reason = "this is test code that several crates share")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use crate::{Composed, Link, LinkOptions, Piece, Storage, StorageErrorKind, Upload};

const MIB: usize = 1 << 20;
const MEDIA_TYPE: &str = "application/octet-stream";

/// Runs the whole suite; panics at the first broken promise.
pub async fn check_all(storage: Arc<dyn Storage>) {
    let store = Store(storage);
    store.0.check().await.unwrap();
    assert!(store.0.list("").await.unwrap().is_empty(), "the check of a store leaves nothing behind");
    objects_of_every_size(&store).await;
    nothing_is_visible_before_finish(&store).await;
    aborted_and_dropped_uploads_leave_nothing(&store).await;
    a_second_object_replaces_the_first(&store).await;
    ranges(&store).await;
    listing(&store).await;
    deleting(&store).await;
    composing_few_pieces(&store).await;
    composing_around_the_smallest_part(&store).await;
    composing_many_small_pieces(&store).await;
    composing_a_missing_object_fails(&store).await;
    links(&store).await;
    refused_keys(&store).await;
    unfinished_uploads_can_be_aborted(&store).await;
    assert!(store.keys("").await.is_empty(), "each check cleans up after itself");
}

/// Comfort around a store.
struct Store(Arc<dyn Storage>);

impl Store {
    async fn begin(&self, key: &str) -> Box<dyn Upload> {
        self.0.begin(key, MEDIA_TYPE).await.unwrap()
    }

    async fn put(&self, key: &str, bytes: &[u8]) {
        let mut upload = self.begin(key).await;
        upload.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        assert_eq!(upload.finish().await.unwrap(), bytes.len() as u64);
    }

    /// What a stream from an offset brings.
    async fn rest(&self, key: &str, offset: u64) -> Vec<u8> {
        let frames: Vec<Bytes> = self.0.stream(key, offset).await.unwrap().try_collect().await.unwrap();
        frames.concat()
    }

    async fn bytes(&self, key: &str) -> Bytes {
        self.0.read(key, 0, u64::MAX).await.unwrap()
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        self.0.list(prefix).await.unwrap().into_iter().map(|object| object.key).collect()
    }

    async fn delete_all(&self, prefix: &str) {
        self.0.delete(&self.keys(prefix).await).await.unwrap();
    }

    /// Puts the objects among the pieces, composes, and compares the bytes.
    async fn check_compose(&self, pieces: Vec<Vec<u8>>, is_inline: impl Fn(usize) -> bool) {
        let mut planned = Vec::new();
        for (number, bytes) in pieces.iter().enumerate() {
            planned.push(if is_inline(number) {
                Piece::Inline(Bytes::copy_from_slice(bytes))
            } else {
                let key = format!("compose/parts/{number}");
                self.put(&key, bytes).await;
                Piece::Object { key, bytes: bytes.len() as u64 }
            });
        }
        let expected = pieces.concat();
        // A key for each: s3s-fs answers with the checksum of an object that stood there before.
        let key = format!("compose/whole-{}", expected.len());
        let Composed { bytes: whole_bytes, sha256 } =
            self.0.compose(&key, MEDIA_TYPE, &planned).await.unwrap();
        assert_eq!(whole_bytes, expected.len() as u64);
        let told = sha256.is_none_or(|told| told == hex::encode(Sha256::digest(&expected)));
        assert!(told, "a store that tells the sum tells the right one");
        assert!(self.bytes(&key).await == expected, "{} pieces make the same bytes", pieces.len());
        self.delete_all("compose/").await;
    }
}

/// Bytes of which no two stretches are alike, so that a piece in the wrong place shows.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

async fn objects_of_every_size(store: &Store) {
    for bytes in [0, 1, 4096, 20 * MIB] {
        let expected = noise(bytes, 1);
        let key = format!("sizes/{bytes}");
        let mut upload = store.begin(&key).await;
        // An odd size, so that no piece ends where a part does.
        for piece in expected.chunks(777_777) {
            upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        upload.write(Bytes::new()).await.unwrap();
        assert_eq!(upload.finish().await.unwrap(), bytes as u64);
        assert_eq!(store.0.head(&key).await.unwrap().unwrap().bytes, bytes as u64);
        assert!(store.bytes(&key).await == expected, "{bytes} bytes come back");
    }
    store.delete_all("sizes/").await;
}

async fn nothing_is_visible_before_finish(store: &Store) {
    let mut upload = store.begin("before/finish").await;
    upload.write(Bytes::from(noise(12 * MIB, 2))).await.unwrap();
    assert_eq!(store.0.head("before/finish").await.unwrap(), None);
    assert!(store.keys("before/").await.is_empty());
    upload.finish().await.unwrap();
    assert_eq!(store.keys("before/").await, ["before/finish"]);
    store.delete_all("before/").await;
}

async fn aborted_and_dropped_uploads_leave_nothing(store: &Store) {
    for written_bytes in [0, 10, 20 * MIB] {
        let mut upload = store.begin("given/up").await;
        upload.write(Bytes::from(noise(written_bytes, 3))).await.unwrap();
        upload.write(Bytes::from_static(b"more")).await.unwrap();
        upload.abort().await.unwrap();
        assert_eq!(store.0.head("given/up").await.unwrap(), None);
    }
    let mut upload = store.begin("given/up").await;
    upload.write(Bytes::from_static(b"half")).await.unwrap();
    drop(upload);
    assert!(store.keys("given/").await.is_empty());
}

async fn a_second_object_replaces_the_first(store: &Store) {
    store.put("replaced", &noise(100, 4)).await;
    store.put("replaced", b"new").await;
    assert_eq!(store.bytes("replaced").await, "new");
    store.delete_all("replaced").await;
}

async fn ranges(store: &Store) {
    store.put("ranges", b"0123456789").await;
    for (offset, bytes, expected) in [(0, 4, "0123"), (4, 3, "456"), (8, 100, "89"), (3, u64::MAX, "3456789")]
    {
        assert_eq!(store.0.read("ranges", offset, bytes).await.unwrap(), expected);
    }
    for (offset, bytes) in [(0, 0), (10, 5), (50, 5)] {
        assert!(store.0.read("ranges", offset, bytes).await.unwrap().is_empty(), "nothing at {offset}");
    }
    for (offset, expected) in [(0, "0123456789"), (7, "789"), (10, ""), (50, "")] {
        assert_eq!(store.rest("ranges", offset).await, expected.as_bytes());
    }
    let error = store.0.read("no/such/object", 0, 1).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
    assert!(error.message.contains("`no/such/object`"), "{error}");
    assert_eq!(store.0.head("no/such/object").await.unwrap(), None);
    store.delete_all("ranges").await;
}

async fn listing(store: &Store) {
    for key in ["list/b", "list/a.1", "list/a/2", "list/a-3", "list/a/10", "listed"] {
        store.put(key, b"12345").await;
    }
    let by_key = ["list/a-3", "list/a.1", "list/a/10", "list/a/2", "list/b"];
    assert_eq!(store.keys("list/").await, by_key);
    assert_eq!(store.keys("list/a/").await, by_key[2..4]);
    assert_eq!(store.keys("list/a").await, by_key[..4], "a prefix may end inside a segment");
    assert_eq!(store.keys("list").await.len(), 6);
    assert!(store.keys("list/nothing/").await.is_empty());
    assert!(store.0.list("list/").await.unwrap().iter().all(|object| object.bytes == 5));
    store.put("folder-2/a/b", b"12345").await;
    let folders = store.0.folders().await.unwrap();
    assert_eq!(folders, ["folder-2", "list"], "each once, and no object beside them");
    store.delete_all("folder-2").await;
    store.delete_all("list").await;
}

async fn deleting(store: &Store) {
    store.put("delete/a", b"a").await;
    store.put("delete/b", b"b").await;
    let keys = ["delete/a".to_owned(), "delete/never".to_owned()];
    store.0.delete(&keys).await.unwrap();
    store.0.delete(&keys).await.unwrap();
    store.0.delete(&[]).await.unwrap();
    assert_eq!(store.keys("delete/").await, ["delete/b"]);
    store.delete_all("delete/").await;
}

async fn composing_few_pieces(store: &Store) {
    store.check_compose(vec![], |_| true).await;
    store.check_compose(vec![b"only".to_vec()], |_| true).await;
    store.check_compose(vec![b"only".to_vec()], |_| false).await;
    store.check_compose(vec![vec![]], |_| false).await;
    store.check_compose(vec![noise(7 * MIB, 5)], |_| false).await;
    store.check_compose(vec![noise(12 * MIB, 6)], |_| true).await;
    let head_body_tail = vec![b"[".to_vec(), noise(100, 7), b"]".to_vec()];
    store.check_compose(head_body_tail, |number| number != 1).await;
}

/// Stores want parts of at least 5 MiB, the last excepted; callers know nothing of it.
async fn composing_around_the_smallest_part(store: &Store) {
    let head_large_tail = vec![b"head".to_vec(), noise(11 * MIB, 8), b"tail".to_vec()];
    store.check_compose(head_large_tail, |number| number != 1).await;
    let exact_and_short = [5 * MIB, 5 * MIB - 1, 1, 5 * MIB + 1, 0, 3];
    let pieces = exact_and_short.iter().zip(9..).map(|(bytes, seed)| noise(*bytes, seed)).collect();
    store.check_compose(pieces, |_| false).await;
    let glued = [6 * MIB, 1, 4 * MIB, 1, 9 * MIB, 1, 100];
    let pieces = glued.iter().zip(20..).map(|(bytes, seed)| noise(*bytes, seed)).collect();
    store.check_compose(pieces, |number| number % 2 == 1).await;
}

async fn composing_many_small_pieces(store: &Store) {
    let pieces = (0..300).map(|number| noise(20_000 + number * 17, number as u64)).collect();
    store.check_compose(pieces, |number| number % 3 == 0).await;
}

async fn composing_a_missing_object_fails(store: &Store) {
    for missing_bytes in [5, 6 * MIB as u64] {
        let missing = Piece::Object { key: "never/written".to_owned(), bytes: missing_bytes };
        let error = store.0.compose("compose/whole", MEDIA_TYPE, &[missing]).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
        assert_eq!(store.0.head("compose/whole").await.unwrap(), None);
    }
}

async fn links(store: &Store) {
    store.put("links/7f3c", b"linked").await;
    let options = LinkOptions {
        lives: Duration::from_mins(15),
        file_name: "my \"corpus\" ü.jsonl".to_owned(),
        media_type: "application/x-ndjson".to_owned(),
    };
    if let Link::Presigned(address) = store.0.link("links/7f3c", &options).await.unwrap() {
        tokio::task::spawn_blocking(move || check_presigned(&address)).await.unwrap();
    }
    store.delete_all("links/").await;
}

/// Fetches as a browser would: without credentials.
fn check_presigned(address: &str) {
    let mut answer = ureq::get(address).call().unwrap();
    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/x-ndjson");
    let disposition = header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"my _corpus_ _.jsonl\""), "{disposition}");
    assert!(disposition.ends_with("filename*=UTF-8''my%20%22corpus%22%20%C3%BC.jsonl"), "{disposition}");
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "linked");
}

async fn refused_keys(store: &Store) {
    for key in ["", "/absolute", "a/../b", "..", "a//b", "a b", "~unfinished/a", "ü"] {
        let error = store.0.begin(key, MEDIA_TYPE).await.err().expect("a bad key is refused");
        assert_eq!(error.kind, StorageErrorKind::Configuration, "{error}");
        assert!(store.0.read(key, 0, 1).await.is_err());
        assert!(store.0.head(key).await.is_err());
        assert!(store.0.delete(&[key.to_owned()]).await.is_err());
    }
    assert!(store.0.list("../").await.is_err());
}

/// What a killed process left behind. Stores that cannot list their uploads answer 0 and have other means
/// (a lifecycle rule).
async fn unfinished_uploads_can_be_aborted(store: &Store) {
    let mut upload = store.begin("killed/parts/1.1").await;
    upload.write(Bytes::from(noise(12 * MIB, 40))).await.unwrap();
    upload.write(Bytes::from(noise(12 * MIB, 41))).await.unwrap();
    std::mem::forget(upload);
    assert_eq!(store.0.abort_unfinished("another/").await.unwrap(), 0);
    assert!(store.0.abort_unfinished("killed/").await.unwrap() <= 1);
    assert_eq!(store.0.abort_unfinished("killed/").await.unwrap(), 0);
    assert!(store.keys("killed/").await.is_empty());
}
