//! What this process tells the store of itself, over and over: that it is there, and the requests that it served by route.
//!
//! Each point holds what this process counted within a bucket, and replaces the one that it wrote there before. So an attempt
//! whose answer was lost does no harm, and what could not be written is told with the next.

use super::{Engine, jitter::jittered};
use crate::{
    ProjectId, RouteStatistics, Timestamp,
    store::{Series, SeriesPoint, Store, StoreError},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Mutex, time::sleep};
use uuid::Uuid;

/// How often, at most.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// The widths of buckets in minutes.
const WIDTHS: [i64; 3] = [10, 60, 1_440];
/// Of the beats.
const BEATS: i64 = 60;
/// Minutes of a day.
const DAY: i64 = 1_440;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    born: Option<Timestamp>,
    routes: [Bucket; WIDTHS.len()],
}

/// The project of a route, and its name in the series.
type Name = (ProjectId, String);
type Snapshot = HashMap<Name, RouteStatistics>;

/// The bucket under way.
#[derive(Debug, Default, Clone)]
struct Bucket {
    start: i64,
    /// What was counted when it began.
    before: Arc<Snapshot>,
    /// How many requests of each route were told since.
    told: HashMap<Name, u64>,
}

/// When a process was there, within the hour of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// From then on, in microseconds since 1970.
    pub from: i64,
    /// Until then at least.
    pub until: i64,
    /// It ended then of its own accord.
    #[serde(default)]
    pub ended: bool,
}

/// Tells it now and then.
pub(super) async fn write(engine: Arc<Engine>) {
    loop {
        if let Err(error) = engine.told.tell(&engine, Timestamp::now(), false).await {
            engine.note_trouble(&error.context("telling which requests were served"));
        }
        sleep(jittered(TELL_EVERY)).await;
    }
}

/// Tells the last of it, at the end of the tracker.
pub(super) async fn write_last(engine: &Engine) {
    // Who waits for the end has no time for errors.
    let _ = engine.told.tell(engine, Timestamp::now(), true).await;
}

/// Lets go of points that are too old.
pub(super) async fn let_go(store: &dyn Store) -> Result<(), StoreError> {
    let today = minute(Timestamp::now());
    for (series, width, days) in Series::KEPT {
        store.drop_points(series, width, today - days * DAY).await?;
    }
    Ok(())
}

const fn minute(time: Timestamp) -> i64 {
    time.as_seconds().div_euclid(60)
}

impl Told {
    async fn tell(&self, engine: &Engine, now: Timestamp, ended: bool) -> Result<(), StoreError> {
        let mut buckets = self.0.lock().await;
        let (points, next) = buckets.points(engine, now, ended);
        engine.store.put_points(&points).await?;
        *buckets = next;
        Ok(())
    }
}

impl Buckets {
    /// What there is to tell, and what is then told.
    fn points(&self, engine: &Engine, now: Timestamp, ended: bool) -> (Vec<SeriesPoint>, Self) {
        let born = self.born.unwrap_or(now);
        let hour = minute(now).div_euclid(BEATS) * BEATS;
        let begin = born.as_micros().max(hour * 60_000_000);
        let beat = Beat { from: begin, until: now.as_micros().max(begin), ended };
        let beat = SeriesPoint {
            series: Series::Beats,
            project: ProjectId(0),
            width: BEATS,
            start: hour,
            name: String::new(),
            node: engine.node,
            data: serde_json::to_string(&beat).unwrap_or_default(),
        };
        let mut points = vec![beat];
        let snapshot = snapshot(engine);
        let mut next = Self { born: Some(born), routes: self.routes.clone() };
        if !snapshot.is_empty() {
            let snapshot = Arc::new(snapshot);
            for (width, bucket) in WIDTHS.into_iter().zip(&mut next.routes) {
                bucket.tell(&snapshot, engine.node, width, minute(now), &mut points);
            }
        }
        (points, next)
    }
}

/// What was counted of the requests of this process, and of those that others told of.
fn snapshot(engine: &Engine) -> Snapshot {
    let own = engine.routes.snapshot().into_iter().map(|route| ((engine.project.id, route.name()), route));
    let mut all: Snapshot = own.collect();
    for (project, route) in engine.reported.snapshot() {
        match all.entry((project, route.name())) {
            // A point belongs to a process: there is one of each name.
            Entry::Occupied(mut own) => own.get_mut().add(&route),
            Entry::Vacant(free) => drop(free.insert(route)),
        }
    }
    all
}

impl Bucket {
    fn tell(&mut self, snapshot: &Arc<Snapshot>, node: Uuid, width: i64, minute: i64, points: &mut Vec<SeriesPoint>) {
        let start = minute.div_euclid(width) * width;
        if self.start == 0 {
            self.start = start;
        }
        for (name, route) in snapshot.iter() {
            let since = match self.before.get(name) {
                Some(before) => route.since(before),
                None => route.clone(),
            };
            let count = since.count();
            if count == 0 || self.told.get(name) == Some(&count) {
                continue;
            }
            self.told.insert(name.clone(), count);
            let (series, (project, name), data) = (Series::Routes, name.clone(), since.to_point());
            points.push(SeriesPoint { series, project, width, start: self.start, name, node, data });
        }
        // A clock that was set back begins no bucket anew: it would replace what stands there.
        if start > self.start {
            *self = Self { start, before: snapshot.clone(), told: HashMap::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        StatusClass,
        store::ProjectStore,
        tracker::tests::{builder, fake::Fake},
    };

    async fn engine(store: &Fake) -> Engine {
        let project = store.ensure_project("default").await.unwrap();
        builder(store).engine_for_tests(store.clone(), project)
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros((1_000_000_000 / 1_440 * 1_440 + minutes) * 60_000_000)
    }

    /// What the store has at last of a route, by the start of its buckets after the first.
    fn kept(store: &Fake, width: i64) -> Vec<(i64, u64)> {
        let data = store.data();
        let mut buckets = std::collections::BTreeMap::new();
        for point in data.points.iter().filter(|point| (point.series, point.width) == (Series::Routes, width)) {
            let route = RouteStatistics::from_point(&point.name, &point.data).unwrap();
            buckets.insert((point.start - minute(at(0)), point.name.clone()), route.count());
        }
        buckets.into_iter().map(|((start, _), count)| (start, count)).collect()
    }

    #[tokio::test]
    async fn requests_are_told_once_by_bucket_whatever_fails() {
        let store = Fake::new();
        let engine = engine(&store).await;
        let serve = |n: u64| {
            for _ in 0..n {
                engine.routes.record("GET", "/a", StatusClass::Success, Duration::from_millis(3));
            }
        };
        let tell = async |minute| engine.told.tell(&engine, at(minute), false).await;
        serve(2);
        tell(0).await.unwrap();
        serve(3);
        tell(5).await.unwrap();
        assert_eq!(kept(&store, 10), [(0, 5)]);
        let points = store.data().points.len();
        tell(6).await.unwrap();
        assert_eq!(store.data().points.len(), points + 1, "nothing new but the beat");
        serve(1);
        store.set_away(true);
        assert!(tell(8).await.is_err());
        serve(1);
        assert!(tell(21).await.is_err());
        store.set_away(false);
        tell(22).await.unwrap();
        serve(4);
        tell(25).await.unwrap();
        assert_eq!(kept(&store, 10), [(0, 7), (20, 4)]);
        assert_eq!(kept(&store, 60), [(0, 11)]);
        // The clock is set back.
        serve(1);
        tell(3).await.unwrap();
        assert_eq!(kept(&store, 10), [(0, 7), (20, 5)]);
        serve(1);
        tell(1_500).await.unwrap();
        serve(1);
        tell(1_501).await.unwrap();
        assert_eq!(kept(&store, 1_440), [(0, 13), (1_440, 1)]);
    }

    #[tokio::test]
    async fn what_others_served_is_told_of_their_projects_and_adds_to_what_this_process_served() {
        let store = Fake::new();
        let engine = engine(&store).await;
        let (own, other) = (engine.project.id, ProjectId(engine.project.id.0 + 1));
        let report = |project| {
            engine.reported.record(project, "GET", "/a", StatusClass::ServerError, Duration::from_millis(3));
        };
        engine.routes.record("GET", "/a", StatusClass::Success, Duration::from_millis(3));
        report(own);
        report(other);
        report(other);
        engine.told.tell(&engine, at(0), false).await.unwrap();
        report(other);
        engine.told.tell(&engine, at(1), false).await.unwrap();
        let data = store.data();
        let mut counts = HashMap::new();
        for point in data.points.iter().filter(|point| (point.series, point.width) == (Series::Routes, 10)) {
            let route = RouteStatistics::from_point(&point.name, &point.data).unwrap();
            counts.insert(point.project, (route.count(), route.count_of(StatusClass::ServerError)));
        }
        assert_eq!(counts, HashMap::from([(own, (2, 1)), (other, (3, 3))]));
    }

    #[tokio::test]
    async fn a_beat_spans_the_life_of_a_process_within_each_hour() {
        let store = Fake::new();
        let engine = engine(&store).await;
        for (minute, ended) in [(50, false), (59, false), (61, false), (70, true)] {
            engine.told.tell(&engine, at(minute), ended).await.unwrap();
        }
        let beats: Vec<Beat> =
            store.data().points.iter().map(|point| serde_json::from_str(&point.data).unwrap()).collect();
        let beat =
            |from: i64, until: i64, ended| Beat { from: at(from).as_micros(), until: at(until).as_micros(), ended };
        assert_eq!(beats, [beat(50, 50, false), beat(50, 59, false), beat(60, 61, false), beat(60, 70, true)]);
    }

    #[tokio::test]
    async fn a_job_of_others_runs_once_until_the_tracker_ends() {
        let store = Fake::new();
        let tracker = builder(&store).build().await.unwrap();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..3 {
            let begun = begun.clone();
            tracker.in_background("test", |weak| async move {
                begun.send(weak.upgrade().is_some()).unwrap();
                std::future::pending::<()>().await;
            });
        }
        assert_eq!(begins.recv().await, Some(true));
        drop(begun);
        tracker.shutdown().await;
        assert_eq!(begins.recv().await, None, "it began once, and is gone");
    }
}
