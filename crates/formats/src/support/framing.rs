//! A file from its parts and what stands around them.

use crate::{EncodeError, Format, PartSummary};
use spanfleet_core::Schema;

/// Puts a file together in memory: `head + join(parts, glue) + tail`. Parts without texts are left out.
///
/// The worker does the same with objects in a store; this is what its result has to equal.
pub fn assemble(
    format: &dyn Format,
    schema: &Schema,
    parts: &[(PartSummary, Vec<u8>)],
) -> Result<Vec<u8>, EncodeError> {
    let parts: Vec<_> = parts.iter().filter(|(summary, _)| summary.texts > 0).collect();
    let summaries: Vec<_> = parts.iter().map(|(summary, _)| summary.clone()).collect();
    let envelope = format.seal(schema, &summaries)?;
    let mut file = envelope.head;
    for (at, (_, bytes)) in parts.iter().enumerate() {
        file.extend_from_slice(bytes);
        if let Some(glue) = envelope.glue.get(at) {
            file.extend_from_slice(glue);
        }
    }
    file.extend_from_slice(&envelope.tail);
    Ok(file)
}

/// The same glue between all parts: one piece fewer than parts.
pub fn same_glue(glue: &[u8], parts: &[PartSummary]) -> Vec<Vec<u8>> {
    vec![glue.to_vec(); parts.len().saturating_sub(1)]
}
