//! Notifications that have not arrived yet, and what became of those that have.

use super::StoreError;
use crate::{Timestamp, notify::OutboxEntry};
use async_trait::async_trait;
use std::time::Duration;
use uuid::Uuid;

/// Keeps notifications until they have arrived, and a while longer. Several processes deliver from it at once; none gets what
/// another has.
#[async_trait]
pub trait OutboxStore: Send + Sync + 'static {
    /// Adds entries, all or none; answers how many are new. One whose key is there already changes nothing.
    async fn put_outbox(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError>;

    /// The channels for which an entry is due by `now` and not leased. Asked every few seconds: it must not cost more where
    /// more waits.
    async fn due_channels(&self, now: Timestamp) -> Result<Vec<String>, StoreError>;

    /// Takes entries of a channel that are due by `now`, `limit` at most, those due first before others, for `node` alone. A
    /// lease ends by itself after `lease`, by the clock of the database, and its entry is handed out again. Each time counts
    /// as a try. An entry is not handed out before older ones of its channel with the same
    /// [ordering](OutboxEntry::ordering) are settled.
    async fn lease_outbox(
        &self,
        node: Uuid,
        channel: &str,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<OutboxItem>, StoreError>;

    /// Notes what came of a try and ends its lease; `false` if that changed nothing. What has arrived is noted whoever has the
    /// lease; anything else only by `node` that has it. Of a digest that has arrived nothing is kept but that it was one: it
    /// holds what is told of many issues, some of which are deleted later.
    async fn settle_outbox(&self, node: Uuid, key: Uuid, came: &Settlement, now: Timestamp)
    -> Result<bool, StoreError>;

    /// Entries that match, the newest first.
    async fn outbox(&self, query: &OutboxQuery) -> Result<Vec<OutboxItem>, StoreError>;

    /// How many entries of each channel wait, and how many were given up, by name.
    async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError>;

    /// Lets an entry that was given up be tried again from `now` on, as if it never had been; `false` if it is not there or not
    /// given up.
    async fn retry_outbox(&self, key: Uuid, now: Timestamp) -> Result<bool, StoreError>;

    /// Lets go of entries that were settled before that; answers how many went.
    async fn drop_outbox(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OutboxState {
    /// It has not arrived yet.
    Waiting,
    /// It has arrived.
    Delivered,
    /// It was given up.
    Failed,
}

impl OutboxState {
    /// The name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The number under which it is stored.
    #[must_use]
    pub const fn to_number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Delivered => 1,
            Self::Failed => 2,
        }
    }

    /// The state of a stored number.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Waiting,
            1 => Self::Delivered,
            _ => Self::Failed,
        }
    }
}

/// An entry, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxItem {
    /// The entry.
    pub entry: OutboxEntry,
    /// How far it is.
    pub state: OutboxState,
    /// How often it was tried, the try under way among them.
    pub attempts: u32,
    /// When it was written.
    pub made_at: Timestamp,
    /// From when on it is tried next.
    pub next_at: Timestamp,
    /// When it arrived or was given up.
    pub settled_at: Option<Timestamp>,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It has arrived.
    Delivered,
    /// It is to be tried again.
    Again {
        /// From when on.
        at: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It is given up.
    Failed {
        /// What went wrong.
        error: String,
    },
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxQuery {
    /// In that state; any, if `None`.
    pub state: Option<OutboxState>,
    /// Of that channel; any, if `None`.
    pub channel: Option<String>,
    /// Of that firing; any, if `None`.
    pub firing: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

/// How many entries of a channel there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxCount {
    /// The channel.
    pub channel: String,
    /// That wait.
    pub waiting: u64,
    /// That were given up.
    pub failed: u64,
}
