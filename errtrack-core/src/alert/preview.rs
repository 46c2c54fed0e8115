//! What a rule would have said in the last days, from what is stored. Writes nothing.

mod requests;
mod triggers;

use super::{AlertRule, Checked, Condition, InvalidAlertRule, Metric, Watch, When, Window, measure};
use crate::{
    Project, StoreError, Timestamp,
    notify::Trigger,
    store::{Store, Tally, TallyWidth},
};
use std::{collections::BTreeMap, time::Duration};

/// For how many days a rule is tried.
pub const DAYS: i64 = 7;
/// Minutes of a day.
const DAY: i64 = 1_440;

/// Values by the minute of which they are; `None` where nothing was measured.
type Values = Vec<(i64, Option<f64>)>;

/// What a rule would have said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    /// Since when it was tried: for [`DAYS`] days, or since what it needs is kept or can be looked at.
    pub since: Timestamp,
    /// When it would have fired, the oldest first; `None` where what is stored does not tell.
    pub firings: Option<Vec<Timestamp>>,
    /// The largest value that was measured, and for conditions that wait for little the smallest.
    pub extreme: Option<f64>,
    /// The value now.
    pub now: Option<f64>,
    /// What was looked at, where that was not all: a sentence.
    pub note: Option<&'static str>,
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

/// Tries a rule on the last [`DAYS`] days, as far as what is kept goes back. Conditions that count are tried minute by minute,
/// those about requests and users in steps of the buckets that are kept (10 and 5 minutes for windows of less than an hour, of
/// which there are two days; else an hour). What is asked for by release, source or tag is only counted since a rule asks; before
/// that it is looked for in the events that are kept. Takes some queries, for spikes and kept events some dozens.
///
/// # Errors
/// The rule is wrong, or the store cannot be read.
pub async fn preview(store: &dyn Store, rule: &AlertRule, now: Timestamp) -> Result<Preview, PreviewError> {
    let checked = rule.check()?;
    let since = now.minus(Duration::from_secs(DAYS.unsigned_abs() * 86_400));
    match &checked.when {
        When::Condition { condition, bound, window } => {
            let all = store.projects().await?;
            Ok(of_condition(store, (rule, &all), &checked, (condition, *bound, *window), (since, now)).await?)
        }
        When::Trigger(trigger @ (Trigger::NewIssue | Trigger::Regression)) if checked.filters.is_empty() => {
            let firings = counted(store, rule, *trigger, (since, now)).await?;
            Ok(Preview { since, firings: Some(firings), ..Preview::default() })
        }
        When::Trigger(Trigger::Spike) => {
            let (firings, is_cut) = triggers::spikes(store, rule, &checked, since, now).await?;
            let note = is_cut.then_some("Only the 100 issues with the most events were looked at.");
            Ok(Preview { since, firings: Some(firings), note, ..Preview::default() })
        }
        When::Trigger(trigger) => {
            let projects = rule.project.map(|id| vec![id]);
            let (since, signals) = triggers::signals(store, *trigger, projects.as_deref(), since).await?;
            let firings = Some(triggers::told(rule, &checked, &signals));
            Ok(Preview { since, firings, ..Preview::default() })
        }
    }
}

async fn of_condition(
    store: &dyn Store,
    (rule, all): (&AlertRule, &[Project]),
    checked: &Checked,
    (condition, bound, window): (&Condition, f64, Window),
    (since, now): (Timestamp, Timestamp),
) -> Result<Preview, StoreError> {
    let projects = measure::projects(rule, condition, all);
    let value = measure::measure(store, condition, window, projects.clone(), now).await?;
    let watch = Watch::of(condition);
    let counted_since = match &watch {
        Some(watch) => counted_since(store, watch).await?.map(|at| at.max(since)),
        None => Some(since),
    };
    let mut note = None;
    let (since, values) = match condition.metric {
        Metric::ErrorRate | Metric::P95Ms => {
            requests::requests(store, (condition.metric, window), projects, since, now).await?
        }
        Metric::UserCount => {
            let name = watch.map(|watch| watch.name).unwrap_or_default();
            let Some(since) = counted_since else {
                note = Some("Users are counted so from the moment on at which there is a rule that asks for it.");
                return Ok(Preview { since: now, now: value, note, ..Preview::default() });
            };
            requests::users(store, (&name, window), projects, since, now).await?
        }
        Metric::ErrorCount | Metric::NewIssueCount | Metric::RegressionCount => {
            let (since, tallies) = match (&watch, condition.metric, counted_since) {
                (None, ..) => (since, minutes(store, None, condition, (window, projects), (since, now)).await?),
                (Some(_), Metric::NewIssueCount | Metric::RegressionCount, _) => {
                    let is_new = condition.metric == Metric::NewIssueCount;
                    let trigger = if is_new { Trigger::NewIssue } else { Trigger::Regression };
                    let (since, signals) = triggers::signals(store, trigger, projects.as_deref(), since).await?;
                    (since, triggers::tallies(condition, trigger, &signals))
                }
                (Some(watch), _, Some(since)) => {
                    (since, minutes(store, Some(watch), condition, (window, projects), (since, now)).await?)
                }
                (Some(_), _, None) => {
                    note = Some(
                        "Counted on the events that are kept, so it may be more often; a rule counts all from now on.",
                    );
                    triggers::kept_events(store, condition, projects, since).await?
                }
            };
            (since, sums(condition.metric, window, &tallies, (since, now)))
        }
    };
    let (firings, extreme) = simulate(condition, bound, checked.cooldown, &values);
    // Where there was nothing to measure at all, it says nothing of the rule.
    let firings = values.iter().any(|(_, value)| value.is_some()).then_some(firings);
    Ok(Preview { since, firings, extreme, now: value, note })
}

/// Since when a watch is counted for sure: since there is a rule that asks for it. Rules that were changed may have asked before.
async fn counted_since(store: &dyn Store, watch: &Watch) -> Result<Option<Timestamp>, StoreError> {
    let asks = |rule: &AlertRule| {
        let Ok(Checked { when: When::Condition { condition, .. }, .. }) = rule.check() else { return false };
        Watch::of(&condition).is_some_and(|other| other.name == watch.name && other.users >= watch.users)
    };
    let rules = store.alert_rules().await?;
    Ok(rules.iter().filter(|rule| rule.enabled && asks(rule)).map(|rule| rule.updated_at).min())
}

/// What was counted by the minute, and by the hour before that.
async fn minutes(
    store: &dyn Store,
    watch: Option<&Watch>,
    condition: &Condition,
    (window, projects): (Window, Option<Vec<crate::ProjectId>>),
    (since, now): (Timestamp, Timestamp),
) -> Result<Vec<Tally>, StoreError> {
    let from = since.minute() - i64::from(window.minutes());
    // Before what is kept by the minute there are hours.
    let kept = now.minute() - TallyWidth::KEPT_DAYS * DAY;
    let kept = kept.div_euclid(60) * 60 + 60;
    let mut tallies = Vec::new();
    for (width, from, until) in [(TallyWidth::Hour, from, kept - 1), (TallyWidth::Minute, from.max(kept), now.minute())]
    {
        if from <= until {
            let query = measure::tally_query(condition, projects.clone(), width, from, until);
            tallies.extend(match watch {
                Some(watch) => measure::watched(store, watch, &query).await?,
                None => store.tallies(&query).await?,
            });
        }
    }
    Ok(tallies)
}

/// New issues or regressions, as they were counted anyway.
async fn counted(
    store: &dyn Store,
    rule: &AlertRule,
    trigger: Trigger,
    (since, now): (Timestamp, Timestamp),
) -> Result<Vec<Timestamp>, PreviewError> {
    let any: Condition = "error_count > 0 in 1m".parse().map_err(|_| InvalidAlertRule::new("trigger", "is none"))?;
    let projects = rule.project.map(|id| vec![id]);
    let mut query = measure::tally_query(&any, projects, TallyWidth::Minute, since.minute(), now.minute());
    query.environment.clone_from(&rule.environment);
    let mut firings = Vec::new();
    let levels = crate::Level::ALL.into_iter().filter(|level| rule.min_level.is_none_or(|least| *level >= least));
    for level in levels {
        query.level = Some(level);
        for tally in store.tallies(&query).await? {
            let count = if trigger == Trigger::NewIssue { tally.new_issues } else { tally.regressions };
            let at = Timestamp::from_micros(tally.minute * 60_000_000);
            firings.extend((0..count.clamp(0, 1_000)).map(|_| at));
        }
    }
    firings.sort_unstable();
    Ok(firings)
}

/// The sum of the window that ends with each minute.
fn sums(metric: Metric, window: Window, tallies: &[Tally], (since, now): (Timestamp, Timestamp)) -> Values {
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    for tally in tallies {
        *counts.entry(tally.minute).or_default() += measure::counted(metric, tally);
    }
    let at = |minute: i64| counts.get(&minute).copied().unwrap_or_default();
    let length = i64::from(window.minutes());
    let begin = since.minute();
    let mut sum: f64 = counts.range(begin - length..begin).map(|(_, count)| *count).sum();
    let mut sums = Vec::new();
    for minute in begin..=now.minute() {
        sum += at(minute);
        sums.push((minute, Some(sum)));
        sum -= at(minute - length);
    }
    sums
}

/// Goes through values as evaluations would: fires when the condition begins to be met, and not within the cooldown.
fn simulate(condition: &Condition, bound: f64, cooldown: Window, values: &Values) -> (Vec<Timestamp>, Option<f64>) {
    let (mut firings, mut extreme, mut is_firing, mut last) = (Vec::new(), None, false, None::<i64>);
    let larger = condition.operator.holds(1.0, 0.0);
    for (minute, value) in values {
        let holds = value.is_some_and(|value| condition.operator.holds(value, bound));
        let rests = last.is_some_and(|last| minute - last < i64::from(cooldown.minutes()));
        if holds && !is_firing && !rests {
            firings.push(Timestamp::from_micros(minute * 60_000_000));
            (is_firing, last) = (true, Some(*minute));
        } else if !holds {
            is_firing = false;
        }
        if let Some(value) = *value {
            extreme =
                Some(extreme.map_or(value, |so_far: f64| if larger { so_far.max(value) } else { so_far.min(value) }));
        }
    }
    (firings, extreme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_tried_minute_by_minute() {
        let at = |minute: i64| Timestamp::from_micros((1_000_000 + minute) * 60_000_000);
        let five = Window::of_minutes(5).unwrap();
        let tally = |minute: i64, events| Tally { minute: 1_000_000 + minute, events, ..Tally::default() };
        // Twice in a row, once within the cooldown, once later.
        let tallies = [tally(10, 6), tally(12, 9), tally(20, 8), tally(100, 3), tally(104, 3), tally(200, 5)];
        let tried = |condition: &str, bound, cooldown, span| {
            let condition: Condition = condition.parse().unwrap();
            simulate(&condition, bound, cooldown, &sums(condition.metric, five, &tallies, span))
        };
        let span = (at(0), at(300));
        let (firings, extreme) = tried("error_count > 5 in 5m", 5.0, five, span);
        assert_eq!((firings, extreme), (vec![at(10), at(20), at(104)], Some(15.0)));
        let hour = Window::of_minutes(60).unwrap();
        let (firings, _) = tried("error_count > 5 in 5m", 5.0, hour, span);
        assert_eq!(firings, [at(10), at(104)]);
        let (firings, extreme) = tried("error_count < 1 in 5m", 1.0, five, (at(8), at(30)));
        assert_eq!((firings, extreme), (vec![at(8), at(18), at(26)], Some(0.0)));
    }
}
