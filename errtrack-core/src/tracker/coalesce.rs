//! Coalescing: in a storm of equal errors the first payloads are kept, the rest only counts.
//!
//! Each issue has an allowance of payloads that refills with time (a token bucket). What is over it is still counted to the
//! last event, in the issue, in the rollups and in the tallies; only its payload is let go.

use crate::{Fingerprint, Occurrence, ProjectId, Timestamp};
use std::collections::HashMap;

/// Payloads kept at once.
const BURST: f64 = 64.0;
/// Payloads kept per second beyond that.
const PER_SECOND: f64 = 1.0;
/// Issues remembered; past that the oldest allowances, which are full again, are forgotten.
const REMEMBERED: usize = 20_000;

/// Decides which payloads are kept.
#[derive(Debug, Default)]
pub(crate) struct Coalescer {
    buckets: HashMap<(ProjectId, Fingerprint), Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    since: Timestamp,
}

impl Coalescer {
    /// Whether the payload of an occurrence is to be kept.
    pub(crate) fn keeps(&mut self, occurrence: &Occurrence, now: Timestamp) -> bool {
        if self.buckets.len() >= REMEMBERED {
            self.buckets.retain(|_, bucket| bucket.tokens_at(now) < BURST);
            if self.buckets.len() >= REMEMBERED {
                self.buckets.clear();
            }
        }
        let key = (occurrence.project(), occurrence.fingerprint());
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: BURST, since: now });
        bucket.tokens = bucket.tokens_at(now);
        bucket.since = now;
        let keeps = bucket.tokens >= 1.0;
        if keeps {
            bucket.tokens -= 1.0;
        }
        keeps
    }
}

impl Bucket {
    #[expect(clippy::cast_precision_loss, reason = "an allowance needs no microseconds over 285 years")]
    fn tokens_at(&self, now: Timestamp) -> f64 {
        let seconds = (now.as_micros() - self.since.as_micros()).max(0) as f64 / 1e6;
        (self.tokens + seconds * PER_SECOND).min(BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Formula, Preparer};
    use std::time::Duration;

    #[test]
    fn a_storm_keeps_its_first_payloads_and_one_a_second() {
        let occurrence = Preparer::default().prepare(ProjectId(1), Event::new(), Formula::Ours);
        let start = Timestamp::now();
        let mut coalescer = Coalescer::default();
        let kept = (0..1000).filter(|_| coalescer.keeps(&occurrence, start)).count();
        assert_eq!(kept, 64);
        assert!(!coalescer.keeps(&occurrence, start));
        assert!(coalescer.keeps(&occurrence, start.plus(Duration::from_secs(1))));
    }
}
