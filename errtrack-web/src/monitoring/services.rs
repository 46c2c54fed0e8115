//! Services that are watched: the database, the cache, the queue, and what the configuration names.

use super::check::{self, Target, Trouble};
use crate::{
    app::App,
    cache::Cache,
    figures::{minute, rounded},
    shared::Shared,
};
use axum::body::Bytes;
use errtrack_core::{
    ProjectId, StoreError, Timestamp, Tracker, WeakTracker,
    store::{Series, SeriesPoint, SeriesQuery},
};
use errtrack_outgoing::{AllowedTargets, Outgoing};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;
use utoipa::ToSchema;

/// How often services are looked at.
const EVERY: Duration = Duration::from_secs(30);
/// How long whoever looks at them is the one to do so.
const LEASE: Duration = Duration::from_secs(90);
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Minutes of a day.
const DAY: i64 = 1_440;
/// Widths of buckets in minutes.
const WIDTHS: [i64; 2] = [10, 60];

const DATABASE: &str = "Database";
const CACHE: &str = "Cache Service";
const QUEUE: &str = "Queue";

/// How everything that is watched is doing.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ServicesHealth)]
pub(crate) struct Services {
    pub(crate) services: Vec<Service>,
    /// The worst of them; what is unknown aside.
    pub(crate) overall_health: Health,
}

/// How a service is doing.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServiceHealth)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) status: Health,
    /// The share of looks in the last 24 hours that found it well; `null` before the first.
    pub(crate) uptime_percent: Option<f64>,
    /// How long it took to answer; `null` if it did not.
    pub(crate) response_time_ms: Option<f64>,
    pub(crate) last_checked: Option<Timestamp>,
    pub(crate) details: Details,
}

/// What else is known of a service.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct Details {
    /// Of the database: the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<String>,
    /// Connections in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connections: Option<u32>,
    /// Connections at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_connections: Option<u32>,
    /// Of the queue: events that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) depth: Option<usize>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Why it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Whether a service is well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ServiceStatus)]
pub(crate) enum Health {
    /// It was never looked at, or cannot be.
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What was found in a bucket of time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Looks {
    times: u64,
    failed: u64,
    /// Milliseconds that those which were answered took together, and the longest of them.
    #[serde(default)]
    sum: f64,
    #[serde(default)]
    slowest: f64,
    /// The last one: when, in how many milliseconds, and what was wrong.
    at: Timestamp,
    millis: Option<f64>,
    reason: Option<String>,
    unknown: bool,
}

impl Looks {
    fn of(at: Timestamp, found: Result<Duration, Trouble>) -> Self {
        let look = Self { times: 1, at, ..Self::default() };
        match found {
            Ok(took) => {
                let took = millis(took);
                Self { millis: Some(took), sum: took, slowest: took, ..look }
            }
            Err(Trouble::Failed(why)) => Self { failed: 1, reason: Some(why), ..look },
            Err(Trouble::Unknown(why)) => Self { times: 0, unknown: true, reason: Some(why.to_owned()), ..look },
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let (times, failed) = (self.times + other.times, self.failed + other.failed);
        let (sum, slowest) = (self.sum + other.sum, self.slowest.max(other.slowest));
        if other.at >= self.at {
            *self = other;
        }
        (self.times, self.failed, self.sum, self.slowest) = (times, failed, sum, slowest);
    }

    fn health(&self) -> Health {
        match (self.unknown, &self.reason) {
            (true, _) => Health::Unknown,
            (false, None) => Health::Healthy,
            (false, Some(_)) => Health::Unhealthy,
        }
    }

    pub(super) const fn times(&self) -> u64 {
        self.times
    }

    pub(super) const fn failed(&self) -> u64 {
        self.failed
    }

    /// How many milliseconds an answer took on average. Earlier versions kept the last one alone.
    #[expect(clippy::cast_precision_loss, reason = "of the looks of a month")]
    pub(super) fn mean(&self) -> Option<f64> {
        let answered = self.times.checked_sub(self.failed).filter(|answered| *answered > 0)?;
        if self.slowest > 0.0 { Some(rounded(self.sum / answered as f64, 2)) } else { self.millis }
    }

    /// How many the longest took.
    pub(super) fn slowest(&self) -> Option<f64> {
        (self.times > self.failed).then(|| self.slowest.max(self.millis.unwrap_or_default()))
    }

    #[expect(clippy::cast_precision_loss, reason = "of the looks of a month")]
    pub(super) fn percent(&self) -> Option<f64> {
        (self.times > 0).then(|| rounded((self.times - self.failed) as f64 * 100.0 / self.times as f64, 2))
    }
}

fn millis(took: Duration) -> f64 {
    rounded(took.as_secs_f64() * 1e3, 2)
}

/// Looks as long as the tracker lives. What cannot be written is told with the next: points are replaced.
pub(super) async fn run(tracker: WeakTracker, shared: Arc<Shared>, targets: Vec<Target>, allowed: AllowedTargets) {
    let outgoing = check::outgoing(allowed);
    let mut buckets: BTreeMap<(i64, i64, String), Looks> = BTreeMap::new();
    let mut pause = Duration::from_secs(1);
    loop {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        let Some(tracker) = tracker.upgrade() else { return };
        let now = Timestamp::now();
        for (name, found) in look(&tracker, &shared, &targets, &outgoing).await {
            for width in WIDTHS {
                let start = minute(now).div_euclid(width) * width;
                buckets.entry((width, start, name.clone())).or_default().add(Looks::of(now, found.clone()));
            }
        }
        let point = |((width, start, name), looks): (&(i64, i64, String), &Looks)| {
            let data = serde_json::to_string(looks).unwrap_or_default();
            let (project, name, node) = (ProjectId(0), name.clone(), tracker.node());
            SeriesPoint { series: Series::Checks, project, width: *width, start: *start, name, node, data }
        };
        let points: Vec<SeriesPoint> = buckets.iter().map(point).collect();
        let written = timeout(PATIENCE, tracker.store().put_points(&points)).await;
        if matches!(written, Ok(Ok(()))) {
            buckets.retain(|(width, start, _), _| start + width > minute(now));
        }
        // While the database is away, half a day of looks waits.
        while buckets.len() > 100 * (targets.len() + 3) {
            buckets.pop_first();
        }
    }
}

/// Each process looks at the database, its cache and its queue; one looks at the others.
async fn look(
    tracker: &Tracker,
    shared: &Shared,
    targets: &[Target],
    outgoing: &Outgoing,
) -> Vec<(String, Result<Duration, Trouble>)> {
    let database = match timeout(PATIENCE, tracker.store().ping()).await {
        Ok(Ok(took)) => Ok(took),
        Ok(Err(_)) | Err(_) => Err(Trouble::Failed("the database does not answer".to_owned())),
    };
    // While the database is away nobody knows who is the one; rather twice than not at all.
    let lease = if targets.is_empty() || database.is_err() {
        Ok(Ok(true))
    } else {
        timeout(PATIENCE, tracker.store().lease("checks", tracker.node(), LEASE)).await
    };
    if shared.needs_projects()
        && database.is_ok()
        && let Ok(Ok(projects)) = timeout(PATIENCE, tracker.store().projects()).await
    {
        shared.note_projects(&projects);
    }
    let cache = cache(shared).await;
    let mut found = vec![(DATABASE.to_owned(), database), (CACHE.to_owned(), cache), (QUEUE.to_owned(), room(tracker))];
    if !matches!(lease, Ok(Ok(false))) {
        let looking = targets.iter().map(async |target| (target.name().to_owned(), target.check(outgoing).await));
        found.extend(join_all(looking).await);
    }
    found
}

/// How everything that is watched is doing now.
pub(crate) async fn services(app: &App) -> Result<Services, StoreError> {
    let now = Timestamp::now();
    let database = timeout(PATIENCE, app.store().ping()).await;
    let mut looks = BTreeMap::new();
    if matches!(database, Ok(Ok(_))) {
        let until = minute(now);
        let (from, projects) = (until - DAY, Some(vec![ProjectId(0)]));
        let query = SeriesQuery { series: Series::Checks, projects, width: 10, from, until };
        for point in app.store().points(&query).await? {
            if let Ok(more) = serde_json::from_str::<Looks>(&point.data) {
                looks.entry(point.name).or_insert_with(Looks::default).add(more);
            }
        }
    }
    let found = match database {
        Ok(Ok(took)) => Ok(took),
        Ok(Err(_)) | Err(_) => Err(Trouble::Failed("the database does not answer".to_owned())),
    };
    let mut before = looks.remove(DATABASE).unwrap_or_default();
    before.add(Looks::of(now, found));
    let mut cached = looks.remove(CACHE).unwrap_or_default();
    cached.add(Looks::of(now, cache(app.shared()).await));
    let connections = app.store().connections();
    let mut services = vec![
        service(
            DATABASE,
            &before,
            Details {
                backend: connections.as_ref().map(|connections| connections.backend.to_owned()),
                connections: connections.as_ref().map(|connections| connections.used),
                max_connections: connections.as_ref().map(|connections| connections.most),
                ..Details::default()
            },
        ),
        service(CACHE, &cached, Details::default()),
        queue(app, looks.remove(QUEUE).unwrap_or_default(), now),
    ];
    for target in &app.config().monitor {
        let looks = looks.remove(target.name()).unwrap_or(Looks { unknown: true, ..Looks::default() });
        services.push(service(
            target.name(),
            &looks,
            Details { url: Some(target.shown_url().to_owned()), ..Details::default() },
        ));
    }
    let overall_health = services.iter().map(|service| service.status).max().unwrap_or(Health::Unknown);
    Ok(Services { services, overall_health })
}

fn service(name: &str, looks: &Looks, details: Details) -> Service {
    Service {
        name: name.to_owned(),
        status: looks.health(),
        uptime_percent: looks.percent(),
        response_time_ms: looks.millis,
        last_checked: (looks.at > Timestamp::default()).then_some(looks.at),
        details: Details { reason: looks.reason.clone(), ..details },
    }
}

/// Puts something there and looks whether it is found.
async fn cache(shared: &Shared) -> Result<Duration, Trouble> {
    let found = kept(shared).await;
    // What is found then is found in this process alone.
    if shared.is_away() == Some(true) {
        return Err(Trouble::Failed("Redis does not answer: each process keeps for itself".to_owned()));
    }
    found
}

async fn kept(cache: &dyn Cache) -> Result<Duration, Trouble> {
    const KEY: &str = "monitoring";
    let start = Instant::now();
    cache.put(KEY, Bytes::from_static(b"1"), PATIENCE).await;
    match timeout(PATIENCE, cache.get(KEY)).await {
        Ok(Some(_)) => Ok(start.elapsed()),
        Ok(None) | Err(_) => Err(Trouble::Failed("what is kept is not found".to_owned())),
    }
}

/// Whether a report that came now could be kept.
fn room(tracker: &Tracker) -> Result<Duration, Trouble> {
    if tracker.has_room() { Ok(Duration::ZERO) } else { Err(Trouble::Failed("it is full".to_owned())) }
}

fn queue(app: &App, mut before: Looks, now: Timestamp) -> Service {
    before.add(Looks::of(now, room(app.tracker())));
    let details = Details { depth: Some(app.tracker().queue_depth()), ..Details::default() };
    service(QUEUE, &before, details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::BoxFuture;

    /// Loses everything.
    #[derive(Debug)]
    struct Sieve;

    impl Cache for Sieve {
        fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Bytes>> {
            Box::pin(std::future::ready(None))
        }

        fn put<'a>(&'a self, _: &'a str, _: Bytes, _: Duration) -> BoxFuture<'a, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn a_cache_that_loses_what_it_holds_is_not_well() {
        assert_eq!(kept(&Sieve).await, Err(Trouble::Failed("what is kept is not found".into())));
        assert!(kept(&crate::cache::LocalCache::default()).await.is_ok());
    }

    #[test]
    fn looks_add_up_and_the_last_one_counts() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut looks = Looks::of(at(2), Ok(Duration::from_millis(3)));
        looks.add(Looks::of(at(1), Err(Trouble::Failed("away".into()))));
        assert_eq!((looks.health(), looks.percent(), looks.millis), (Health::Healthy, Some(50.0), Some(3.0)));
        looks.add(Looks::of(at(3), Err(Trouble::Failed("away".into()))));
        assert_eq!((looks.health(), looks.percent(), looks.millis), (Health::Unhealthy, Some(33.33), None));
        let unknown = Looks::of(at(1), Err(Trouble::Unknown("no")));
        assert_eq!((unknown.health(), unknown.percent()), (Health::Unknown, None));
    }
}
