//! How services did over time: how fast they answered and how much of it they were well, from what was kept of the looks at
//! them.

use super::services::Looks;
use crate::figures::{Timeframe, minute, time};
use errtrack_core::{
    ProjectId, Store, StoreError, Timestamp,
    store::{Series, SeriesQuery},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Minutes of a day.
const DAY: i64 = 1_440;

/// How services did over time.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ServicesHistory)]
pub(crate) struct History {
    pub(crate) timeframe: Timeframe,
    /// By name; those that are looked at over and over.
    pub(crate) services: Vec<ServiceHistory>,
}

/// How a service did over time.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct ServiceHistory {
    pub(crate) name: String,
    /// The share of looks in the last 24 hours that found it well; `null` where there were none, as in all of these.
    pub(crate) uptime_percent_24h: Option<f64>,
    pub(crate) uptime_percent_7d: Option<f64>,
    pub(crate) uptime_percent_30d: Option<f64>,
    /// Over the timeframe, the oldest first; what nobody looked at is not there.
    pub(crate) data_points: Vec<LatencyPoint>,
}

/// How a service answered in a bucket of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LatencyPoint {
    pub(crate) timestamp: Timestamp,
    /// How long it took to answer on average; `null` if it never did.
    pub(crate) response_time_ms: Option<f64>,
    /// The longest of them.
    pub(crate) slowest_ms: Option<f64>,
    /// How often it was looked at.
    pub(crate) looks: u64,
    /// How often it was not well.
    pub(crate) failed: u64,
}

/// Looks by service and the first minute of their bucket.
type Buckets = BTreeMap<String, BTreeMap<i64, Looks>>;

impl History {
    /// Reads what was found within a timeframe. Costs a query, or two for a day and less.
    pub(crate) async fn read(store: &dyn Store, timeframe: Timeframe, now: Timestamp) -> Result<Self, StoreError> {
        let month = buckets(store, 60, minute(now) - 30 * DAY, minute(now)).await?;
        let (width, step) = steps(timeframe);
        let from = minute(now) - timeframe.minutes();
        let near = if width == 60 { None } else { Some(buckets(store, width, from, minute(now)).await?) };
        Ok(Self::of(timeframe, &month, near.as_ref().unwrap_or(&month), (from, step), minute(now)))
    }

    fn of(timeframe: Timeframe, month: &Buckets, near: &Buckets, (from, step): (i64, i64), now: i64) -> Self {
        let service = |(name, hours): (&String, &BTreeMap<i64, Looks>)| {
            let share = |days: i64| sum(hours.range(now - days * DAY..).map(|(_, looks)| looks)).percent();
            let mut points: BTreeMap<i64, Looks> = BTreeMap::new();
            for (start, looks) in near.get(name).into_iter().flat_map(|near| near.range(from..)) {
                points.entry(start.div_euclid(step) * step).or_default().add(looks.clone());
            }
            let point = |(start, looks): (i64, Looks)| LatencyPoint {
                timestamp: time(start),
                response_time_ms: looks.mean(),
                slowest_ms: looks.slowest(),
                looks: looks.times(),
                failed: looks.failed(),
            };
            ServiceHistory {
                name: name.clone(),
                uptime_percent_24h: share(1),
                uptime_percent_7d: share(7),
                uptime_percent_30d: share(30),
                data_points: points.into_iter().map(point).collect(),
            }
        };
        Self { timeframe, services: month.iter().map(service).collect() }
    }
}

/// The width of the buckets that are read for a timeframe, and of those that are shown, in minutes.
const fn steps(timeframe: Timeframe) -> (i64, i64) {
    match timeframe {
        Timeframe::Hour | Timeframe::SixHours => (10, 10),
        Timeframe::Day => (10, 30),
        Timeframe::Week => (60, 180),
        Timeframe::Month => (60, 720),
    }
}

async fn buckets(store: &dyn Store, width: i64, from: i64, until: i64) -> Result<Buckets, StoreError> {
    let projects = Some(vec![ProjectId(0)]);
    let points = store.points(&SeriesQuery { series: Series::Checks, projects, width, from, until }).await?;
    let mut buckets = Buckets::new();
    for point in points {
        if let Ok(looks) = serde_json::from_str::<Looks>(&point.data) {
            buckets.entry(point.name).or_default().entry(point.start).or_default().add(looks);
        }
    }
    Ok(buckets)
}

fn sum<'a>(all: impl Iterator<Item = &'a Looks>) -> Looks {
    let mut sum = Looks::default();
    for looks in all {
        sum.add(looks.clone());
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn looks(times: u64, failed: u64, sum: f64) -> Looks {
        let at = Timestamp::from_micros(1);
        serde_json::from_value(json!({
            "times": times, "failed": failed, "at": at, "millis": 1.0, "reason": null, "unknown": false, "sum": sum,
            "slowest": sum / 2.0,
        }))
        .unwrap()
    }

    #[test]
    fn latency_is_averaged_and_uptime_is_that_of_its_window() {
        let now = 100 * DAY;
        let hours = BTreeMap::from([
            (now - 29 * DAY, looks(100, 100, 0.0)),
            (now - 3 * DAY, looks(60, 30, 90.0)),
            (now - 120, looks(40, 0, 40.0)),
        ]);
        let month = Buckets::from([("db".to_owned(), hours)]);
        let near =
            BTreeMap::from([(now - 30, looks(4, 2, 8.0)), (now - 20, looks(4, 4, 0.0)), (now - 90, looks(1, 0, 1.0))]);
        let near = Buckets::from([("db".to_owned(), near)]);
        let history = History::of(Timeframe::Hour, &month, &near, (now - 60, 10), now);
        let db = &history.services[0];
        assert_eq!((db.uptime_percent_24h, db.uptime_percent_7d), (Some(100.0), Some(70.0)));
        assert_eq!(db.uptime_percent_30d, Some(35.0));
        let told = |point: &LatencyPoint| (point.response_time_ms, point.slowest_ms, point.looks, point.failed);
        let points: Vec<_> = db.data_points.iter().map(told).collect();
        assert_eq!(points, [(Some(4.0), Some(4.0), 4, 2), (None, None, 4, 4)]);
        assert_eq!(db.data_points[0].timestamp, time(now - 30));
    }
}
