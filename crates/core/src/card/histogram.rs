//! Lengths in buckets: up to 127 each value has its own; above, a bucket is a sixty-fourth of its value wide. So
//! quantiles are exact up to 127 and at most 1.6 % too small above, in any order of counting and in 4,000 buckets at
//! most.

use serde::{Deserialize, Serialize};

use super::rounded;

/// Values below this have a bucket each.
const EXACT: u64 = 128;
/// Buckets between two powers of two.
const STEPS: u64 = 64;
/// The logarithm of `EXACT`.
const EXACT_BITS: u64 = 7;

/// How many of each length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u64,
    least: u64,
    most: u64,
}

/// A histogram with its empty buckets left out.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    buckets: Vec<(usize, u64)>,
    sum: u64,
    least: u64,
    most: u64,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, value: u64) {
        let bucket = bucket(value);
        self.grow(bucket + 1);
        self.buckets[bucket] += 1;
        self.least = if self.count == 0 { value } else { self.least.min(value) };
        self.most = self.most.max(value);
        self.sum += value;
        self.count += 1;
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Histogram) {
        if other.count == 0 {
            return;
        }
        self.grow(other.buckets.len());
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, other)| *own += other);
        self.least = if self.count == 0 { other.least } else { self.least.min(other.least) };
        self.most = self.most.max(other.most);
        self.sum += other.sum;
        self.count += other.count;
    }

    /// Its quantiles; `None` of nothing.
    pub fn lengths(&self) -> Option<Lengths> {
        (self.count > 0).then(|| Lengths {
            count: self.count,
            mean: rounded(self.sum as f64 / self.count as f64),
            min: self.least,
            p05: self.percentile(5),
            p25: self.percentile(25),
            p50: self.percentile(50),
            p75: self.percentile(75),
            p95: self.percentile(95),
            p99: self.percentile(99),
            max: self.most,
        })
    }

    /// The least value that so many percent of all don't exceed, to a bucket.
    fn percentile(&self, percent: u128) -> u64 {
        let rank = (u128::from(self.count) * percent).div_ceil(100).max(1);
        let mut passed = 0;
        let found = self.buckets.iter().position(|count| {
            passed += u128::from(*count);
            passed >= rank
        });
        found.map_or(self.most, lower_bound).clamp(self.least, self.most)
    }

    fn grow(&mut self, buckets: usize) {
        if self.buckets.len() < buckets {
            self.buckets.resize(buckets, 0);
        }
    }
}

impl From<Histogram> for Stored {
    fn from(histogram: Histogram) -> Stored {
        let Histogram { buckets, sum, least, most, .. } = histogram;
        let buckets = buckets.into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
        Stored { buckets, sum, least, most }
    }
}

impl From<Stored> for Histogram {
    fn from(stored: Stored) -> Histogram {
        let Stored { buckets, sum, least, most } = stored;
        let mut histogram = Histogram { sum, least, most, ..Histogram::default() };
        for (at, count) in buckets.into_iter().filter(|(at, _)| *at <= bucket(u64::MAX)) {
            histogram.grow(at + 1);
            histogram.buckets[at] += count;
            histogram.count += count;
        }
        histogram
    }
}

fn bucket(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let power = u64::from(value.ilog2());
    let step = (value >> (power - (EXACT_BITS - 1))) - STEPS;
    (EXACT + (power - EXACT_BITS) * STEPS + step) as usize
}

fn lower_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let (power, step) = ((bucket - EXACT) / STEPS + EXACT_BITS, (bucket - EXACT) % STEPS);
    (STEPS + step) << (power - (EXACT_BITS - 1))
}

/// Quantiles of lengths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the percentiles say what they are
pub struct Lengths {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    pub min: u64,
    pub p05: u64,
    pub p25: u64,
    pub p50: u64,
    pub p75: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_begin_where_they_say() {
        for value in (0..5_000).chain([u64::MAX, u64::MAX / 3, 1 << 40]) {
            let begin = lower_bound(bucket(value));
            assert!(begin <= value && (value - begin) as f64 <= value as f64 / 64.0, "{value}: {begin}");
            assert_eq!(bucket(begin), bucket(value));
        }
    }

    #[test]
    fn small_quantiles_are_exact() {
        let mut lengths = Histogram::default();
        for value in 1..=100 {
            lengths.add(value);
        }
        let found = lengths.lengths().unwrap();
        assert_eq!((found.min, found.p05, found.p50, found.p99, found.max), (1, 5, 50, 99, 100));
        assert!((found.mean - 50.5).abs() < 1e-9);
        assert_eq!(Histogram::default().lengths(), None);
    }

    proptest! {
        #[test]
        fn any_cut_counts_the_same(
            values in prop::collection::vec(0..1_000_000_u64, 1..200),
            cut in 0..200_usize,
        ) {
            let of = |values: &[u64]| {
                let mut histogram = Histogram::default();
                for value in values {
                    histogram.add(*value);
                }
                histogram
            };
            let cut = cut.min(values.len());
            let (mut first, second) = (of(&values[..cut]), of(&values[cut..]));
            first.merge(&second);
            prop_assert_eq!(&first, &of(&values));
            let stored = serde_json::to_string(&first).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Histogram>(&stored).unwrap(), &first);
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let median = sorted[(values.len() * 50).div_ceil(100) - 1];
            let found = first.lengths().unwrap().p50;
            prop_assert!(found <= median && (median - found) as f64 <= median as f64 / 64.0);
        }
    }
}
