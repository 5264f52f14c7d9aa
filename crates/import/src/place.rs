//! Where in which file something is wrong.

use std::{fmt, sync::Arc};

use spanfleet_core::Kind;

/// The three names of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNames {
    /// As errors show it: the path that the user gave.
    pub shown: Arc<str>,
    /// As metadata keeps it: the file name without its folders.
    pub name: Arc<str>,
    /// What generated text ids begin with: `<stem>-<ordinal>`.
    pub stem: Arc<str>,
}

impl FileNames {
    /// Names from a path: the stem is the file name without its last extension.
    pub fn new(path: &str) -> FileNames {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem });
        FileNames { shown: path.into(), name: name.into(), stem: stem.into() }
    }
}

/// A place in a file, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// From 1.
    pub line: u64,
    /// In code points, from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a record could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// Why, and the mend.
    pub reason: String,
}

/// A record, or an annotation or relation of one, that could not be read, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What it is: a text with all that is on it, or one annotation or relation of a text that is read otherwise.
    pub kind: Kind,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub record: String,
    /// Why.
    pub error: ReadError,
    /// The byte at which its record begins, and its place among what was rejected of that record: no two
    /// of a file have both in common.
    pub key: (u64, u32),
}

/// An error inside one record, before it is known where the record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Lines after the first line of the record.
    pub line: u64,
    /// In code points, from 1.
    pub column: u64,
    /// Why, and the mend.
    pub reason: String,
}

impl Fault {
    /// An error at a line of the record, counted from 0, and a column, counted from 1.
    pub fn at(line: u64, column: u64, reason: impl Into<String>) -> Fault {
        Fault { line, column, reason: reason.into() }
    }
}

/// The record as UTF-8, or where it stops being that.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() as u64;
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        Fault::at(line, column, "not UTF-8 from here on; convert the file to UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_lose_one_extension() {
        assert_eq!(&*FileNames::new("a/emerging.dev.conll").stem, "emerging.dev");
        assert_eq!(&*FileNames::new(".hidden").stem, ".hidden");
        assert_eq!(&*FileNames::new("a/b.jsonl").name, "b.jsonl");
    }

    #[test]
    fn broken_utf8_is_placed() {
        assert_eq!(utf8("a\né".as_bytes()), Ok("a\né"));
        let fault = utf8(b"a\n\xc3\xa9\xff").unwrap_err();
        assert_eq!((fault.line, fault.column), (1, 2));
    }
}
