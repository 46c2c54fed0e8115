//! Durations counted in buckets.
//!
//! The buckets are log-linear: eight of equal width to each power of two of microseconds, from 1 µs to 134 s, and one for
//! what took longer. So a quantile that is read from them is wrong by 6.25 % of itself at most, or by half a microsecond.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    ops::{AddAssign, SubAssign},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Buckets to a power of two, as a power of two.
const FINE: u32 = 3;
/// The first power of two of microseconds that is not told apart any more: 134 s.
const END: u32 = 27;
/// Buckets, the last of which has no end.
const BUCKETS: usize = ((END - FINE + 1) << FINE) as usize + 1;

/// Counters that many threads write.
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], nanos: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn record(&self, took: Duration) {
        let nanos = nanos(took);
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.nanos.fetch_add(nanos, Relaxed);
    }

    pub(super) fn snapshot(&self) -> Latencies {
        Latencies {
            nanos: self.nanos.load(Relaxed),
            buckets: self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect(),
        }
    }
}

/// How long requests took, counted in buckets.
///
/// # Example
/// ```
/// use errtrack_core::{Routes, StatusClass};
/// use std::time::Duration;
///
/// let routes = Routes::default();
/// for millis in 1..=100 {
///     routes.record("GET", "/", StatusClass::Success, Duration::from_millis(millis));
/// }
/// let latencies = routes.snapshot()[0].latencies();
/// let p95 = latencies.quantile(0.95).unwrap().as_secs_f64();
/// assert!((0.95 - p95 * 10.0).abs() < 0.0625 * 0.95);
/// assert_eq!(latencies.within(Duration::from_micros(1 << 16)), 65);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Latencies {
    buckets: Box<[u64]>,
    nanos: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS].into(), nanos: 0 }
    }
}

impl Latencies {
    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How long all of them took together.
    #[must_use]
    pub const fn total(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The duration that a share `q` of them, from 0 to 1, did not exceed: `quantile(0.99)` is the p99. Wrong by 6.25 % of
    /// itself at most, or by half a microsecond; what took longer than 134 s is told as 134 s. `None` if there are none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is found well enough with 53 bits, and a float saturates"
    )]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let rank = ((self.count() as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let (low, high) = (start_of(bucket), start_of((bucket + 1).min(BUCKETS - 1)));
                return Some(Duration::from_nanos((low + high) * 500));
            }
        }
        None
    }

    /// How many took no longer than this: exact for powers of two of microseconds up to 134 s, else as far as buckets
    /// tell, so some too few.
    #[must_use]
    pub fn within(&self, limit: Duration) -> u64 {
        self.buckets.iter().take(bucket_of(nanos(limit).saturating_add(1))).sum()
    }
}

/// Kept as the buckets that are not empty: `{"nanos":…,"buckets":[[bucket,count],…]}`.
#[derive(Serialize, Deserialize)]
struct Sparse {
    nanos: u64,
    buckets: Vec<(usize, u64)>,
}

impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let buckets = self.buckets.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
        Sparse { nanos: self.nanos, buckets }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sparse = Sparse::deserialize(deserializer)?;
        let mut latencies = Self { nanos: sparse.nanos, ..Self::default() };
        for (bucket, count) in sparse.buckets {
            if let Some(sum) = latencies.buckets.get_mut(bucket) {
                *sum = sum.saturating_add(count);
            }
        }
        Ok(latencies)
    }
}

impl SubAssign<&Self> for Latencies {
    fn sub_assign(&mut self, earlier: &Self) {
        for (bucket, less) in self.buckets.iter_mut().zip(&earlier.buckets) {
            *bucket = bucket.saturating_sub(*less);
        }
        self.nanos = self.nanos.saturating_sub(earlier.nanos);
    }
}

impl AddAssign<&Self> for Latencies {
    fn add_assign(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket = bucket.saturating_add(*more);
        }
        self.nanos = self.nanos.saturating_add(other.nanos);
    }
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latencies")
            .field("count", &self.count())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .finish_non_exhaustive()
    }
}

/// A duration in 64 bits, which are enough for 584 years.
const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

/// The bucket of a duration. A bucket has what is longer than its start, up to the next one's start.
fn bucket_of(nanos: u64) -> usize {
    let micros = nanos.saturating_sub(1) / 1_000;
    // Up to 2^FINE each microsecond has a bucket of its own.
    let power = (micros | (1 << FINE)).ilog2();
    if power >= END {
        return BUCKETS - 1;
    }
    let shift = power - FINE;
    usize::try_from((u64::from(shift) << FINE) + (micros >> shift)).unwrap_or(BUCKETS - 1)
}

/// The microseconds at which a bucket starts.
fn start_of(bucket: usize) -> u64 {
    let (bucket, width) = (bucket as u64, 1 << FINE);
    if bucket < width {
        return bucket;
    }
    let shift = (bucket >> FINE) - 1;
    ((bucket & (width - 1)) + width) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        assert_eq!((bucket_of(0), bucket_of(1_000), bucket_of(1_001)), (0, 0, 1));
        for bucket in 1..BUCKETS {
            let start = start_of(bucket) * 1_000;
            assert_eq!((bucket_of(start), bucket_of(start + 1)), (bucket - 1, bucket), "{bucket}");
            let width = start_of(bucket) - start_of(bucket - 1);
            assert!(width <= 1 || width * 8 <= start_of(bucket - 1), "{bucket}: half of it is 6.25 % at most");
        }
        assert_eq!((start_of(BUCKETS - 1), bucket_of(u64::MAX)), (1 << END, BUCKETS - 1));
    }

    #[test]
    fn within_is_exact_at_powers_of_two() {
        let histogram = Histogram::default();
        for nanos in [1_024_000, 1_024_001, 5_000_000, 200_000_000_000] {
            histogram.record(Duration::from_nanos(nanos));
        }
        let counted = histogram.snapshot();
        assert_eq!(counted.within(Duration::from_micros(1 << 10)), 1);
        assert_eq!(counted.within(Duration::from_micros(1 << 11)), 2);
        assert_eq!(counted.within(Duration::from_micros(1 << 27)), 3);
        assert_eq!(counted.count(), 4);
    }
}
