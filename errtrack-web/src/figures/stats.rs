//! How many, how often, how fast: one answer of figures.

use super::calendar;
use crate::api::item::Item;
use errtrack_core::{
    Issue, Store, StoreError, Timestamp,
    store::{FigureScope, IssueQuery, Rollup, RollupWidth},
};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Issues among those with the most events.
const TOP: u32 = 5;
const DAY: Duration = Duration::from_secs(86_400);
/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// What is known at large. Events count when they happened, and stay counted when issues go.
#[derive(Debug, Clone)]
pub(crate) struct Stats {
    pub(crate) issues: i64,
    pub(crate) resolved: i64,
    pub(crate) events: i64,
    pub(crate) today: i64,
    pub(crate) this_week: i64,
    pub(crate) this_month: i64,
    /// In the last 24 hours: the one that runs, and 23 before.
    pub(crate) last_24h: i64,
    pub(crate) new_24h: i64,
    /// How long it took on average until an issue was resolved.
    pub(crate) resolving: Option<Duration>,
    pub(crate) environments: Vec<EnvironmentFigures>,
    pub(crate) top: Vec<(Issue, i64)>,
}

/// The events of an environment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EnvironmentFigures {
    /// Its name, empty for events that name none; `null` for all beyond the first hundred.
    pub(crate) environment: Option<String>,
    /// Events.
    pub(crate) error_count: i64,
    /// Events of level `fatal`.
    pub(crate) critical_count: i64,
}

/// An issue among those with the most events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopError<'a> {
    #[serde(flatten)]
    pub(crate) item: Item<'a>,
    /// Events in the last 24 hours.
    pub(crate) count_24h: i64,
}

impl Stats {
    pub(crate) async fn read(store: &dyn Store, scope: &FigureScope, now: Timestamp) -> Result<Self, StoreError> {
        let today = calendar::day(now.hour());
        let (week, month) = (calendar::week(today), calendar::month(today));
        let time = |day: i64| Timestamp::from_micros(day * 24 * HOUR);
        let days = store.rollups(scope, RollupWidth::Day, time(week.min(month)), now).await?;
        let since = |day: i64| sum(days.iter().filter(|rollup| rollup.hour >= day * 24)).events;
        // An hour that has begun counts as one.
        let yesterday = now.minus(DAY).plus(Duration::from_secs(3_600));
        let hours = store.rollups(scope, RollupWidth::Hour, yesterday, now).await?;
        let (recent, start) = (sum(&hours), Timestamp::default());
        let ever = sum(&store.rollups(scope, RollupWidth::Ever, start, start).await?);
        let environments = store.environments(scope, start).await?;
        let named = scope.environment.iter().map(|name| ("environment".to_owned(), name.clone()));
        let query =
            IssueQuery { projects: scope.projects.clone(), tags: named.collect(), limit: 1, ..IssueQuery::default() };
        let counts = store.status_counts(&query).await?;
        let environments = environments.into_iter().map(|count| EnvironmentFigures {
            environment: count.environment,
            error_count: count.events,
            critical_count: count.fatal,
        });
        let resolving = (ever.resolved > 0).then(|| ever.resolving_micros / ever.resolved);
        Ok(Self {
            issues: counts.total(),
            resolved: counts.resolved,
            events: ever.events,
            today: since(today),
            this_week: since(week),
            this_month: since(month),
            last_24h: recent.events,
            new_24h: recent.new_issues,
            resolving: resolving.map(|micros| Duration::from_micros(micros.max(0).unsigned_abs())),
            environments: environments.collect(),
            top: store.top_issues(scope, yesterday, TOP).await?,
        })
    }

    /// Events per hour over the last 24 hours, with two decimals.
    pub(crate) fn per_hour(&self) -> f64 {
        ratio(self.last_24h * 100, 24) / 100.0
    }

    /// The share of issues that are resolved in percent, with one decimal.
    pub(crate) fn resolution_rate(&self) -> f64 {
        ratio(self.resolved * 1_000, self.issues) / 10.0
    }
}

/// A quotient, rounded to a whole number; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "nobody counts that far")]
fn ratio(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).round() }
}

fn sum<'a>(rollups: impl IntoIterator<Item = &'a Rollup>) -> Rollup {
    let mut sum = Rollup::default();
    rollups.into_iter().for_each(|rollup| sum.add(rollup));
    sum
}

/// A duration in its two largest units: `2h 15m`, `3d 4h`, `12m 5s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (725, "12m 5s"), (8_100, "2h 15m"), (8_159, "2h 15m"), (273_600, "3d 4h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn shares_are_rounded() {
        assert_eq!([ratio(2, 3), ratio(0, 0), ratio(685, 10)], [1.0, 0.0, 69.0]);
    }
}
