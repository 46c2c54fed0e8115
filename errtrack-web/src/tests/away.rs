//! A store that can be taken away altogether, around one that works.

use async_trait::async_trait;
use errtrack_core::{
    ApiKey, AuditEntry, Balance, Condition, Fingerprint, Issue, IssueId, IssueRef, Level, Member, MemberChange,
    MemberChanged, Occurrence, Project, ProjectId, Status, StoreError, Timestamp, Token, TokenHash, TokenKind,
    alert::{AlertRule, Firing, Signal},
    incident::{Incident, IncidentChange, IncidentEntry, NewIncident},
    notify::{OutboxEntry, Trigger},
    store::{
        AccountStore, AlertState, AlertStore, AnalyticsStore, AuditStore, BalanceStore, Batch, Changes, Comment,
        Connections, Cursor, EnvironmentCount, Evaluation, EventPage, EventPosition, EventStore, Feed, FigureScope,
        FigureVersion, FiringQuery, GroupStore, IncidentChanged, IncidentQuery, IncidentStore, Integration,
        IntegrationStore, IssuePage, IssueQuery, IssueStore, KeyStore, LeaseStore, NewProject, OpenedIncident,
        OutboxCount, OutboxItem, OutboxQuery, OutboxStore, ProjectChange, ProjectStore, PushStore, PushSubscription,
        Recorded, Recorder, Recovery, Regrouped, Retention, RetentionReport, Rollup, RollupWidth, Series, SeriesPoint,
        SeriesQuery, SeriesStore, SetAside, SettingStore, Settlement, StatusCounts, Storage, StoredEvent, TagTally,
        Tally, TallyQuery, Ticket, TicketAdded, TicketStore, TriageStore, Upkeep,
    },
};
use errtrack_store::SqliteStore;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

/// Clones share the switch.
#[derive(Clone)]
pub(crate) struct AwayStore {
    inner: SqliteStore,
    is_away: Arc<AtomicBool>,
    recording: Arc<Mutex<()>>,
}

impl AwayStore {
    pub(crate) fn new(inner: SqliteStore) -> Self {
        Self { inner, is_away: Arc::default(), recording: Arc::default() }
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.is_away.store(away, SeqCst);
    }

    /// Until the answer is dropped, no batch gets through.
    pub(crate) async fn hold_batches(&self) -> OwnedMutexGuard<()> {
        self.recording.clone().lock_owned().await
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_away.load(SeqCst) { Err(StoreError::unavailable("taken away by the test")) } else { Ok(()) }
    }
}

impl Feed for AwayStore {
    fn changes(&self) -> Changes {
        self.inner.changes()
    }
}

#[async_trait]
impl Recorder for AwayStore {
    /// Refuses every batch with an event of level `debug`: the poisoned row.
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError> {
        self.check()?;
        let _turn = self.recording.lock().await;
        if batch.occurrences.iter().any(|o| o.level() == Level::Debug) {
            return Err(StoreError::other("poisoned by the test"));
        }
        self.inner.record(batch).await
    }

    async fn set_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError> {
        self.check()?;
        self.inner.set_aside(occurrence, reason).await
    }
}

macro_rules! delegate {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ident: $ty:ty)*) -> $out:ty;)* }) => {
        #[async_trait]
        impl $trait for AwayStore {
            $(async fn $name(&self $(, $arg: $ty)*) -> Result<$out, StoreError> {
                self.check()?;
                $trait::$name(&self.inner $(, $arg)*).await
            })*
        }
    };
}

delegate!(IssueStore {
    fn issues(&self, query: &IssueQuery) -> IssuePage;
    fn status_counts(&self, query: &IssueQuery) -> StatusCounts;
    fn issue(&self, name: &IssueRef) -> Option<Issue>;
    fn set_status(&self, issues: &[IssueId], status: Status) -> u64;
    fn assign(&self, issue: IssueId, to: Option<&str>) -> bool;
    fn delete_issues(&self, issues: &[IssueId]) -> u64;
    fn histograms(&self, issues: &[IssueId], until: Timestamp, width: u32, buckets: u32) -> Vec<Vec<i64>>;
    fn tag_tallies(&self, issue: IssueId, values: u32) -> Vec<TagTally>;
    fn tag_values(&self, projects: &[ProjectId], key: &str, limit: u32) -> Vec<String>;
});
delegate!(TriageStore {
    fn set_condition(&self, issues: &[IssueId], condition: &Condition) -> u64;
    fn unignore(&self, now: Timestamp) -> u64;
    fn latest_release(&self, project: ProjectId) -> Option<String>;
    fn comments(&self, issue: IssueId) -> Vec<Comment>;
    fn add_comment(&self, issue: IssueId, author: &str, text: &str) -> Option<Comment>;
});
delegate!(GroupStore {
    fn groups(&self, issue: IssueId) -> Vec<Issue>;
    fn merge(&self, project: ProjectId, into: IssueId, others: &[IssueId]) -> Regrouped;
    fn unmerge(&self, issue: IssueId, fingerprints: &[Fingerprint]) -> Regrouped;
});
delegate!(EventStore {
    fn event(&self, projects: Option<&[ProjectId]>, id: Uuid) -> Option<StoredEvent>;
    fn events(&self, issue: IssueId, cursor: Option<&Cursor>, limit: u32) -> EventPage;
    fn position(&self, event: &StoredEvent) -> EventPosition;
    fn pin(&self, event: &StoredEvent, pinned: bool) -> bool;
    fn user_events(&self, projects: Option<&[ProjectId]>, user: &str, cursor: Option<&Cursor>, limit: u32) -> EventPage;
    fn erase_user(&self, projects: Option<&[ProjectId]>, user: &str) -> u64;
});
delegate!(ProjectStore {
    fn projects(&self) -> Vec<Project>;
    fn ensure_project(&self, slug: &str) -> Project;
    fn create_project(&self, project: &NewProject) -> ProjectChange;
    fn update_project(&self, project: &Project) -> ProjectChange;
    fn remove_public_key(&self, project: ProjectId, key: &str) -> bool;
    fn add_public_key(&self, project: ProjectId, key: &str) -> bool;
    fn delete_project(&self, project: ProjectId) -> bool;
});
delegate!(SettingStore {
    fn settings(&self, name: &str) -> Vec<(ProjectId, String)>;
    fn put_setting(&self, project: ProjectId, name: &str, value: Option<&str>) -> bool;
});
delegate!(BalanceStore {
    fn add_balances(&self, more: &[(ProjectId, Balance)]) -> ();
    fn balances(&self) -> Vec<(ProjectId, Balance)>;
});
delegate!(LeaseStore {
    fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> bool;
    fn release(&self, name: &str, holder: Uuid) -> ();
});
delegate!(PushStore {
    fn push_key(&self) -> Option<String>;
    fn ensure_push_key(&self, key: &str) -> String;
    fn push_subscriptions(&self, member: Uuid) -> Vec<PushSubscription>;
    fn push_members(&self) -> Vec<Uuid>;
    fn put_push_subscription(&self, subscription: &PushSubscription, most: u32) -> Option<PushSubscription>;
    fn remove_push_subscription(&self, member: Uuid, id: Uuid) -> bool;
    fn note_pushes(&self, tries: &[(Uuid, Timestamp, Option<String>)]) -> ();
});
delegate!(TicketStore {
    fn tickets(&self, issue: IssueId) -> Vec<Ticket>;
    fn add_ticket(&self, issue: IssueId, ticket: &Ticket, lease: Duration) -> TicketAdded;
    fn finish_ticket(&self, ticket: &Ticket) -> bool;
    fn delete_ticket(&self, issue: IssueId, id: Uuid) -> bool;
});
delegate!(IntegrationStore {
    fn integrations(&self) -> Vec<Integration>;
    fn put_integration(&self, name: &str, config: Option<&str>) -> bool;
    fn note_test(&self, name: &str, at: Timestamp, error: Option<&str>) -> ();
});
delegate!(OutboxStore {
    fn put_outbox(&self, entries: &[OutboxEntry]) -> u64;
    fn due_channels(&self, now: Timestamp) -> Vec<String>;
    fn lease_outbox(&self, node: Uuid, channel: &str, now: Timestamp, limit: u32, lease: Duration) -> Vec<OutboxItem>;
    fn settle_outbox(&self, node: Uuid, key: Uuid, came: &Settlement, now: Timestamp) -> bool;
    fn outbox(&self, query: &OutboxQuery) -> Vec<OutboxItem>;
    fn outbox_counts(&self) -> Vec<OutboxCount>;
    fn retry_outbox(&self, key: Uuid, now: Timestamp) -> bool;
    fn drop_outbox(&self, before: Timestamp) -> u64;
});
delegate!(AnalyticsStore {
    fn figures_version(&self, scope: &FigureScope) -> FigureVersion;
    fn rollups(&self, scope: &FigureScope, width: RollupWidth, from: Timestamp, until: Timestamp) -> Vec<Rollup>;
    fn environments(&self, scope: &FigureScope, since: Timestamp) -> Vec<EnvironmentCount>;
    fn top_issues(&self, scope: &FigureScope, since: Timestamp, limit: u32) -> Vec<(Issue, i64)>;
});
delegate!(AlertStore {
    fn alert_rules(&self) -> Vec<AlertRule>;
    fn put_alert_rule(&self, rule: &AlertRule) -> bool;
    fn delete_alert_rule(&self, id: Uuid) -> bool;
    fn firings(&self, query: &FiringQuery) -> Vec<Firing>;
    fn last_firings(&self, issues: &[IssueId], since: Timestamp) -> Vec<(Uuid, IssueId, Timestamp)>;
    fn signals(&self, limit: u32) -> Vec<Signal>;
    fn past_signals(&self, trigger: Trigger, projects: Option<&[ProjectId]>, since: Timestamp, limit: u32) -> (Timestamp, Vec<Signal>);
    fn alert_state(&self) -> AlertState;
    fn fire(&self, evaluation: &Evaluation) -> bool;
    fn tallies(&self, query: &TallyQuery) -> Vec<Tally>;
});
delegate!(SeriesStore {
    fn put_points(&self, points: &[SeriesPoint]) -> ();
    fn points(&self, query: &SeriesQuery) -> Vec<SeriesPoint>;
    fn drop_points(&self, series: Series, width: i64, before: i64) -> u64;
});
delegate!(IncidentStore {
    fn open_incident(&self, new: &NewIncident) -> Option<OpenedIncident>;
    fn incidents(&self, query: &IncidentQuery) -> Vec<Incident>;
    fn incident(&self, id: Uuid) -> Option<Incident>;
    fn change_incident(&self, id: Uuid, change: &IncidentChange, by: &str, at: Timestamp) -> IncidentChanged;
    fn recover_incident(&self, rule: Uuid, recovery: &Recovery, at: Timestamp) -> Option<Uuid>;
    fn delete_incident(&self, id: Uuid) -> bool;
    fn incident_timeline(&self, id: Uuid, after: Option<i64>, limit: u32) -> Vec<IncidentEntry>;
    fn link_issues(&self, id: Uuid, issues: &[IssueId], by: &str, at: Timestamp) -> Option<u64>;
    fn unlink_issue(&self, id: Uuid, issue: IssueId, by: &str, at: Timestamp) -> bool;
    fn incident_issues(&self, id: Uuid) -> Vec<Issue>;
});
delegate!(AccountStore {
    fn member_by_email(&self, email: &str) -> Option<Member>;
    fn member(&self, id: Uuid) -> Option<Member>;
    fn members(&self) -> Vec<Member>;
    fn member_count(&self) -> i64;
    fn put_member(&self, member: &Member) -> Member;
    fn add_member(&self, member: &Member) -> bool;
    fn change_member(&self, id: Uuid, change: &MemberChange) -> MemberChanged;
    fn delete_member(&self, id: Uuid) -> MemberChanged;
    fn note_activity(&self, members: &[(Uuid, Timestamp)]) -> ();
    fn put_token(&self, token: &Token) -> ();
    fn token_member(&self, kind: TokenKind, token: TokenHash) -> Option<Member>;
    fn take_token(&self, kind: TokenKind, token: TokenHash) -> bool;
    fn tokens(&self, kind: TokenKind, member: Uuid) -> Vec<Token>;
    fn end_tokens(&self, kind: TokenKind, member: Uuid, except: Option<TokenHash>) -> u64;
    fn second_factor(&self, member: Uuid) -> Option<String>;
    fn swap_second_factor(&self, member: Uuid, before: Option<&str>, after: Option<&str>) -> bool;
});
delegate!(KeyStore {
    fn api_keys(&self) -> Vec<ApiKey>;
    fn add_api_key(&self, key: &ApiKey) -> ();
    fn delete_api_key(&self, id: Uuid) -> bool;
    fn note_use(&self, keys: &[(Uuid, Timestamp)]) -> ();
});
delegate!(AuditStore {
    fn audit(&self, entry: &AuditEntry) -> ();
    fn audit_log(&self, before: Option<i64>, limit: u32) -> Vec<AuditEntry>;
});

#[async_trait]
impl Upkeep for AwayStore {
    async fn ping(&self) -> Result<Duration, StoreError> {
        self.check()?;
        self.inner.ping().await
    }

    async fn trim_events(&self, keep: u32) -> Result<u64, StoreError> {
        self.check()?;
        self.inner.trim_events(keep).await
    }

    async fn retain(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        self.check()?;
        self.inner.retain(rules).await
    }

    async fn preview_retention(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        self.check()?;
        self.inner.preview_retention(rules).await
    }

    async fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError> {
        self.check()?;
        self.inner.last_retention().await
    }

    async fn storage(&self) -> Result<Storage, StoreError> {
        self.check()?;
        self.inner.storage().await
    }

    async fn set_aside_events(&self, limit: u32) -> Result<Vec<SetAside>, StoreError> {
        self.check()?;
        self.inner.set_aside_events(limit).await
    }

    fn connections(&self) -> Option<Connections> {
        self.inner.connections()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
