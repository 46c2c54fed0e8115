//! Incidents and their timelines.

use super::StoreError;
use crate::{
    Issue, IssueId, ProjectId, Timestamp,
    incident::{Incident, IncidentChange, IncidentEntry, IncidentStatus, NewIncident, Severity},
};
use async_trait::async_trait;
use uuid::Uuid;

/// Keeps incidents. Whatever changes one writes the entry of its timeline in the same transaction, and into the outbox what its
/// channels are told ([`Incident::updates`]).
#[async_trait]
pub trait IncidentStore: Send + Sync + 'static {
    /// Opens an incident; or, if it names a rule that has an open one, notes there that the rule fired again, and links the
    /// issues. Channels are told of one that no rule opens. Of several that ask for one rule at once, one opens it. `None` if it is about a project that is gone.
    ///
    /// # Errors
    /// There is an incident of that id.
    async fn open_incident(&self, new: &NewIncident) -> Result<Option<OpenedIncident>, StoreError>;

    /// Incidents that match, the newest first.
    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError>;

    /// The incident of that id.
    async fn incident(&self, id: Uuid) -> Result<Option<Incident>, StoreError>;

    /// Changes an incident ([`IncidentChange::of`]) and answers it as it is now.
    async fn change_incident(
        &self,
        id: Uuid,
        change: &IncidentChange,
        by: &str,
        at: Timestamp,
    ) -> Result<IncidentChanged, StoreError>;

    /// Says on the open incident of a rule that what the rule watches is as it should be again, and resolves it if that is
    /// wanted; channels are not told of that. Answers the incident, `None` if the rule has none that is open.
    async fn recover_incident(
        &self,
        rule: Uuid,
        recovery: &Recovery,
        at: Timestamp,
    ) -> Result<Option<Uuid>, StoreError>;

    /// Deletes an incident with its timeline; `false` if there is none.
    async fn delete_incident(&self, id: Uuid) -> Result<bool, StoreError>;

    /// The timeline of an incident, the oldest first: entries with a larger id than `after`, where it is given, `limit` at
    /// most.
    async fn incident_timeline(
        &self,
        id: Uuid,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<IncidentEntry>, StoreError>;

    /// Links issues of its project to an incident and answers how many were not linked yet; `None` if there is no such
    /// incident. At most [`MAX_LINKED_ISSUES`](crate::incident::MAX_LINKED_ISSUES) are. A link goes with its issue, and
    /// follows it when issues are merged and taken apart.
    async fn link_issues(
        &self,
        id: Uuid,
        issues: &[IssueId],
        by: &str,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError>;

    /// Takes the link to an issue away; `false` if there is none.
    async fn unlink_issue(&self, id: Uuid, issue: IssueId, by: &str, at: Timestamp) -> Result<bool, StoreError>;

    /// The issues that are linked to an incident, in the order in which they were made.
    async fn incident_issues(&self, id: Uuid) -> Result<Vec<Issue>, StoreError>;
}

/// Which incidents to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Of these projects; `None` means all, and those of none.
    pub projects: Option<Vec<ProjectId>>,
    /// Only those that are open, or that are not.
    pub open: Option<bool>,
    /// Of this status.
    pub status: Option<IncidentStatus>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// To which this issue is linked.
    pub issue: Option<IssueId>,
    /// That were open at this time or later.
    pub since: Option<Timestamp>,
    /// Whose [`row`](Incident::row) is smaller: the next page.
    pub before: Option<i64>,
    /// So many at most.
    pub limit: u32,
}

/// What came of opening an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedIncident {
    /// The incident.
    pub id: Uuid,
    /// `false` if the rule had an open one, on which this was noted.
    pub is_new: bool,
}

/// What came of changing an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentChanged {
    /// It is done: the incident as it is now.
    Done(Box<Incident>),
    /// There is no such incident.
    Gone,
    /// It cannot be opened again, as its rule has another one that is open.
    RuleHasAnother,
}

/// How the recovery of a rule is noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The name of the rule.
    pub by: String,
    /// What it saw.
    pub note: String,
    /// Resolve the incident.
    pub resolve: bool,
}
