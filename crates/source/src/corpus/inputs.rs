//! What the user named, as a list of files in order.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

use spanfleet_core::{TextLimit, Timestamp};
use spanfleet_import::{FileNames, InputFormat, Layout, brat::Hierarchy, format::HEAD_BYTES};

use super::{
    InputChoice,
    file::{BytesAt, Content, CorpusFile, PairContent},
    io_error, spool,
};
use crate::{SourceError, SourceErrorKind};

/// The input that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The files behind the inputs, in the order given; those of a folder by name.
pub(super) fn list(
    inputs: &[PathBuf],
    choice: &InputChoice,
    reject_file: Option<&Path>,
) -> Result<Vec<CorpusFile>, SourceError> {
    if inputs.is_empty() {
        return Err(wrong("no input was named; name files, folders, or `-` for standard input".to_owned()));
    }
    let rejects = reject_file.and_then(|path| path.canonicalize().ok());
    let is_reject_file = |path: &Path| rejects.is_some() && path.canonicalize().ok() == rejects;
    let mut files = Vec::new();
    for input in inputs {
        if is_reject_file(input) {
            return Err(wrong(format!(
                "`{}` is both an input and the reject file; name another",
                input.display()
            )));
        }
        if input.as_os_str() == STANDARD_INPUT {
            files.push(standard_input(choice)?);
        } else if input.is_dir() {
            folder(input, choice, &is_reject_file, &mut files)?;
        } else {
            files.push(named_file(input, choice)?);
        }
    }
    part_stems(&mut files);
    Ok(files)
}

fn wrong(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::Configuration, message)
}

fn standard_input(choice: &InputChoice) -> Result<CorpusFile, SourceError> {
    let path = Path::new(STANDARD_INPUT);
    let spooled = spool::standard_input().map_err(|error| io_error(path, "spool", error))?;
    let names = FileNames::new("stdin");
    records(names, BytesAt::Spooled(spooled), choice)
}

/// A file that the user named: one half of a pair, or a file of records.
fn named_file(path: &Path, choice: &InputChoice) -> Result<CorpusFile, SourceError> {
    let is_pair = is_half_of_pair(path);
    let may_be_pair = choice.format.is_none_or(|format| matches!(format.entry().layout, Layout::Pairs));
    if is_pair && may_be_pair {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let annotations = Some(path.with_extension("ann"));
        let folder = path.parent().unwrap_or(Path::new(""));
        let hierarchy = hierarchy_in(folder)?.unwrap_or_default();
        return pair(id, path.with_extension("txt"), annotations, hierarchy, choice.text_limit);
    }
    if choice.format.is_some_and(|format| matches!(format.entry().layout, Layout::Pairs)) {
        let shown = path.display();
        return Err(wrong(format!(
            "`{shown}` is no pair of X.txt and X.ann; name a folder of them, or one of the two"
        )));
    }
    record_file(path, choice)
}

fn record_file(path: &Path, choice: &InputChoice) -> Result<CorpusFile, SourceError> {
    let spooled = spool::file(path).map_err(|error| io_error(path, "read", error))?;
    let shown = path.to_string_lossy();
    let plain = shown.strip_suffix(".gz").or(shown.strip_suffix(".zst")).unwrap_or(&shown);
    let names = FileNames { shown: (*shown).into(), ..FileNames::new(plain) };
    let bytes_at = spooled.map_or_else(|| BytesAt::Named(path.to_owned()), BytesAt::Spooled);
    let mut file = records(names, bytes_at, choice)?;
    file.modified_at = path.metadata().ok().filter(Metadata::is_file).and_then(|about| modified_at(&about));
    Ok(file)
}

fn records(names: FileNames, bytes_at: BytesAt, choice: &InputChoice) -> Result<CorpusFile, SourceError> {
    let head = head(bytes_at.path())?;
    let format = match choice.format {
        Some(format) => format,
        None => detect(&names, &head)?,
    };
    let packed = format.entry().packed.filter(|packed| (packed.recognises)(&head));
    let bytes_at = match packed {
        Some(packed) => {
            let unpacked = spool::unpacked(bytes_at.path(), packed);
            BytesAt::Spooled(unpacked.map_err(|error| io_error(bytes_at.path(), "unpack", error))?)
        }
        None => bytes_at,
    };
    let bytes = about(bytes_at.path())?.len();
    let content = Content::Records(format, choice.options.clone(), OnceLock::new());
    Ok(CorpusFile { names, bytes_at, bytes, modified_at: None, content, text_limit: choice.text_limit })
}

fn head(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let file = File::open(path).map_err(|error| io_error(path, "read", error))?;
    file.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(|error| io_error(path, "read", error))?;
    Ok(head)
}

fn detect(names: &FileNames, head: &[u8]) -> Result<InputFormat, SourceError> {
    if head.iter().all(u8::is_ascii_whitespace) {
        // Nothing to read, in any format.
        return Ok(InputFormat::Jsonl);
    }
    InputFormat::detect(head).ok_or_else(|| {
        let formats = InputFormat::names();
        wrong(format!(
            "`{}` looks like none of the input formats; say which with --input-format: {formats}",
            names.shown
        ))
    })
}

fn pair(
    id: String,
    text: PathBuf,
    annotations: Option<PathBuf>,
    hierarchy: Arc<Hierarchy>,
    text_limit: TextLimit,
) -> Result<CorpusFile, SourceError> {
    let text_about = about(&text)?;
    let (mut bytes, mut modified) = (text_about.len(), modified_at(&text_about));
    let names = |path: &Path| FileNames::new(&path.to_string_lossy());
    if let Some(path) = &annotations {
        let about = about(path)?;
        bytes += about.len();
        modified = modified.max(modified_at(&about));
    }
    let annotations = annotations.map(|path| (path.clone(), names(&path)));
    let content = Content::Pair(Box::new(PairContent { id, annotations, hierarchy }));
    let names = names(&text);
    let bytes_at = BytesAt::Named(text);
    Ok(CorpusFile { names, bytes_at, bytes, modified_at: modified, content, text_limit })
}

fn about(path: &Path) -> Result<Metadata, SourceError> {
    path.metadata().map_err(|error| io_error(path, "read", error))
}

fn modified_at(about: &Metadata) -> Option<Timestamp> {
    let since = |moment: SystemTime| moment.duration_since(UNIX_EPOCH).ok();
    about.modified().ok().and_then(since).map(|since| Timestamp::from_micros(since.as_micros() as i64))
}

/// The files of a folder and the folders in it, sorted by path.
fn folder(
    root: &Path,
    choice: &InputChoice,
    is_reject_file: &dyn Fn(&Path) -> bool,
    files: &mut Vec<CorpusFile>,
) -> Result<(), SourceError> {
    let mut paths = Vec::new();
    walk(root, &mut paths)?;
    paths.retain(|path| (!is_beside(path) || is_half_of_pair(path)) && !is_reject_file(path));
    paths.sort();
    let has_pairs = match choice.format {
        Some(format) => matches!(format.entry().layout, Layout::Pairs),
        None => paths.iter().any(|path| has_extension(path, "ann")),
    };
    let found_before = files.len();
    let mut hierarchies = Hierarchies { root, known: HashMap::new() };
    for path in &paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("txt") if has_pairs => {
                let annotations = Some(path.with_extension("ann")).filter(|path| path.is_file());
                let hierarchy = hierarchies.of(path.parent().unwrap_or(root))?;
                let id = id_below(root, path);
                files.push(pair(id, path.clone(), annotations, hierarchy, choice.text_limit)?);
            }
            Some("ann") if has_pairs && !path.with_extension("txt").is_file() => {
                return Err(wrong(format!("`{}` has no .txt beside it", path.display())));
            }
            Some("ann") if has_pairs => {}
            // Only pairs were asked for.
            _ if has_pairs && choice.format.is_some() => {}
            _ => files.push(record_file(path, choice)?),
        }
    }
    if files.len() == found_before {
        return Err(wrong(format!("the folder `{}` holds no corpus files", root.display())));
    }
    Ok(())
}

/// The hierarchies of the folders below one, each read once: a folder's own, or that of the folder above it.
struct Hierarchies<'r> {
    root: &'r Path,
    known: HashMap<PathBuf, Arc<Hierarchy>>,
}

impl Hierarchies<'_> {
    fn of(&mut self, folder: &Path) -> Result<Arc<Hierarchy>, SourceError> {
        if let Some(known) = self.known.get(folder) {
            return Ok(known.clone());
        }
        let above = folder.parent().filter(|_| folder != self.root);
        let hierarchy = match (hierarchy_in(folder)?, above) {
            (Some(own), _) => own,
            (None, Some(above)) => self.of(above)?,
            (None, None) => Arc::default(),
        };
        self.known.insert(folder.to_owned(), hierarchy.clone());
        Ok(hierarchy)
    }
}

/// The hierarchy of a folder's own `annotation.conf`.
fn hierarchy_in(folder: &Path) -> Result<Option<Arc<Hierarchy>>, SourceError> {
    let path = folder.join("annotation.conf");
    match std::fs::read(&path) {
        Ok(conf) => Ok(Some(Arc::new(Hierarchy::read(&String::from_utf8_lossy(&conf))))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(&path, "read", error)),
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let failed = |error| io_error(folder, "list", error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if is_hidden {
            continue;
        }
        // A linked folder may lead back to where it hangs, so only linked files are followed.
        if kind.is_dir() {
            walk(&entry.path(), paths)?;
        } else if entry.path().is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// What lies beside the data of a corpus: words about it, and brat's own settings.
fn is_beside(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default();
    let is_about =
        ["README", "LICENSE", "LICENCE", "NOTICE"].iter().any(|word| stem.eq_ignore_ascii_case(word));
    is_about || has_extension(path, "md") || has_extension(path, "conf")
}

fn is_half_of_pair(path: &Path) -> bool {
    (has_extension(path, "txt") || has_extension(path, "ann"))
        && path.with_extension("txt").is_file()
        && path.with_extension("ann").is_file()
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// The path below the folder without its extension, with `/` between its parts.
fn id_below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path).with_extension("");
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Texts without ids are named after their file, so no two files may have the same stem: where they do, the
/// file name is taken, or the whole path.
fn part_stems(files: &mut [CorpusFile]) {
    for wider in [|names: &FileNames| names.name.clone(), |names: &FileNames| names.shown.clone()] {
        let mut times: HashMap<_, u32> = HashMap::new();
        for file in files.iter() {
            *times.entry(file.names.stem.clone()).or_default() += 1;
        }
        for file in files.iter_mut().filter(|file| times[&file.names.stem] > 1) {
            file.names.stem = wider(&file.names);
        }
    }
}
