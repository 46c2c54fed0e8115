//! A store in memory that fails on demand and remembers what it was asked to do.

use crate::{
    ApiKey, AuditEntry, Balance, Condition, EventId, Fingerprint, Issue, IssueId, IssueRef, Level, Member,
    MemberChange, MemberChanged, Occurrence, Project, ProjectId, Status, StoreError, Timestamp, Token, TokenHash,
    TokenKind,
    alert::{AlertRule, Firing, Signal},
    incident::{Incident, IncidentChange, IncidentEntry, NewIncident},
    notify::OutboxEntry,
    store::*,
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
    pub(crate) outbox: Vec<Outgoing>,
    pub(crate) trims: Vec<Instant>,
    pub(crate) points: Vec<SeriesPoint>,
    pub(crate) retentions: Vec<Instant>,
    pub(crate) last: Option<RetentionReport>,
    pub(crate) retention_takes: Duration,
    pub(crate) record_takes: Duration,
}

/// A notification on its way, and who has it until when.
pub(crate) struct Outgoing {
    pub(crate) item: OutboxItem,
    lease: Option<(Uuid, Instant)>,
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

#[async_trait]
impl OutboxStore for Fake {
    async fn put_outbox(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        self.reach()?;
        let (made_at, mut data, mut new) = (self.now(), self.data(), 0);
        for entry in entries {
            if data.outbox.iter().all(|other| other.item.entry.key != entry.key) {
                let item = OutboxItem {
                    next_at: entry.due_at,
                    entry: entry.clone(),
                    state: OutboxState::Waiting,
                    attempts: 0,
                    made_at,
                    settled_at: None,
                    error: None,
                };
                data.outbox.push(Outgoing { item, lease: None });
                new += 1;
            }
        }
        Ok(new)
    }

    async fn due_channels(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.reach()?;
        let data = self.data();
        let due = data.outbox.iter().filter(|one| one.is_due(now)).map(|one| one.item.entry.channel.clone());
        Ok(due.collect::<std::collections::BTreeSet<_>>().into_iter().collect())
    }

    async fn lease_outbox(
        &self,
        node: Uuid,
        channel: &str,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        self.reach()?;
        let mut data = self.data();
        let (mut before, mut taken) = (HashSet::new(), Vec::new());
        for one in data.outbox.iter_mut().filter(|one| one.item.state == OutboxState::Waiting) {
            let entry = &one.item.entry;
            let is_first = before.insert((entry.channel.clone(), entry.ordering.clone())) || entry.ordering.is_empty();
            if is_first && entry.channel == channel && one.is_due(now) && taken.len() < limit as usize {
                one.lease = Some((node, Instant::now() + lease));
                one.item.attempts += 1;
                taken.push(one.item.clone());
            }
        }
        Ok(taken)
    }

    async fn settle_outbox(
        &self,
        node: Uuid,
        key: Uuid,
        came: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.reach()?;
        let mut data = self.data();
        let found = data.outbox.iter_mut().find(|one| one.item.entry.key == key);
        let Some(one) = found.filter(|one| one.item.state == OutboxState::Waiting) else { return Ok(false) };
        if *came != Settlement::Delivered && one.lease.is_none_or(|(has, _)| has != node) {
            return Ok(false);
        }
        one.lease = None;
        let item = &mut one.item;
        (item.state, item.settled_at, item.error) = match came {
            Settlement::Delivered => (OutboxState::Delivered, Some(now), None),
            Settlement::Again { at, error } => {
                item.next_at = *at;
                (OutboxState::Waiting, None, Some(error.clone()))
            }
            Settlement::Failed { error } => (OutboxState::Failed, Some(now), Some(error.clone())),
        };
        Ok(true)
    }

    async fn outbox(&self, _: &OutboxQuery) -> Result<Vec<OutboxItem>, StoreError> {
        unreachable!()
    }

    async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError> {
        unreachable!()
    }

    async fn retry_outbox(&self, _: Uuid, _: Timestamp) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn drop_outbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.reach()?;
        let mut data = self.data();
        let count = data.outbox.len();
        data.outbox.retain(|one| one.item.settled_at.is_none_or(|at| at >= before));
        Ok((count - data.outbox.len()) as u64)
    }
}

impl Outgoing {
    fn is_due(&self, now: Timestamp) -> bool {
        let is_free = self.lease.is_none_or(|(_, until)| until <= Instant::now());
        self.item.state == OutboxState::Waiting && self.item.next_at <= now && is_free
    }
}

impl Feed for Fake {
    fn changes(&self) -> Changes {
        LocalFeed::default().listen()
    }
}

#[async_trait]
impl Upkeep for Fake {
    async fn ping(&self) -> Result<Duration, StoreError> {
        self.reach().map(|()| Duration::ZERO)
    }

    async fn trim_events(&self, _: u32) -> Result<u64, StoreError> {
        self.reach()?;
        self.data().trims.push(Instant::now());
        Ok(0)
    }

    async fn retain(&self, _: &Retention) -> Result<RetentionReport, StoreError> {
        self.reach()?;
        let takes = self.data().retention_takes;
        let at = self.now();
        tokio::time::sleep(takes).await;
        let report = RetentionReport { at, ..RetentionReport::default() };
        let mut data = self.data();
        data.retentions.push(Instant::now());
        data.last = Some(report);
        Ok(report)
    }

    async fn preview_retention(&self, _: &Retention) -> Result<RetentionReport, StoreError> {
        Ok(RetentionReport { old_events: 7, ..RetentionReport::default() })
    }

    async fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError> {
        Ok(self.data().last)
    }

    async fn storage(&self) -> Result<Storage, StoreError> {
        Ok(Storage::default())
    }

    async fn set_aside_events(&self, _: u32) -> Result<Vec<SetAside>, StoreError> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}

#[async_trait]
impl TriageStore for Fake {
    async fn set_condition(&self, _: &[IssueId], _: &Condition) -> Result<u64, StoreError> {
        unreachable!()
    }

    async fn unignore(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn latest_release(&self, _: ProjectId) -> Result<Option<String>, StoreError> {
        unreachable!()
    }

    async fn comments(&self, _: IssueId) -> Result<Vec<Comment>, StoreError> {
        unreachable!()
    }

    async fn add_comment(&self, _: IssueId, _: &str, _: &str) -> Result<Option<Comment>, StoreError> {
        unreachable!()
    }
}

/// What no tracker calls.
macro_rules! unused {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ty)*) -> $out:ty;)* }) => {
        #[async_trait]
        impl $trait for Fake {
            $(async fn $name(&self $(, _: $arg)*) -> Result<$out, StoreError> { unreachable!() })*
        }
    };
}

#[async_trait]
impl SeriesStore for Fake {
    async fn put_points(&self, points: &[SeriesPoint]) -> Result<(), StoreError> {
        self.reach()?;
        self.data().points.extend_from_slice(points);
        Ok(())
    }

    async fn points(&self, _: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError> {
        self.reach()?;
        Ok(self.data().points.clone())
    }

    async fn drop_points(&self, _: Series, _: i64, _: i64) -> Result<u64, StoreError> {
        self.reach()?;
        Ok(0)
    }
}

unused!(PushStore {
    fn push_key(&self) -> Option<String>;
    fn ensure_push_key(&self, &str) -> String;
    fn push_subscriptions(&self, Uuid) -> Vec<PushSubscription>;
    fn push_members(&self) -> Vec<Uuid>;
    fn put_push_subscription(&self, &PushSubscription, u32) -> Option<PushSubscription>;
    fn remove_push_subscription(&self, Uuid, Uuid) -> bool;
    fn note_pushes(&self, &[(Uuid, Timestamp, Option<String>)]) -> ();
});
unused!(TicketStore {
    fn tickets(&self, IssueId) -> Vec<Ticket>;
    fn add_ticket(&self, IssueId, &Ticket, Duration) -> TicketAdded;
    fn finish_ticket(&self, &Ticket) -> bool;
    fn delete_ticket(&self, IssueId, Uuid) -> bool;
});
unused!(IntegrationStore {
    fn integrations(&self) -> Vec<Integration>;
    fn put_integration(&self, &str, Option<&str>) -> bool;
    fn note_test(&self, &str, Timestamp, Option<&str>) -> ();
});
#[async_trait]
impl AlertStore for Fake {
    async fn alert_rules(&self) -> Result<Vec<AlertRule>, StoreError> {
        Ok(Vec::new())
    }

    async fn put_alert_rule(&self, _: &AlertRule) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn delete_alert_rule(&self, _: Uuid) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn firings(&self, _: &FiringQuery) -> Result<Vec<Firing>, StoreError> {
        unreachable!()
    }

    async fn last_firings(&self, _: &[IssueId], _: Timestamp) -> Result<Vec<(Uuid, IssueId, Timestamp)>, StoreError> {
        unreachable!()
    }

    async fn signals(&self, _: u32) -> Result<Vec<Signal>, StoreError> {
        Ok(Vec::new())
    }

    async fn alert_state(&self) -> Result<AlertState, StoreError> {
        unreachable!()
    }

    async fn fire(&self, _: &Evaluation) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn tallies(&self, _: &TallyQuery) -> Result<Vec<Tally>, StoreError> {
        unreachable!()
    }
}

unused!(AnalyticsStore {
    fn figures_version(&self, &FigureScope) -> FigureVersion;
    fn rollups(&self, &FigureScope, RollupWidth, Timestamp, Timestamp) -> Vec<Rollup>;
    fn environments(&self, &FigureScope, Timestamp) -> Vec<EnvironmentCount>;
    fn top_issues(&self, &FigureScope, Timestamp, u32) -> Vec<(Issue, i64)>;
});
unused!(IssueStore {
    fn issues(&self, &IssueQuery) -> IssuePage;
    fn status_counts(&self, &IssueQuery) -> StatusCounts;
    fn issue(&self, &IssueRef) -> Option<Issue>;
    fn set_status(&self, &[IssueId], Status) -> u64;
    fn assign(&self, IssueId, Option<&str>) -> bool;
    fn delete_issues(&self, &[IssueId]) -> u64;
    fn histograms(&self, &[IssueId], Timestamp, u32, u32) -> Vec<Vec<i64>>;
    fn tag_tallies(&self, IssueId, u32) -> Vec<TagTally>;
    fn tag_values(&self, &[ProjectId], &str, u32) -> Vec<String>;
});
unused!(GroupStore {
    fn groups(&self, IssueId) -> Vec<Issue>;
    fn merge(&self, ProjectId, IssueId, &[IssueId]) -> Regrouped;
    fn unmerge(&self, IssueId, &[Fingerprint]) -> Regrouped;
});
unused!(EventStore {
    fn event(&self, Option<&[ProjectId]>, Uuid) -> Option<StoredEvent>;
    fn events(&self, IssueId, Option<&Cursor>, u32) -> EventPage;
    fn position(&self, &StoredEvent) -> EventPosition;
    fn pin(&self, &StoredEvent, bool) -> bool;
    fn user_events(&self, Option<&[ProjectId]>, &str, Option<&Cursor>, u32) -> EventPage;
    fn erase_user(&self, Option<&[ProjectId]>, &str) -> u64;
});
unused!(IncidentStore {
    fn open_incident(&self, &NewIncident) -> Option<OpenedIncident>;
    fn incidents(&self, &IncidentQuery) -> Vec<Incident>;
    fn incident(&self, Uuid) -> Option<Incident>;
    fn change_incident(&self, Uuid, &IncidentChange, &str, Timestamp) -> IncidentChanged;
    fn recover_incident(&self, Uuid, &Recovery, Timestamp) -> Option<Uuid>;
    fn delete_incident(&self, Uuid) -> bool;
    fn incident_timeline(&self, Uuid, Option<i64>, u32) -> Vec<IncidentEntry>;
    fn link_issues(&self, Uuid, &[IssueId], &str, Timestamp) -> Option<u64>;
    fn unlink_issue(&self, Uuid, IssueId, &str, Timestamp) -> bool;
    fn incident_issues(&self, Uuid) -> Vec<Issue>;
});
unused!(AccountStore {
    fn member_by_email(&self, &str) -> Option<Member>;
    fn member(&self, Uuid) -> Option<Member>;
    fn members(&self) -> Vec<Member>;
    fn member_count(&self) -> i64;
    fn put_member(&self, &Member) -> Member;
    fn add_member(&self, &Member) -> bool;
    fn change_member(&self, Uuid, &MemberChange) -> MemberChanged;
    fn delete_member(&self, Uuid) -> MemberChanged;
    fn note_activity(&self, &[(Uuid, Timestamp)]) -> ();
    fn put_token(&self, &Token) -> ();
    fn token_member(&self, TokenKind, TokenHash) -> Option<Member>;
    fn take_token(&self, TokenKind, TokenHash) -> bool;
    fn tokens(&self, TokenKind, Uuid) -> Vec<Token>;
    fn end_tokens(&self, TokenKind, Uuid, Option<TokenHash>) -> u64;
    fn second_factor(&self, Uuid) -> Option<String>;
    fn swap_second_factor(&self, Uuid, Option<&str>, Option<&str>) -> bool;
});
unused!(KeyStore {
    fn api_keys(&self) -> Vec<ApiKey>;
    fn add_api_key(&self, &ApiKey) -> ();
    fn delete_api_key(&self, Uuid) -> bool;
    fn note_use(&self, &[(Uuid, Timestamp)]) -> ();
});
unused!(AuditStore {
    fn audit(&self, &AuditEntry) -> ();
    fn audit_log(&self, Option<i64>, u32) -> Vec<AuditEntry>;
});
