//! Events that rules ask for by release, source or tag: counted from each batch that was written, and told as a series.
//!
//! A point holds what this process counted within a bucket, and replaces the one that it wrote there before; so an attempt whose
//! answer was lost counts nothing twice, and the points of several processes add up. What comes for a bucket that was let go of
//! begins another point of it.

use crate::{
    Occurrence, ProjectId, Timestamp,
    alert::{AlertRule, Counts, Watch, Watched, When},
    store::{Series, SeriesPoint, StoreError, TallyWidth},
    tracker::Engine,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::sleep;

/// How often it is told.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// The widths of buckets in minutes.
const WIDTHS: [i64; 2] = [1, 60];
/// Buckets that are kept at hand. What needs one more is not counted until those are told.
const BUCKETS: usize = 20_000;
/// For so many minutes after its end a bucket is kept, as events may come late.
const LATE: i64 = 5;

/// What rules ask for, and what was counted of it lately.
#[derive(Debug, Default)]
pub(in crate::tracker) struct WatchedEvents {
    watches: RwLock<Arc<[Watch]>>,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// By project, width and start.
    kept: HashMap<(ProjectId, i64, i64), Bucket>,
    /// How many there were.
    begun: u64,
}

#[derive(Debug)]
struct Bucket {
    /// Tells it from others of the same start.
    number: u64,
    counts: Watched,
    is_told: bool,
}

impl WatchedEvents {
    /// What is asked for.
    pub(in crate::tracker) fn watches(&self) -> Arc<[Watch]> {
        self.watches.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, rules: &[AlertRule]) {
        let checked = rules.iter().filter(|rule| rule.enabled).filter_map(|rule| rule.check().ok());
        let mut watches: Vec<Watch> = Vec::new();
        for checked in checked {
            let When::Condition { condition, .. } = &checked.when else { continue };
            let Some(watch) = Watch::of(condition) else { continue };
            match watches.iter_mut().find(|other| other.name == watch.name) {
                Some(other) => other.users |= watch.users,
                None => watches.push(watch),
            }
        }
        *self.watches.write().unwrap_or_else(PoisonError::into_inner) = watches.into();
    }

    /// Counts an event that was written, for those watches that ask for it.
    pub(in crate::tracker) fn count<'a>(
        &self,
        occurrence: &Occurrence,
        counts: Counts,
        watches: &(impl Iterator<Item = &'a Watch> + Clone),
        now: Timestamp,
    ) {
        let minute = occurrence.timestamp().minute();
        if minute < now.minute() - TallyWidth::KEPT_DAYS * 1_440 || watches.clone().next().is_none() {
            return;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for width in WIDTHS {
            let key = (occurrence.project(), width, minute.div_euclid(width) * width);
            if !buckets.kept.contains_key(&key) {
                if buckets.kept.len() >= BUCKETS {
                    continue;
                }
                buckets.begun += 1;
                let number = buckets.begun;
                buckets.kept.insert(key, Bucket { number, counts: Watched::default(), is_told: false });
            }
            if let Some(bucket) = buckets.kept.get_mut(&key) {
                bucket.is_told = false;
                watches.clone().for_each(|watch| bucket.counts.add(&watch.name, counts));
            }
        }
    }

    /// What there is to tell.
    fn take(&self, engine: &Engine) -> Vec<SeriesPoint> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = buckets.kept.iter_mut().filter(|(_, bucket)| !bucket.is_told);
        let point = |((project, width, start), bucket): (&(ProjectId, i64, i64), &mut Bucket)| {
            bucket.is_told = true;
            SeriesPoint {
                series: Series::Watched,
                project: *project,
                width: *width,
                start: *start,
                name: bucket.number.to_string(),
                node: engine.node,
                data: bucket.counts.to_point(),
            }
        };
        untold.map(point).collect()
    }

    /// Lets go of buckets that are over and told.
    fn let_go(&self, now: Timestamp) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.kept.retain(|(_, width, start), bucket| !bucket.is_told || start + width + LATE > now.minute());
    }

    /// Tells it again the next time.
    fn keep(&self) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.kept.values_mut().for_each(|bucket| bucket.is_told = false);
    }
}

/// Tells it now and then.
pub(in crate::tracker) async fn write(engine: Arc<Engine>) {
    loop {
        sleep(TELL_EVERY).await;
        if let Err(error) = engine.tell_watched(Timestamp::now()).await {
            engine.note_trouble(&error.context("telling what alert rules count"));
        }
    }
}

impl Engine {
    /// Reads what rules ask for.
    pub(in crate::tracker) async fn read_watches(&self) -> Result<(), StoreError> {
        self.watched.set(&self.store.alert_rules().await?);
        Ok(())
    }

    pub(in crate::tracker) async fn tell_watched(&self, now: Timestamp) -> Result<(), StoreError> {
        let points = self.watched.take(self);
        if points.is_empty() {
            return Ok(());
        }
        self.store.put_points(&points).await.inspect_err(|_| self.watched.keep())?;
        self.watched.let_go(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Event, Formula, Preparer,
        store::ProjectStore,
        tracker::tests::{builder, fake::Fake},
    };

    async fn engine(store: &Fake) -> Engine {
        let project = store.ensure_project("default").await.unwrap();
        let rule = |condition: &str, enabled| AlertRule {
            name: "r".into(),
            condition: Some(condition.into()),
            enabled,
            ..AlertRule::default()
        };
        store.data().alert_rules = vec![
            rule("error_count > 5 in 5m where release = 1.0", true),
            rule("new_issue_count > 5 in 1h where release = 1.0", true),
            rule("error_count > 5 in 5m where level = error", true),
            rule("error_count > 5 in 5m where source = off", false),
        ];
        let engine = builder(store).engine_for_tests(store.clone(), project);
        engine.read_watches().await.unwrap();
        engine
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros((29_000_000 + minutes) * 60_000_000)
    }

    fn come(engine: &Engine, minute: i64, counts: Counts, now: i64) {
        let event =
            Event { release: Some("1.0".into()), timestamp: at(minute), received_at: at(minute), ..Event::new() };
        let occurrence = Preparer::default().prepare(engine.project.id, event, Formula::Ours);
        let watches = engine.watched.watches();
        let asking = watches.iter().filter(|watch| watch.counts(&occurrence));
        engine.watched.count(&occurrence, counts, &asking, at(now));
    }

    /// What the store has of minutes, as it adds up.
    fn kept(store: &Fake, width: i64) -> Vec<(i64, i64)> {
        let data = store.data();
        let mut last = HashMap::new();
        for point in data.points.iter().filter(|point| (point.series, point.width) == (Series::Watched, width)) {
            last.insert((point.start, point.name.clone(), point.node), point.data.clone());
        }
        let mut sums = std::collections::BTreeMap::new();
        for ((start, ..), data) in last {
            let watched: HashMap<String, Counts> = serde_json::from_str(&data).unwrap();
            assert_eq!(watched.len(), 1, "what both rules ask for is counted once");
            *sums.entry(start - at(0).minute()).or_default() += watched.values().map(|counts| counts.0).sum::<i64>();
        }
        sums.into_iter().collect()
    }

    #[tokio::test]
    async fn what_rules_ask_for_is_counted_once_whatever_fails() {
        let store = Fake::new();
        let engine = engine(&store).await;
        assert_eq!(engine.watched.watches().len(), 1);
        let one = Counts(1, 0, 0);
        come(&engine, 0, Counts(3, 1, 0), 0);
        engine.tell_watched(at(0)).await.unwrap();
        come(&engine, 0, one, 1);
        store.set_away(true);
        assert!(engine.tell_watched(at(1)).await.is_err());
        come(&engine, 1, one, 1);
        store.set_away(false);
        engine.tell_watched(at(1)).await.unwrap();
        assert_eq!((kept(&store, 1), kept(&store, 60)), (vec![(0, 4), (1, 1)], vec![(-20, 5)]));
        let points = store.data().points.len();
        engine.tell_watched(at(1)).await.unwrap();
        assert_eq!(store.data().points.len(), points, "nothing new");
        // What comes long after its minute adds to it, and replaces nothing.
        engine.tell_watched(at(30)).await.unwrap();
        engine.watched.let_go(at(30));
        come(&engine, 0, one, 30);
        engine.tell_watched(at(30)).await.unwrap();
        assert_eq!(kept(&store, 1), [(0, 5), (1, 1)]);
        // What is too old to be asked for is not counted.
        come(&engine, -9 * 1_440, one, 30);
        engine.tell_watched(at(30)).await.unwrap();
        assert_eq!(kept(&store, 1), [(0, 5), (1, 1)]);
    }

    #[tokio::test]
    async fn what_is_kept_at_hand_has_a_bound() {
        let store = Fake::new();
        let engine = engine(&store).await;
        store.set_away(true);
        for minute in 0..11_000 {
            come(&engine, minute, Counts(1, 0, 0), 11_000);
        }
        assert!(engine.watched.buckets.lock().unwrap().kept.len() <= BUCKETS);
        store.set_away(false);
        engine.tell_watched(at(40_000)).await.unwrap();
        assert!(engine.watched.buckets.lock().unwrap().kept.is_empty());
    }
}
