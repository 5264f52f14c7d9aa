//! A row for each annotation, as the product writes them.

use super::{Annotation, Names, write_time};

pub(super) fn write(id: &str, text: &str, annotations: &[Annotation], names: &Names, out: &mut Vec<u8>) {
    for (nth, annotation) in annotations.iter().enumerate() {
        for cell in [id, &annotation.id] {
            out.extend_from_slice(cell.as_bytes());
            out.push(b',');
        }
        for offset in [annotation.start, annotation.end] {
            out.extend_from_slice(itoa::Buffer::new().format(offset).as_bytes());
            out.push(b',');
        }
        for name in [&names.labels[&annotation.label], &names.people[&annotation.annotator]] {
            out.extend_from_slice(name.as_bytes());
            out.push(b',');
        }
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut *out, &annotation.confidence);
        out.push(b',');
        cell(&text[annotation.start..annotation.end], out);
        out.extend_from_slice(b",,,");
        write_time(annotation.created_at, out);
        out.push(b',');
        if nth == 0 {
            cell(text, out);
        }
        out.extend_from_slice(b",,\r\n");
    }
}

/// Somebody's words, in quotes where they need them.
fn cell(text: &str, out: &mut Vec<u8>) {
    if !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
