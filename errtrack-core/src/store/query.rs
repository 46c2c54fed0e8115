//! What is asked of a store, and what it answers.

use crate::{Event, Issue, IssueId, Level, ProjectId, Status, Timestamp};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Which issues to list. The default asks for every issue, the last seen first. NUL in a text stands for U+FFFD, as it does
/// in events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IssueQuery {
    /// In these projects; `None` means all.
    pub projects: Option<Vec<ProjectId>>,
    /// In this status.
    pub status: Option<Status>,
    /// Reopened ones only.
    pub regressed: bool,
    /// With one of these levels; empty means any.
    pub levels: Vec<Level>,
    /// From this source.
    pub source: Option<String>,
    /// Each word stands in type, value or culprit, in any case.
    pub words: Vec<String>,
    /// Seen with all these tags; `environment`, `release`, `level`, `user` and the like are tags here. The first 200
    /// characters of a value count.
    pub tags: Vec<(String, String)>,
    /// Last seen at or after.
    pub since: Option<Timestamp>,
    /// First seen at or before.
    pub until: Option<Timestamp>,
    /// In this order, each the greatest first.
    pub sort: Sort,
    /// After this place; `offset` is not looked at then.
    pub cursor: Option<Cursor>,
    /// Leaving out this many.
    pub offset: u32,
    /// At most this many.
    pub limit: u32,
}

/// The order of a list of issues, the greatest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By the newest event.
    #[default]
    LastSeen,
    /// By the first event.
    FirstSeen,
    /// By the number of events.
    Count,
    /// By the number of users.
    Users,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::LastSeen, Self::FirstSeen, Self::Count, Self::Users];

    /// The name used in queries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LastSeen => "last_seen",
            Self::FirstSeen => "first_seen",
            Self::Count => "count",
            Self::Users => "users",
        }
    }
}

impl FromStr for Sort {
    type Err = InvalidQuery;

    fn from_str(name: &str) -> Result<Self, InvalidQuery> {
        Self::ALL.into_iter().find(|s| s.as_str() == name).ok_or(InvalidQuery)
    }
}

/// The error of parsing a part of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not understood")]
pub struct InvalidQuery;

/// A place in a sorted list: the key of the last entry seen. Opaque to clients; stable under new arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The sort key.
    pub key: i64,
    /// What tells equal keys apart.
    pub id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}", self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = InvalidQuery;

    fn from_str(text: &str) -> Result<Self, InvalidQuery> {
        let (key, id) = text.split_once('.').ok_or(InvalidQuery)?;
        // As it is written: the two's complement of what is negative.
        let number = |hex| u64::from_str_radix(hex, 16).map(u64::cast_signed).map_err(|_| InvalidQuery);
        Ok(Self { key: number(key)?, id: number(id)? })
    }
}

/// One page of a list of issues.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IssuePage {
    /// The issues.
    pub issues: Vec<Issue>,
    /// How many match in all.
    pub total: i64,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// How many issues stand in each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Unresolved ones, the regressed among them.
    pub unresolved: i64,
    /// Those among the unresolved that were resolved before.
    pub regressed: i64,
    /// Resolved ones.
    pub resolved: i64,
    /// Ignored ones.
    pub ignored: i64,
}

impl StatusCounts {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.unresolved + self.resolved + self.ignored
    }
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Our id.
    pub id: Uuid,
    /// Its row, which tells equal times apart.
    pub row: i64,
    /// The issue that it belongs to.
    pub issue: IssueId,
    /// The public id of that issue.
    pub issue_uuid: Uuid,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// It stays when its issue has too many events.
    pub pinned: bool,
    /// What happened.
    pub event: Event,
}

/// One page of an issue's events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventPage {
    /// The events, the newest first.
    pub events: Vec<StoredEvent>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// Where an event stands among the kept events of its issue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventPosition {
    /// Its place by time, from 1 for the oldest.
    pub index: i64,
    /// How many are kept.
    pub total: i64,
    /// The oldest.
    pub first: Option<Uuid>,
    /// The one before it.
    pub previous: Option<Uuid>,
    /// The one after it.
    pub next: Option<Uuid>,
    /// The newest.
    pub last: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text() {
        for key in [1_795_218_780_514_000, 0, -1, i64::MIN] {
            let cursor = Cursor { key, id: 77 };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in ["", "1", "x.1", "1.x", "1.1.1"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(InvalidQuery), "{wrong}");
        }
    }
}
