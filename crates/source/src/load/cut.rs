//! Where a sampled selection is cut into partitions. Pure: the same samples give the same cut.

use crate::PARTITION_BYTES;

/// One text that was looked at for all the texts since the sample before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its place among the selected texts, counted from 1.
    pub place: u64,
    /// What it and its annotations take, roughly.
    pub bytes: u64,
}

/// Texts that are looked at: enough to see where a project's texts grow long, few enough to cost milliseconds.
pub const SAMPLES: u64 = 1024;
/// Bytes that an annotation takes in memory and on the wire, roughly.
pub const ANNOTATION_BYTES: u64 = 64;

/// Partitions that a fleet should at least have work for, where each still has
/// [`TEXTS_WORTH_A_PARTITION`].
const FLEET_PARTITIONS: u64 = 16;
/// Fewer texts than this are not worth a lease and an upload of their own.
const TEXTS_WORTH_A_PARTITION: u64 = 1000;
/// An artifact may have ten thousand parts in S3, none much smaller than the others. Of half as many each is large
/// enough to be copied inside the store; with more of them the seal would carry them through one worker.
const MOST_PARTITIONS: u64 = 5_000;

/// The places that end `parts` pieces of almost equal count; fewer where there are fewer texts.
pub fn even_places(texts: u64, parts: u64) -> Vec<u64> {
    let parts = parts.min(texts);
    (1..=parts).map(|part| (u128::from(texts) * u128::from(part) / u128::from(parts)) as u64).collect()
}

/// The places that end partitions of almost equal bytes. The last sample must be the last text. A giant text
/// may be worth several partitions; there are fewer then.
pub fn weighted_places(samples: &[Sample]) -> Vec<u64> {
    let texts = samples.last().map_or(0, |sample| sample.place);
    let bytes: u128 = strata(samples).map(|stratum| stratum.texts * stratum.each_bytes).sum();
    let parts = u128::from(parts(texts, bytes));
    let (mut places, mut passed_bytes, mut wanted_part) = (Vec::new(), 0, 1);
    for stratum in strata(samples) {
        let after_bytes = passed_bytes + stratum.texts * stratum.each_bytes;
        while wanted_part * bytes <= after_bytes * parts {
            let end_bytes = (wanted_part * bytes).div_ceil(parts);
            let texts_inside = (end_bytes - passed_bytes).div_ceil(stratum.each_bytes);
            places.push(stratum.first_place + texts_inside as u64);
            wanted_part = (passed_bytes + texts_inside * stratum.each_bytes) * parts / bytes + 1;
        }
        passed_bytes = after_bytes;
    }
    places
}

/// How many partitions so many texts of so many bytes are worth.
pub fn parts(texts: u64, bytes: u128) -> u64 {
    let by_bytes = u64::try_from(bytes.div_ceil(u128::from(PARTITION_BYTES))).unwrap_or(u64::MAX);
    let least = (texts / TEXTS_WORTH_A_PARTITION).clamp(1, FLEET_PARTITIONS);
    by_bytes.clamp(least, MOST_PARTITIONS).min(texts.max(1))
}

/// The texts from one sample to the next, all taken to be like the second.
struct Stratum {
    first_place: u64,
    texts: u128,
    each_bytes: u128,
}

fn strata(samples: &[Sample]) -> impl Iterator<Item = Stratum> + '_ {
    let places_before = std::iter::once(0).chain(samples.iter().map(|sample| sample.place));
    samples.iter().zip(places_before).map(|(sample, first_place)| Stratum {
        first_place,
        texts: u128::from(sample.place - first_place),
        each_bytes: u128::from(sample.bytes.max(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_pieces_are_exactly_so_many() {
        assert_eq!(even_places(10, 3), [3, 6, 10]);
        assert_eq!(even_places(2, 5), [1, 2]);
        assert_eq!(even_places(0, 5), [0u64; 0]);
        assert_eq!(even_places(1_000_000, 7).len(), 7);
    }

    fn samples(bytes: &[u64], each: u64) -> Vec<Sample> {
        let sample = |(at, bytes): (usize, &u64)| Sample { place: (at as u64 + 1) * each, bytes: *bytes };
        bytes.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn a_fleet_has_work_and_a_small_project_is_one_piece() {
        assert_eq!(weighted_places(&[]), [0u64; 0]);
        assert_eq!(weighted_places(&samples(&[100; 10], 1)), [10]);
        assert_eq!(weighted_places(&samples(&[100; 1000], 40)).len(), 16);
        assert_eq!(weighted_places(&samples(&[100; 40], 100)).len(), 4);
    }

    #[test]
    fn long_texts_make_short_partitions() {
        let mut bytes = vec![62; 16];
        bytes.extend([930; 16]);
        let places = weighted_places(&samples(&bytes, 1000));
        assert_eq!(places.len(), 16);
        assert!(places[0] > 15_000 && places[1] - places[0] < 1200, "{places:?}");
    }

    #[test]
    fn a_giant_text_ends_its_partition_and_makes_no_empty_ones() {
        let bytes = [1, PARTITION_BYTES * 5, 1, 1, 1];
        let places = weighted_places(&samples(&bytes, 1));
        assert_eq!(places, [2, 5]);
    }
}
