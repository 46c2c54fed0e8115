//! A store in memory that keeps what is recorded, and answers little else.

use crate::{
    ApiKey, AuditEntry, Balance, Condition, EventId, Fingerprint, Issue, IssueId, IssueRef, Member, MemberChange,
    MemberChanged, Occurrence, Project, ProjectId, Status, StoreError, Timestamp, Token, TokenHash, TokenKind,
    alert::{AlertRule, Firing, Signal},
    incident::{Incident, IncidentChange, IncidentEntry, NewIncident},
    notify::{OutboxEntry, Trigger},
    store::{
        AccountStore, AlertState, AlertStore, AnalyticsStore, AuditStore, BalanceStore, Batch, Changes, Comment,
        Cursor, EnvironmentCount, Evaluation, EventPage, EventPosition, EventStore, Feed, FigureScope, FigureVersion,
        FiringQuery, GroupStore, IncidentChanged, IncidentQuery, IncidentStore, Integration, IntegrationStore,
        IssuePage, IssueQuery, IssueStore, KeyStore, LeaseStore, LocalFeed, NewProject, OpenedIncident, OutboxCount,
        OutboxItem, OutboxQuery, OutboxStore, Outcome, ProjectChange, ProjectStore, PushStore, PushSubscription,
        Recorded, Recorder, Recovery, Refusal, Regrouped, Retention, RetentionReport, Rollup, RollupWidth, Series,
        SeriesPoint, SeriesQuery, SeriesStore, SetAside, SettingStore, Settlement, StatusCounts, Storage, StoredEvent,
        TagTally, Tally, TallyQuery, Ticket, TicketAdded, TicketStore, TriageStore, Upkeep,
    },
};
use async_trait::async_trait;
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct Memory {
    data: Mutex<Data>,
    feed: LocalFeed,
}

#[derive(Debug, Default)]
struct Data {
    occurrences: Vec<Occurrence>,
    ids: HashSet<EventId>,
    issues: Vec<(Issue, HashSet<i64>)>,
}

impl Memory {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was recorded.
    pub(super) fn all(&self) -> (Vec<Occurrence>, Vec<Issue>) {
        let data = self.data();
        (data.occurrences.clone(), data.issues.iter().map(|(issue, _)| issue.clone()).collect())
    }
}

impl Data {
    fn record(&mut self, occurrence: &Occurrence) -> Recorded {
        let is_new = self.ids.insert(occurrence.event_id());
        let found = self.issues.iter_mut().find(|(issue, _)| issue.fingerprint == occurrence.fingerprint());
        if let Some((issue, _)) = &found
            && !is_new
        {
            return Recorded { issue: issue.id, outcome: Outcome::Duplicate };
        }
        let times = i64::try_from(occurrence.times()).unwrap_or(i64::MAX);
        let recorded = if let Some((issue, users)) = found {
            users.extend(occurrence.user_hash());
            issue.count += times;
            issue.stored_count += 1;
            issue.user_count = i64::try_from(users.len()).unwrap_or(i64::MAX);
            issue.level = occurrence.level();
            issue.last_seen = issue.last_seen.max(occurrence.timestamp());
            issue.last_event = occurrence.event_id();
            issue.last_release = occurrence.release().map(str::to_owned).or(issue.last_release.take());
            Recorded { issue: issue.id, outcome: Outcome::Seen }
        } else {
            let number = i64::try_from(self.issues.len() + 1).unwrap_or(i64::MAX);
            self.issues.push((issue_of(occurrence, number, times), occurrence.user_hash().into_iter().collect()));
            Recorded { issue: IssueId(number), outcome: Outcome::New }
        };
        self.occurrences.push(occurrence.clone());
        recorded
    }
}

fn issue_of(occurrence: &Occurrence, number: i64, times: i64) -> Issue {
    let (ty, value) = occurrence.title();
    let text = |text: Option<&str>| text.map(str::to_owned);
    Issue {
        id: IssueId(number),
        uuid: Uuid::new_v4(),
        project: occurrence.project(),
        project_slug: "test".into(),
        number,
        fingerprint: occurrence.fingerprint(),
        ty: ty.to_owned(),
        value: value.to_owned(),
        culprit: occurrence.culprit().to_owned(),
        level: occurrence.level(),
        status: Status::Unresolved,
        condition: None,
        regressed: false,
        source: text(occurrence.source()),
        platform: text(occurrence.platform()),
        environment: text(occurrence.environment()),
        first_release: text(occurrence.release()),
        last_release: text(occurrence.release()),
        first_seen: occurrence.timestamp(),
        last_seen: occurrence.timestamp(),
        count: times,
        stored_count: 1,
        user_count: i64::from(occurrence.user_hash().is_some()),
        last_event: occurrence.event_id(),
        created_at: occurrence.received_at(),
        updated_at: occurrence.received_at(),
        resolved_at: None,
        assigned_to: None,
    }
}

#[async_trait]
impl Recorder for Memory {
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError> {
        let mut data = self.data();
        Ok(batch.iter().map(|(occurrence, _)| data.record(occurrence)).collect())
    }

    async fn set_aside(&self, _: &Occurrence, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Feed for Memory {
    fn changes(&self) -> Changes {
        self.feed.listen()
    }
}

/// What nobody asks of a test.
macro_rules! nothing {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ty)*) -> $out:ty = $answer:expr;)* } $($close:ident)?) => {
        #[async_trait]
        impl $trait for Memory {
            $(async fn $name(&self $(, _: $arg)*) -> Result<$out, StoreError> { $answer })*
            $(async fn $close(&self) {})?
        }
    };
}

nothing!(ProjectStore {
    fn ensure_project(&self, &str) -> Project = Err(StoreError::other("there is one project"));
    fn projects(&self) -> Vec<Project> = Ok(Vec::new());
    fn create_project(&self, &NewProject) -> ProjectChange = Ok(ProjectChange::Gone);
    fn update_project(&self, &Project) -> ProjectChange = Ok(ProjectChange::Gone);
    fn remove_public_key(&self, ProjectId, &str) -> bool = Ok(false);
    fn add_public_key(&self, ProjectId, &str) -> bool = Ok(false);
    fn delete_project(&self, ProjectId) -> bool = Ok(false);
});
nothing!(SettingStore {
    fn settings(&self, &str) -> Vec<(ProjectId, String)> = Ok(Vec::new());
    fn put_setting(&self, ProjectId, &str, Option<&str>) -> bool = Ok(false);
});
nothing!(BalanceStore {
    fn add_balances(&self, &[(ProjectId, Balance)]) -> () = Ok(());
    fn balances(&self) -> Vec<(ProjectId, Balance)> = Ok(Vec::new());
});
nothing!(LeaseStore {
    fn lease(&self, &str, Uuid, Duration) -> bool = Ok(false);
    fn release(&self, &str, Uuid) -> () = Ok(());
});
nothing!(PushStore {
    fn push_key(&self) -> Option<String> = Ok(None);
    fn ensure_push_key(&self, &str) -> String = Err(StoreError::other("nobody is notified"));
    fn push_subscriptions(&self, Uuid) -> Vec<PushSubscription> = Ok(Vec::new());
    fn push_members(&self) -> Vec<Uuid> = Ok(Vec::new());
    fn put_push_subscription(&self, &PushSubscription, u32) -> Option<PushSubscription> = Ok(None);
    fn remove_push_subscription(&self, Uuid, Uuid) -> bool = Ok(false);
    fn note_pushes(&self, &[(Uuid, Timestamp, Option<String>)]) -> () = Ok(());
});
nothing!(TicketStore {
    fn tickets(&self, IssueId) -> Vec<Ticket> = Ok(Vec::new());
    fn add_ticket(&self, IssueId, &Ticket, Duration) -> TicketAdded = Ok(TicketAdded::Gone);
    fn finish_ticket(&self, &Ticket) -> bool = Ok(false);
    fn delete_ticket(&self, IssueId, Uuid) -> bool = Ok(false);
});
nothing!(IntegrationStore {
    fn integrations(&self) -> Vec<Integration> = Ok(Vec::new());
    fn put_integration(&self, &str, Option<&str>) -> bool = Ok(false);
    fn note_test(&self, &str, Timestamp, Option<&str>) -> () = Ok(());
});
nothing!(OutboxStore {
    fn put_outbox(&self, &[OutboxEntry]) -> u64 = Ok(0);
    fn due_channels(&self, Timestamp) -> Vec<String> = Ok(Vec::new());
    fn lease_outbox(&self, Uuid, &str, Timestamp, u32, Duration) -> Vec<OutboxItem> = Ok(Vec::new());
    fn settle_outbox(&self, Uuid, Uuid, &Settlement, Timestamp) -> bool = Ok(false);
    fn outbox(&self, &OutboxQuery) -> Vec<OutboxItem> = Ok(Vec::new());
    fn outbox_counts(&self) -> Vec<OutboxCount> = Ok(Vec::new());
    fn retry_outbox(&self, Uuid, Timestamp) -> bool = Ok(false);
    fn drop_outbox(&self, Timestamp) -> u64 = Ok(0);
});
nothing!(GroupStore {
    fn groups(&self, IssueId) -> Vec<Issue> = Ok(Vec::new());
    fn merge(&self, ProjectId, IssueId, &[IssueId]) -> Regrouped = Ok(Regrouped::Refused(Refusal::Gone));
    fn unmerge(&self, IssueId, &[Fingerprint]) -> Regrouped = Ok(Regrouped::Refused(Refusal::Gone));
});
nothing!(TriageStore {
    fn set_condition(&self, &[IssueId], &Condition) -> u64 = Ok(0);
    fn unignore(&self, Timestamp) -> u64 = Ok(0);
    fn latest_release(&self, ProjectId) -> Option<String> = Ok(None);
    fn comments(&self, IssueId) -> Vec<Comment> = Ok(Vec::new());
    fn add_comment(&self, IssueId, &str, &str) -> Option<Comment> = Ok(None);
});
nothing!(IssueStore {
    fn issues(&self, &IssueQuery) -> IssuePage = Ok(IssuePage::default());
    fn status_counts(&self, &IssueQuery) -> StatusCounts = Ok(StatusCounts::default());
    fn issue(&self, &IssueRef) -> Option<Issue> = Ok(None);
    fn set_status(&self, &[IssueId], Status) -> u64 = Ok(0);
    fn assign(&self, IssueId, Option<&str>) -> bool = Ok(false);
    fn delete_issues(&self, &[IssueId]) -> u64 = Ok(0);
    fn histograms(&self, &[IssueId], Timestamp, u32, u32) -> Vec<Vec<i64>> = Ok(Vec::new());
    fn tag_tallies(&self, IssueId, u32) -> Vec<TagTally> = Ok(Vec::new());
    fn tag_values(&self, &[ProjectId], &str, u32) -> Vec<String> = Ok(Vec::new());
});
nothing!(EventStore {
    fn event(&self, Option<&[ProjectId]>, Uuid) -> Option<StoredEvent> = Ok(None);
    fn events(&self, IssueId, Option<&Cursor>, u32) -> EventPage = Ok(EventPage::default());
    fn position(&self, &StoredEvent) -> EventPosition = Ok(EventPosition::default());
    fn pin(&self, &StoredEvent, bool) -> bool = Ok(false);
    fn user_events(&self, Option<&[ProjectId]>, &str, Option<&Cursor>, u32) -> EventPage = Ok(EventPage::default());
    fn erase_user(&self, Option<&[ProjectId]>, &str) -> u64 = Ok(0);
});
nothing!(AnalyticsStore {
    fn figures_version(&self, &FigureScope) -> FigureVersion = Ok(FigureVersion::default());
    fn rollups(&self, &FigureScope, RollupWidth, Timestamp, Timestamp) -> Vec<Rollup> = Ok(Vec::new());
    fn environments(&self, &FigureScope, Timestamp) -> Vec<EnvironmentCount> = Ok(Vec::new());
    fn top_issues(&self, &FigureScope, Timestamp, u32) -> Vec<(Issue, i64)> = Ok(Vec::new());
});
nothing!(SeriesStore {
    fn put_points(&self, &[SeriesPoint]) -> () = Ok(());
    fn points(&self, &SeriesQuery) -> Vec<SeriesPoint> = Ok(Vec::new());
    fn drop_points(&self, Series, i64, i64) -> u64 = Ok(0);
});
nothing!(AlertStore {
    fn alert_rules(&self) -> Vec<AlertRule> = Ok(Vec::new());
    fn put_alert_rule(&self, &AlertRule) -> bool = Ok(false);
    fn delete_alert_rule(&self, Uuid) -> bool = Ok(false);
    fn firings(&self, &FiringQuery) -> Vec<Firing> = Ok(Vec::new());
    fn last_firings(&self, &[IssueId], Timestamp) -> Vec<(Uuid, IssueId, Timestamp)> = Ok(Vec::new());
    fn signals(&self, u32) -> Vec<Signal> = Ok(Vec::new());
    fn past_signals(&self, Trigger, Option<&[ProjectId]>, Timestamp, u32) -> (Timestamp, Vec<Signal>) = Ok((Timestamp::default(), Vec::new()));
    fn alert_state(&self) -> AlertState = Ok(AlertState::default());
    fn fire(&self, &Evaluation) -> bool = Ok(false);
    fn tallies(&self, &TallyQuery) -> Vec<Tally> = Ok(Vec::new());
});
nothing!(IncidentStore {
    fn open_incident(&self, &NewIncident) -> Option<OpenedIncident> = Ok(None);
    fn incidents(&self, &IncidentQuery) -> Vec<Incident> = Ok(Vec::new());
    fn incident(&self, Uuid) -> Option<Incident> = Ok(None);
    fn change_incident(&self, Uuid, &IncidentChange, &str, Timestamp) -> IncidentChanged = Ok(IncidentChanged::Gone);
    fn recover_incident(&self, Uuid, &Recovery, Timestamp) -> Option<Uuid> = Ok(None);
    fn delete_incident(&self, Uuid) -> bool = Ok(false);
    fn incident_timeline(&self, Uuid, Option<i64>, u32) -> Vec<IncidentEntry> = Ok(Vec::new());
    fn link_issues(&self, Uuid, &[IssueId], &str, Timestamp) -> Option<u64> = Ok(None);
    fn unlink_issue(&self, Uuid, IssueId, &str, Timestamp) -> bool = Ok(false);
    fn incident_issues(&self, Uuid) -> Vec<Issue> = Ok(Vec::new());
});
nothing!(AccountStore {
    fn member_by_email(&self, &str) -> Option<Member> = Ok(None);
    fn member(&self, Uuid) -> Option<Member> = Ok(None);
    fn members(&self) -> Vec<Member> = Ok(Vec::new());
    fn member_count(&self) -> i64 = Ok(0);
    fn put_member(&self, &Member) -> Member = Err(StoreError::other("there are no members"));
    fn add_member(&self, &Member) -> bool = Ok(false);
    fn change_member(&self, Uuid, &MemberChange) -> MemberChanged = Ok(MemberChanged::Gone);
    fn delete_member(&self, Uuid) -> MemberChanged = Ok(MemberChanged::Gone);
    fn note_activity(&self, &[(Uuid, Timestamp)]) -> () = Ok(());
    fn put_token(&self, &Token) -> () = Ok(());
    fn token_member(&self, TokenKind, TokenHash) -> Option<Member> = Ok(None);
    fn take_token(&self, TokenKind, TokenHash) -> bool = Ok(false);
    fn tokens(&self, TokenKind, Uuid) -> Vec<Token> = Ok(Vec::new());
    fn end_tokens(&self, TokenKind, Uuid, Option<TokenHash>) -> u64 = Ok(0);
    fn second_factor(&self, Uuid) -> Option<String> = Ok(None);
    fn swap_second_factor(&self, Uuid, Option<&str>, Option<&str>) -> bool = Ok(false);
});
nothing!(KeyStore {
    fn api_keys(&self) -> Vec<ApiKey> = Ok(Vec::new());
    fn add_api_key(&self, &ApiKey) -> () = Ok(());
    fn delete_api_key(&self, Uuid) -> bool = Ok(false);
    fn note_use(&self, &[(Uuid, Timestamp)]) -> () = Ok(());
});
nothing!(AuditStore {
    fn audit(&self, &AuditEntry) -> () = Ok(());
    fn audit_log(&self, Option<i64>, u32) -> Vec<AuditEntry> = Ok(Vec::new());
});
nothing!(Upkeep {
    fn ping(&self) -> Duration = Ok(Duration::ZERO);
    fn trim_events(&self, u32) -> u64 = Ok(0);
    fn retain(&self, &Retention) -> RetentionReport = Err(StoreError::other("nothing is retained"));
    fn preview_retention(&self, &Retention) -> RetentionReport = Err(StoreError::other("nothing is retained"));
    fn last_retention(&self) -> Option<RetentionReport> = Ok(None);
    fn storage(&self) -> Storage = Ok(Storage::default());
    fn set_aside_events(&self, u32) -> Vec<SetAside> = Ok(Vec::new());
} close);
