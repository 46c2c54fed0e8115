//! The timeline of an incident: who did what when.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentEntry {
    /// Its number, which grows. A store gives it.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it: the name or address of a member, or the name of a rule or key.
    pub by: String,
    /// What it was.
    pub kind: EntryKind,
    /// What was there before, of a change.
    pub from: Option<String>,
    /// What is there since: a severity, a status, a member, the name of an issue.
    pub to: Option<String>,
    /// What was said; empty if nothing.
    pub text: String,
    /// The firing of a rule that it is about.
    pub firing: Option<Uuid>,
}

impl IncidentEntry {
    /// An entry that tells nothing yet but that it happened.
    #[must_use]
    pub fn new(kind: EntryKind, by: impl Into<String>, at: Timestamp) -> Self {
        Self { id: 0, at, by: by.into(), kind, from: None, to: None, text: String::new(), firing: None }
    }
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = IncidentEntryKind))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// It was opened, with the status that `to` names.
    Opened,
    /// Its status was changed.
    Status,
    /// Its severity was changed.
    Severity,
    /// Somebody else looks after it, or nobody.
    Assigned,
    /// It has another title.
    Title,
    /// It has another description.
    Description,
    /// Somebody said something.
    Comment,
    /// An issue was linked.
    IssueLinked,
    /// An issue was linked no longer.
    IssueUnlinked,
    /// Its rule fired.
    Fired,
    /// What its rule watches is as it should be again.
    Recovered,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Opened,
        Self::Status,
        Self::Severity,
        Self::Assigned,
        Self::Title,
        Self::Description,
        Self::Comment,
        Self::IssueLinked,
        Self::IssueUnlinked,
        Self::Fired,
        Self::Recovered,
    ];

    /// The name used in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Status => "status",
            Self::Severity => "severity",
            Self::Assigned => "assigned",
            Self::Title => "title",
            Self::Description => "description",
            Self::Comment => "comment",
            Self::IssueLinked => "issue_linked",
            Self::IssueUnlinked => "issue_unlinked",
            Self::Fired => "fired",
            Self::Recovered => "recovered",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EntryKind {
    type Err = UnknownEntryKind;

    fn from_str(name: &str) -> Result<Self, UnknownEntryKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(UnknownEntryKind)
    }
}

/// The error of parsing what an entry of a timeline is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing that an entry of a timeline is about")]
pub struct UnknownEntryKind;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for kind in EntryKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("".parse::<EntryKind>(), Err(UnknownEntryKind));
    }
}
