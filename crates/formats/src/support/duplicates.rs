//! Which texts say the same as an earlier one.
//!
//! Exact duplicates are told by 128 bits of SHA-256: 16 bytes a text. Near ones by MinHash: the Jaccard similarity
//! of their sets of word 5-grams is estimated from 128 minima (standard error 0.04 at a similarity of 0.7), and
//! candidates come from bands of minima that are equal: about 1.5 KiB a text.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use spanfleet_core::options::Duplicates;
use unicode_segmentation::UnicodeSegmentation;

/// Minima in a signature.
const MINIMA: usize = 128;
/// Minima in a band. With 4, texts of similarity 0.6 meet in one of 32 bands with a chance of 98.8 %.
const BAND: usize = 4;
/// Words that stand together in a shingle.
const SHINGLE_WORDS: usize = 5;

/// The texts so far.
pub struct SeenTexts {
    kind: Duplicates,
    exact: HashSet<[u8; 16]>,
    signatures: Vec<[u32; MINIMA]>,
    /// The last entry of each band of minima, by a hash of both: the signatures tell whether it lied.
    bands: HashMap<u64, u32>,
    /// A signature, and the entry before it in the same band, or `NONE`.
    entries: Vec<(u32, u32)>,
}

/// No entry.
const NONE: u32 = u32::MAX;

impl SeenTexts {
    /// None yet.
    pub fn new(kind: Duplicates) -> SeenTexts {
        SeenTexts {
            kind,
            exact: HashSet::new(),
            signatures: Vec::new(),
            bands: HashMap::new(),
            entries: Vec::new(),
        }
    }

    /// Whether an earlier text said the same; otherwise this one is the first.
    pub fn is_duplicate(&mut self, text: &str) -> bool {
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
        if !self.exact.insert(digest) {
            return true;
        }
        match self.kind {
            Duplicates::Exact => false,
            Duplicates::Near(least) => self.is_near(&signature(text), least),
        }
    }

    fn is_near(&mut self, signature: &[u32; MINIMA], least: f64) -> bool {
        let keys = band_keys(signature);
        let mut tried = HashSet::new();
        for key in &keys {
            let mut at = self.bands.get(key).copied().unwrap_or(NONE);
            while let Some((candidate, before)) = self.entries.get(at as usize) {
                if tried.insert(*candidate)
                    && similarity(signature, &self.signatures[*candidate as usize]) >= least
                {
                    return true;
                }
                at = *before;
            }
        }
        let number = self.signatures.len() as u32;
        self.signatures.push(*signature);
        for key in keys {
            let entry = self.entries.len() as u32;
            let before = self.bands.insert(key, entry).unwrap_or(NONE);
            self.entries.push((number, before));
        }
        false
    }
}

/// A hash of each band and its place.
fn band_keys(signature: &[u32; MINIMA]) -> Vec<u64> {
    let bands = signature.as_chunks::<BAND>().0.iter().enumerate();
    bands
        .map(|(place, band)| band.iter().fold(place as u64, |hash, least| mix(hash ^ u64::from(*least))))
        .collect()
}

fn similarity(one: &[u32; MINIMA], other: &[u32; MINIMA]) -> f64 {
    let equal = one.iter().zip(other).filter(|(one, other)| one == other).count();
    equal as f64 / MINIMA as f64
}

/// For each of so many hash functions, the least value over the text's shingles.
fn signature(text: &str) -> [u32; MINIMA] {
    let words: Vec<String> = text.unicode_words().map(str::to_lowercase).collect();
    let mut minima = [u32::MAX; MINIMA];
    for shingle in words.windows(SHINGLE_WORDS.min(words.len().max(1))) {
        let mut hash = hash_words(shingle);
        for minimum in &mut minima {
            hash = mix(hash);
            *minimum = (*minimum).min((hash >> 32) as u32);
        }
    }
    minima
}

/// FNV-1a over the words, a byte that no word holds between them.
fn hash_words(words: &[String]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64: each application is the next hash function.
pub(super) fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(range: std::ops::Range<u32>) -> String {
        range.map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn exact_means_every_character() {
        let mut seen = SeenTexts::new(Duplicates::Exact);
        assert!(!seen.is_duplicate("Ada met Bo."));
        assert!(!seen.is_duplicate("Ada met  Bo."));
        assert!(seen.is_duplicate("Ada met Bo."));
    }

    #[test]
    fn near_is_a_share_of_shingles() {
        let mut seen = SeenTexts::new(Duplicates::Near(0.8));
        assert!(!seen.is_duplicate(&words(0..200)));
        // 190 of 206 shingles are shared: 0.92.
        assert!(seen.is_duplicate(&words(6..206)));
        // A third is: 0.33.
        assert!(!seen.is_duplicate(&words(100..300)));
        assert!(!seen.is_duplicate(""));
        assert!(seen.is_duplicate(""));
        assert!(!seen.is_duplicate("two words"));
        assert!(seen.is_duplicate("Two, words!"));
    }
}
