//! A tracker over a throw-away database, and everything that arrived in it.
//!
//! ```no_run
//! # async fn example() {
//! let watched = errtrack_tests::Watched::start().await;
//! watched.tracker.capture_error(&std::fmt::Error);
//! assert_eq!(watched.events().await.len(), 1);
//! # }
//! ```

use crate::Database;
use errtrack::SqlStore;
use errtrack_core::{Event, Tracker, TrackerBuilder, store::IssueQuery};
use std::time::Duration;
use tempfile::TempDir;

/// How long a flush may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tracker whose store is deleted with it.
#[derive(Debug)]
pub struct Watched {
    /// The tracker, of project `shop`, environment `test`, release `shop@1.4.0`.
    pub tracker: Tracker,
    // Dropped after the tracker, which writes to it to the last.
    _folder: Folder,
}

/// Where the store is.
#[derive(Debug)]
enum Folder {
    Own { _folder: TempDir },
    Given { _database: Database },
}

impl Watched {
    /// Opens a store in a folder of its own and starts a tracker over it.
    ///
    /// # Panics
    /// If that fails; the test is over then.
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    /// The same, with a tracker that is configured further.
    ///
    /// # Panics
    /// If that fails; the test is over then.
    #[expect(clippy::unwrap_used, reason = "for tests alone")]
    pub async fn with(configure: impl FnOnce(TrackerBuilder) -> TrackerBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = errtrack::SqliteStore::open(&crate::database_in(folder.path()).unwrap()).await.unwrap();
        let tracker = configure(builder(store)).build().await.unwrap();
        Self { tracker, _folder: Folder::Own { _folder: folder } }
    }

    /// Opens a store in a database and starts a tracker over it.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub async fn over(database: Database) -> anyhow::Result<Self> {
        let tracker = builder(SqlStore::open(&database.url).await?).build().await?;
        Ok(Self { tracker, _folder: Folder::Given { _database: database } })
    }

    /// Waits until everything captured so far is stored, and reads all of it, the oldest first.
    ///
    /// # Panics
    /// If the store cannot be read, or an issue's count is not that of its events.
    #[expect(clippy::unwrap_used, reason = "for tests alone")]
    pub async fn events(&self) -> Vec<Event> {
        assert!(self.tracker.flush(PATIENCE).await, "written in time");
        let store = self.tracker.store();
        let query = IssueQuery { limit: 100, ..IssueQuery::default() };
        let mut events = Vec::new();
        for issue in store.issues(&query).await.unwrap().issues {
            let page = store.events(issue.id, None, 100).await.unwrap();
            assert_eq!(issue.count, i64::try_from(page.events.len()).unwrap(), "{issue:?}");
            events.extend(page.events.into_iter().map(|stored| stored.event));
        }
        events.sort_by_key(|event| event.timestamp);
        events
    }

    /// The one event that arrived.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[expect(clippy::panic, reason = "for tests alone")]
    pub async fn event(&self) -> Event {
        match <[Event; 1]>::try_from(self.events().await) {
            Ok([event]) => event,
            Err(events) => {
                let titles: Vec<_> = events.iter().map(|event| event.title()).collect();
                panic!("one event, not {}: {titles:#?}", events.len())
            }
        }
    }
}

fn builder(store: SqlStore) -> TrackerBuilder {
    Tracker::builder().project("shop").environment("test").release("shop@1.4.0").store(store)
}
