//! Lists of the store that are kept at hand: each request asks for them, and they hardly ever change.

use errtrack_core::{
    StoreError,
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

/// A list as it was last read.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    state: Mutex<State<T>>,
    /// The change that makes it old.
    about: Change,
    /// One reads, the others wait for what it reads.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State<T> {
    /// While the database is away, what was known before goes on to hold.
    list: Arc<[T]>,
    /// `None` if something has changed since.
    read: Option<Instant>,
    /// When the database last did not answer.
    failed: Option<Instant>,
    changes: Changes,
    /// How many changes there were: what was read before one is not kept after it.
    changed: u64,
}

impl<T> Kept<T> {
    /// Knows these, until the rest is read.
    pub(crate) fn new(known: impl Into<Arc<[T]>>, about: Change, changes: Changes) -> Self {
        let state = State { list: known.into(), read: None, failed: None, changes, changed: 0 };
        Self { state: Mutex::new(state), about, reading: tokio::sync::Mutex::default() }
    }

    /// The list as of now; while the database is away, as of before.
    pub(crate) async fn list<F>(&self, read: impl FnOnce() -> F + Send) -> Result<Arc<[T]>, StoreError>
    where
        F: Future<Output = Result<Vec<T>, StoreError>> + Send,
    {
        match self.younger_than(FRESH, read).await {
            Err(error) if error.is_unavailable() => Ok(self.known()),
            read => read,
        }
    }

    /// The list, for who did not find what it looks for: another process may have made it just now.
    pub(crate) async fn list_again<F>(&self, read: impl FnOnce() -> F + Send) -> Result<Arc<[T]>, StoreError>
    where
        F: Future<Output = Result<Vec<T>, StoreError>> + Send,
    {
        self.younger_than(FRESH_ENOUGH, read).await
    }

    /// The list as it was last read.
    pub(crate) fn known(&self) -> Arc<[T]> {
        self.state().list.clone()
    }

    async fn younger_than<F>(&self, age: Duration, read: impl FnOnce() -> F + Send) -> Result<Arc<[T]>, StoreError>
    where
        F: Future<Output = Result<Vec<T>, StoreError>> + Send,
    {
        if let Some(known) = self.state().known(age, self.about) {
            return known;
        }
        let _turn = self.reading.lock().await;
        let before = {
            let mut state = self.state();
            if let Some(known) = state.known(age, self.about) {
                return known;
            }
            state.changed
        };
        let read = read().await;
        let mut state = self.state();
        match read {
            Ok(list) => {
                let list: Arc<[T]> = list.into();
                state.failed = None;
                state.take_changes(self.about);
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

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// The list, if it is young enough and nothing has changed; an error if the database did not answer just now.
    fn known(&mut self, age: Duration, about: Change) -> Option<Result<Arc<[T]>, StoreError>> {
        self.take_changes(about);
        if self.read.is_some_and(|read| read.elapsed() < age) {
            return Some(Ok(self.list.clone()));
        }
        let away = self.failed.is_some_and(|failed| failed.elapsed() < FRESH_ENOUGH);
        away.then(|| Err(StoreError::unavailable("the database did not answer a moment ago")))
    }

    fn take_changes(&mut self, about: Change) {
        while let Some(change) = self.changes.try_next() {
            if change == about || change == Change::Missed {
                self.read = None;
                self.changed += 1;
            }
        }
    }
}
