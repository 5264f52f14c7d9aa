//! `spanfleet verify DIR`: artifacts against their manifest.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use serde_json::json;
use sha2::{Digest, Sha256};
use spanfleet_core::{
    Ledger,
    report::{Manifest, ManifestFile},
};

use crate::{args::VerifyArgs, failure::Failure};

/// Bytes that are hashed at once.
const BUFFER_BYTES: usize = 1024 * 1024;

pub(super) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let manifest = read_manifest(&args.dir)?;
    let files: Vec<&ManifestFile> = manifest.files.iter().chain(&manifest.beside).collect();
    let mut faults: Vec<String> = files.iter().filter_map(|file| fault(&args.dir, file)).collect();
    let ledger = Ledger::from_entries(manifest.counts, manifest.losses.clone(), manifest.changes.clone());
    if !ledger.balances() {
        faults.push("manifest.json: selected is not written + losses".to_owned());
    }
    if args.json.json {
        outln!("{}", json!({"files": files.len(), "faults": faults}));
    } else if faults.is_empty() {
        outln!(
            "{} files are as their manifest says; {} texts, {} annotations",
            files.len(),
            manifest.counts.texts,
            manifest.counts.annotations_written
        );
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::new(faults.join("\nerror: "))) }
}

/// The manifest of a directory.
pub(super) fn read_manifest(dir: &Path) -> Result<Manifest, Failure> {
    let path = dir.join("manifest.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("can't read `{}`: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("`{}` is no manifest: {error}", path.display())))
}

/// What is wrong with a file, if anything.
pub(super) fn fault(dir: &Path, file: &ManifestFile) -> Option<String> {
    let found = match hash_file(&dir.join(&file.path)) {
        Ok(found) => found,
        Err(error) => return Some(format!("{}: {error}", file.path)),
    };
    if found.0 != file.bytes {
        return Some(format!("{}: has {} bytes, the manifest says {}", file.path, found.0, file.bytes));
    }
    (found.1 != file.sha256)
        .then(|| format!("{}: has SHA-256 {}, the manifest says {}", file.path, found.1, file.sha256))
}

/// Size and SHA-256 of a file.
fn hash_file(path: &Path) -> std::io::Result<(u64, String)> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
