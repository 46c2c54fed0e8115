//! A store that fails on demand, around one that works.

use async_trait::async_trait;
use errtrack::{
    Level, SqliteStore, StoreError, Timestamp,
    store::{
        AccountStore, Batch, Cursor, EventPage, EventPosition, EventStore, IssuePage, IssueQuery, IssueStore,
        ProjectStore, Recorded, Recorder, StatusCounts, StoredEvent, TagTally, Upkeep,
    },
};
use errtrack_core::{Issue, IssueId, IssueRef, Member, Project, ProjectId, Status, TokenHash, TokenKind};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use uuid::Uuid;

/// A store whose writing can be made to fail. Clones share the switches.
#[derive(Debug, Clone)]
pub struct FaultyStore {
    inner: SqliteStore,
    away: Arc<AtomicBool>,
}

impl FaultyStore {
    /// Wraps a store that works.
    #[must_use]
    pub fn new(inner: SqliteStore) -> Self {
        Self { inner, away: Arc::default() }
    }

    /// Takes the database away, or gives it back.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Relaxed);
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
        self.inner.record(batch).await
    }
}

macro_rules! delegate {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ident: $ty:ty)*) -> $out:ty;)* }) => {
        #[async_trait]
        impl $trait for FaultyStore {
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
delegate!(EventStore {
    fn event(&self, projects: Option<&[ProjectId]>, id: Uuid) -> Result<Option<StoredEvent>, StoreError>;
    fn events(&self, issue: IssueId, cursor: Option<&Cursor>, limit: u32) -> Result<EventPage, StoreError>;
    fn position(&self, event: &StoredEvent) -> Result<EventPosition, StoreError>;
});
delegate!(ProjectStore {
    fn projects(&self) -> Result<Vec<Project>, StoreError>;
    fn ensure_project(&self, slug: &str) -> Result<Project, StoreError>;
    fn add_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError>;
});
delegate!(AccountStore {
    fn member_by_email(&self, email: &str) -> Result<Option<Member>, StoreError>;
    fn member_count(&self) -> Result<i64, StoreError>;
    fn put_member(&self, member: &Member) -> Result<Member, StoreError>;
    fn put_token(&self, kind: TokenKind, token: TokenHash, member: Uuid, expires: Timestamp) -> Result<(), StoreError>;
    fn token_member(&self, kind: TokenKind, token: TokenHash) -> Result<Option<Member>, StoreError>;
    fn take_token(&self, kind: TokenKind, token: TokenHash) -> Result<bool, StoreError>;
});
delegate!(Upkeep {
    fn ping(&self) -> Result<Duration, StoreError>;
    fn prune(&self, before: Timestamp) -> Result<u64, StoreError>;
    fn trim_events(&self, keep: u32) -> Result<u64, StoreError>;
    fn close(&self) -> ();
});
