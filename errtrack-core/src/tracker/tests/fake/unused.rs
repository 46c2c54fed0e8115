//! What no test of the tracker asks of a store.

use super::Fake;
use crate::{
    ApiKey, AuditEntry, Fingerprint, Issue, IssueId, IssueRef, Member, MemberChange, MemberChanged, ProjectId, Status,
    StoreError, Timestamp, Token, TokenHash, TokenKind,
    incident::{Incident, IncidentChange, IncidentEntry, NewIncident},
    store::*,
};
use async_trait::async_trait;
use std::time::Duration;
use uuid::Uuid;

/// What no tracker calls.
macro_rules! unused {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ty)*) -> $out:ty;)* }) => {
        #[async_trait]
        impl $trait for Fake {
            $(async fn $name(&self $(, _: $arg)*) -> Result<$out, StoreError> { unreachable!() })*
        }
    };
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
