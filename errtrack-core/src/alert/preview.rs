//! What a rule would have said in the last days, from what is stored. Writes nothing.

use super::{AlertRule, Condition, InvalidAlertRule, Metric, When, Window, measure};
use crate::{
    StoreError, Timestamp,
    notify::Trigger,
    store::{Store, Tally, TallyWidth},
};
use std::{collections::BTreeMap, time::Duration};

/// For how many days a rule is tried.
pub const DAYS: i64 = 7;
/// Minutes of a day.
const DAY: i64 = 1_440;

/// What a rule would have said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    /// Since when it was tried.
    pub since: Timestamp,
    /// When it would have fired, the oldest first; `None` where what is stored does not tell.
    pub firings: Option<Vec<Timestamp>>,
    /// The largest value that was measured, and for conditions that wait for little the smallest.
    pub extreme: Option<f64>,
    /// The value now.
    pub now: Option<f64>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The rule is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidAlertRule),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tries a rule on the last [`DAYS`] days. Conditions that count events or issues, and triggers for new issues and regressions,
/// are tried minute by minute; for others only the value of now can be told.
///
/// # Errors
/// The rule is wrong, or the store cannot be read.
pub async fn preview(store: &dyn Store, rule: &AlertRule, now: Timestamp) -> Result<Preview, PreviewError> {
    let checked = rule.check()?;
    let since = now.minus(Duration::from_secs(DAYS.unsigned_abs() * 86_400));
    match &checked.when {
        When::Condition { condition, bound, window } => {
            let all = store.projects().await?;
            let projects = measure::projects(rule, condition, &all);
            let value = measure::measure(store, condition, *window, projects.clone(), now).await?;
            let is_counted = condition.metric.counts() && condition.metric != Metric::UserCount;
            if !is_counted {
                return Ok(Preview { since, firings: None, extreme: None, now: value });
            }
            let from = since.minute() - i64::from(window.minutes());
            let mut tallies = Vec::new();
            // Before what is kept by the minute there are hours.
            let kept = now.minute() - TallyWidth::KEPT_DAYS * DAY;
            let kept = kept.div_euclid(60) * 60 + 60;
            if from < kept {
                let query = measure::tally_query(condition, projects.clone(), TallyWidth::Hour, from, kept - 1);
                tallies.extend(store.tallies(&query).await?);
            }
            let query = measure::tally_query(condition, projects, TallyWidth::Minute, from.max(kept), now.minute());
            tallies.extend(store.tallies(&query).await?);
            let (firings, extreme) = simulate(condition, *bound, (*window, checked.cooldown), &tallies, (since, now));
            Ok(Preview { since, firings: Some(firings), extreme, now: value })
        }
        When::Trigger(trigger @ (Trigger::NewIssue | Trigger::Regression)) => {
            let any: Condition =
                "error_count > 0 in 1m".parse().map_err(|_| InvalidAlertRule::new("trigger", "is none"))?;
            let mut query = measure::tally_query(
                &any,
                rule.project.map(|id| vec![id]),
                TallyWidth::Minute,
                since.minute(),
                now.minute(),
            );
            query.environment.clone_from(&rule.environment);
            let mut firings = Vec::new();
            let levels =
                crate::Level::ALL.into_iter().filter(|level| rule.min_level.is_none_or(|least| *level >= least));
            for level in levels {
                query.level = Some(level);
                for tally in store.tallies(&query).await? {
                    let count = if *trigger == Trigger::NewIssue { tally.new_issues } else { tally.regressions };
                    let at = Timestamp::from_micros(tally.minute * 60_000_000);
                    firings.extend((0..count.clamp(0, 1_000)).map(|_| at));
                }
            }
            firings.sort_unstable();
            Ok(Preview { since, firings: Some(firings), extreme: None, now: None })
        }
        When::Trigger(_) => Ok(Preview { since, firings: None, extreme: None, now: None }),
    }
}

/// Goes through the minutes as evaluations would: fires when the condition begins to be met, and not within the cooldown.
fn simulate(
    condition: &Condition,
    bound: f64,
    (window, cooldown): (Window, Window),
    tallies: &[Tally],
    (since, now): (Timestamp, Timestamp),
) -> (Vec<Timestamp>, Option<f64>) {
    let counts: BTreeMap<i64, f64> =
        tallies.iter().map(|tally| (tally.minute, measure::counted(condition.metric, tally))).collect();
    let at = |minute: i64| counts.get(&minute).copied().unwrap_or_default();
    let length = i64::from(window.minutes());
    let begin = since.minute();
    let mut sum: f64 = counts.range(begin - length..begin).map(|(_, count)| *count).sum();
    let (mut firings, mut extreme, mut is_firing, mut last) = (Vec::new(), None, false, None::<i64>);
    let larger = condition.operator.holds(1.0, 0.0);
    for minute in begin..=now.minute() {
        sum += at(minute);
        let holds = condition.operator.holds(sum, bound);
        let rests = last.is_some_and(|last| minute - last < i64::from(cooldown.minutes()));
        if holds && !is_firing && !rests {
            firings.push(Timestamp::from_micros(minute * 60_000_000));
            (is_firing, last) = (true, Some(minute));
        } else if !holds {
            is_firing = false;
        }
        extreme = Some(extreme.map_or(sum, |so_far: f64| if larger { so_far.max(sum) } else { so_far.min(sum) }));
        sum -= at(minute - length);
    }
    (firings, extreme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_tried_minute_by_minute() {
        let at = |minute: i64| Timestamp::from_micros((1_000_000 + minute) * 60_000_000);
        let condition: Condition = "error_count > 5 in 5m".parse().unwrap();
        let five = Window::of_minutes(5).unwrap();
        let tally = |minute: i64, events| Tally { minute: 1_000_000 + minute, events, ..Tally::default() };
        // Twice in a row, once within the cooldown, once later.
        let tallies = [tally(10, 6), tally(12, 9), tally(20, 8), tally(100, 3), tally(104, 3), tally(200, 5)];
        let span = (at(0), at(300));
        let (firings, extreme) = simulate(&condition, 5.0, (five, five), &tallies, span);
        assert_eq!((firings, extreme), (vec![at(10), at(20), at(104)], Some(15.0)));
        let hour = Window::of_minutes(60).unwrap();
        let (firings, _) = simulate(&condition, 5.0, (five, hour), &tallies, span);
        assert_eq!(firings, [at(10), at(104)]);
        let little: Condition = "error_count < 1 in 5m".parse().unwrap();
        let (firings, extreme) = simulate(&little, 1.0, (five, five), &tallies, (at(8), at(30)));
        assert_eq!((firings, extreme), (vec![at(8), at(18), at(26)], Some(0.0)));
    }
}
