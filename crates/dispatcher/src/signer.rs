//! Signed addresses of this API, for stores that have none of their own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs keys for a while. Its secret lives as long as the process.
pub(crate) struct Signer {
    keyed: Hmac<Sha256>,
}

impl Signer {
    pub(crate) fn new() -> Signer {
        let secret: [u8; 64] = rand::random();
        Signer { keyed: Hmac::new(&secret.into()) }
    }

    /// The query that lets anybody fetch `key` for a while.
    pub(crate) fn query(&self, key: &str, lives: Duration) -> String {
        let ends = unix_seconds() + lives.as_secs();
        let signature = hex::encode(self.mac(key, ends).finalize().into_bytes());
        format!("expires={ends}&signature={signature}")
    }

    /// Whether a signature is ours, for this key, and not over.
    pub(crate) fn allows(&self, key: &str, ends: u64, signature: &str) -> bool {
        let Ok(signature) = hex::decode(signature) else { return false };
        // `verify_slice` compares in constant time.
        unix_seconds() < ends && self.mac(key, ends).verify_slice(&signature).is_ok()
    }

    fn mac(&self, key: &str, ends: u64) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(key.as_bytes());
        mac.update(&[0]);
        mac.update(&ends.to_be_bytes());
        mac
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_its_own_key_for_a_while() {
        let signer = Signer::new();
        let query = signer.query("a/b", Duration::from_mins(1));
        let (ends, signature) = query.strip_prefix("expires=").unwrap().split_once("&signature=").unwrap();
        let ends: u64 = ends.parse().unwrap();
        assert!(signer.allows("a/b", ends, signature));
        assert!(!signer.allows("a/c", ends, signature));
        assert!(!signer.allows("a/b", ends + 1, signature));
        assert!(!Signer::new().allows("a/b", ends, signature));
        assert!(!signer.allows("a/b", 0, signature));
    }
}
