//! What people decide and say about issues.

use super::StoreError;
use crate::{Condition, IssueId, ProjectId, Timestamp};
use async_trait::async_trait;

/// Keeps decisions that end by themselves, and comments.
#[async_trait]
pub trait TriageStore: Send + Sync + 'static {
    /// Gives issues the status of a condition until that is met, and answers how many there were. A batch that meets it
    /// opens the issue again ([`Outcome::Regressed`](super::Outcome) or [`Outcome::Unignored`](super::Outcome)); setting a
    /// status takes it away. Releases are ordered by [`release_order`](crate::release_order), else by when the store first
    /// saw them.
    async fn set_condition(&self, issues: &[IssueId], condition: &Condition) -> Result<u64, StoreError>;

    /// Opens the issues that were ignored until now or earlier; answers how many. Called about once a minute.
    async fn unignore(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// The latest release of a project of which there are events; at least the last hundred to come are looked at.
    async fn latest_release(&self, project: ProjectId) -> Result<Option<String>, StoreError>;

    /// The comments on an issue, those on issues that were merged into it among them, the oldest first.
    async fn comments(&self, issue: IssueId) -> Result<Vec<Comment>, StoreError>;

    /// Adds a comment to an issue and answers it; `None` if there is no such issue. It goes with the issue; when issues are
    /// taken apart, with the one whose name the issue had.
    async fn add_comment(&self, issue: IssueId, author: &str, text: &str) -> Result<Option<Comment>, StoreError>;
}

/// What somebody said about an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number, which grows.
    pub id: i64,
    /// Who said it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Markdown, as it was written.
    pub text: String,
}
