//! The issue: the group of all events with one cause.

use crate::{EventId, Fingerprint, IssueId, Level, ProjectId, Timestamp, release_order};
use serde::Serialize;
use std::{cmp::Ordering, fmt, str::FromStr};
use uuid::Uuid;

/// What people have decided about an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has dealt with it.
    Unresolved,
    /// It is fixed; being reported again reopens it.
    Resolved,
    /// It is known and not to be shown among the open ones.
    Ignored,
}

impl Status {
    /// The name used in JSON, in queries and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// The number under which it is stored.
    #[must_use]
    pub const fn to_number(self) -> i64 {
        match self {
            Self::Unresolved => 0,
            Self::Resolved => 1,
            Self::Ignored => 2,
        }
    }

    /// The status of a stored number.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Resolved,
            2 => Self::Ignored,
            _ => Self::Unresolved,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(name: &str) -> Result<Self, UnknownStatus> {
        [Self::Unresolved, Self::Resolved, Self::Ignored].into_iter().find(|s| s.as_str() == name).ok_or(UnknownStatus)
    }
}

/// What ends a status that does not last for ever: the issue is open again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Resolved in this release: it is open again when it comes from it or a later one.
    InRelease(String),
    /// Resolved in the next release after this one: it is open again when it comes from a later one than this. Empty if no
    /// release was known; then every release is later.
    AfterRelease(String),
    /// Ignored until one of these is there.
    Until {
        /// That time.
        time: Option<Timestamp>,
        /// So many events in all.
        count: Option<i64>,
    },
}

impl Condition {
    /// The status that it can end.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::InRelease(_) | Self::AfterRelease(_) => Status::Resolved,
            Self::Until { .. } => Status::Ignored,
        }
    }

    /// Whether it is met at a time, when the issue has so many events and the newest of them came from `releases`. Where
    /// versions tell no order, `first_seen` does: it knows since when there are events of a release, but for those that
    /// come just now.
    pub fn is_met(
        &self,
        now: Timestamp,
        count: i64,
        releases: &[&str],
        first_seen: impl Fn(&str) -> Option<Timestamp>,
    ) -> bool {
        let is_later = |release: &str, than: &str| match release_order(release, than) {
            Some(order) => order == Ordering::Greater,
            None => match (first_seen(release), first_seen(than)) {
                (Some(release), Some(than)) => release > than,
                (release, than) => release.is_none() && than.is_some(),
            },
        };
        match self {
            Self::InRelease(this) => releases.iter().any(|release| *release == this || is_later(release, this)),
            Self::AfterRelease(this) if this.is_empty() => !releases.is_empty(),
            Self::AfterRelease(this) => releases.iter().any(|release| is_later(release, this)),
            Self::Until { time, count: most } => {
                time.is_some_and(|time| time <= now) || most.is_some_and(|most| most <= count)
            }
        }
    }
}

/// The error of parsing a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of unresolved, resolved, ignored")]
pub struct UnknownStatus;

/// An issue as it is stored: its newest event in short, and counters that are kept, never computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Its number in the store.
    pub id: IssueId,
    /// Its public id.
    pub uuid: Uuid,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// That project's slug.
    pub project_slug: String,
    /// Its number within the project, from 1, without gaps.
    pub number: i64,
    /// The fingerprint under which it was first seen.
    pub fingerprint: Fingerprint,
    /// The type of the main exception; empty for a message.
    pub ty: String,
    /// The value of the main exception, or the message.
    pub value: String,
    /// The function, or failing that the route, to blame.
    pub culprit: String,
    /// The level of the newest event.
    pub level: Level,
    /// What people have decided.
    pub status: Status,
    /// What ends that, if it does not last.
    pub condition: Option<Condition>,
    /// `true` if it was resolved once and came back since.
    pub regressed: bool,
    /// Where it comes from: `backend`, `browser`, ….
    pub source: Option<String>,
    /// The platform of the newest event.
    pub platform: Option<String>,
    /// The environment of the newest event.
    pub environment: Option<String>,
    /// The release of the first event that had one.
    pub first_release: Option<String>,
    /// The release of the newest event that had one.
    pub last_release: Option<String>,
    /// When the first event happened.
    pub first_seen: Timestamp,
    /// When the newest event happened.
    pub last_seen: Timestamp,
    /// How many events there were, kept or not.
    pub count: i64,
    /// How many events are kept.
    pub stored_count: i64,
    /// How many users it hit.
    pub user_count: i64,
    /// The newest stored event, by its client's id; nil if none is kept.
    pub last_event: EventId,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// When it was last resolved, while it is.
    pub resolved_at: Option<Timestamp>,
    /// The member who looks after it.
    pub assigned_to: Option<String>,
}

impl Issue {
    /// The name that people use: `MY-APP-42`.
    #[must_use]
    pub fn short_id(&self) -> String {
        format!("{}-{}", self.project_slug.to_uppercase(), self.number)
    }
}

/// The three ways to name an issue from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueRef {
    /// By its public id.
    Uuid(Uuid),
    /// By project slug (lower case) and number: `MY-APP-42`.
    Short {
        /// The slug of the project.
        project: String,
        /// The number within it.
        number: i64,
    },
    /// By its number in the store, as the 004 dialect does.
    Id(IssueId),
}

impl FromStr for IssueRef {
    type Err = InvalidIssueRef;

    /// Takes a UUID or a short id, in any case.
    fn from_str(text: &str) -> Result<Self, InvalidIssueRef> {
        if let Ok(uuid) = Uuid::try_parse(text) {
            return Ok(Self::Uuid(uuid));
        }
        let (project, number) = text.rsplit_once('-').ok_or(InvalidIssueRef)?;
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if project.is_empty() || project.len() > 100 || !digits {
            return Err(InvalidIssueRef);
        }
        let number = number.parse().map_err(|_| InvalidIssueRef)?;
        Ok(Self::Short { project: project.to_lowercase(), number })
    }
}

/// The error of parsing the name of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a UUID nor a short id like MY-APP-42")]
pub struct InvalidIssueRef;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_are_named_by_uuid_or_short_id() {
        let uuid = "550e8400-e29b-41d4-a716-446655440000";
        assert_eq!(uuid.parse(), Ok(IssueRef::Uuid(uuid.parse().unwrap())));
        assert_eq!("MY-APP-42".parse(), Ok(IssueRef::Short { project: "my-app".into(), number: 42 }));
        for wrong in ["", "42", "-42", "my-app-", "my-app-4x", "my-app-99999999999999999999"] {
            assert_eq!(wrong.parse::<IssueRef>(), Err(InvalidIssueRef), "{wrong}");
        }
    }
}
