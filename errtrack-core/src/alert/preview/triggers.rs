//! What a rule with a trigger would have said, from the signals that were kept and the history of issues.

use crate::{
    Event, IssueId, Level, ProjectId, Status, StoreError, Timestamp,
    alert::{
        AlertRule, Checked, Condition, Filter, Signal,
        evaluate::{comes_once, wants},
        spike::{self, HISTORY},
        watch::Facts,
    },
    notify::Trigger,
    store::{IssueQuery, Sort, Store, Tally},
};
use std::collections::HashMap;
use tokio::task::yield_now;

/// Signals that are looked at, the newest.
const SIGNALS: u32 = 5_000;
/// Issues that are looked at for spikes.
const ISSUES: u32 = 100;
/// Issues whose events are looked at, and events of each.
const OPEN: (u32, u32) = (50, 100);

/// Signals of a kind that are kept, the oldest first, and since when.
pub(super) async fn signals(
    store: &dyn Store,
    trigger: Trigger,
    projects: Option<&[ProjectId]>,
    since: Timestamp,
) -> Result<(Timestamp, Vec<Signal>), StoreError> {
    let (kept, mut signals) = store.past_signals(trigger, projects, since, SIGNALS).await?;
    let oldest = signals.last().filter(|_| signals.len() >= SIGNALS as usize).map(|signal| signal.at);
    signals.reverse();
    Ok((since.max(kept).max(oldest.unwrap_or(since)), signals))
}

/// When a rule would have spoken of what happened.
pub(super) fn told(rule: &AlertRule, checked: &Checked, signals: &[Signal]) -> Vec<Timestamp> {
    let mut pauses = Pauses::default();
    let wanted = signals.iter().filter(|signal| wants(rule, checked, signal));
    let told = wanted.filter(|signal| {
        let issue = signal.issue.as_ref().map(|issue| issue.id);
        issue.is_some_and(|id| comes_once(signal.trigger) || pauses.has_passed(checked, id, signal.at))
    });
    told.map(|signal| signal.at).collect()
}

/// The same as counts by the minute, for a condition that counts such.
pub(super) fn tallies(condition: &Condition, trigger: Trigger, signals: &[Signal]) -> Vec<Tally> {
    let matching = signals.iter().filter(|signal| condition.filters.iter().all(|filter| filter.holds(*signal)));
    let tally = |signal: &Signal| Tally {
        minute: signal.at.minute(),
        new_issues: i64::from(trigger == Trigger::NewIssue),
        regressions: i64::from(trigger == Trigger::Regression),
        ..Tally::default()
    };
    matching.map(tally).collect()
}

/// When it would have told of spikes: each hour of the issues with the most events. `true` if there are more issues.
pub(super) async fn spikes(
    store: &dyn Store,
    rule: &AlertRule,
    checked: &Checked,
    since: Timestamp,
    now: Timestamp,
) -> Result<(Vec<Timestamp>, bool), StoreError> {
    let query = IssueQuery {
        projects: rule.project.map(|id| vec![id]),
        tags: rule.environment.iter().map(|name| ("environment".to_owned(), name.clone())).collect(),
        since: Some(since),
        sort: Sort::Count,
        limit: ISSUES,
        ..IssueQuery::default()
    };
    let page = store.issues(&query).await?;
    let (issues, is_cut) = (page.issues, page.next.is_some());
    let issues = issues.into_iter().filter(|issue| issue.status != Status::Ignored);
    let issues = issues.filter(|issue| rule.min_level.is_none_or(|level| issue.level >= level));
    let ids: Vec<IssueId> = issues.map(|issue| issue.id).collect();
    let asked = usize::try_from(now.hour() - since.hour()).unwrap_or_default() + 1;
    let hours = HISTORY + u32::try_from(asked).unwrap_or_default();
    let mut told = Vec::new();
    // A few at a time: a history is five weeks of hours.
    for ids in ids.chunks(10) {
        for (issue, counts) in ids.iter().zip(store.histograms(ids, now, 1, hours).await?) {
            let mut pauses = Pauses::default();
            let first = counts.len().saturating_sub(asked);
            for (place, count) in counts.iter().enumerate().skip(first) {
                let history = counts.get(place.saturating_sub(HISTORY as usize)..place).unwrap_or_default();
                let hour = now.hour() - i64::try_from(counts.len() - 1 - place).unwrap_or_default();
                let at = Timestamp::from_micros(hour * 3_600_000_000);
                if spike::detect(history, *count).is_some() && pauses.has_passed(checked, *issue, at) {
                    told.push(at);
                }
            }
            yield_now().await;
        }
    }
    told.sort_unstable();
    Ok((told, is_cut))
}

/// When a rule last spoke of issues.
#[derive(Default)]
struct Pauses(HashMap<IssueId, Timestamp>);

impl Pauses {
    fn has_passed(&mut self, checked: &Checked, issue: IssueId, at: Timestamp) -> bool {
        let last = self.0.get(&issue);
        let has_passed = last.is_none_or(|last| last.plus(checked.cooldown.duration()) <= at);
        if has_passed {
            self.0.insert(issue, at);
        }
        has_passed
    }
}

impl Facts for Event {
    fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    fn level(&self) -> Level {
        self.level
    }

    fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    fn tag(&self, key: &str) -> Option<&str> {
        let implicit = match key {
            "environment" => &self.environment,
            "release" => &self.release,
            "server_name" => &self.server_name,
            "transaction" => &self.transaction,
            _ => &None,
        };
        self.tags.get(key).or(implicit.as_ref()).map(String::as_str)
    }
}

/// The events that are kept of the issues that were seen last, as counts by the minute; and since when all of what is kept was
/// looked at.
pub(super) async fn kept_events(
    store: &dyn Store,
    condition: &Condition,
    projects: Option<Vec<ProjectId>>,
    since: Timestamp,
) -> Result<(Timestamp, Vec<Tally>), StoreError> {
    let page =
        store.issues(&IssueQuery { projects, since: Some(since), limit: OPEN.0, ..IssueQuery::default() }).await?;
    // Those that were not looked at were last seen before these.
    let mut since = page.next.and(page.issues.last()).map_or(since, |last| last.last_seen.max(since));
    let mut tallies = Vec::new();
    for issue in page.issues {
        let events = store.events(issue.id, None, OPEN.1).await?;
        if let (Some(_), Some(last)) = (&events.next, events.events.last()) {
            since = since.max(last.event.timestamp);
        }
        let asked = |event: &Event| condition.filters.iter().all(|filter: &Filter| filter.holds(event));
        let asked = events.events.iter().filter(|stored| asked(&stored.event));
        tallies.extend(asked.map(|stored| Tally {
            minute: stored.event.timestamp.minute(),
            events: 1,
            ..Tally::default()
        }));
        yield_now().await;
    }
    Ok((since, tallies))
}
