//! Where compressed blocks begin, so that compressed bytes don't depend on partitions.
//!
//! A compressed file is a row of members, each a block of texts. Blocks begin at texts that their own id
//! chooses, and a compressed job is cut only there: however it is cut, the members are the same.

use sha2::{Digest, Sha256};

/// The byte of a digest that begins a block, one in 256: blocks long enough to compress well, short enough to
/// cut almost anywhere.
const FIRST_OF_BLOCK: u8 = 0;

/// Whether a block begins at the text of this id.
pub fn begins_block(id: &str) -> bool {
    // Byte 8: the first eight choose the split, which must not depend on the same bits.
    Sha256::digest(id.as_bytes())[8] == FIRST_OF_BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_in_256_begins_a_block() {
        let begun = (0..25_600).filter(|number| begins_block(&format!("text-{number}"))).count();
        assert!((70..130).contains(&begun), "{begun}");
    }
}
