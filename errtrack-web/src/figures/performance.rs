//! How fast requests were answered, and how many failed: from what the middleware of all processes counted.

use super::timeframe::{Timeframe, minute, time};
use errtrack_core::{
    Latencies, ProjectId, RouteStatistics, StatusClass, Store, StoreError, Timestamp,
    store::{Series, SeriesQuery},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use utoipa::ToSchema;

/// An answer that leaves nobody waiting, and the longest that is borne: Apdex's T, and four of it.
const SATISFIED: Duration = Duration::from_millis(500);
const TOLERATED: Duration = Duration::from_millis(2_000);
/// Routes that are listed.
const ROUTES: usize = 100;

/// How requests were answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Performance {
    pub(crate) timeframe: Timeframe,
    /// How long requests took on average, in milliseconds; `null` if there were none, as in all that follows from them.
    #[schema(example = 245.1)]
    pub(crate) avg_response_time: Option<f64>,
    /// The share of requests that ended with 5xx, a panic among them, in percent.
    pub(crate) error_rate_percent: Option<f64>,
    /// Requests per minute, since the first that is known.
    pub(crate) throughput_rpm: f64,
    /// The share of requests that did not end with 5xx, in percent.
    pub(crate) availability_percent: Option<f64>,
    /// Ten times the Apdex of 500 ms: what took up to that counts whole, up to 2 s half, what took longer or failed not at all.
    pub(crate) performance_score: Option<f64>,
    /// Half of them took no longer, in milliseconds; within 6.25 %, as all of these.
    pub(crate) p50_ms: Option<f64>,
    /// 95 % took no longer.
    pub(crate) p95_ms: Option<f64>,
    /// 99 % took no longer.
    pub(crate) p99_ms: Option<f64>,
    /// Requests in all.
    pub(crate) requests: u64,
    /// The routes, the ones that took the most time together first; a hundred at most.
    pub(crate) routes: Vec<RoutePerformance>,
    /// Over time, the oldest first.
    pub(crate) data_points: Vec<PerformancePoint>,
}

/// How requests of a route were answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RoutePerformance {
    /// `*` for what was counted beyond a thousand routes.
    pub(crate) method: String,
    /// The template of the route.
    #[schema(example = "/orders/{id}")]
    pub(crate) route: String,
    pub(crate) requests: u64,
    pub(crate) avg_response_time: f64,
    pub(crate) error_rate_percent: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
}

/// How requests were answered in a bucket of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PerformancePoint {
    pub(crate) timestamp: Timestamp,
    pub(crate) requests: u64,
    /// Those that ended with 5xx.
    pub(crate) failed: u64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p95_ms: Option<f64>,
}

/// The width of buckets in minutes.
const fn width(timeframe: Timeframe) -> i64 {
    match timeframe {
        Timeframe::Hour | Timeframe::SixHours => 10,
        Timeframe::Day => 60,
        Timeframe::Week | Timeframe::Month => 1_440,
    }
}

/// What was counted together.
#[derive(Default)]
struct Sum {
    all: Latencies,
    failed: Latencies,
}

impl Sum {
    fn add(&mut self, route: &RouteStatistics) {
        for (class, latencies) in &route.classes {
            self.all += latencies;
            if *class == StatusClass::ServerError {
                self.failed += latencies;
            }
        }
    }

    fn count(&self) -> u64 {
        self.all.count()
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        self.all.quantile(q).map(millis)
    }

    fn average(&self) -> Option<f64> {
        share(self.all.total().as_secs_f64() * 1e3, self.count(), 1)
    }

    fn failed_percent(&self) -> Option<f64> {
        share(float(self.failed.count()) * 100.0, self.count(), 2)
    }

    fn apdex(&self) -> Option<f64> {
        let within = |limit| float(self.all.within(limit).saturating_sub(self.failed.within(limit)));
        share((within(SATISFIED) + within(TOLERATED)) / 2.0 * 10.0, self.count(), 1)
    }
}

impl Performance {
    pub(crate) async fn read(
        store: &dyn Store,
        projects: Option<&[ProjectId]>,
        timeframe: Timeframe,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let width = width(timeframe);
        let until = minute(now);
        let from = (until - timeframe.minutes()).div_euclid(width) * width;
        let projects = projects.map(<[_]>::to_vec);
        let points = store.points(&SeriesQuery { series: Series::Routes, projects, width, from, until }).await?;
        let (mut whole, mut routes, mut buckets) = (Sum::default(), BTreeMap::new(), BTreeMap::new());
        for point in &points {
            let Some(route) = RouteStatistics::from_point(&point.name, &point.data) else { continue };
            whole.add(&route);
            buckets.entry(point.start).or_insert_with(Sum::default).add(&route);
            routes.entry((route.method.clone(), route.route.clone())).or_insert_with(Sum::default).add(&route);
        }
        let mut routes: Vec<_> = routes.into_iter().collect();
        routes.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.all.total()));
        routes.truncate(ROUTES);
        // Since when there are readings.
        let known = buckets.keys().next().map_or(1, |first| until - first.max(&from) + 1).max(1);
        let failed = whole.failed_percent();
        Ok(Self {
            timeframe,
            avg_response_time: whole.average(),
            error_rate_percent: failed,
            throughput_rpm: share(float(whole.count()), known.unsigned_abs(), 2).unwrap_or_default(),
            availability_percent: failed.map(|failed| rounded(100.0 - failed, 2)),
            performance_score: whole.apdex(),
            p50_ms: whole.quantile(0.5),
            p95_ms: whole.quantile(0.95),
            p99_ms: whole.quantile(0.99),
            requests: whole.count(),
            routes: routes
                .into_iter()
                .map(|((method, route), sum)| RoutePerformance::new(method, route, &sum))
                .collect(),
            data_points: (0..=(until - from) / width).map(|n| point(from + n * width, &buckets)).collect(),
        })
    }
}

impl RoutePerformance {
    fn new(method: String, route: String, sum: &Sum) -> Self {
        Self {
            method,
            route,
            requests: sum.count(),
            avg_response_time: sum.average().unwrap_or_default(),
            error_rate_percent: sum.failed_percent().unwrap_or_default(),
            p50_ms: sum.quantile(0.5).unwrap_or_default(),
            p95_ms: sum.quantile(0.95).unwrap_or_default(),
            p99_ms: sum.quantile(0.99).unwrap_or_default(),
        }
    }
}

fn point(start: i64, buckets: &BTreeMap<i64, Sum>) -> PerformancePoint {
    let sum = buckets.get(&start);
    PerformancePoint {
        timestamp: time(start),
        requests: sum.map_or(0, Sum::count),
        failed: sum.map_or(0, |sum| sum.failed.count()),
        p50_ms: sum.and_then(|sum| sum.quantile(0.5)),
        p95_ms: sum.and_then(|sum| sum.quantile(0.95)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts that far")]
const fn float(n: u64) -> f64 {
    n as f64
}

/// A quotient with so many decimals; `None` of nothing.
fn share(part: f64, of: u64, decimals: i32) -> Option<f64> {
    (of > 0).then(|| rounded(part / float(of), decimals))
}

/// With so many decimals.
pub(crate) fn rounded(number: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (number * factor).round() / factor
}

fn millis(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1e3, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use errtrack_core::Routes;

    #[test]
    fn apdex_and_availability_follow_from_counts() {
        let routes = Routes::default();
        for (status, millis) in [(200, 100), (200, 300), (200, 900), (404, 50), (200, 5_000), (500, 10)] {
            routes.record("GET", "/", StatusClass::of(status), Duration::from_millis(millis));
        }
        let mut sum = Sum::default();
        sum.add(&routes.snapshot()[0]);
        // Three in time, one borne, one too slow, one failed.
        assert_eq!(sum.apdex(), Some(rounded(3.5 / 6.0 * 10.0, 1)));
        assert_eq!(sum.failed_percent(), Some(16.67));
        assert_eq!(sum.average(), Some(1060.0));
        assert_eq!((Sum::default().apdex(), Sum::default().average()), (None, None));
    }
}
