//! Sketches of a part's texts, for finding texts of one split that nearly stand in another.
//!
//! The object: 256 counts of entries by the first byte of their key, then the entries in order of their keys; each
//! the key, the number of its text in the part, and the number of its split. Little endian, but for keys.

use spanfleet_formats::support::sketch;

/// Keys by their first byte: what can be read apart.
pub(crate) const SLICES: usize = 256;
/// Bytes of the counts.
pub(crate) const HEAD_BYTES: usize = SLICES * 4;
/// Bytes of an entry.
pub(crate) const ENTRY_BYTES: usize = 13;

/// A key of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) key: u64,
    /// The text's number.
    pub(crate) text: u64,
    /// The number of its split.
    pub(crate) split: u8,
}

/// The sketches of a part so far.
#[derive(Debug, Default)]
pub(crate) struct Sketches {
    entries: Vec<Entry>,
    texts: u64,
}

impl Sketches {
    /// Adds a text that was written to a split, with its keys.
    pub(super) fn add(&mut self, split: usize, keys: Option<[u64; sketch::KEYS]>) {
        let split = u8::try_from(split).unwrap_or(u8::MAX);
        let entries = keys.into_iter().flatten().map(|key| Entry { key, text: self.texts, split });
        self.entries.extend(entries);
        self.texts += 1;
    }

    /// Texts so far.
    pub(super) fn texts(&self) -> u64 {
        self.texts
    }

    /// The whole object; `numbers` says what a split's number will be.
    pub(super) fn into_bytes(mut self, numbers: &[u8]) -> Vec<u8> {
        self.entries.sort_unstable();
        let mut counts = [0_u32; SLICES];
        for entry in &self.entries {
            counts[(entry.key >> 56) as usize] += 1;
        }
        let mut out = Vec::with_capacity(HEAD_BYTES + self.entries.len() * ENTRY_BYTES);
        out.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
        for entry in &self.entries {
            out.extend(entry.key.to_be_bytes());
            out.extend((entry.text as u32).to_le_bytes());
            out.push(numbers.get(usize::from(entry.split)).copied().unwrap_or(entry.split));
        }
        out
    }
}

/// The counts at the beginning of an object.
pub(crate) fn head(bytes: &[u8]) -> Option<Vec<u32>> {
    let counts = bytes.get(..HEAD_BYTES)?.as_chunks::<4>().0;
    Some(counts.iter().map(|count| u32::from_le_bytes(*count)).collect())
}

/// Entries as they stand in an object.
pub(crate) fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    bytes.as_chunks::<ENTRY_BYTES>().0.iter().map(|entry| {
        let [k0, k1, k2, k3, k4, k5, k6, k7, t0, t1, t2, t3, split] = *entry;
        Entry {
            key: u64::from_be_bytes([k0, k1, k2, k3, k4, k5, k6, k7]),
            text: u64::from(u32::from_le_bytes([t0, t1, t2, t3])),
            split,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_in_order() {
        let mut sketches = Sketches::default();
        sketches.add(1, sketch::keys("Ada met Bo."));
        sketches.add(0, None);
        sketches.add(0, sketch::keys("Nobody knew."));
        let bytes = sketches.into_bytes(&[7, 3]);
        let found: Vec<Entry> = entries(&bytes[HEAD_BYTES..]).collect();
        assert!(found.is_sorted() && found.len() == 2 * sketch::KEYS);
        assert!(found.iter().all(|entry| [(0, 3), (2, 7)].contains(&(entry.text, entry.split))));
        assert_eq!(head(&bytes).unwrap().iter().sum::<u32>() as usize, found.len());
        assert_eq!(head(&bytes[..9]), None);
    }
}
