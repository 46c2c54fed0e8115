//! What every handler has at hand.

use crate::{Access, Config};
use errtrack_core::{Project, ProjectId, Store, StoreError, Tracker};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long the list of projects is believed.
const FRESH: Duration = Duration::from_secs(5);

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
}

impl App {
    pub(crate) fn new(tracker: &Tracker, access: Access, config: Config) -> Self {
        let inner = Inner { tracker: tracker.clone(), access, config, projects: RwLock::new(None) };
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
        if let Some((read, projects)) = &*self.inner.projects.read().unwrap_or_else(PoisonError::into_inner)
            && read.elapsed() < FRESH
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

    /// The project with that number.
    pub(crate) async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        Ok(self.projects().await?.iter().find(|p| p.id == id).cloned())
    }

    /// The project with that slug.
    pub(crate) async fn project_by_slug(&self, slug: &str) -> Result<Option<Project>, StoreError> {
        Ok(self.projects().await?.iter().find(|p| p.slug == slug).cloned())
    }

    /// The project that has that public key.
    pub(crate) async fn project_by_key(&self, key: &str) -> Result<Option<Project>, StoreError> {
        Ok(self.projects().await?.iter().find(|p| p.public_keys.iter().any(|k| k == key)).cloned())
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
