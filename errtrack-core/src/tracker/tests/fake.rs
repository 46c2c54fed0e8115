//! A store in memory that fails on demand and remembers what it was asked to do.

mod alerts;
mod outbox;
mod unused;
mod upkeep;

use outbox::Outgoing;

use crate::{
    Balance, EventId, Fingerprint, IssueId, Level, Occurrence, Project, ProjectId, StoreError, Timestamp,
    alert::AlertRule, store::*,
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

/// Clones share everything: they are connections to one database.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) away: Arc<AtomicBool>,
    /// Commits, and then says that it is away.
    pub(crate) commits_but_fails: Arc<AtomicBool>,
    /// How many calls of `record` there were.
    pub(crate) asked: Arc<AtomicU64>,
    hang: Arc<watch::Sender<Hang>>,
    /// A clock that goes with tokio's.
    start: (Timestamp, Instant),
    data: Arc<Mutex<Data>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hang {
    No,
    BeforeCommit,
    AfterCommit,
}

#[derive(Default)]
pub(crate) struct Data {
    pub(crate) counts: HashMap<(ProjectId, Fingerprint), (i64, u64)>,
    ids: HashSet<(ProjectId, EventId)>,
    /// The types of events in the order in which they were committed.
    pub(crate) order: Vec<String>,
    /// Event ids that were counted a second time.
    pub(crate) doubles: u64,
    pub(crate) batches: Vec<(BatchKey, usize)>,
    pub(crate) payloads: u64,
    writers: HashMap<Uuid, i64>,
    pub(crate) aside: Vec<String>,
    pub(crate) balances: BTreeMap<ProjectId, Balance>,
    leases: HashMap<String, (Uuid, Instant)>,
    /// Who asked for which lease.
    pub(crate) lease_asks: Vec<(String, Uuid)>,
    pub(crate) alert_rules: Vec<AlertRule>,
    /// How often alert rules were read.
    pub(crate) alert_rules_read: u64,
    pub(crate) outbox: Vec<Outgoing>,
    pub(crate) trims: Vec<Instant>,
    pub(crate) points: Vec<SeriesPoint>,
    pub(crate) retentions: Vec<Instant>,
    pub(crate) last: Option<RetentionReport>,
    pub(crate) retention_takes: Duration,
    pub(crate) record_takes: Duration,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            away: Arc::default(),
            commits_but_fails: Arc::default(),
            asked: Arc::default(),
            hang: Arc::new(watch::Sender::new(Hang::No)),
            start: (Timestamp::now(), Instant::now()),
            data: Arc::default(),
        }
    }

    pub(crate) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap()
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Relaxed);
    }

    pub(crate) fn set_hang(&self, hang: Hang) {
        self.hang.send_replace(hang);
    }

    /// All events that were counted.
    pub(crate) fn count(&self) -> u64 {
        self.data().counts.values().map(|(_, count)| count).sum()
    }

    async fn wait(&self, at: Hang) {
        let _ = self.hang.subscribe().wait_for(|hang| *hang != at).await;
    }

    fn now(&self) -> Timestamp {
        self.start.0.plus(self.start.1.elapsed())
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.away.load(Relaxed) { Err(StoreError::unavailable("taken away by the test")) } else { Ok(()) }
    }
}

#[async_trait]
impl Recorder for Fake {
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError> {
        self.asked.fetch_add(1, Relaxed);
        self.wait(Hang::BeforeCommit).await;
        let takes = self.data().record_takes;
        tokio::time::sleep(takes).await;
        self.reach()?;
        if batch.occurrences.iter().any(|o| o.level() == Level::Debug) {
            return Err(StoreError::other("poisoned by the test"));
        }
        let recorded = self.data().commit(batch);
        self.wait(Hang::AfterCommit).await;
        if self.commits_but_fails.load(Relaxed) {
            return Err(StoreError::unavailable("broken after the commit"));
        }
        Ok(recorded)
    }

    async fn set_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError> {
        self.reach()?;
        assert_eq!(occurrence.level(), Level::Debug, "only what is poisoned");
        self.data().aside.push(reason.to_owned());
        Ok(())
    }
}

impl Data {
    fn commit(&mut self, batch: &Batch) -> Vec<Recorded> {
        let key = batch.key.expect("the tracker gives every batch a key");
        let last = self.writers.entry(key.writer).or_default();
        if key.repeats && key.number <= *last {
            return vec![Recorded { issue: IssueId(0), outcome: Outcome::Settled }; batch.occurrences.len()];
        }
        assert!(key.number > *last, "numbers grow: {key:?} after {last}");
        *last = key.number;
        self.batches.push((key, batch.occurrences.len()));
        let mut recorded = Vec::new();
        for (occurrence, whole) in batch.iter() {
            let fresh = self.ids.insert((occurrence.project(), occurrence.event_id()));
            let next = i64::try_from(self.counts.len()).unwrap() + 1;
            let issue = (occurrence.project(), occurrence.fingerprint());
            if !fresh && !occurrence.id_is_ours() {
                let issue = self.counts.get(&issue).map_or(0, |(issue, _)| *issue);
                recorded.push(Recorded { issue: IssueId(issue), outcome: Outcome::Duplicate });
                continue;
            }
            self.doubles += u64::from(!fresh);
            self.payloads += u64::from(whole);
            let (issue, count) = self.counts.entry(issue).or_insert((next, 0));
            let outcome = if *count == 0 { Outcome::New } else { Outcome::Seen };
            *count += occurrence.times();
            self.order.push(occurrence.title().1.to_owned());
            recorded.push(Recorded { issue: IssueId(*issue), outcome });
        }
        recorded
    }
}

#[async_trait]
impl ProjectStore for Fake {
    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        Ok(Vec::new())
    }

    async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        Ok(Project {
            id: ProjectId(1),
            slug: slug.into(),
            name: slug.into(),
            platform: None,
            public_keys: vec!["k".into()],
        })
    }

    async fn create_project(&self, _: &NewProject) -> Result<ProjectChange, StoreError> {
        unreachable!()
    }

    async fn update_project(&self, _: &Project) -> Result<ProjectChange, StoreError> {
        unreachable!()
    }

    async fn remove_public_key(&self, _: ProjectId, _: &str) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn add_public_key(&self, _: ProjectId, _: &str) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn delete_project(&self, _: ProjectId) -> Result<bool, StoreError> {
        unreachable!()
    }
}

#[async_trait]
impl BalanceStore for Fake {
    async fn add_balances(&self, more: &[(ProjectId, Balance)]) -> Result<(), StoreError> {
        self.reach()?;
        for (project, balance) in more {
            *self.data().balances.entry(*project).or_default() += *balance;
        }
        Ok(())
    }

    async fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError> {
        self.reach()?;
        Ok(self.data().balances.clone().into_iter().collect())
    }
}

#[async_trait]
impl SettingStore for Fake {
    async fn settings(&self, _: &str) -> Result<Vec<(ProjectId, String)>, StoreError> {
        self.reach()?;
        Ok(Vec::new())
    }

    async fn put_setting(&self, _: ProjectId, _: &str, _: Option<&str>) -> Result<bool, StoreError> {
        self.reach()?;
        Ok(false)
    }
}

#[async_trait]
impl LeaseStore for Fake {
    async fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, StoreError> {
        self.reach()?;
        let now = Instant::now();
        let mut data = self.data();
        data.lease_asks.push((name.to_owned(), holder));
        if data.leases.get(name).is_some_and(|(other, until)| *other != holder && *until > now) {
            return Ok(false);
        }
        data.leases.insert(name.to_owned(), (holder, now + duration));
        Ok(true)
    }

    async fn release(&self, name: &str, holder: Uuid) -> Result<(), StoreError> {
        self.reach()?;
        self.data().leases.retain(|lease, (by, _)| lease != name || *by != holder);
        Ok(())
    }
}
