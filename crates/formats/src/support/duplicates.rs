//! Which texts say the same as an earlier one.
//!
//! Exact duplicates are told by 128 bits of SHA-256. Near ones by MinHash: the Jaccard similarity of their sets of word
//! 5-grams is estimated from 128 minima (standard error 0.04 at a similarity of 0.7), and candidates come from bands of
//! minima that are equal. What is held of a text is at most [`bytes_a_text`].

use std::collections::HashSet;

use hashbrown::HashTable;
use sha2::{Digest, Sha256};
use spanfleet_core::options::Duplicates;
use unicode_segmentation::UnicodeSegmentation;

/// Minima in a signature.
const MINIMA: usize = 128;
/// Minima in a band. With 4, texts of similarity 0.6 meet in one of 32 bands with a chance of 98.8 %.
const BAND: usize = 4;
const BANDS: usize = MINIMA / BAND;
/// Words that stand together in a shingle.
const SHINGLE_WORDS: usize = 5;

/// For each of so many hash functions, the least value over a text's shingles: its lower half, of which one in 65,536
/// is equal by chance.
type Signature = [u16; MINIMA];

/// The texts so far.
pub struct SeenTexts {
    kind: Duplicates,
    exact: HashSet<[u8; 16]>,
    signatures: Signatures,
    /// For each band the numbers of the texts, by a hash of their minima in it: the signatures tell whether it lied.
    bands: Vec<HashTable<u32>>,
}

/// What one more text takes at most, while tables grow: for near duplicates its signature, 11 bytes in a table for each
/// band, and half as much again while one of them is copied.
pub const fn bytes_a_text(kind: Duplicates) -> usize {
    match kind {
        Duplicates::Exact => 64,
        Duplicates::Near(_) => 64 + size_of::<Signature>() + BANDS * 12,
    }
}

impl SeenTexts {
    /// None yet.
    pub fn new(kind: Duplicates) -> SeenTexts {
        let bands = if kind == Duplicates::Exact { 0 } else { BANDS };
        SeenTexts {
            kind,
            exact: HashSet::new(),
            signatures: Signatures::default(),
            bands: (0..bands).map(|_| HashTable::new()).collect(),
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

    fn is_near(&mut self, signature: &Signature, least: f64) -> bool {
        let mut tried = HashSet::new();
        for (band, texts) in self.bands.iter().enumerate() {
            for text in texts.iter_hash(band_key(signature, band)) {
                if tried.insert(*text) && similarity(signature, self.signatures.get(*text)) >= least {
                    return true;
                }
            }
        }
        let number = self.signatures.push(*signature);
        let signatures = &self.signatures;
        for (band, texts) in self.bands.iter_mut().enumerate() {
            let key_of = |text: &u32| band_key(signatures.get(*text), band);
            texts.insert_unique(band_key(signature, band), number, key_of);
        }
        false
    }
}

/// Signatures by their numbers, in pieces: a list that grows would stand in memory twice.
#[derive(Default)]
struct Signatures {
    pieces: Vec<Vec<Signature>>,
}

/// Signatures in a piece: 256 KiB.
const PIECE: usize = 1024;

impl Signatures {
    /// Adds one; its number.
    fn push(&mut self, signature: Signature) -> u32 {
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let before = (self.pieces.len() - 1) * PIECE;
        let piece = &mut self.pieces[before / PIECE];
        piece.push(signature);
        (before + piece.len() - 1) as u32
    }

    fn get(&self, number: u32) -> &Signature {
        &self.pieces[number as usize / PIECE][number as usize % PIECE]
    }
}

/// A hash of a band and its place.
fn band_key(signature: &Signature, band: usize) -> u64 {
    let minima = &signature[band * BAND..(band + 1) * BAND];
    mix(minima.iter().fold(band as u64, |bits, least| bits.rotate_left(16) ^ u64::from(*least)))
}

fn similarity(one: &Signature, other: &Signature) -> f64 {
    let equal = one.iter().zip(other).filter(|(one, other)| one == other).count();
    equal as f64 / MINIMA as f64
}

fn signature(text: &str) -> Signature {
    let words: Vec<String> = text.unicode_words().map(str::to_lowercase).collect();
    let mut minima = [u32::MAX; MINIMA];
    for shingle in words.windows(SHINGLE_WORDS.min(words.len().max(1))) {
        let mut hash = hash_words(shingle);
        for minimum in &mut minima {
            hash = mix(hash);
            *minimum = (*minimum).min((hash >> 32) as u32);
        }
    }
    minima.map(|minimum| minimum as u16)
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

    /// What one more text takes, at the worst moment of a table's growth.
    #[test]
    fn a_text_takes_what_is_said() {
        for kind in [Duplicates::Exact, Duplicates::Near(0.8)] {
            for texts in [1_000_u32, 3_600, 7_300, 14_500] {
                let texts_of = |nth: u32| format!("text{nth} of{nth} five{nth} words{nth} each{nth}");
                let used = allocation_counter::measure(|| {
                    let mut seen = SeenTexts::new(kind);
                    assert!((0..texts).all(|nth| !seen.is_duplicate(&texts_of(nth))));
                });
                let bytes = used.bytes_max / u64::from(texts);
                assert!(
                    bytes <= bytes_a_text(kind) as u64,
                    "{kind:?}: {bytes} bytes for each of {texts} texts"
                );
            }
        }
    }
}
