//! Times that differ from process to process, so that many do not do the same thing at the same moment.

use crate::EventId;
use std::time::Duration;

/// Between half of a duration and all of it, by chance.
pub(crate) fn jittered(duration: Duration) -> Duration {
    let (chance, _) = EventId::random().uuid().as_u64_pair();
    let half = duration / 2;
    let share = u32::try_from(chance >> 48).unwrap_or_default();
    half + half.mul_f64(f64::from(share) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_at_least_half_and_at_most_whole() {
        let second = Duration::from_secs(1);
        let drawn: std::collections::BTreeSet<_> = (0..100).map(|_| jittered(second)).collect();
        assert!(drawn.iter().all(|pause| (second / 2..=second).contains(pause)), "{drawn:?}");
        assert!(drawn.len() > 50, "not the same each time");
    }
}
