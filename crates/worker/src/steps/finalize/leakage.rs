//! Texts of one split that nearly stand in another: exact over all parts, in bounded memory.
//!
//! Keys are joined slice by slice: the entries of a few first bytes are read out of every part, sorted, and equal keys
//! in different splits mark their texts. What is held is one slice and a bit for each text.

use std::collections::BTreeMap;

use spanfleet_core::{card::Leakage, report::PartReport};
use spanfleet_formats::Format;
use spanfleet_storage::Storage;

use super::corrupt;
use crate::StepError;
use crate::steps::encode::sketches::{ENTRY_BYTES, Entry, HEAD_BYTES, SLICES, entries, head};

/// Entries that are joined at once: some 12 MB.
const ENTRIES_AT_ONCE: u64 = 500_000;

const DEFINITION: &str = "texts that share one of 8 keys, each of 8 MinHash values of word 5-grams, with a text of \
    another split: 99 % of pairs with a Jaccard similarity of 0.9 are found, 77 % with 0.8, 3 % with 0.5";

/// Counts the texts that leak, where parts have sketches.
pub(super) async fn leakage(
    storage: &dyn Storage,
    format: &dyn Format,
    reports: &[PartReport],
) -> Result<Option<Leakage>, StepError> {
    if reports.iter().all(|report| report.sketches_key.is_none()) {
        return Ok(None);
    }
    let parts = Sketched::open(storage, format, reports).await?;
    let mut marks = Marks::new(&parts);
    let mut slice = 0;
    while slice < SLICES {
        let end = parts.end_of_slices(slice);
        marks.join(&parts.read(storage, slice, end).await?);
        slice = end;
    }
    let splits: BTreeMap<String, u64> = parts.splits.into_iter().zip(marks.by_split).collect();
    Ok(Some(Leakage { definition: DEFINITION.to_owned(), texts: splits.values().sum(), splits }))
}

/// The sketches of all parts.
struct Sketched<'p> {
    parts: Vec<SketchedPart<'p>>,
    /// Every split, as its readers call it.
    splits: Vec<String>,
    texts: u64,
}

struct SketchedPart<'p> {
    key: &'p str,
    /// Entries before each slice, and all of them at the end.
    before: Vec<u64>,
    /// The number of its first text.
    first_text: u64,
    /// What its numbers of splits mean.
    splits: Vec<usize>,
}

impl<'p> Sketched<'p> {
    async fn open(
        storage: &dyn Storage,
        format: &dyn Format,
        reports: &'p [PartReport],
    ) -> Result<Sketched<'p>, StepError> {
        let names =
            reports.iter().flat_map(|report| &report.files).map(|file| format.split_name(&file.split));
        let mut splits: Vec<String> = names.map(str::to_owned).collect();
        splits.sort_unstable();
        splits.dedup();
        let mut sketched = Sketched { parts: Vec::new(), splits, texts: 0 };
        for report in reports {
            let Some(key) = report.sketches_key.as_deref() else { continue };
            let counts = head(&storage.read(key, 0, HEAD_BYTES as u64).await?);
            let counts = counts.ok_or_else(|| corrupt(&format!("`{key}` is cut short")))?;
            let mut before = vec![0];
            before.extend(counts.iter().scan(0, |sum, count| {
                *sum += u64::from(*count);
                Some(*sum)
            }));
            let number = |split: &str| sketched.splits.iter().position(|known| known == split).unwrap_or(0);
            let splits = report.files.iter().map(|file| number(format.split_name(&file.split))).collect();
            sketched.parts.push(SketchedPart { key, before, first_text: sketched.texts, splits });
            sketched.texts += report.sketched_texts;
        }
        Ok(sketched)
    }

    /// Where the slices end that are few enough entries to be joined at once; at least one.
    fn end_of_slices(&self, from: usize) -> usize {
        let entries =
            |end: usize| -> u64 { self.parts.iter().map(|part| part.before[end] - part.before[from]).sum() };
        (from + 2..=SLICES).find(|end| entries(*end) > ENTRIES_AT_ONCE).map_or(SLICES, |end| end - 1)
    }

    async fn read(&self, storage: &dyn Storage, from: usize, end: usize) -> Result<Vec<Entry>, StepError> {
        let mut found = Vec::new();
        for part in &self.parts {
            let (first, count) = (part.before[from], part.before[end] - part.before[from]);
            if count == 0 {
                continue;
            }
            let at = HEAD_BYTES as u64 + first * ENTRY_BYTES as u64;
            let bytes = storage.read(part.key, at, count * ENTRY_BYTES as u64).await?;
            for entry in entries(&bytes) {
                let split = part.splits.get(usize::from(entry.split)).copied().unwrap_or(0);
                found.push(Entry { text: part.first_text + entry.text, split: split as u8, ..entry });
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// A bit for each text that leaks, and how many there are.
struct Marks {
    bits: Vec<u64>,
    by_split: Vec<u64>,
}

impl Marks {
    fn new(parts: &Sketched<'_>) -> Marks {
        Marks { bits: vec![0; parts.texts.div_ceil(64) as usize], by_split: vec![0; parts.splits.len()] }
    }

    fn join(&mut self, entries: &[Entry]) {
        for same in entries.chunk_by(|one, other| one.key == other.key) {
            if same.iter().any(|entry| entry.split != same[0].split) {
                for entry in same {
                    self.mark(entry);
                }
            }
        }
    }

    fn mark(&mut self, entry: &Entry) {
        let (Some(bits), bit) = (self.bits.get_mut((entry.text / 64) as usize), 1 << (entry.text % 64))
        else {
            return;
        };
        if *bits & bit == 0 {
            *bits |= bit;
            self.by_split[usize::from(entry.split)] += 1;
        }
    }
}
