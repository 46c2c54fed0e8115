//! A store that fails on demand, around one that works.

use async_trait::async_trait;
use errtrack::{
    Level, SqliteStore, StoreError, Timestamp,
    store::{
        AccountStore, AlertState, AlertStore, AnalyticsStore, AuditStore, BalanceStore, Batch, Changes, Comment,
        Cursor, EnvironmentCount, Evaluation, EventPage, EventPosition, EventStore, Feed, FigureScope, FigureVersion,
        FiringQuery, GroupStore, IncidentChanged, IncidentQuery, IncidentStore, Integration, IntegrationStore,
        IssuePage, IssueQuery, IssueStore, KeyStore, LeaseStore, NewProject, OpenedIncident, OutboxCount, OutboxItem,
        OutboxQuery, OutboxStore, ProjectChange, ProjectStore, PushStore, PushSubscription, Recorded, Recorder,
        Recovery, Regrouped, Retention, RetentionReport, Rollup, RollupWidth, Series, SeriesPoint, SeriesQuery,
        SeriesStore, SetAside, SettingStore, Settlement, StatusCounts, Storage, StoredEvent, TagTally, Tally,
        TallyQuery, Ticket, TicketAdded, TicketStore, TriageStore, Upkeep,
    },
};
use errtrack_core::{
    ApiKey, AuditEntry, Balance, Condition, Fingerprint, Issue, IssueId, IssueRef, Member, MemberChange, MemberChanged,
    Occurrence, Project, ProjectId, Status, Token, TokenHash, TokenKind,
    alert::{AlertRule, Firing, Signal},
    incident::{Incident, IncidentChange, IncidentEntry, NewIncident},
    notify::{OutboxEntry, Trigger},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use uuid::Uuid;

/// A store whose writing can be made to fail. Clones share the switches.
#[derive(Debug, Clone)]
pub struct FaultyStore {
    inner: SqliteStore,
    away: Arc<AtomicBool>,
    unheard: Arc<AtomicBool>,
    haste: Arc<AtomicU32>,
}

impl FaultyStore {
    /// Wraps a store that works.
    #[must_use]
    pub fn new(inner: SqliteStore) -> Self {
        Self { inner, away: Arc::default(), unheard: Arc::default(), haste: Arc::new(AtomicU32::new(1)) }
    }

    /// Takes the database away, or gives it back.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Relaxed);
    }

    /// Lets the database commit batches and then say that it is away, as when the connection breaks just then.
    pub fn set_unheard(&self, unheard: bool) {
        self.unheard.store(unheard, Relaxed);
    }

    /// Makes pauses between tries to deliver a notification so many times shorter.
    pub fn set_haste(&self, times: u32) {
        self.haste.store(times.max(1), Relaxed);
    }
}

#[async_trait]
impl Recorder for FaultyStore {
    /// Fails while the database is away, and for every batch with an event of level `debug`: the poisoned row.
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError> {
        if self.away.load(Relaxed) {
            return Err(StoreError::unavailable("taken away by the test"));
        }
        if batch.occurrences.iter().any(|o| o.level() == Level::Debug) {
            return Err(StoreError::other("poisoned by the test"));
        }
        let recorded = self.inner.record(batch).await?;
        if self.unheard.load(Relaxed) {
            return Err(StoreError::unavailable("broken by the test after the commit"));
        }
        Ok(recorded)
    }

    async fn set_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError> {
        if self.away.load(Relaxed) {
            return Err(StoreError::unavailable("taken away by the test"));
        }
        self.inner.set_aside(occurrence, reason).await
    }
}

impl Feed for FaultyStore {
    fn changes(&self) -> Changes {
        self.inner.changes()
    }
}

macro_rules! delegate {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ident: $ty:ty)*) -> $out:ty;)* } $($by_hand:tt)*) => {
        #[async_trait]
        impl $trait for FaultyStore {
            $($by_hand)*
            $(async fn $name(&self $(, $arg: $ty)*) -> $out { $trait::$name(&self.inner $(, $arg)*).await })*
        }
    };
}

delegate!(IssueStore {
    fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError>;
    fn status_counts(&self, query: &IssueQuery) -> Result<StatusCounts, StoreError>;
    fn issue(&self, name: &IssueRef) -> Result<Option<Issue>, StoreError>;
    fn set_status(&self, issues: &[IssueId], status: Status) -> Result<u64, StoreError>;
    fn assign(&self, issue: IssueId, to: Option<&str>) -> Result<bool, StoreError>;
    fn delete_issues(&self, issues: &[IssueId]) -> Result<u64, StoreError>;
    fn histograms(&self, issues: &[IssueId], until: Timestamp, width: u32, buckets: u32) -> Result<Vec<Vec<i64>>, StoreError>;
    fn tag_tallies(&self, issue: IssueId, values: u32) -> Result<Vec<TagTally>, StoreError>;
    fn tag_values(&self, projects: &[ProjectId], key: &str, limit: u32) -> Result<Vec<String>, StoreError>;
});
delegate!(TriageStore {
    fn set_condition(&self, issues: &[IssueId], condition: &Condition) -> Result<u64, StoreError>;
    fn unignore(&self, now: Timestamp) -> Result<u64, StoreError>;
    fn latest_release(&self, project: ProjectId) -> Result<Option<String>, StoreError>;
    fn comments(&self, issue: IssueId) -> Result<Vec<Comment>, StoreError>;
    fn add_comment(&self, issue: IssueId, author: &str, text: &str) -> Result<Option<Comment>, StoreError>;
});
delegate!(GroupStore {
    fn groups(&self, issue: IssueId) -> Result<Vec<Issue>, StoreError>;
    fn merge(&self, project: ProjectId, into: IssueId, others: &[IssueId]) -> Result<Regrouped, StoreError>;
    fn unmerge(&self, issue: IssueId, fingerprints: &[Fingerprint]) -> Result<Regrouped, StoreError>;
});
delegate!(EventStore {
    fn event(&self, projects: Option<&[ProjectId]>, id: Uuid) -> Result<Option<StoredEvent>, StoreError>;
    fn events(&self, issue: IssueId, cursor: Option<&Cursor>, limit: u32) -> Result<EventPage, StoreError>;
    fn position(&self, event: &StoredEvent) -> Result<EventPosition, StoreError>;
    fn pin(&self, event: &StoredEvent, pinned: bool) -> Result<bool, StoreError>;
    fn user_events(&self, projects: Option<&[ProjectId]>, user: &str, cursor: Option<&Cursor>, limit: u32) -> Result<EventPage, StoreError>;
    fn erase_user(&self, projects: Option<&[ProjectId]>, user: &str) -> Result<u64, StoreError>;
});
delegate!(ProjectStore {
    fn projects(&self) -> Result<Vec<Project>, StoreError>;
    fn ensure_project(&self, slug: &str) -> Result<Project, StoreError>;
    fn create_project(&self, project: &NewProject) -> Result<ProjectChange, StoreError>;
    fn update_project(&self, project: &Project) -> Result<ProjectChange, StoreError>;
    fn remove_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError>;
    fn add_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError>;
    fn delete_project(&self, project: ProjectId) -> Result<bool, StoreError>;
});
delegate!(SettingStore {
    fn settings(&self, name: &str) -> Result<Vec<(ProjectId, String)>, StoreError>;
    fn put_setting(&self, project: ProjectId, name: &str, value: Option<&str>) -> Result<bool, StoreError>;
});
delegate!(BalanceStore {
    fn add_balances(&self, more: &[(ProjectId, Balance)]) -> Result<(), StoreError>;
    fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError>;
});
delegate!(LeaseStore {
    fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, StoreError>;
    fn release(&self, name: &str, holder: Uuid) -> Result<(), StoreError>;
});
delegate!(PushStore {
    fn push_key(&self) -> Result<Option<String>, StoreError>;
    fn ensure_push_key(&self, key: &str) -> Result<String, StoreError>;
    fn push_subscriptions(&self, member: Uuid) -> Result<Vec<PushSubscription>, StoreError>;
    fn push_members(&self) -> Result<Vec<Uuid>, StoreError>;
    fn put_push_subscription(&self, subscription: &PushSubscription, most: u32) -> Result<Option<PushSubscription>, StoreError>;
    fn remove_push_subscription(&self, member: Uuid, id: Uuid) -> Result<bool, StoreError>;
    fn note_pushes(&self, tries: &[(Uuid, Timestamp, Option<String>)]) -> Result<(), StoreError>;
});
delegate!(TicketStore {
    fn tickets(&self, issue: IssueId) -> Result<Vec<Ticket>, StoreError>;
    fn add_ticket(&self, issue: IssueId, ticket: &Ticket, lease: Duration) -> Result<TicketAdded, StoreError>;
    fn finish_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError>;
    fn delete_ticket(&self, issue: IssueId, id: Uuid) -> Result<bool, StoreError>;
});
delegate!(IntegrationStore {
    fn integrations(&self) -> Result<Vec<Integration>, StoreError>;
    fn put_integration(&self, name: &str, config: Option<&str>) -> Result<bool, StoreError>;
    fn note_test(&self, name: &str, at: Timestamp, error: Option<&str>) -> Result<(), StoreError>;
});
delegate!(OutboxStore {
    fn put_outbox(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError>;
    fn due_channels(&self, now: Timestamp) -> Result<Vec<String>, StoreError>;
    fn lease_outbox(&self, node: Uuid, channel: &str, now: Timestamp, limit: u32, lease: Duration) -> Result<Vec<OutboxItem>, StoreError>;
    fn outbox(&self, query: &OutboxQuery) -> Result<Vec<OutboxItem>, StoreError>;
    fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError>;
    fn retry_outbox(&self, key: Uuid, now: Timestamp) -> Result<bool, StoreError>;
    fn drop_outbox(&self, before: Timestamp) -> Result<u64, StoreError>;
}
    async fn settle_outbox(&self, node: Uuid, key: Uuid, came: &Settlement, now: Timestamp) -> Result<bool, StoreError> {
        let came = match came {
            Settlement::Again { at, error } => {
                let pause = (at.as_micros() - now.as_micros()) / i64::from(self.haste.load(Relaxed));
                Settlement::Again { at: Timestamp::from_micros(now.as_micros() + pause), error: error.clone() }
            }
            came => came.clone(),
        };
        self.inner.settle_outbox(node, key, &came, now).await
    }
);
delegate!(AnalyticsStore {
    fn figures_version(&self, scope: &FigureScope) -> Result<FigureVersion, StoreError>;
    fn rollups(&self, scope: &FigureScope, width: RollupWidth, from: Timestamp, until: Timestamp) -> Result<Vec<Rollup>, StoreError>;
    fn environments(&self, scope: &FigureScope, since: Timestamp) -> Result<Vec<EnvironmentCount>, StoreError>;
    fn top_issues(&self, scope: &FigureScope, since: Timestamp, limit: u32) -> Result<Vec<(Issue, i64)>, StoreError>;
});
delegate!(AlertStore {
    fn alert_rules(&self) -> Result<Vec<AlertRule>, StoreError>;
    fn put_alert_rule(&self, rule: &AlertRule) -> Result<bool, StoreError>;
    fn delete_alert_rule(&self, id: Uuid) -> Result<bool, StoreError>;
    fn firings(&self, query: &FiringQuery) -> Result<Vec<Firing>, StoreError>;
    fn last_firings(&self, issues: &[IssueId], since: Timestamp) -> Result<Vec<(Uuid, IssueId, Timestamp)>, StoreError>;
    fn signals(&self, limit: u32) -> Result<Vec<Signal>, StoreError>;
    fn alert_state(&self) -> Result<AlertState, StoreError>;
    fn fire(&self, evaluation: &Evaluation) -> Result<bool, StoreError>;
    fn past_signals(&self, trigger: Trigger, projects: Option<&[ProjectId]>, since: Timestamp, limit: u32) -> Result<(Timestamp, Vec<Signal>), StoreError>;    fn tallies(&self, query: &TallyQuery) -> Result<Vec<Tally>, StoreError>;
});
delegate!(SeriesStore {
    fn put_points(&self, points: &[SeriesPoint]) -> Result<(), StoreError>;
    fn points(&self, query: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError>;
    fn drop_points(&self, series: Series, width: i64, before: i64) -> Result<u64, StoreError>;
});
delegate!(IncidentStore {
    fn open_incident(&self, new: &NewIncident) -> Result<Option<OpenedIncident>, StoreError>;
    fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError>;
    fn incident(&self, id: Uuid) -> Result<Option<Incident>, StoreError>;
    fn change_incident(&self, id: Uuid, change: &IncidentChange, by: &str, at: Timestamp) -> Result<IncidentChanged, StoreError>;
    fn recover_incident(&self, rule: Uuid, recovery: &Recovery, at: Timestamp) -> Result<Option<Uuid>, StoreError>;
    fn delete_incident(&self, id: Uuid) -> Result<bool, StoreError>;
    fn incident_timeline(&self, id: Uuid, after: Option<i64>, limit: u32) -> Result<Vec<IncidentEntry>, StoreError>;
    fn link_issues(&self, id: Uuid, issues: &[IssueId], by: &str, at: Timestamp) -> Result<Option<u64>, StoreError>;
    fn unlink_issue(&self, id: Uuid, issue: IssueId, by: &str, at: Timestamp) -> Result<bool, StoreError>;
    fn incident_issues(&self, id: Uuid) -> Result<Vec<Issue>, StoreError>;
});
delegate!(AccountStore {
    fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError>;
    fn member(&self, id: Uuid) -> Result<Option<Member>, StoreError>;
    fn members(&self) -> Result<Vec<Member>, StoreError>;
    fn member_count(&self) -> Result<i64, StoreError>;
    fn put_member(&self, member: &Member) -> Result<Member, StoreError>;
    fn add_member(&self, member: &Member) -> Result<bool, StoreError>;
    fn change_member(&self, id: Uuid, change: &MemberChange) -> Result<MemberChanged, StoreError>;
    fn delete_member(&self, id: Uuid) -> Result<MemberChanged, StoreError>;
    fn note_activity(&self, members: &[(Uuid, Timestamp)]) -> Result<(), StoreError>;
    fn put_token(&self, token: &Token) -> Result<(), StoreError>;
    fn token_member(&self, kind: TokenKind, token: TokenHash) -> Result<Option<Member>, StoreError>;
    fn take_token(&self, kind: TokenKind, token: TokenHash) -> Result<bool, StoreError>;
    fn tokens(&self, kind: TokenKind, member: Uuid) -> Result<Vec<Token>, StoreError>;
    fn end_tokens(&self, kind: TokenKind, member: Uuid, except: Option<TokenHash>) -> Result<u64, StoreError>;
    fn second_factor(&self, member: Uuid) -> Result<Option<String>, StoreError>;
    fn swap_second_factor(&self, member: Uuid, before: Option<&str>, after: Option<&str>) -> Result<bool, StoreError>;
});
delegate!(KeyStore {
    fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;
    fn delete_api_key(&self, id: Uuid) -> Result<bool, StoreError>;
    fn note_use(&self, keys: &[(Uuid, Timestamp)]) -> Result<(), StoreError>;
});
delegate!(AuditStore {
    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;
    fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;
});
delegate!(Upkeep {
    fn ping(&self) -> Result<Duration, StoreError>;
    fn trim_events(&self, keep: u32) -> Result<u64, StoreError>;
    fn retain(&self, rules: &Retention) -> Result<RetentionReport, StoreError>;
    fn preview_retention(&self, rules: &Retention) -> Result<RetentionReport, StoreError>;
    fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError>;
    fn storage(&self) -> Result<Storage, StoreError>;
    fn set_aside_events(&self, limit: u32) -> Result<Vec<SetAside>, StoreError>;
    fn close(&self) -> ();
});
