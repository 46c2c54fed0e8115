//! What every handler has at hand.

use crate::{Access, Config};
use errtrack_core::{Project, ProjectId, Store, StoreError, Tracker};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long the list of projects is believed.
const FRESH: Duration = Duration::from_secs(5);
/// How long it is believed by who finds nothing in it: wrong keys must not make the database work for each request.
const FRESH_ENOUGH: Duration = Duration::from_secs(1);
/// Large bodies that are unpacked and read at once; each may hold a hundred MiB.
const HEAVY: usize = 4;

/// The state of the router. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tracker: Tracker,
    access: Access,
    config: Config,
    projects: RwLock<Option<(Instant, Arc<[Project]>)>>,
    heavy: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(tracker: &Tracker, access: Access, config: Config) -> Self {
        let heavy = Arc::new(Semaphore::new(HEAVY));
        let inner = Inner { tracker: tracker.clone(), access, config, projects: RwLock::new(None), heavy };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.inner.tracker
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.inner.tracker.store().as_ref()
    }

    pub(crate) fn access(&self) -> &Access {
        &self.inner.access
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Every project, at most a few seconds old: each report asks for its project, and they hardly ever change.
    pub(crate) async fn projects(&self) -> Result<Arc<[Project]>, StoreError> {
        self.projects_younger_than(FRESH).await
    }

    /// Every project, for who did not find what it looks for: another instance may have made it just now.
    pub(crate) async fn projects_again(&self) -> Result<Arc<[Project]>, StoreError> {
        self.projects_younger_than(FRESH_ENOUGH).await
    }

    async fn projects_younger_than(&self, age: Duration) -> Result<Arc<[Project]>, StoreError> {
        if let Some((read, projects)) = &*self.inner.projects.read().unwrap_or_else(PoisonError::into_inner)
            && read.elapsed() < age
        {
            return Ok(projects.clone());
        }
        self.read_projects().await
    }

    async fn read_projects(&self) -> Result<Arc<[Project]>, StoreError> {
        let projects: Arc<[Project]> = self.store().projects().await?.into();
        *self.inner.projects.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), projects.clone()));
        Ok(projects)
    }

    /// Waits for a turn at work that needs much memory.
    pub(crate) async fn heavy_turn(&self) -> Option<OwnedSemaphorePermit> {
        self.inner.heavy.clone().acquire_owned().await.ok()
    }

    /// The project with that number.
    pub(crate) async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        self.find_project(|p| p.id == id).await
    }

    /// The project with that slug.
    pub(crate) async fn project_by_slug(&self, slug: &str) -> Result<Option<Project>, StoreError> {
        self.find_project(|p| p.slug == slug).await
    }

    /// The project that has that public key.
    pub(crate) async fn project_by_key(&self, key: &str) -> Result<Option<Project>, StoreError> {
        self.find_project(|p| p.public_keys.iter().any(|k| k == key)).await
    }

    async fn find_project(&self, is_it: impl Fn(&Project) -> bool) -> Result<Option<Project>, StoreError> {
        if let Some(project) = self.projects().await?.iter().find(|p| is_it(p)) {
            return Ok(Some(project.clone()));
        }
        Ok(self.projects_again().await?.iter().find(|p| is_it(p)).cloned())
    }

    /// The project with that slug, made if there is none.
    pub(crate) async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        if let Some(project) = self.project_by_slug(slug).await? {
            return Ok(project);
        }
        let project = self.store().ensure_project(slug).await?;
        self.read_projects().await?;
        Ok(project)
    }
}
