//! Which events of an issue are kept when there are too many.
//!
//! The first says how it began, the newest say how it is now, and a spread between them shows what changed on the way.

use crate::Timestamp;
use std::{cmp::Reverse, collections::BinaryHeap};

/// An event that is kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its row, which tells equal times apart.
    pub row: i64,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Somebody wants to keep it.
    pub pinned: bool,
}

/// The rows that can go so that `keep` stay. `events` are all that an issue has, in the order of time.
///
/// Stays: the first, whatever is pinned, the newest half of `keep`, and of those between, the ones that lie farthest apart
/// in time. More than `keep` stay only if more are pinned. The same events give the same answer, and letting some go now
/// and some later leaves about the same spread as letting them go at once. O(n log n).
///
/// # Example
/// ```
/// use errtrack_core::{Timestamp, retention::{Kept, surplus}};
///
/// let event = |row| Kept { row, timestamp: Timestamp::from_micros(row * 60_000_000), pinned: row == 4 };
/// let events: Vec<Kept> = (1..=12).map(event).collect();
/// assert_eq!(surplus(&events, 6), [2, 3, 5, 6, 7, 9]);
/// ```
#[must_use]
pub fn surplus(events: &[Kept], keep: usize) -> Vec<i64> {
    let newest = events.len().saturating_sub(keep.div_ceil(2));
    let fixed = |place: usize, event: &Kept| place == 0 || place >= newest || event.pinned;
    let held = events.iter().enumerate().filter(|(place, event)| fixed(*place, event)).count();
    let between = events.len() - held;
    let mut excess = between - between.min(keep.saturating_sub(held));
    let mut chain = Chain::new(events.len());
    let mut gaps = BinaryHeap::new();
    let gap = |chain: &Chain, place: usize| {
        let (before, after) = chain.neighbours(place);
        let time = |place: usize| events.get(place).map_or(0, |event| event.timestamp.as_micros());
        time(after).saturating_sub(time(before))
    };
    let middle = |place: usize| events.get(place).is_some_and(|event| !fixed(place, event));
    gaps.extend((0..newest).filter(|place| middle(*place)).map(|place| Reverse((gap(&chain, place), place))));
    let mut gone = Vec::with_capacity(excess);
    while excess > 0
        && let Some(Reverse((width, place))) = gaps.pop()
    {
        if chain.is_gone(place) {
            continue;
        }
        let now = gap(&chain, place);
        if now != width {
            // A neighbour went since this was noted: gaps only grow, so it may have its turn later.
            gaps.push(Reverse((now, place)));
            continue;
        }
        chain.remove(place);
        gone.push(place);
        excess -= 1;
    }
    gone.sort_unstable();
    gone.into_iter().filter_map(|place| events.get(place)).map(|event| event.row).collect()
}

/// Who stands beside whom among those that are left.
struct Chain(Vec<Link>);

#[derive(Clone, Copy)]
struct Link {
    before: usize,
    after: usize,
    gone: bool,
}

impl Chain {
    fn new(length: usize) -> Self {
        let link = |place: usize| Link { before: place.saturating_sub(1), after: place + 1, gone: false };
        Self((0..length).map(link).collect())
    }

    fn neighbours(&self, place: usize) -> (usize, usize) {
        self.0.get(place).map_or((place, place), |link| (link.before, link.after))
    }

    fn is_gone(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|link| link.gone)
    }

    fn remove(&mut self, place: usize) {
        let (before, after) = self.neighbours(place);
        if let Some(link) = self.0.get_mut(place) {
            link.gone = true;
        }
        if let Some(link) = self.0.get_mut(before) {
            link.after = after;
        }
        if let Some(link) = self.0.get_mut(after) {
            link.before = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(times: impl IntoIterator<Item = i64>) -> Vec<Kept> {
        let event = |(row, time)| Kept { row, timestamp: Timestamp::from_micros(time), pinned: false };
        (1..).zip(times).map(event).collect()
    }

    fn without(events: &mut Vec<Kept>, gone: &[i64]) {
        events.retain(|event| !gone.contains(&event.row));
    }

    #[test]
    fn nothing_goes_while_there_is_room() {
        assert_eq!(surplus(&events(0..6), 6), [0_i64; 0]);
        assert_eq!(surplus(&[], 0), [0_i64; 0]);
    }

    #[test]
    fn a_burst_between_leaves_room_for_the_days_around_it() {
        let day = 86_400_000_000;
        let mut times: Vec<i64> = (0..10).map(|n| n * day).collect();
        times.extend((0..1000).map(|n| 5 * day + n));
        times.sort_unstable();
        let mut events = events(times);
        let gone = surplus(&events, 20);
        without(&mut events, &gone);
        assert_eq!(events.len(), 20);
        let days: std::collections::BTreeSet<i64> = events.iter().map(|e| e.timestamp.as_micros() / day).collect();
        assert_eq!(days.len(), 10, "each day is still to be seen");
    }

    proptest! {
        #[test]
        fn the_first_the_newest_and_the_pinned_stay(
            mut times in proptest::collection::vec(0_i64..1_000_000, 1..200),
            pins in proptest::collection::vec(any::<bool>(), 200),
            keep in 1_usize..50,
        ) {
            times.sort_unstable();
            let mut events = events(times);
            for (event, pin) in events.iter_mut().zip(pins) {
                event.pinned = pin && event.row % 7 == 0;
            }
            let all = events.clone();
            without(&mut events, &surplus(&all, keep));
            prop_assert_eq!(events.first(), all.first());
            let newest = keep.div_ceil(2).min(all.len());
            prop_assert!(events.ends_with(&all[all.len() - newest..]));
            prop_assert!(all.iter().filter(|e| e.pinned).all(|e| events.contains(e)));
            let pinned = all.iter().filter(|e| e.pinned).count();
            prop_assert!(events.len() <= keep.max(newest + 1) + pinned);
            prop_assert!(events.len() >= keep.min(all.len()));
        }
    }

    #[test]
    fn trimming_again_and_again_keeps_a_spread() {
        let mut kept = Vec::new();
        for row in 1..=5000 {
            kept.push(Kept { row, timestamp: Timestamp::from_micros(row), pinned: false });
            let gone = surplus(&kept, 20);
            without(&mut kept, &gone);
        }
        assert_eq!(kept.len(), 20);
        assert_eq!(kept[0].row, 1);
        let widest = kept.windows(2).map(|pair| pair[1].row - pair[0].row).max().unwrap();
        assert!(widest <= 5000 / 4, "no gap of {widest} in {:?}", kept.iter().map(|k| k.row).collect::<Vec<_>>());
    }
}
