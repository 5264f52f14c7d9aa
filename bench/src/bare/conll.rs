//! Token and tag, a blank line where a sentence ends.

use super::{Annotation, Names};

pub(super) fn write(text: &str, annotations: &mut [Annotation], names: &Names, out: &mut Vec<u8>) {
    annotations.sort_unstable_by_key(|annotation| annotation.start);
    let (bytes, mut next, mut at) = (text.as_bytes(), 0, 0);
    let mut breaks_line = false;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            breaks_line |= bytes[at] == b'\n';
            at += 1;
            continue;
        }
        let end = token_end(bytes, at);
        if std::mem::take(&mut breaks_line) {
            out.push(b'\n');
        }
        while annotations.get(next).is_some_and(|annotation| annotation.end <= at) {
            next += 1;
        }
        out.extend_from_slice(&bytes[at..end]);
        match annotations.get(next).filter(|annotation| annotation.start < end) {
            Some(annotation) => {
                out.extend_from_slice(if annotation.start == at { b"\tB-" } else { b"\tI-" });
                out.extend_from_slice(names.labels[&annotation.label].as_bytes());
                out.push(b'\n');
            }
            None => out.extend_from_slice(b"\tO\n"),
        }
        at = end;
    }
    out.push(b'\n');
}

/// A word of letters and digits, or a lone mark: all that the corpus has.
fn token_end(bytes: &[u8], at: usize) -> usize {
    if !bytes[at].is_ascii_alphanumeric() {
        return at + 1;
    }
    bytes[at..]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric())
        .map_or(bytes.len(), |length| at + length)
}
