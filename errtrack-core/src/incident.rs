//! Incidents: what is wrong right now, who looks into it, and what was done about it.
//!
//! An incident is opened by a person or by a rule, has a [`Severity`] and a [`IncidentStatus`], and keeps a timeline of what
//! happened to it: each change is an [`IncidentEntry`], and nothing is changed without one. A rule has at most one incident
//! that is open: when it fires again, that is noted on it.
//!
//! ```
//! use errtrack_core::incident::{IncidentChange, IncidentStatus, NewIncident, Severity};
//!
//! let new = NewIncident { severity: Severity::High, ..NewIncident::new("checkout is slow", "ann@example.com") };
//! let change = IncidentChange { status: Some(IncidentStatus::Identified), ..IncidentChange::default() };
//! let (incident, entries) = change.of(&new.incident(), "bob@example.com", new.at);
//! assert_eq!(incident.status, IncidentStatus::Identified);
//! assert_eq!(entries[0].to.as_deref(), Some("identified"));
//! ```

mod change;
mod entry;
mod update;

pub use change::{IncidentChange, NewIncident};
pub use entry::{EntryKind, IncidentEntry, UnknownEntryKind};

use crate::{ProjectId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Issues that can be linked to one incident.
pub const MAX_LINKED_ISSUES: i64 = 100;
/// Entries of a timeline past which firings and recoveries of the rule are counted, but no longer noted one by one.
pub const MAX_NOTED_FIRINGS: i64 = 1_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = IncidentSeverity))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It can wait.
    Low,
    /// It should be looked at.
    #[default]
    Medium,
    /// It should be looked at soon.
    High,
    /// It must be looked at now.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name used in JSON, in the store and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(name: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name).ok_or(UnknownSeverity)
    }
}

/// The error of parsing a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of low, medium, high, critical")]
pub struct UnknownSeverity;

/// How far people are with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum IncidentStatus {
    /// The cause is being looked for.
    #[default]
    Investigating,
    /// The cause is known.
    Identified,
    /// Something was done, and is being watched.
    Monitoring,
    /// It is over.
    Resolved,
}

impl IncidentStatus {
    /// All of them, in their usual order.
    pub const ALL: [Self; 4] = [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// The name used in JSON, in the store and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for IncidentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IncidentStatus {
    type Err = UnknownIncidentStatus;

    fn from_str(name: &str) -> Result<Self, UnknownIncidentStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(UnknownIncidentStatus)
    }
}

/// The error of parsing the status of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of investigating, identified, monitoring, resolved")]
pub struct UnknownIncidentStatus;

/// An incident as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The public id.
    pub id: Uuid,
    /// Its number in the store, which grows from one incident to the next.
    pub row: i64,
    /// The project that it is about; `None` if it is about more than one.
    pub project: Option<ProjectId>,
    /// What is wrong, in a few words.
    pub title: String,
    /// What is known; Markdown, as it was written.
    pub description: String,
    /// How bad it is.
    pub severity: Severity,
    /// How far people are.
    pub status: IncidentStatus,
    /// The member who looks after it.
    pub assigned_to: Option<String>,
    /// The rule that opened it; `None` if a person did.
    pub rule: Option<Uuid>,
    /// How often the rule has fired since, the first time included.
    pub firings: i64,
    /// The channels that are told of changes of its status.
    pub channels: Vec<String>,
    /// Who opened it: the name or address of a member, or the name of a rule or key.
    pub opened_by: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When something last happened to it.
    pub updated_at: Timestamp,
    /// When it was last resolved, while it is.
    pub resolved_at: Option<Timestamp>,
}

impl Incident {
    /// Whether it goes on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(severity));
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.as_str());
        }
        for status in IncidentStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!("High".parse::<Severity>(), Err(UnknownSeverity));
        assert_eq!("open".parse::<IncidentStatus>(), Err(UnknownIncidentStatus));
        assert!(Severity::Critical > Severity::High);
    }
}
