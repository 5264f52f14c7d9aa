//! Keys: segments of `[A-Za-z0-9._-]` with `/` between them. No driver has to escape anything, and no key
//! leads out of a store's root.

use crate::{StorageError, StorageErrorKind};

/// S3 allows 1024 bytes for prefix and key together; what is left is for the store's own prefix.
pub const KEY_BYTES_MAX: usize = 512;

/// What file systems allow for one name, less the suffix of an unfinished file.
const SEGMENT_BYTES_MAX: usize = 240;

/// Refuses what is no key.
pub fn check_key(key: &str) -> Result<(), StorageError> {
    if key.len() > KEY_BYTES_MAX {
        return Err(bad_key(key, &format!("it is longer than {KEY_BYTES_MAX} bytes")));
    }
    key.split('/').try_for_each(|segment| check_segment(segment).map_err(|reason| bad_key(key, reason)))
}

/// Refuses what no key can begin with. The empty prefix means every key; a prefix may end inside a segment.
pub fn check_prefix(prefix: &str) -> Result<(), StorageError> {
    let (folders, rest) = prefix.rsplit_once('/').map_or((None, prefix), |(left, right)| (Some(left), right));
    if let Some(folders) = folders {
        check_key(folders)?;
    }
    if rest.bytes().all(is_key_byte) { Ok(()) } else { Err(bad_key(prefix, UNKNOWN_BYTE)) }
}

/// Whether this can stand between two slashes of a key.
pub(crate) fn is_segment(segment: &str) -> bool {
    check_segment(segment).is_ok()
}

const UNKNOWN_BYTE: &str = "only letters, digits, `.`, `_`, `-` and `/` can stand in it";

fn check_segment(segment: &str) -> Result<(), &'static str> {
    match segment {
        "" => Err("a segment is empty"),
        "." | ".." => Err("a segment leads elsewhere"),
        _ if segment.len() > SEGMENT_BYTES_MAX => Err("a segment is longer than 240 bytes"),
        _ if !segment.bytes().all(is_key_byte) => Err(UNKNOWN_BYTE),
        _ => Ok(()),
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn bad_key(key: &str, reason: &str) -> StorageError {
    StorageError::new(StorageErrorKind::Configuration, format!("`{key}` is no key of an object: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_segments_of_plain_bytes() {
        for key in ["a", "7f3c/parts/7.2", "manifest.json", "a-b_c.d/e", "...", ".spanfleet-check"] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        let long = "k".repeat(KEY_BYTES_MAX + 1);
        for key in
            ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "a\\b", "ä", "a\0", "~a", "%2e", &long]
        {
            assert!(check_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn a_prefix_may_be_empty_or_end_inside_a_segment() {
        for prefix in ["", "a", "a/", "a/b", "a/b."] {
            assert!(check_prefix(prefix).is_ok(), "{prefix}");
        }
        for prefix in ["/", "../", "a/../", "a//", "a b"] {
            assert!(check_prefix(prefix).is_err(), "{prefix}");
        }
    }
}
