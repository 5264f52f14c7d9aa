//! `bundle=none`: the files that the parts of a split bundle, one by one in the split's folder.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use spanfleet_core::{
    job::ErrorClass,
    report::{ManifestFile, PartFile},
};
use spanfleet_formats::{Format, Member, support::compress::inflate};
use spanfleet_storage::Storage;

use super::assemble::hash;
use crate::{StepError, steps::encode::put};

/// Files of one job: each is a line of the manifest and a row of what the API lists.
const FILES_MAX: usize = 20_000;
/// Files on their way at once: each costs two requests and its size in memory.
const FILES_AT_ONCE: usize = 8;

/// Writes the files of one split, in the order of its texts.
pub(super) async fn unbundle(
    storage: &dyn Storage,
    format: &dyn Format,
    prefix: &str,
    split: &str,
    parts: &[&PartFile],
) -> Result<Vec<ManifestFile>, StepError> {
    let mut files = Vec::new();
    for part in parts {
        let mut members = Vec::new();
        for block in &part.blocks {
            members.append(&mut format.members(&block.notes)?);
        }
        if files.len() + members.len() > FILES_MAX {
            let message =
                format!("more than {FILES_MAX} files; leave out `bundle=none`: a zip holds any number");
            return Err(StepError::new(ErrorClass::Poison, message));
        }
        let written = members.into_iter().map(|member| write(storage, prefix, split, &part.key, member));
        let written: Vec<ManifestFile> = stream::iter(written).buffered(FILES_AT_ONCE).try_collect().await?;
        files.extend(written);
    }
    Ok(files)
}

async fn write(
    storage: &dyn Storage,
    prefix: &str,
    split: &str,
    part: &str,
    member: Member,
) -> Result<ManifestFile, StepError> {
    let path = format!("{split}/{}", member.name);
    let key = format!("{prefix}{path}");
    if let Err(error) = spanfleet_storage::check_key(&key) {
        let message = format!("{error}; leave out `bundle=none`: a zip takes any id of a text");
        return Err(StepError::new(ErrorClass::Poison, message));
    }
    let deflated =
        storage.read(part, member.deflated.start, member.deflated.end - member.deflated.start).await?;
    let inflated = tokio::task::spawn_blocking(move || {
        let content = inflate(&deflated, member.bytes)?;
        Ok::<_, std::io::Error>((hash(&content), content))
    });
    let (sha256, content) =
        inflated.await.map_err(|panic| StepError::new(ErrorClass::Transient, panic.to_string()))??;
    let bytes = put(storage, &key, "text/plain; charset=utf-8", Bytes::from(content)).await?;
    Ok(ManifestFile {
        path,
        split: Some(split.to_owned()),
        bytes,
        sha256,
        texts: member.texts,
        annotations: member.annotations,
    })
}
