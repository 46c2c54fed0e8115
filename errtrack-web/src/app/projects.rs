//! The list of projects, kept at hand: each report asks for its project, and they hardly ever change.

use errtrack_core::{
    Project, Store, StoreError,
    store::{Change, Changes},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long the list is believed while the store tells of no change.
const FRESH: Duration = Duration::from_secs(5);
/// How long it is believed by who finds nothing in it, and how long a database that did not answer is left alone: wrong keys
/// must not make it work for each request.
const FRESH_ENOUGH: Duration = Duration::from_secs(1);

/// The projects as they were last read.
#[derive(Debug)]
pub(super) struct Projects {
    state: Mutex<State>,
    /// One reads, the others wait for what it reads.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// While the database is away, reports are taken by what was known before.
    list: Arc<[Project]>,
    /// `None` if something has changed since.
    read: Option<Instant>,
    /// When the database last did not answer.
    failed: Option<Instant>,
    changes: Changes,
    /// How many changes there were: what was read before one is not kept after it.
    changed: u64,
}

impl Projects {
    /// Knows one project, until the rest is read.
    pub(super) fn new(known: &Project, changes: Changes) -> Self {
        let list = Arc::from([known.clone()]);
        let state = State { list, read: None, failed: None, changes, changed: 0 };
        Self { state: Mutex::new(state), reading: tokio::sync::Mutex::default() }
    }

    /// The projects as of now; while the database is away, as of before.
    pub(super) async fn list(&self, store: &dyn Store) -> Result<Arc<[Project]>, StoreError> {
        match self.younger_than(FRESH, store).await {
            Err(error) if error.is_unavailable() => Ok(self.known()),
            read => read,
        }
    }

    /// The projects, for who did not find what it looks for: another process may have made it just now.
    pub(super) async fn list_again(&self, store: &dyn Store) -> Result<Arc<[Project]>, StoreError> {
        self.younger_than(FRESH_ENOUGH, store).await
    }

    /// The projects as they were last read.
    pub(super) fn known(&self) -> Arc<[Project]> {
        self.state().list.clone()
    }

    async fn younger_than(&self, age: Duration, store: &dyn Store) -> Result<Arc<[Project]>, StoreError> {
        if let Some(known) = self.state().known(age) {
            return known;
        }
        let _turn = self.reading.lock().await;
        let before = {
            let mut state = self.state();
            if let Some(known) = state.known(age) {
                return known;
            }
            state.changed
        };
        let read = store.projects().await;
        let mut state = self.state();
        match read {
            Ok(list) => {
                let list: Arc<[Project]> = list.into();
                state.failed = None;
                state.take_changes();
                if state.changed == before {
                    state.list = list.clone();
                    state.read = Some(Instant::now());
                }
                Ok(list)
            }
            Err(error) => {
                state.failed = error.is_unavailable().then(Instant::now);
                Err(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The list, if it is young enough and nothing has changed; an error if the database did not answer just now.
    fn known(&mut self, age: Duration) -> Option<Result<Arc<[Project]>, StoreError>> {
        self.take_changes();
        if self.read.is_some_and(|read| read.elapsed() < age) {
            return Some(Ok(self.list.clone()));
        }
        let away = self.failed.is_some_and(|failed| failed.elapsed() < FRESH_ENOUGH);
        away.then(|| Err(StoreError::unavailable("the database did not answer a moment ago")))
    }

    fn take_changes(&mut self) {
        while let Some(change) = self.changes.try_next() {
            if matches!(change, Change::Projects | Change::Missed) {
                self.read = None;
                self.changed += 1;
            }
        }
    }
}
