//! Spikes: an issue comes far more often than its own history makes likely.
//!
//! The count of an hour is compared with what is usual at that hour of the day and of the week, and with the last hours, which
//! tell a new level after a deploy. All of these are medians or means of few hours, and the largest counts: so yesterday's spike
//! is not today's measure, and a busy hour is not held against a quiet week. How widely the counts spread around it is measured
//! on the history itself. From both follows how likely a count is, as a negative binomial distribution, which for what comes
//! alone is Poisson's and for what comes in bursts has a long tail. An hour whose count is less likely than [`FALSE_ALARMS`] is
//! a spike.
//!
//! An hour is compared as soon as it has begun, with the count so far: a count never falls, so one hour is one test, whenever
//! and however often it is asked. The tests below print how often it is right, on histories with a daily and a weekly rhythm,
//! on bursts, jumps after a deploy and quiet services.

mod tail;
#[cfg(test)]
mod tests;

use tail::at_least;

/// How likely an hour without a cause is to count as a spike, as far as its history tells: one in a million for each issue and
/// hour. What the model does not know makes it more; see the figures of the tests.
pub const FALSE_ALARMS: f64 = 1e-6;
/// Hours of history that are looked at: four weeks.
pub const HISTORY: u32 = 28 * 24;
/// Fewer events in an hour are no spike.
const FEWEST: i64 = 10;
/// And a spike is at least so many times what is usual.
const TIMES: f64 = 2.0;
/// Hours that an issue must be old: before that, that it is new says it all.
const YOUNG: usize = 6;
/// Of how many hours one is left out when the spread is measured.
const LEFT_OUT: usize = 250;
/// By how much the measured spread is widened. Half of a distribution lies above its middle, which makes 2; the rest is for tails
/// that are longer than the model's.
const CAUTION: f64 = 3.5;
/// What is taken to be usual where nothing is.
const LEAST: f64 = 0.05;
/// Hours of a day and of a week.
const DAY: usize = 24;
const WEEK: usize = 7 * DAY;

/// An hour with far more events than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spike {
    /// Events of the hour so far.
    pub count: i64,
    /// How many are usual.
    pub usual: f64,
    /// The most that were to be expected.
    pub most: i64,
}

/// Whether `count` events in the hour under way are a spike, after the counts of the whole hours before it, the oldest first and
/// without gaps.
///
/// # Example
/// ```
/// use errtrack_core::alert::spike;
///
/// let quiet = [1, 0, 2, 1, 0, 1, 3, 1, 0, 2, 1, 1, 0, 1, 2, 0, 1, 1, 0, 2, 1, 0, 1, 1];
/// assert_eq!(spike::detect(&quiet, 9), None);
/// assert!(spike::detect(&quiet, 60).is_some());
/// ```
#[must_use]
pub fn detect(history: &[i64], count: i64) -> Option<Spike> {
    // Before its first event there was no issue.
    let begin = history.iter().position(|n| *n > 0)?;
    let longest = history.len().saturating_sub(HISTORY as usize);
    let history = history.get(begin.max(longest)..)?;
    if count < FEWEST || history.len() < YOUNG {
        return None;
    }
    let usual = usual(history);
    if as_float(count) < TIMES * usual {
        return None;
    }
    let spread = spread(history);
    let mean = usual.max(LEAST);
    if at_least(count, mean, spread) > FALSE_ALARMS {
        return None;
    }
    Some(Spike { count, usual, most: most(mean, spread, count) })
}

/// The largest count that is no spike, less than one that is.
fn most(mean: f64, spread: f64, spike: i64) -> i64 {
    let (mut no, mut yes) = (FEWEST - 1, spike);
    while yes - no > 1 {
        let middle = no + (yes - no) / 2;
        let is_spike = as_float(middle) >= TIMES * mean && at_least(middle, mean, spread) <= FALSE_ALARMS;
        if is_spike { yes = middle } else { no = middle }
    }
    no
}

/// What is usual in the hour after the history.
fn usual(history: &[i64]) -> f64 {
    let now = history.len();
    // The hour before and after belong to it: a rhythm keeps no time to the minute.
    let around = |back: usize| {
        let at = now.checked_sub(back)?;
        Some(history.get(at.checked_sub(1).unwrap_or(at)..now.min(at + 2))?.iter().copied())
    };
    let days: Vec<i64> = (1..=7).filter_map(|day| around(day * DAY)).flatten().collect();
    let weeks: Vec<i64> = (1..=4).filter_map(|week| around(week * WEEK)).flatten().collect();
    let recent = history.get(now.saturating_sub(3)..).unwrap_or_default();
    let last_day = history.get(now.saturating_sub(DAY)..).unwrap_or_default();
    let candidates = [median(days), median(weeks), mean(recent), median(last_day.to_vec())];
    candidates.into_iter().fold(0.0, f64::max)
}

/// How much wider than Poisson's the counts spread above what was usual for them: variance over mean, of what would have been said
/// hour by hour. The few largest excesses are left out: they are the spikes of the past.
fn spread(history: &[i64]) -> f64 {
    let begin = (history.len() / 2).min(WEEK);
    let (mut excesses, mut sum) = (Vec::with_capacity(history.len()), 0.0);
    for (hour, count) in history.iter().enumerate().skip(begin) {
        let expected = usual(history.get(..hour).unwrap_or_default()).max(LEAST);
        sum += expected;
        excesses.push((as_float(*count) - expected).max(0.0).powi(2));
    }
    excesses.sort_by(f64::total_cmp);
    let kept = excesses.len() - excesses.len().div_ceil(LEFT_OUT);
    let variance: f64 = CAUTION * excesses.iter().take(kept).sum::<f64>();
    (variance / sum.max(LEAST)).clamp(1.5, 1e6)
}

fn mean(counts: &[i64]) -> f64 {
    if counts.is_empty() {
        0.0
    } else {
        counts.iter().map(|n| as_float(*n)).sum::<f64>() / as_float(counts.len() as i64)
    }
}

fn median(mut counts: Vec<i64>) -> f64 {
    counts.sort_unstable();
    let at = |place: usize| counts.get(place).copied().map_or(0.0, as_float);
    match counts.len() {
        0 => 0.0,
        length if length % 2 == 1 => at(length / 2),
        length => f64::midpoint(at(length / 2 - 1), at(length / 2)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
const fn as_float(n: i64) -> f64 {
    n as f64
}
