//! The list of projects, kept at hand: each report asks for its project, and they hardly ever change.

use super::kept::Kept;
use errtrack_core::{
    Project, StoreError,
    store::{Change, Changes, ProjectStore},
};
use std::sync::Arc;

/// The projects as they were last read.
#[derive(Debug)]
pub(super) struct Projects(Kept<Project>);

impl Projects {
    /// Knows one project, until the rest is read.
    pub(super) fn new(known: &Project, changes: Changes) -> Self {
        Self(Kept::new([known.clone()], Change::Projects, changes))
    }

    /// The projects as of now; while the database is away, as of before.
    pub(super) async fn list(&self, store: &dyn ProjectStore) -> Result<Arc<[Project]>, StoreError> {
        self.0.list(|| store.projects()).await
    }

    /// The projects, for who did not find what it looks for: another process may have made it just now.
    pub(super) async fn list_again(&self, store: &dyn ProjectStore) -> Result<Arc<[Project]>, StoreError> {
        self.0.list_again(|| store.projects()).await
    }

    /// The projects as they were last read.
    pub(super) fn known(&self) -> Arc<[Project]> {
        self.0.known()
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
