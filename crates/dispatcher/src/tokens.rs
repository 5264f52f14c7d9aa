//! Bearer tokens. Only a hash is ever kept: 32 random bytes need no salt and no slow hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// How every token begins, so that scanners and people recognise it.
const PREFIX: &str = "sf_";

/// A new token, shown once.
pub fn generate() -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// What is kept of a token: SHA-256 in hex.
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_hash_alike() {
        let (one, other) = (generate(), generate());
        assert!(one.starts_with("sf_") && one.len() == 46 && one != other);
        assert_eq!(hash(&one), hash(&one));
        assert_ne!(hash(&one), hash(&other));
    }
}
