//! What a condition measures, from what was counted as it came: no event is looked at.

use super::{AlertRule, Condition, FilterKey, Metric, Users, Watch, Watched, Window, watch::Counts};
use crate::{
    Project, ProjectId, RouteStatistics, StatusClass, StoreError, Timestamp,
    store::{Series, SeriesPoint, SeriesQuery, Store, Tally, TallyQuery, TallyWidth},
};

/// Requests are counted in buckets of so many minutes, for so many days.
const FINE: (i64, i64) = (10, 2);
/// Users in such.
const USERS: i64 = 5;
/// And in wider ones for longer.
const WIDE: i64 = 60;
/// Minutes of an hour and of a day.
const HOUR: i64 = 60;
const DAY: i64 = 1_440;

/// The projects of which a rule measures; `None` means all. A slug that no project has means none.
pub(super) fn projects(rule: &AlertRule, condition: &Condition, all: &[Project]) -> Option<Vec<ProjectId>> {
    let named = condition.filter(FilterKey::Project);
    let slug = |slug: &str| all.iter().filter(|project| project.slug == slug).map(|project| project.id).collect();
    named.map(slug).or_else(|| rule.project.map(|project| vec![project]))
}

/// Measures; `None` where nothing can be said: no request, no time of any. The minute in which the window begins counts whole.
pub(super) async fn measure(
    store: &dyn Store,
    condition: &Condition,
    window: Window,
    projects: Option<Vec<ProjectId>>,
    now: Timestamp,
) -> Result<Option<f64>, StoreError> {
    let until = now.minute();
    let from = until - i64::from(window.minutes());
    match condition.metric {
        Metric::ErrorCount | Metric::NewIssueCount | Metric::RegressionCount => {
            let watch = Watch::of(condition);
            let mut sum = Tally::default();
            // Whole hours where there are some, minutes before and after them.
            let (first, last) = (from.div_euclid(HOUR) * HOUR + HOUR, until.div_euclid(HOUR) * HOUR);
            let spans: &[_] = if last - first >= HOUR {
                &[
                    (TallyWidth::Minute, from, first - 1),
                    (TallyWidth::Hour, first, last - 1),
                    (TallyWidth::Minute, last, until),
                ]
            } else {
                &[(TallyWidth::Minute, from, until)]
            };
            for (width, from, until) in spans {
                let query = tally_query(condition, projects.clone(), *width, *from, *until);
                let tallies = match &watch {
                    Some(watch) => watched(store, watch, &query).await?,
                    None => store.tallies(&query).await?,
                };
                tallies.iter().for_each(|tally| sum.add(tally));
            }
            Ok(Some(counted(condition.metric, &sum)))
        }
        Metric::UserCount => {
            let watch = Watch::of(condition).map(|watch| watch.name).unwrap_or_default();
            users(store, &watch, projects, from, until).await.map(Some)
        }
        Metric::ErrorRate | Metric::P95Ms => {
            let all = requests(store, projects, from, until).await?;
            Ok(all.and_then(|all| figure(condition.metric, &all)))
        }
    }
}

/// What to count for a condition.
pub(super) fn tally_query(
    condition: &Condition,
    projects: Option<Vec<ProjectId>>,
    width: TallyWidth,
    from: i64,
    until: i64,
) -> TallyQuery {
    TallyQuery {
        projects,
        environment: condition.filter(FilterKey::Environment).map(Into::into),
        level: condition.filter(FilterKey::Level).and_then(|level| level.parse().ok()),
        width,
        from,
        until,
    }
}

/// The same of what processes counted for a watch.
pub(super) async fn watched(store: &dyn Store, watch: &Watch, query: &TallyQuery) -> Result<Vec<Tally>, StoreError> {
    let width = if query.width == TallyWidth::Minute { 1 } else { HOUR };
    let projects = query.projects.clone();
    let query = SeriesQuery { series: Series::Watched, projects, width, from: query.from, until: query.until };
    let points = store.points(&query).await?;
    let tally = |point: &SeriesPoint| {
        let Counts(events, new_issues, regressions) = Watched::from_point(&point.data)?.of(&watch.name)?;
        Some(Tally { minute: point.start, events, new_issues, regressions })
    };
    Ok(points.iter().filter_map(tally).collect())
}

/// What of it a metric counts.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 events one more or less decides nothing")]
pub(super) const fn counted(metric: Metric, tally: &Tally) -> f64 {
    (match metric {
        Metric::NewIssueCount => tally.new_issues,
        Metric::RegressionCount => tally.regressions,
        _ => tally.events,
    }) as f64
}

/// All requests of that time, as far as its buckets tell.
async fn requests(
    store: &dyn Store,
    projects: Option<Vec<ProjectId>>,
    from: i64,
    until: i64,
) -> Result<Option<RouteStatistics>, StoreError> {
    let width = if until - from <= FINE.1 * DAY / 2 { FINE.0 } else { WIDE };
    // The bucket in which the window begins counts whole.
    let query = SeriesQuery { series: Series::Routes, projects, width, from: from.div_euclid(width) * width, until };
    let points = store.points(&query).await?;
    let routes = points.iter().filter_map(|point| RouteStatistics::from_point(&point.name, &point.data));
    Ok(routes.reduce(|mut sum, route| {
        sum.add(&route);
        sum
    }))
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(super) fn figure(metric: Metric, all: &RouteStatistics) -> Option<f64> {
    match metric {
        Metric::P95Ms => all.latencies().quantile(0.95).map(|took| took.as_secs_f64() * 1e3),
        _ if all.count() == 0 => None,
        _ => Some(100.0 * all.count_of(StatusClass::ServerError) as f64 / all.count() as f64),
    }
}

/// How many users met an event that a watch of that name counts (any event, if it is empty), as far as the buckets tell: the one
/// in which the window begins counts whole.
async fn users(
    store: &dyn Store,
    watch: &str,
    projects: Option<Vec<ProjectId>>,
    from: i64,
    until: i64,
) -> Result<f64, StoreError> {
    let width = if until - from <= DAY { USERS } else { WIDE };
    let query = SeriesQuery { series: Series::Users, projects, width, from: from.div_euclid(width) * width, until };
    let points = store.points(&query).await?;
    let mut all = Users::default();
    let points = points.iter().filter(|point| point.name == watch);
    points.filter_map(|point| Users::from_point(&point.data)).for_each(|users| all.merge(&users));
    Ok(all.count())
}
