//! What the driver does with files, blocking.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::key::is_segment;
use crate::{ObjectInfo, Piece, StorageError, StorageErrorKind};

/// Where files are written before they have a place; no key begins with `~`.
const UNFINISHED: &str = "~unfinished";

/// Stands between the key and the random end of an unfinished file's name; no key has it.
const UNFINISHED_MARK: char = '~';

/// A folder made for a file can be pruned by a delete before the file is in it; so often it is made again.
const FOLDER_ATTEMPTS_MAX: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Files {
    root: PathBuf,
    waits_for_disk: bool,
}

impl Files {
    pub(super) fn new(root: PathBuf, waits_for_disk: bool) -> Files {
        Files { root, waits_for_disk }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn begin(&self, key: &str) -> Result<NamedTempFile, StorageError> {
        let path = self.root.join(UNFINISHED).join(key);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(UNFINISHED_MARK.to_string());
        in_folder(&path, |folder| {
            // The usual rights, less the umask: people read these files.
            tempfile::Builder::new()
                .prefix(&name)
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(folder)
        })
        .map_err(|error| self.explain("write", key, error))
    }

    pub(super) fn write(
        &self,
        key: &str,
        file: &mut NamedTempFile,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        file.write_all(bytes).map_err(|error| self.explain("write", key, error))
    }

    /// Gives the file its place.
    pub(super) fn publish(&self, key: &str, unfinished: NamedTempFile) -> Result<(), StorageError> {
        self.rename(key, unfinished).map_err(|error| self.explain("write", key, error))
    }

    fn rename(&self, key: &str, unfinished: NamedTempFile) -> io::Result<()> {
        if self.waits_for_disk {
            unfinished.as_file().sync_all()?;
        }
        let (source, target) = (unfinished.path().to_owned(), self.root.join(key));
        in_folder(&target, |_| fs::rename(&source, &target))?;
        // The name is gone, so dropping the handle deletes nothing that matters.
        drop(unfinished);
        self.prune(&source);
        match target.parent() {
            Some(folder) if self.waits_for_disk => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    pub(super) fn discard(&self, unfinished: Option<NamedTempFile>) -> Result<(), StorageError> {
        let Some(file) = unfinished else { return Ok(()) };
        let path = file.path().to_owned();
        file.close().map_err(|error| self.explain("delete", &path.display().to_string(), error))?;
        self.prune(&path);
        Ok(())
    }

    pub(super) fn head(&self, key: String) -> Result<Option<ObjectInfo>, StorageError> {
        match fs::metadata(self.root.join(&key)) {
            Ok(found) if found.is_file() => {
                Ok(Some(ObjectInfo { key, bytes: found.len(), written_at: None }))
            }
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.explain("read", &key, error)),
        }
    }

    pub(super) fn read(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError> {
        let read = || {
            let mut file = self.open(key)?;
            let left = file.metadata()?.len().saturating_sub(offset).min(bytes);
            file.seek(SeekFrom::Start(offset))?;
            let mut read = Vec::with_capacity(left as usize);
            file.take(left).read_to_end(&mut read)?;
            Ok(Bytes::from(read))
        };
        read().map_err(|error| self.explain("read", key, error))
    }

    fn open(&self, key: &str) -> io::Result<File> {
        let file = File::open(self.root.join(key))?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::NotFound.into()) }
    }

    pub(super) fn compose(&self, key: &str, pieces: &[Piece]) -> Result<u64, StorageError> {
        let mut whole = self.begin(key)?;
        let mut whole_bytes = 0;
        for piece in pieces {
            whole_bytes += self.append(key, &mut whole, piece)?;
        }
        self.publish(key, whole)?;
        Ok(whole_bytes)
    }

    fn append(&self, key: &str, whole: &mut NamedTempFile, piece: &Piece) -> Result<u64, StorageError> {
        match piece {
            Piece::Inline(inline) => self.write(key, whole, inline).map(|()| inline.len() as u64),
            Piece::Object { key: part, bytes } => {
                let mut source = self.open(part).map_err(|error| self.explain("read", part, error))?;
                // Between two files this is `copy_file_range`: the bytes do not pass through this process.
                let copied_bytes = io::copy(&mut source, whole.as_file_mut())
                    .map_err(|error| self.explain("write", key, error))?;
                if copied_bytes == *bytes {
                    Ok(copied_bytes)
                } else {
                    Err(wrong_size(part, *bytes, copied_bytes))
                }
            }
        }
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StorageError> {
        let mut found = Vec::new();
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        walk(&self.root, folder, &mut |key, file| {
            let segments_are_plain = key.split('/').all(is_segment);
            if segments_are_plain && key.starts_with(prefix) {
                let metadata = file.metadata()?;
                found.push(ObjectInfo { key, bytes: metadata.len(), written_at: metadata.modified().ok() });
            }
            Ok(())
        })
        .map_err(|error| self.explain("list", prefix, error))?;
        found.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        Ok(found)
    }

    pub(super) fn folders(&self) -> Result<Vec<String>, StorageError> {
        let names = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.root)? {
                let entry = entry?;
                let name = entry.file_name().into_string().ok().filter(|name| is_segment(name));
                names.extend(name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())));
            }
            names.sort_unstable();
            Ok(names)
        };
        names().or_else(
            |error: io::Error| {
                if is_absent(&error) { Ok(Vec::new()) } else { Err(self.explain("list", "", error)) }
            },
        )
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), StorageError> {
        let path = self.root.join(key);
        match fs::remove_file(&path) {
            Err(error) if !is_absent(&error) && error.kind() != ErrorKind::IsADirectory => {
                Err(self.explain("delete", key, error))
            }
            _ => {
                self.prune(&path);
                Ok(())
            }
        }
    }

    pub(super) fn abort_unfinished(&self, prefix: &str) -> Result<usize, StorageError> {
        let (unfinished, mut paths) = (self.root.join(UNFINISHED), Vec::new());
        walk(&unfinished, "", &mut |name, file| {
            if name.rsplit_once(UNFINISHED_MARK).is_some_and(|(key, _)| key.starts_with(prefix)) {
                paths.push(file.path());
            }
            Ok(())
        })
        .and_then(|()| paths.iter().try_for_each(fs::remove_file))
        .map_err(|error| self.explain("abort", prefix, error))?;
        for path in &paths {
            self.prune(path);
        }
        Ok(paths.len())
    }

    pub(super) fn check(&self) -> Result<(), StorageError> {
        let mut file = self.begin(".spanfleet-check")?;
        self.write(".spanfleet-check", &mut file, b"spanfleet")?;
        self.discard(Some(file))
    }

    /// Removes the folders above a path that are empty now, the root excepted.
    fn prune(&self, path: &Path) {
        let above = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
        // The first that is not empty, or that another task removed, ends it.
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }

    fn explain(&self, action: &str, key: &str, error: io::Error) -> StorageError {
        let root = self.root.display();
        let (kind, why) = match error.kind() {
            ErrorKind::NotFound => (StorageErrorKind::NotFound, "there is no such object".to_owned()),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (StorageErrorKind::Transient, "the disk is full, so make room on it".to_owned())
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
                StorageErrorKind::Configuration,
                "this user may not, so let it write there or choose another directory".to_owned(),
            ),
            ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => (
                StorageErrorKind::Configuration,
                "a file and a directory want the same name, so choose another directory".to_owned(),
            ),
            _ => (StorageErrorKind::Transient, error.to_string()),
        };
        StorageError::new(kind, format!("cannot {action} `{key}` in `{root}`: {why}")).because(error)
    }
}

/// Does something with a file's folder, which is made before and made again when another task pruned it.
fn in_folder<T>(path: &Path, mut work: impl FnMut(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut attempt = 1;
    loop {
        match fs::create_dir_all(folder).and_then(|()| work(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound && attempt < FOLDER_ATTEMPTS_MAX => {
                attempt += 1;
            }
            done => return done,
        }
    }
}

type Visit<'a> = &'a mut dyn FnMut(String, &fs::DirEntry) -> io::Result<()>;

/// Visits every file under a folder by its path from the base. What another task removes meanwhile is not
/// there; what is not ours (names that are not UTF-8, symbolic links) is passed over.
fn walk(base: &Path, folder: &str, visit: Visit<'_>) -> io::Result<()> {
    let entries = match fs::read_dir(base.join(folder)) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let visited = match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(base, &path, visit),
            Ok(kind) if kind.is_file() => visit(path, &entry),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        visited.or_else(|error| if is_absent(&error) { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn wrong_size(key: &str, expected_bytes: u64, found_bytes: u64) -> StorageError {
    let message = format!("the object `{key}` has {found_bytes} bytes instead of {expected_bytes}");
    StorageError::new(StorageErrorKind::Transient, message)
}
