//! What several stories ask of a manifest.

use std::{fs, path::Path};

use serde_json::Value;

/// The manifest of an export.
pub(crate) fn manifest(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap()
}

/// `selected = written + losses` for texts, annotations and relations.
pub(crate) fn assert_nothing_vanished(manifest: &Value) {
    let lost = |kind: &str| -> u64 {
        let losses = manifest["losses"].as_array().unwrap().iter();
        losses.filter(|loss| loss["kind"] == kind).map(|loss| loss["count"].as_u64().unwrap()).sum()
    };
    let count = |key: &str| manifest["counts"][key].as_u64().unwrap();
    assert_eq!(count("texts_selected"), count("texts") + lost("text"), "{manifest:#}");
    assert_eq!(
        count("annotations_selected"),
        count("annotations_written") + lost("annotation"),
        "{manifest:#}"
    );
    assert_eq!(count("relations_selected"), count("relations_written") + lost("relation"), "{manifest:#}");
}

/// The SHA-256 that a manifest gives its only data file.
pub(crate) fn only_sha256(manifest: &Value) -> String {
    let files = manifest["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0]["sha256"].as_str().unwrap().to_owned()
}
