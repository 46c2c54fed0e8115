//! What every handler has at hand.

mod projects;

use crate::{
    Access, Config,
    cache::Cache,
    limits::Limits,
    live::Live,
    retention::Runs,
    shared::Shared,
    status::{Sizes, Totals},
};
use errtrack_core::{Project, ProjectId, Store, StoreError, Timestamp, Tracker};
use projects::Projects;
use std::sync::{Arc, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    projects: Projects,
    heavy: Arc<Semaphore>,
    limits: Limits,
    live: Live,
    started: Timestamp,
    totals: Totals,
    sizes: Sizes,
    runs: Runs,
    shared: Shared,
}

/// The state, as long as somebody else holds it.
#[derive(Debug, Clone)]
pub(crate) struct WeakApp(Weak<Inner>);

impl WeakApp {
    pub(crate) fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(|inner| App { inner })
    }
}

impl App {
    pub(crate) fn new(tracker: &Tracker, access: Access, config: Config) -> Self {
        let limits = Limits::new(config.rate_limits);
        let live = Live::new(config.live_clients);
        let shared = Shared::new(&config);
        let inner = Inner {
            tracker: tracker.clone(),
            access,
            config,
            projects: Projects::new(tracker.project(), tracker.store().changes()),
            heavy: Arc::new(Semaphore::new(HEAVY)),
            limits,
            live,
            started: Timestamp::now(),
            totals: Totals::default(),
            sizes: Sizes::default(),
            runs: Runs::default(),
            shared,
        };
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

    /// For tasks that must not hold the router.
    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.inner))
    }

    /// What is shared with other processes on the same database.
    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    pub(crate) fn live(&self) -> &Live {
        &self.inner.live
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Every project, whoever asks: [`Caller::projects`](crate::access::Caller) knows which of them somebody may see. A change, also one that another process made, shows at once; while the database is away, reports are
    /// taken by what was known before.
    pub(crate) async fn all_projects(&self) -> Result<Arc<[Project]>, StoreError> {
        let projects = self.inner.projects.list(self.store()).await?;
        self.inner.shared.note_projects(&projects);
        Ok(projects)
    }

    /// The projects as they were last read; asks nobody.
    pub(crate) fn known_projects(&self) -> Arc<[Project]> {
        self.inner.projects.known()
    }

    /// Every project, for who did not find what it looks for: another process may have made it just now.
    pub(crate) async fn projects_again(&self) -> Result<Arc<[Project]>, StoreError> {
        self.inner.projects.list_again(self.store()).await
    }

    /// When this router was made.
    pub(crate) fn started(&self) -> Timestamp {
        self.inner.started
    }

    /// The balances, carried on while the database is away.
    pub(crate) fn totals(&self) -> &Totals {
        &self.inner.totals
    }

    /// How large the store is.
    pub(crate) fn sizes(&self) -> &Sizes {
        &self.inner.sizes
    }

    /// Runs of retention that somebody asked for.
    pub(crate) fn runs(&self) -> &Runs {
        &self.inner.runs
    }

    /// Answers that are kept for a while.
    pub(crate) fn cache(&self) -> &dyn Cache {
        &self.inner.shared
    }

    /// Waits for a turn at work that needs much memory.
    pub(crate) async fn heavy_turn(&self) -> Option<OwnedSemaphorePermit> {
        self.inner.heavy.clone().acquire_owned().await.ok()
    }

    /// The project with that number, whoever asks.
    pub(crate) async fn any_project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        self.find_project(|p| p.id == id).await
    }

    /// The project with that slug, whoever asks.
    pub(crate) async fn any_project_by_slug(&self, slug: &str) -> Result<Option<Project>, StoreError> {
        self.find_project(|p| p.slug == slug).await
    }

    /// The project that has that public key.
    pub(crate) async fn project_by_key(&self, key: &str) -> Result<Option<Project>, StoreError> {
        self.find_project(|p| p.public_keys.iter().any(|k| k == key)).await
    }

    async fn find_project(&self, is_it: impl Fn(&Project) -> bool) -> Result<Option<Project>, StoreError> {
        if let Some(project) = self.all_projects().await?.iter().find(|p| is_it(p)) {
            return Ok(Some(project.clone()));
        }
        Ok(self.projects_again().await?.iter().find(|p| is_it(p)).cloned())
    }

    /// The project with that slug, made if there is none.
    pub(crate) async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        if let Some(project) = self.any_project_by_slug(slug).await? {
            return Ok(project);
        }
        self.store().ensure_project(slug).await
    }
}
