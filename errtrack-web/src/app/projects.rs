//! The list of projects, kept at hand: each report asks for its project, and they hardly ever change.

use errtrack_core::{
    Project, StoreError,
    store::{Change, Changes, ProjectStore},
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
    pub(super) async fn list(&self, store: &dyn ProjectStore) -> Result<Arc<[Project]>, StoreError> {
        match self.younger_than(FRESH, store).await {
            Err(error) if error.is_unavailable() => Ok(self.known()),
            read => read,
        }
    }

    /// The projects, for who did not find what it looks for: another process may have made it just now.
    pub(super) async fn list_again(&self, store: &dyn ProjectStore) -> Result<Arc<[Project]>, StoreError> {
        self.younger_than(FRESH_ENOUGH, store).await
    }

    /// The projects as they were last read.
    pub(super) fn known(&self) -> Arc<[Project]> {
        self.state().list.clone()
    }

    async fn younger_than(&self, age: Duration, store: &dyn ProjectStore) -> Result<Arc<[Project]>, StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use errtrack_core::{
        ProjectId,
        store::{LocalFeed, NewProject, ProjectChange, ProjectStore},
    };
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use tokio::sync::Notify;

    /// One project whose key can be revoked, in a database that can be away or slow.
    #[derive(Default)]
    struct Fake {
        feed: LocalFeed,
        revoked: AtomicBool,
        away: AtomicBool,
        slow: AtomicBool,
        asked: AtomicUsize,
        is_reading: Notify,
        go_on: Notify,
    }

    fn project(keys: &[&str]) -> Project {
        let public_keys = keys.iter().map(ToString::to_string).collect();
        Project { id: ProjectId(1), slug: "shop".into(), name: String::new(), platform: None, public_keys }
    }

    #[async_trait]
    impl ProjectStore for Fake {
        async fn projects(&self) -> Result<Vec<Project>, StoreError> {
            self.asked.fetch_add(1, SeqCst);
            let keys: &[&str] = if self.revoked.load(SeqCst) { &[] } else { &["key"] };
            if self.slow.load(SeqCst) {
                self.is_reading.notify_one();
                self.go_on.notified().await;
            }
            if self.away.load(SeqCst) { Err(StoreError::unavailable("away")) } else { Ok(vec![project(keys)]) }
        }

        async fn ensure_project(&self, _: &str) -> Result<Project, StoreError> {
            Err(StoreError::corrupt("not here"))
        }

        async fn create_project(&self, _: &NewProject) -> Result<ProjectChange, StoreError> {
            Err(StoreError::corrupt("not here"))
        }

        async fn update_project(&self, _: &Project) -> Result<ProjectChange, StoreError> {
            Err(StoreError::corrupt("not here"))
        }

        async fn remove_public_key(&self, _: ProjectId, _: &str) -> Result<bool, StoreError> {
            Err(StoreError::corrupt("not here"))
        }

        async fn add_public_key(&self, _: ProjectId, _: &str) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn delete_project(&self, _: ProjectId) -> Result<bool, StoreError> {
            Ok(false)
        }
    }

    impl Fake {
        fn projects(&self) -> Projects {
            Projects::new(&project(&["key"]), self.feed.listen())
        }

        fn asked(&self) -> usize {
            self.asked.swap(0, SeqCst)
        }

        fn revoke(&self) {
            self.revoked.store(true, SeqCst);
        }
    }

    fn keys(list: &[Project]) -> usize {
        list.iter().map(|p| p.public_keys.len()).sum()
    }

    #[tokio::test]
    async fn a_change_drops_the_list_at_once_and_nothing_else_does() {
        for change in [Change::Projects, Change::Missed] {
            let fake = Fake::default();
            let projects = fake.projects();
            for _ in 0..3 {
                assert_eq!(keys(&projects.list(&fake).await.unwrap()), 1);
            }
            fake.feed.tell(Change::Accounts);
            projects.list(&fake).await.unwrap();
            assert_eq!(fake.asked(), 1, "one read serves all");
            fake.revoke();
            fake.feed.tell(change);
            assert_eq!(keys(&projects.list(&fake).await.unwrap()), 0, "{change:?}");
        }
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let fake = Arc::new(Fake::default());
        let projects = Arc::new(fake.projects());
        fake.slow.store(true, SeqCst);
        let early = tokio::spawn({
            let (fake, projects) = (fake.clone(), projects.clone());
            async move { projects.list(&*fake).await.unwrap() }
        });
        fake.is_reading.notified().await;
        fake.slow.store(false, SeqCst);
        fake.revoke();
        fake.feed.tell(Change::Projects);
        fake.go_on.notify_one();
        assert_eq!(keys(&early.await.unwrap()), 1, "who asked before the change may see what was before it");
        assert_eq!(keys(&projects.list(&*fake).await.unwrap()), 0);
    }

    #[tokio::test]
    async fn while_the_database_is_away_known_projects_stay_known_and_unknown_ones_are_errors() {
        let fake = Fake::default();
        let projects = fake.projects();
        fake.away.store(true, SeqCst);
        assert_eq!(keys(&projects.list(&fake).await.unwrap()), 1, "its own project is known from the start");
        fake.feed.tell(Change::Missed);
        for _ in 0..20 {
            assert_eq!(keys(&projects.list(&fake).await.unwrap()), 1);
            assert!(projects.list_again(&fake).await.unwrap_err().is_unavailable());
        }
        assert!(fake.asked() < 20, "it is left alone for a second");
    }
}
