//! Documents in batches of about [`BATCH_BYTES`].

use spanfleet_core::Document;

use crate::BATCH_BYTES;

/// Gathers documents until the next one would make the batch larger than [`BATCH_BYTES`].
#[derive(Debug, Default)]
pub struct Batcher {
    documents: Vec<Document>,
    bytes: usize,
}

impl Batcher {
    /// Takes a document; gives the batch before it when that is full.
    pub fn push(&mut self, document: Document) -> Option<Vec<Document>> {
        let bytes = weight_bytes(&document);
        let full = self.bytes + bytes > BATCH_BYTES;
        let batch = if full { self.take() } else { None };
        self.bytes += bytes;
        self.documents.push(document);
        batch
    }

    /// What is left, if anything.
    pub fn take(&mut self) -> Option<Vec<Document>> {
        self.bytes = 0;
        (!self.documents.is_empty()).then(|| std::mem::take(&mut self.documents))
    }
}

/// What a document takes in memory, roughly: its strings and the size of its entries.
pub fn weight_bytes(document: &Document) -> usize {
    let json = |json: &Option<spanfleet_core::Json>| json.as_ref().map_or(0, |json| json.as_str().len());
    let annotations = document.annotations.iter().map(|annotation| {
        size_of_val(annotation) + heap_bytes(annotation.id.len()) + json(&annotation.attributes)
    });
    size_of_val(document)
        + document.text.len()
        + json(&document.metadata)
        + annotations.sum::<usize>()
        + size_of_val(document.relations.as_slice())
        + document.tokens.as_ref().map_or(0, |tokens| size_of_val(tokens.as_slice()))
}

/// A short id lies in its entry.
fn heap_bytes(id_bytes: usize) -> usize {
    if id_bytes > 24 { id_bytes } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(bytes: usize) -> Document {
        Document { text: "x".repeat(bytes), ..Document::default() }
    }

    #[test]
    fn a_batch_is_at_most_its_bytes_or_one_document() {
        let mut batcher = Batcher::default();
        let mut full = Vec::new();
        for bytes in [100, BATCH_BYTES, 5, BATCH_BYTES / 2, BATCH_BYTES / 2] {
            full.extend(batcher.push(document(bytes)));
        }
        full.extend(batcher.take());
        let counts: Vec<usize> = full.iter().map(Vec::len).collect();
        assert_eq!(counts, [1, 1, 2, 1]);
        assert!(batcher.take().is_none());
    }
}
