//! The record of the product's JSON lines.

use super::{Annotation, Names, write_time};

pub(super) fn write(id: &str, text: &str, annotations: &[Annotation], names: &Names, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    string(id, out);
    out.extend_from_slice(b",\"text\":");
    string(text, out);
    out.extend_from_slice(b",\"metadata\":null,\"annotations\":[");
    for (nth, annotation) in annotations.iter().enumerate() {
        out.extend_from_slice(if nth == 0 { b"{\"id\":" } else { b",{\"id\":" });
        string(&annotation.id, out);
        out.extend_from_slice(b",\"start\":");
        out.extend_from_slice(itoa::Buffer::new().format(annotation.start).as_bytes());
        out.extend_from_slice(b",\"end\":");
        out.extend_from_slice(itoa::Buffer::new().format(annotation.end).as_bytes());
        out.extend_from_slice(b",\"label\":");
        string(&names.labels[&annotation.label], out);
        out.extend_from_slice(b",\"annotator\":");
        string(&names.people[&annotation.annotator], out);
        out.extend_from_slice(b",\"confidence\":");
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut *out, &annotation.confidence);
        out.extend_from_slice(b",\"attributes\":null,\"created_at\":\"");
        write_time(annotation.created_at, out);
        out.extend_from_slice(b"\",\"fragments\":null}");
    }
    out.extend_from_slice(b"],\"relations\":[],\"tokens\":null}\n");
}

fn string(text: &str, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(out, text);
}
