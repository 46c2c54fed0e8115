//! What changed in a store, as it happens: for live views and for whoever keeps copies.

use crate::{IssueId, ProjectId};
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

/// Changes that wait for a slow listener; past that it is told that it missed some.
const WAITING: usize = 1024;

/// Tells what changes.
pub trait Feed: Send + Sync + 'static {
    /// Everything that changes from now on, whichever process on the same database changes it.
    ///
    /// A store tells a change after it is durable, so whoever hears of it can read it. That an issue was only counted is
    /// not told. What was told and cannot be heard, because the listener is slow or a connection broke, is told as
    /// [`Change::Missed`]; that may also come when nothing was lost.
    fn changes(&self) -> Changes;
}

/// Something that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// An issue.
    Issue {
        /// Its project.
        project: ProjectId,
        /// Which one.
        issue: IssueId,
        /// What happened to it.
        event: IssueEvent,
    },
    /// Projects or their public keys. The issues of a project that is deleted need not be told one by one.
    Projects,
    /// What people have set for projects.
    Settings,
    /// Members or their tokens.
    Accounts,
    /// Some changes may have been lost: what was copied must be read again.
    Missed,
}

/// What happened to an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueEvent {
    /// It was made.
    New,
    /// It was resolved, and is open again.
    Regressed,
    /// Somebody changed its status or assigned it, or it is not ignored any longer.
    Edited,
    /// It is gone.
    Deleted,
}

/// A listener's end of the feed.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

impl Changes {
    /// The next change; `None` when the store is gone.
    pub async fn next(&mut self) -> Option<Change> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(Change::Missed),
            Err(RecvError::Closed) => None,
        }
    }

    /// A change that has happened already; `None` if there is none.
    pub fn try_next(&mut self) -> Option<Change> {
        match self.0.try_recv() {
            Ok(change) => Some(change),
            Err(TryRecvError::Lagged(_)) => Some(Change::Missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

/// A store's end of the feed, within one process.
#[derive(Debug, Clone)]
pub struct LocalFeed(broadcast::Sender<Change>);

impl Default for LocalFeed {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl LocalFeed {
    /// Tells every listener. Costs next to nothing when there is none.
    pub fn tell(&self, change: Change) {
        // An error says that nobody listens.
        let _ = self.0.send(change);
    }

    /// Everything that is told from now on.
    #[must_use]
    pub fn listen(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}
