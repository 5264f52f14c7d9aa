use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;
use crate::contract;

fn store() -> (tempfile::TempDir, Arc<LocalStorage>) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(LocalStorage::new(folder.path().join("store")));
    (folder, storage)
}

async fn put(storage: &LocalStorage, key: &str, bytes: &'static [u8]) {
    let mut upload = storage.begin(key, "text/plain").await.unwrap();
    upload.write(Bytes::from_static(bytes)).await.unwrap();
    upload.finish().await.unwrap();
}

#[tokio::test]
async fn keeps_the_contract() {
    let (_folder, storage) = store();
    contract::check_all(storage).await;
}

#[tokio::test]
async fn keeps_the_contract_without_sync() {
    let (_folder, storage) = store();
    contract::check_all(Arc::new(storage.as_ref().clone().without_sync())).await;
}

#[tokio::test]
async fn leaves_no_folder_behind() {
    let (_folder, storage) = store();
    put(&storage, "job/parts/1.1", b"a").await;
    assert!(!storage.root().join("~unfinished").exists());
    storage.delete(&["job/parts/1.1".to_owned()]).await.unwrap();
    assert_eq!(std::fs::read_dir(storage.root()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing() {
    let (_folder, storage) = store();
    let mut upload = storage.begin("job/parts/1.1", "text/plain").await.unwrap();
    upload.write(Bytes::from_static(b"half")).await.unwrap();
    drop(upload);
    assert_eq!(std::fs::read_dir(storage.root()).unwrap().count(), 0);
}

#[tokio::test]
async fn files_that_are_not_ours_are_not_listed() {
    let (_folder, storage) = store();
    put(&storage, "a", b"a").await;
    std::fs::write(storage.root().join("my notes.txt"), "notes").unwrap();
    let _unfinished = storage.begin("b", "text/plain").await.unwrap();
    let keys: Vec<String> = storage.list("").await.unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(keys, ["a"]);
}

#[tokio::test]
async fn files_have_the_rights_of_the_umask() {
    let (_folder, storage) = store();
    put(&storage, "a", b"a").await;
    std::fs::write(storage.root().join("by-hand"), "b").unwrap();
    let rights = |name: &str| std::fs::metadata(storage.root().join(name)).unwrap().permissions().mode();
    assert_eq!(rights("a"), rights("by-hand"));
}

#[tokio::test]
async fn an_object_cannot_stand_where_a_folder_is() {
    let (_folder, storage) = store();
    put(&storage, "a/b", b"x").await;
    let upload = storage.begin("a", "text/plain").await.unwrap();
    let error = upload.finish().await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Configuration);
    assert!(error.message.contains("a file and a directory want the same name"), "{error}");
    assert_eq!(storage.head("a").await.unwrap(), None);
    storage.delete(&["a".to_owned()]).await.unwrap();
    assert!(storage.head("a/b").await.unwrap().is_some());
}

#[tokio::test]
async fn a_root_that_is_a_file_is_a_mistake_of_the_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let error = LocalStorage::new(path.join("store")).check().await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Configuration, "{error}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_may_be_retried() {
    // Every write to /dev/full fails as on a full disk.
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path().to_owned(), false);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let path = tempfile::NamedTempFile::new_in(folder.path()).unwrap().into_temp_path();
    let mut unfinished = tempfile::NamedTempFile::from_parts(full, path);
    let error = files.write("job/parts/1.1", &mut unfinished, b"x").unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient);
    assert!(error.message.contains("the disk is full"), "{error}");
}
