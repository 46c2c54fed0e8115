//! What a store keeps for how long, and how large it is.

use super::StoreError;
use crate::{Event, ProjectId, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Connections to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// The kind of database: `sqlite`, `postgres`.
    pub backend: &'static str,
    /// Those in use.
    pub used: u32,
    /// How many there can be.
    pub most: u32,
}

/// Keeps the store itself in order.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// Makes a round trip to the database and answers how long it took.
    async fn ping(&self) -> Result<Duration, StoreError>;

    /// Lets go of events until no issue has more than `keep`; answers how many went. The first, the newest, a spread
    /// between and pinned events stay (see [`surplus`](crate::retention::surplus)). Counts stay as they are.
    async fn trim_events(&self, keep: u32) -> Result<u64, StoreError>;

    /// Lets go of what is too old or too much, by the rules and those of each project ([`ProjectRetention`]), in steps so small that no writer waits long, and gives space back. Expired
    /// tokens and marks of writers long gone go too. Counts of issues that stay are not changed.
    async fn retain(&self, rules: &Retention) -> Result<RetentionReport, StoreError>;

    /// What [`retain`](Self::retain) would do now: the same numbers. Changes nothing.
    async fn preview_retention(&self, rules: &Retention) -> Result<RetentionReport, StoreError>;

    /// The last run of [`retain`](Self::retain) on this database, whichever process it was.
    async fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError>;

    /// How large the store is.
    async fn storage(&self) -> Result<Storage, StoreError>;

    /// Events that could not be written, the newest first.
    async fn set_aside_events(&self, limit: u32) -> Result<Vec<SetAside>, StoreError>;

    /// How many connections to the database there are; `None` where that means nothing.
    fn connections(&self) -> Option<Connections> {
        None
    }

    /// Finishes what is under way and closes every connection. From then on every call fails as
    /// [unavailable](StoreError::is_unavailable), but this one.
    async fn close(&self);
}

/// What is kept, and for how long. The rules apply in the order of the fields. Pinned events go by age alone, but count as
/// kept. An issue that is not resolved stays, even without events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Resolved issues last seen longer ago than this are deleted, and so are events that arrived longer ago
    /// ([`Event::received_at`]); `None` keeps them. What is of the day (UTC) that lies so far back still stays, so that
    /// whole days go at once. 90 days.
    pub age: Option<Duration>,
    /// Events kept whole per issue. 100.
    pub events_per_issue: u32,
    /// Events kept whole per project: the first to arrive go; `None` sets no bound, which is the default.
    pub events_per_project: Option<u64>,
    /// Bytes that stay free on the disk of the database, where the store can see that disk ([`Storage::free_disk`]): the
    /// first events to arrive go. 0, the default, sets no bound.
    pub free_disk: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: Some(Duration::from_secs(90 * 86_400)),
            events_per_issue: 100,
            events_per_project: None,
            free_disk: 0,
        }
    }
}

/// What people have set for one project, where it shall keep less than the rules of the program say. What is not given, or is
/// more than these, is as they say. Kept as a [setting](super::SettingStore), in JSON:
///
/// ```json
/// { "age_days": 30, "events": 100000 }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ProjectRetention {
    /// Days after which its resolved issues and its events go.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 36_500))]
    pub age_days: Option<u32>,
    /// Events that it keeps whole.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub events: Option<u64>,
}

impl ProjectRetention {
    /// The name of the setting.
    pub const SETTING: &str = "retention";

    /// Reads the setting. What cannot be read says nothing.
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// The setting; `None` if it says nothing.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        if *self == Self::default() { None } else { serde_json::to_string(self).ok() }
    }

    /// The rules that hold for the project: the shorter age, the smaller number.
    #[must_use]
    pub fn within(&self, rules: &Retention) -> Retention {
        let age = self.age_days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        Retention {
            age: rules.age.into_iter().chain(age).min(),
            events_per_project: rules.events_per_project.into_iter().chain(self.events).min(),
            ..*rules
        }
    }
}

/// What a retention run let go of, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RetentionReport {
    /// When it began.
    pub at: Timestamp,
    /// How many milliseconds it took.
    pub took_ms: u64,
    /// Resolved issues that were too old.
    pub issues: u64,
    /// Events that were too old, those of such issues left out.
    pub old_events: u64,
    /// Events beyond what is kept per issue.
    pub surplus_events: u64,
    /// Events beyond what is kept per project.
    pub quota_events: u64,
    /// Events that went because the disk was too full.
    pub disk_events: u64,
}

impl RetentionReport {
    /// Events in all.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.old_events + self.surplus_events + self.quota_events + self.disk_events
    }
}

/// How large a store is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Storage {
    /// `sqlite`, `postgres`, or what another store calls itself.
    pub backend: String,
    /// Its tables, the largest first.
    pub tables: Vec<TableSize>,
    /// Bytes of all of it.
    pub bytes: u64,
    /// Bytes within that are free to be used again.
    pub reusable_bytes: u64,
    /// Bytes free on its disk, where the store can see it.
    pub free_disk: Option<u64>,
}

/// How large a table is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// About how many rows it has; `None` where counting them would cost too much.
    pub rows: Option<u64>,
    /// Bytes, indexes included.
    pub bytes: u64,
}

/// An event that could not be written.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAside {
    /// Its project.
    pub project: ProjectId,
    /// When it was tried.
    pub at: Timestamp,
    /// Why it could not be written.
    pub reason: String,
    /// How many events it stands for.
    pub times: i64,
    /// The event, if it can be read.
    pub event: Option<Event>,
}
