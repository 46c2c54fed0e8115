//! Tickets: issues of GitHub, GitLab or Jira that stand for one of ours.

use super::StoreError;
use crate::{IssueId, Timestamp};
use async_trait::async_trait;
use std::time::Duration;
use uuid::Uuid;

/// Tickets that an issue may have, and groups that are merged each for itself.
pub const MAX_TICKETS: usize = 50;

/// Keeps which tickets issues have. A ticket stands under the group whose name the issue has, so merging and unmerging move
/// none; an issue has those of all its groups.
#[async_trait]
pub trait TicketStore: Send + Sync + 'static {
    /// The tickets of an issue, the oldest first; those that are only reserved are not among them.
    async fn tickets(&self, issue: IssueId) -> Result<Vec<Ticket>, StoreError>;

    /// Gives an issue a ticket: a link to one that is there; or, where it has no URL, a place for one that is about to be
    /// made, which is free again after `lease` by the store's own clock.
    ///
    /// One of an integration that the issue has a ticket or a reservation of, or with a URL that it has already, is refused;
    /// of several that ask at once one gets it.
    async fn add_ticket(&self, issue: IssueId, ticket: &Ticket, lease: Duration) -> Result<TicketAdded, StoreError>;

    /// Notes what was made for a place that was reserved, also when that has ended meanwhile: URL, key and title. `false` if
    /// the issue is gone.
    async fn finish_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError>;

    /// Takes a ticket away from an issue, or a place that was reserved; `false` if it has none such.
    async fn delete_ticket(&self, issue: IssueId, id: Uuid) -> Result<bool, StoreError>;
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its id here.
    pub id: Uuid,
    /// The integration by which it was made, or that it belongs to.
    pub integration: Option<String>,
    /// Whose it is: `github`, `gitlab`, `jira`; `other` if that is not known.
    pub kind: String,
    /// What it is called there: `acme/shop#12`, `SHOP-12`.
    pub key: String,
    /// Where it is; `None` while it is being made.
    pub url: Option<String>,
    /// Its title there; empty if that is not known.
    pub title: String,
    /// When it was made or linked.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What came of giving an issue a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketAdded {
    /// It is there.
    Done,
    /// The issue has this one already; without a URL somebody is just making it.
    Taken(Box<Ticket>),
    /// It has [`MAX_TICKETS`].
    TooMany,
    /// There is no such issue.
    Gone,
}
