//! What a condition about requests or users would have said, from the buckets that are kept.

use super::Values;
use crate::{
    ProjectId, RouteStatistics, StoreError, Timestamp,
    alert::{Metric, Users, Window, measure},
    store::{Series, SeriesPoint, SeriesQuery, Store},
};
use std::{collections::BTreeMap, time::Duration};

/// Minutes of an hour and of a day.
const HOUR: i64 = 60;
const DAY: i64 = 1_440;
/// Points that are read at most; what is older is not looked at.
const POINTS: usize = 50_000;

/// The values of a condition about requests, at the beginning of each bucket since some time.
pub(super) async fn requests(
    store: &dyn Store,
    (metric, window): (Metric, Window),
    projects: Option<Vec<ProjectId>>,
    since: Timestamp,
    now: Timestamp,
) -> Result<(Timestamp, Values), StoreError> {
    let (width, since) = width(window, 10, since, now);
    let query = SeriesQuery { series: Series::Routes, projects, width, from: 0, until: 0 };
    let (since, points) = read(store, query, window, since, now, |_| true).await?;
    let mut buckets: BTreeMap<i64, RouteStatistics> = BTreeMap::new();
    for point in points {
        let Some(route) = RouteStatistics::from_point(&point.name, &point.data) else { continue };
        match buckets.get_mut(&point.start) {
            Some(sum) => sum.add(&route),
            None => drop(buckets.insert(point.start, route)),
        }
    }
    let mut so_far: Vec<(i64, RouteStatistics)> = Vec::with_capacity(buckets.len());
    for (start, mut route) in buckets {
        if let Some((_, before)) = so_far.last() {
            route.add(before);
        }
        so_far.push((start, route));
    }
    let before = |minute: i64| so_far.partition_point(|(start, _)| *start < minute).checked_sub(1);
    let value = |from: i64, until: i64| {
        let (_, last) = so_far.get(before(until)?)?;
        match before(from).and_then(|place| so_far.get(place)) {
            Some((_, earlier)) => measure::figure(metric, &last.since(earlier)),
            None => measure::figure(metric, last),
        }
    };
    Ok((since, values(since, now, width, window, value)))
}

/// The values of a condition about users, likewise.
pub(super) async fn users(
    store: &dyn Store,
    (watch, window): (&str, Window),
    projects: Option<Vec<ProjectId>>,
    since: Timestamp,
    now: Timestamp,
) -> Result<(Timestamp, Values), StoreError> {
    let (width, since) = width(window, 5, since, now);
    let query = SeriesQuery { series: Series::Users, projects, width, from: 0, until: 0 };
    let (since, points) = read(store, query, window, since, now, |point| point.name == watch).await?;
    let mut buckets: BTreeMap<i64, Users> = BTreeMap::new();
    for point in points {
        if let Some(users) = Users::from_point(&point.data) {
            buckets.entry(point.start).or_default().merge(&users);
        }
    }
    let value = |from: i64, until: i64| {
        let mut all = Users::default();
        buckets.range(from..until).for_each(|(_, users)| all.merge(users));
        Some(all.count())
    };
    Ok((since, values(since, now, width, window, value)))
}

/// How wide the buckets are that are looked at, and since when there are such: fine ones for short windows.
fn width(window: Window, fine: i64, since: Timestamp, now: Timestamp) -> (i64, Timestamp) {
    if i64::from(window.minutes()) >= HOUR {
        return (HOUR, since);
    }
    let kept = Series::KEPT.iter().find(|(series, width, _)| *series == Series::Routes && *width == 10);
    let days = kept.map_or(2, |(.., days)| days.unsigned_abs());
    (fine, since.max(now.minus(Duration::from_secs(days * 86_400))))
}

/// Reads the points from the window before some time on, back from now a day at a time, as far as there are not too many.
async fn read(
    store: &dyn Store,
    query: SeriesQuery,
    window: Window,
    since: Timestamp,
    now: Timestamp,
    is_asked: impl Fn(&SeriesPoint) -> bool,
) -> Result<(Timestamp, Vec<SeriesPoint>), StoreError> {
    let length = i64::from(window.minutes());
    let first = (since.minute() - length).div_euclid(query.width) * query.width;
    let (mut points, mut until) = (Vec::new(), now.minute());
    while until >= first {
        let from = first.max(until - DAY + 1);
        let read = store.points(&SeriesQuery { from, until, ..query.clone() }).await?;
        if points.len() + read.len() > POINTS && !points.is_empty() {
            return Ok((at(until + length).max(since).min(now), points));
        }
        points.extend(read.into_iter().filter(&is_asked));
        until = from - 1;
    }
    Ok((since, points))
}

/// A value for each bucket: of the window that ends with it.
fn values(
    since: Timestamp,
    now: Timestamp,
    width: i64,
    window: Window,
    value: impl Fn(i64, i64) -> Option<f64>,
) -> Values {
    let mut start = since.minute().div_euclid(width) * width;
    let mut values = Vec::new();
    while start <= now.minute() {
        let from = (start + width - i64::from(window.minutes())).div_euclid(width) * width;
        values.push((start, value(from.min(start), start + width)));
        start += width;
    }
    values
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute.saturating_mul(60_000_000))
}
