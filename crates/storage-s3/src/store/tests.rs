//! Against real servers: those that `with-servers` (package `spanfleet-tests`) started. Without them these
//! tests say so and pass.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use spanfleet_storage::{Hasher, contract};

use super::*;
use crate::Checksum;

/// The credentials of a test, which takes nothing from the environment of whoever runs it.
struct Keys<'a> {
    endpoint: String,
    access: &'a str,
    secret: &'a str,
}

impl Keys<'_> {
    fn of(variable: &str) -> Option<Keys<'static>> {
        let endpoint = std::env::var(variable).ok();
        if endpoint.is_none() {
            println!("skipped: {variable} is not set; run the tests through `with-servers`");
        }
        Some(Keys { endpoint: endpoint?, access: "AKTEST0001", secret: "secretsecretsecret" })
    }

    async fn storage(&self, settings: S3Settings) -> S3Storage {
        let credentials =
            SharedCredentialsProvider::new(Credentials::new(self.access, self.secret, None, None, "test"));
        let (client, _) = settings.client().await;
        let config =
            client.config().to_builder().endpoint_url(&self.endpoint).region(Region::new("us-east-1"));
        let client = Client::from_conf(
            config
                .behavior_version(BehaviorVersion::latest())
                .credentials_provider(credentials.clone())
                .build(),
        );
        let bucket = Bucket { client, settings: Arc::new(settings) };
        S3Storage { bucket, credentials: Some(credentials), deletes_one_by_one: Arc::default() }
    }

    /// A store in a bucket of its own.
    async fn fresh_storage(&self, checksum: Checksum) -> S3Storage {
        let settings = settings(checksum);
        let storage = self.storage(settings).await;
        storage.bucket.client.create_bucket().bucket(storage.bucket.name()).send().await.unwrap();
        storage
    }
}

fn settings(checksum: Checksum) -> S3Settings {
    let address = format!("s3://test-{}/team/exports", uuid::Uuid::new_v4().simple());
    S3Settings { checksum, path_style: true, ..S3Settings::from_address(&address).unwrap() }
}

const S3: &str = "SPANFLEET_TEST_S3_ENDPOINT";
const RADOSGW: &str = "SPANFLEET_TEST_RADOSGW_ENDPOINT";

#[tokio::test]
async fn keeps_the_contract() {
    let Some(keys) = Keys::of(S3) else { return };
    contract::check_all(Arc::new(keys.fresh_storage(Checksum::WhenSupported).await)).await;
}

#[tokio::test]
async fn keeps_the_contract_without_checksums() {
    let Some(keys) = Keys::of(S3) else { return };
    contract::check_all(Arc::new(keys.fresh_storage(Checksum::WhenRequired).await)).await;
}

#[tokio::test]
async fn keeps_the_contract_on_radosgw() {
    let Some(keys) = Keys::of(RADOSGW) else { return };
    contract::check_all(Arc::new(keys.fresh_storage(Checksum::WhenRequired).await)).await;
}

#[tokio::test]
async fn an_upload_of_parts_has_its_id_before_the_first_part() {
    let Some(keys) = Keys::of(S3) else { return };
    let storage = keys.fresh_storage(Checksum::WhenSupported).await;
    let mut upload = storage.begin("job/parts/1.1", "text/plain").await.unwrap();
    upload.write(Bytes::from(vec![1; 1 << 20])).await.unwrap();
    assert_eq!(upload.id(), None);
    upload.write(Bytes::from(vec![2; 8 << 20])).await.unwrap();
    let id = upload.id().expect("the upload has begun").to_owned();
    upload.write(Bytes::from(vec![3; 8 << 20])).await.unwrap();
    assert_eq!(upload.id(), Some(id.as_str()));
    assert_eq!(upload.finish().await.unwrap(), 17 << 20);
}

#[tokio::test]
async fn radosgw_keeps_no_upload_that_was_dropped_or_left() {
    let Some(keys) = Keys::of(RADOSGW) else { return };
    let storage = keys.fresh_storage(Checksum::WhenRequired).await;
    let mut left = storage.begin("left/1.1", "text/plain").await.unwrap();
    left.write(Bytes::from(vec![1; 9 << 20])).await.unwrap();
    std::mem::forget(left);
    assert_eq!(storage.abort_unfinished("left/").await.unwrap(), 1);
    let mut dropped = storage.begin("dropped/1.1", "text/plain").await.unwrap();
    dropped.write(Bytes::from(vec![1; 9 << 20])).await.unwrap();
    dropped.write(Bytes::from(vec![1; 9 << 20])).await.unwrap();
    drop(dropped);
    let mut looks = 0;
    while !storage.unfinished("").await.unwrap().is_empty() {
        looks += 1;
        assert!(looks < 1000, "a dropped upload is aborted");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn more_keys_than_one_request_takes_are_deleted() {
    let Some(keys) = Keys::of(S3) else { return };
    let storage = keys.fresh_storage(Checksum::WhenSupported).await;
    storage.bucket.put("many/last", "text/plain", Bytes::from_static(b"x")).await.unwrap();
    let mut all: Vec<String> = (0..1500).map(|number| format!("many/never-{number}")).collect();
    all.push("many/last".to_owned());
    storage.delete(&all).await.unwrap();
    assert_eq!(storage.list("many/").await.unwrap(), []);
}

/// Composes objects of 4 MiB, too small to copy. What was told of the sum is right.
async fn told_of_carried(storage: &S3Storage) -> bool {
    let mut hasher = Hasher::new("whole");
    let mut pieces = Vec::new();
    for number in 0..4_u8 {
        let key = format!("parts/{number}");
        let bytes = Bytes::from(vec![number; 4 << 20]);
        hasher.add(bytes.clone()).await.unwrap();
        storage.bucket.put(&key, "text/plain", bytes).await.unwrap();
        pieces.push(Piece::Object { key, bytes: 4 << 20 });
    }
    let composed = storage.compose("whole", "text/plain", &pieces).await.unwrap();
    assert_eq!(composed.bytes, 16 << 20);
    let sha256 = hasher.finish().await.unwrap();
    assert_eq!(spanfleet_storage::sha256(storage, "whole", 16 << 20).await.unwrap().unwrap(), sha256);
    assert!(composed.sha256.as_ref().is_none_or(|told| *told == sha256));
    composed.sha256.is_some()
}

#[tokio::test]
async fn what_is_carried_need_not_be_read_back() {
    let Some(keys) = Keys::of(S3) else { return };
    for checksum in [Checksum::WhenSupported, Checksum::WhenRequired] {
        assert!(told_of_carried(&keys.fresh_storage(checksum).await).await);
    }
}

#[tokio::test]
async fn what_is_carried_to_radosgw_need_not_be_read_back() {
    let Some(keys) = Keys::of(RADOSGW) else { return };
    assert!(told_of_carried(&keys.fresh_storage(Checksum::WhenRequired).await).await);
}

#[tokio::test]
async fn a_part_that_is_shorter_than_told_is_no_part() {
    let Some(keys) = Keys::of(S3) else { return };
    let storage = keys.fresh_storage(Checksum::WhenSupported).await;
    storage.bucket.put("short", "text/plain", Bytes::from_static(b"four")).await.unwrap();
    for carried_bytes in [0, 8 << 20] {
        let short = Piece::Object { key: "short".to_owned(), bytes: 5 };
        let pieces = [Piece::Inline(Bytes::from(vec![1; carried_bytes])), short];
        let error = storage.compose("whole", "text/plain", &pieces).await.unwrap_err();
        assert!(error.message.contains("`short`") && error.message.contains("ends before byte 5"), "{error}");
        assert_eq!(storage.head("whole").await.unwrap(), None);
    }
}

async fn complaint(storage: &S3Storage) -> String {
    let error = storage.check().await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Configuration, "{error}");
    error.message
}

#[tokio::test]
async fn the_check_names_the_mend() {
    let Some(keys) = Keys::of(S3) else { return };
    let no_bucket = keys.storage(settings(Checksum::WhenSupported)).await;
    let name = no_bucket.bucket.name().to_owned();
    let told = complaint(&no_bucket).await;
    assert_eq!(told, format!("there is no bucket `{name}`: create it or set ARTIFACTS_URL"));

    let wrong = Keys { secret: "wrong", endpoint: keys.endpoint.clone(), access: keys.access };
    let told = complaint(&wrong.storage(settings(Checksum::WhenSupported)).await).await;
    assert!(told.contains("cannot look in bucket"), "{told}");
    assert!(!told.contains("wrong"), "{told}");

    let nobody = S3Storage { credentials: None, ..no_bucket };
    assert!(complaint(&nobody).await.contains("set AWS_ACCESS_KEY_ID"));
}

#[tokio::test]
async fn a_store_that_is_away_may_come_back() {
    let nobody_listens =
        Keys { endpoint: "http://127.0.0.1:9".to_owned(), access: "a", secret: "secret-of-a" };
    let storage = nobody_listens.storage(settings(Checksum::WhenSupported)).await;
    let error = storage.head("a").await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    assert!(!format!("{error:?} {storage:?}").contains("secret-of-a"));
}
