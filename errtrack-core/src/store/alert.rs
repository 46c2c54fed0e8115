//! Alert rules, what happened that they may want to hear of, and what they had to say.

use super::{Recovery, StoreError};
use crate::{
    IssueId, Level, ProjectId, Timestamp,
    alert::{AlertRule, Firing, Signal},
    incident::NewIncident,
    notify::{OutboxEntry, Trigger},
};
use async_trait::async_trait;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Keeps alert rules and what they need.
///
/// A batch that makes or reopens an issue, brings it to 10, 100, 1,000, … events or is the first of a known issue in a
/// release writes a [`Signal`] for it, in its own transaction. Rules are asked later, by one process at a time.
#[async_trait]
pub trait AlertStore: Send + Sync + 'static {
    /// Every rule, the oldest first.
    async fn alert_rules(&self) -> Result<Vec<AlertRule>, StoreError>;

    /// Adds a rule, or replaces the one with its id; `false` if it names a project that is gone.
    async fn put_alert_rule(&self, rule: &AlertRule) -> Result<bool, StoreError>;

    /// Deletes a rule and what it had to say; `false` if there is none.
    async fn delete_alert_rule(&self, id: Uuid) -> Result<bool, StoreError>;

    /// What rules had to say, the newest first.
    async fn firings(&self, query: &FiringQuery) -> Result<Vec<Firing>, StoreError>;

    /// When rules last fired for issues since that time: rule, issue, time.
    async fn last_firings(
        &self,
        issues: &[IssueId],
        since: Timestamp,
    ) -> Result<Vec<(Uuid, IssueId, Timestamp)>, StoreError>;

    /// What happened and was not looked at yet, the oldest first. Cheap where there is nothing.
    async fn signals(&self, limit: u32) -> Result<Vec<Signal>, StoreError>;

    /// What happened since that time in these projects (in all, if `None`) and was looked at, the newest first; and since when
    /// such is kept, so that what is older may be missing. For [`KEPT_DAYS`](TallyWidth::KEPT_DAYS) days; nothing of issues
    /// that were deleted.
    async fn past_signals(
        &self,
        trigger: Trigger,
        projects: Option<&[ProjectId]>,
        since: Timestamp,
        limit: u32,
    ) -> Result<(Timestamp, Vec<Signal>), StoreError>;

    /// What the last evaluation has left.
    async fn alert_state(&self) -> Result<AlertState, StoreError>;

    /// Writes what an evaluation came to, all of it or nothing: firings, entries of the outbox, the state for the next one,
    /// takes away the signals that it has looked at, and assigns issues that are nobody's. `false`, and nothing is written, if another evaluation has written
    /// since the state was read.
    async fn fire(&self, evaluation: &Evaluation) -> Result<bool, StoreError>;

    /// What was counted in each bucket that begins from `from` to `until` (both included), the oldest first; those in which
    /// nothing happened may be missing.
    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<Tally>, StoreError>;
}

/// Which firings to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringQuery {
    /// Of this rule; of all unless set.
    pub rule: Option<Uuid>,
    /// Those that come after this one in the order of the answer.
    pub after: Option<(Timestamp, Uuid)>,
    /// How many at most.
    pub limit: u32,
}

/// What one evaluation leaves for the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertState {
    /// Grows with every evaluation that writes.
    pub version: i64,
    /// Documents by name.
    pub entries: BTreeMap<String, String>,
}

/// What an evaluation came to.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Of when it is.
    pub at: Timestamp,
    /// The version of the state that it began with.
    pub version: i64,
    /// What changes in the state; `None` takes an entry away.
    pub state: Vec<(String, Option<String>)>,
    /// What rules had to say.
    pub firings: Vec<Firing>,
    /// Whom that is told.
    pub outbox: Vec<OutboxEntry>,
    /// Incidents that rules open, or note on if they have an open one; those of projects that are gone are left out.
    pub incidents: Vec<NewIncident>,
    /// Rules whose incident is over, and how that is noted.
    pub recoveries: Vec<(Uuid, Recovery)>,
    /// The signals that were looked at, by their ids.
    pub signals: Vec<i64>,
    /// Issues that get an assignee, unless they have one by then.
    pub assignments: Vec<(IssueId, String)>,
}

impl Evaluation {
    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.state.is_empty() && self.firings.is_empty() && self.outbox.is_empty() && self.signals.is_empty()
    }
}

/// What to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyQuery {
    /// In these projects; `None` means all.
    pub projects: Option<Vec<ProjectId>>,
    /// In this environment; `None` means all.
    pub environment: Option<String>,
    /// Of this level; `None` means all.
    pub level: Option<Level>,
    /// In buckets of this width.
    pub width: TallyWidth,
    /// That begin in this minute since 1970 or later,
    pub from: i64,
    /// and in this one at the latest.
    pub until: i64,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TallyWidth {
    /// A minute; kept for [`KEPT_DAYS`](Self::KEPT_DAYS) days.
    Minute,
    /// An hour.
    Hour,
}

impl TallyWidth {
    /// For how many days what was counted by the minute is kept.
    pub const KEPT_DAYS: i64 = 8;
}

/// What was counted in a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its first minute since 1970.
    pub minute: i64,
    /// Events.
    pub events: i64,
    /// Issues that were made.
    pub new_issues: i64,
    /// Resolved issues that came back.
    pub regressions: i64,
}

impl Tally {
    /// Adds what was counted in another bucket.
    pub const fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.new_issues += other.new_issues;
        self.regressions += other.regressions;
    }
}
