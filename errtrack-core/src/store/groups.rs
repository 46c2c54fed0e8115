//! Issues put together, and taken apart again.

use crate::{Fingerprint, Issue, IssueId, ProjectId, StoreError};
use async_trait::async_trait;

/// Groups that one issue can have.
pub const MAX_GROUPS: usize = 500;

/// Merges issues, and undoes it.
///
/// A **group** is all events with one fingerprint. An issue has one, until it is merged with others. What is counted and kept
/// of a group stays the group's, also of events that come after the merge; the issue shows the sum. So a group that leaves
/// is what it would be had it never been merged.
///
/// Whichever group an issue has, it is found by every name: the UUID, the short id and the number of an issue that was merged
/// lead to the one that it is part of.
#[async_trait]
pub trait GroupStore: Send + Sync + 'static {
    /// The groups of an issue, each as the issue that it would be by itself, the one whose name the issue has first, then by
    /// number; none if there is no such issue. Their status is their own too: what people do to the issue is done to each.
    async fn groups(&self, issue: IssueId) -> Result<Vec<Issue>, StoreError>;

    /// Makes issues of one project one: the groups of `others` become groups of `into`, which keeps its name, its status and
    /// who looks after it. An issue that is resolved opens if one of the others is open. `into` among the others is left out,
    /// and so is what is there twice. Answers the issue; its [`id`](Issue::id) in the store may be a new one.
    ///
    /// Events and users that several groups share are exact: a user of two groups counts once.
    async fn merge(&self, project: ProjectId, into: IssueId, others: &[IssueId]) -> Result<Regrouped, StoreError>;

    /// Takes groups out of an issue: each is an issue of its own again, under the name that it had. If the one whose name
    /// the issue has is among them, what is left takes the name of the next, by number. Answers what is left, then the
    /// issues that came back, in the order of the fingerprints.
    async fn unmerge(&self, issue: IssueId, fingerprints: &[Fingerprint]) -> Result<Regrouped, StoreError>;
}

/// What came of merging or unmerging.
#[derive(Debug, Clone, PartialEq)]
pub enum Regrouped {
    /// It is done, and these are the issues now.
    Done(Vec<Issue>),
    /// Nothing was changed.
    Refused(Refusal),
}

/// Why issues are not merged or unmerged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// One of the issues is gone.
    #[error("an issue is not there any more")]
    Gone,
    /// The issues belong to several projects.
    #[error("issues of different projects cannot be merged")]
    OtherProject,
    /// There are not two issues to merge.
    #[error("merging takes two different issues")]
    OneIssue,
    /// There would be more than [`MAX_GROUPS`].
    #[error("an issue can have at most {MAX_GROUPS} groups")]
    TooMany,
    /// There is nothing to take out.
    #[error("unmerging takes at least one fingerprint")]
    NoFingerprint,
    /// The issue has no group of that fingerprint.
    #[error("the issue has no group of the fingerprint {0}")]
    NotOfIssue(Fingerprint),
    /// No group would be left.
    #[error("the last group of an issue cannot be taken out of it")]
    LastGroup,
}
