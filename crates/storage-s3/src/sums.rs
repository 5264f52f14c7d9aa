//! What a store tells of the bytes that it holds, to be compared with what was sent.

use aws_sdk_s3::types::CompletedPart;
use aws_smithy_types::base64;
use bytes::Bytes;
use md5::{Digest, Md5};

const MD5_BYTES: usize = 16;

/// The CRC32 of bytes as S3 writes it.
pub(crate) fn crc32(bytes: &[u8]) -> String {
    base64::encode(crc32fast::hash(bytes).to_be_bytes())
}

/// Whether the store's sum of a part is that of these bytes: the CRC32 where it answers with one, else the entity tag.
/// That is the part's MD5, unless the store encrypts with its customer's keys (Amazon S3, "Checking object integrity").
pub(crate) async fn is_part(part: &CompletedPart, bytes: Bytes) -> bool {
    if let Some(told) = &part.checksum_crc32 {
        return *told == crc32(&bytes);
    }
    let Some(told) = part_md5(part) else { return false };
    // A hash that was cut short tells nothing, and what is not told is read back.
    tokio::task::spawn_blocking(move || Md5::digest(&bytes)[..] == told).await.unwrap_or(false)
}

/// The entity tag that an object of these parts, in their order, has: the MD5 of the parts' MD5, and their number.
/// `None` where the tags of parts are no MD5.
pub(crate) fn joined_e_tag(parts: &[CompletedPart]) -> Option<String> {
    let mut joined = Md5::new();
    for part in parts {
        joined.update(part_md5(part)?);
    }
    Some(format!("{}-{}", hex::encode(joined.finalize()), parts.len()))
}

/// An entity tag without the quotes of the header.
pub(crate) fn unquoted(e_tag: &str) -> &str {
    e_tag.trim_matches('"')
}

fn part_md5(part: &CompletedPart) -> Option<[u8; MD5_BYTES]> {
    let mut md5 = [0; MD5_BYTES];
    hex::decode_to_slice(unquoted(part.e_tag()?), &mut md5).ok()?;
    Some(md5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(e_tag: &str) -> CompletedPart {
        CompletedPart::builder().e_tag(e_tag).build()
    }

    /// As `md5sum` of "hello" has it.
    const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

    #[tokio::test]
    async fn a_part_is_known_by_its_tag_or_its_checksum() {
        let hello = Bytes::from_static(b"hello");
        assert!(is_part(&part(HELLO), hello.clone()).await);
        assert!(!is_part(&part(HELLO), Bytes::from_static(b"hullo")).await);
        // Where the store encrypts with keys of its customer a tag is anything.
        assert!(!is_part(&part("\"0a1b-7\""), hello.clone()).await);
        let summed = |crc32: &str| CompletedPart::builder().e_tag("any").checksum_crc32(crc32).build();
        assert!(is_part(&summed("NhCmhg=="), hello.clone()).await);
        assert!(!is_part(&summed("AAAAAA=="), hello).await);
    }

    #[test]
    fn a_joined_tag_is_that_of_the_tags_in_their_order() {
        let world = "\"7d793037a0760186574b0282f2f435e7\"";
        let joined = joined_e_tag(&[part(HELLO), part(world)]).unwrap();
        assert_eq!(joined, "065947336a2f2a95ba8899f3675c3be6-2");
        assert_ne!(joined_e_tag(&[part(world), part(HELLO)]).unwrap(), joined);
        assert_eq!(joined_e_tag(&[part(HELLO), part("0a1b-7")]), None);
    }
}
