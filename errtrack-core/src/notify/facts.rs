//! What happened, as facts: every channel makes its own words of them.

use crate::{Level, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that people are told.
///
/// It is kept as JSON and may be read by another version of this program, so each part may be missing. Links are paths below
/// the address of the dashboard, which the channel knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Notification {
    /// Why it is told.
    pub trigger: Trigger,
    /// When it happened.
    pub at: Timestamp,
    /// The slug of the project, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The rule that fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFacts>,
    /// The issue that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueFacts>,
    /// The incident that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentFacts>,
    /// What was gathered, the newest first, as far as it is listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub digest: Vec<DigestLine>,
    /// How much was gathered, listed or not.
    #[serde(skip_serializing_if = "is_zero")]
    pub digest_total: u64,
    /// A sentence besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The address to go to, whole; the page of what it is about unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Why something is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An issue was seen for the first time.
    NewIssue,
    /// A resolved issue came back.
    Regression,
    /// An issue has had 10, 100, 1,000, … events.
    Milestone,
    /// An issue comes far more often than it used to.
    Spike,
    /// An issue is not ignored any longer.
    Unignored,
    /// A known issue came in a release for the first time.
    NewInRelease,
    /// What a rule was asked to recover from is over.
    Recovered,
    /// An incident was opened or changed.
    Incident,
    /// More happened than was to be told one by one.
    Digest,
    /// Somebody tries a channel.
    Test,
    /// Somebody is invited to become a member. It goes straight to the channel: no outbox keeps its link.
    Invitation,
    /// A rule's condition is met; also what only a later version knows.
    #[default]
    #[serde(other)]
    Rule,
}

impl Trigger {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::NewIssue,
        Self::Regression,
        Self::Milestone,
        Self::Spike,
        Self::Unignored,
        Self::NewInRelease,
        Self::Recovered,
        Self::Incident,
        Self::Digest,
        Self::Test,
        Self::Invitation,
        Self::Rule,
    ];

    /// The name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewIssue => "new_issue",
            Self::Regression => "regression",
            Self::Milestone => "milestone",
            Self::Spike => "spike",
            Self::Unignored => "unignored",
            Self::NewInRelease => "new_in_release",
            Self::Recovered => "recovered",
            Self::Incident => "incident",
            Self::Digest => "digest",
            Self::Test => "test",
            Self::Invitation => "invitation",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule that fired.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RuleFacts {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its condition, as it was written.
    pub condition: String,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// An issue as it stood when it happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct IssueFacts {
    /// Its UUID.
    pub id: String,
    /// Its short name (`MY-APP-42`).
    pub short_id: String,
    /// Type and message.
    pub title: String,
    /// Where it happened.
    pub culprit: String,
    /// How bad it is.
    pub level: Level,
    /// Events in all.
    pub count: i64,
    /// Users in all.
    pub user_count: i64,
    /// The environment of its newest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The release of its newest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// The program's own frames, the one that crashed first; a few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    /// Its page, below the address of the dashboard (`issues/…`).
    pub path: String,
    /// Who looks after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
}

/// An incident as it stood when it happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct IncidentFacts {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// `investigating`, `identified`, `monitoring`, `resolved`.
    pub status: String,
    /// What was said about it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who said or changed that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Its page, below the address of the dashboard (`incidents/…`).
    pub path: String,
}

/// One of the things that were gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DigestLine {
    /// Why it would have been told.
    pub trigger: Trigger,
    /// When it happened.
    pub at: Timestamp,
    /// What it was about.
    pub title: String,
    /// The issue's short name, if it was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_id: Option<String>,
    /// The slug of the project, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Its page, below the address of the dashboard.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_version_wrote_is_read() {
        let read: Notification =
            serde_json::from_str(r#"{"trigger":"later","issue":{"title":"x"},"new":[1]}"#).unwrap();
        assert_eq!(read.trigger, Trigger::Rule);
        assert_eq!(read.issue.unwrap().title, "x");
        assert_eq!(serde_json::from_str::<Notification>("{}").unwrap(), Notification::default());
    }

    #[test]
    fn a_trigger_is_named_alike_everywhere() {
        for trigger in Trigger::ALL {
            assert_eq!(serde_json::to_string(&trigger).unwrap(), format!("\"{trigger}\""));
            assert_eq!(serde_json::from_str::<Trigger>(&format!("\"{trigger}\"")).unwrap(), trigger);
        }
    }
}
