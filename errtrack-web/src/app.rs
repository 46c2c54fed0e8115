//! What every handler has at hand.

mod kept;
mod projects;
mod uses;

use crate::{
    Access, Config,
    access::{oidc::Issuer, same},
    cache::Cache,
    limits::Limits,
    live::Live,
    monitoring::Traffic,
    quotas::Quotas,
    retention::Runs,
    shared::Shared,
    status::{Sizes, Totals},
};
use errtrack_core::{ApiKey, Project, ProjectId, Store, StoreError, Timestamp, TokenHash, Tracker, store::Change};
pub(crate) use kept::Kept;
use projects::Projects;
use std::sync::{Arc, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uses::Uses;
use uuid::Uuid;

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
    keys: Kept<ApiKey>,
    uses: Uses,
    heavy: Arc<Semaphore>,
    limits: Limits,
    quotas: Quotas,
    live: Live,
    started: Timestamp,
    totals: Totals,
    sizes: Sizes,
    runs: Runs,
    traffic: Arc<Traffic>,
    shared: Arc<Shared>,
    issuer: Option<Issuer>,
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
        let shared = Arc::new(Shared::new(&config));
        let oidc = config.oidc.as_ref().filter(|_| access.has_members());
        let issuer = oidc.map(|oidc| Issuer::new(oidc, &config.allowed_targets));
        let inner = Inner {
            tracker: tracker.clone(),
            access,
            config,
            projects: Projects::new(tracker.project(), tracker.store().changes()),
            keys: Kept::new([], Change::Accounts, tracker.store().changes()),
            uses: Uses::default(),
            heavy: Arc::new(Semaphore::new(HEAVY)),
            limits,
            quotas: Quotas::new(tracker.store().changes()),
            live,
            started: Timestamp::now(),
            totals: Totals::default(),
            sizes: Sizes::default(),
            runs: Runs::default(),
            traffic: Arc::default(),
            shared,
            issuer,
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

    /// Whom members may sign in with, beside their passwords.
    pub(crate) fn issuer(&self) -> Option<&Issuer> {
        self.inner.issuer.as_ref()
    }

    /// For tasks that must not hold the router.
    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.inner))
    }

    /// What is shared with other processes on the same database.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
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

    /// The key of that hash, if it has not expired. That one is revoked holds at once, on whatever process; while the
    /// database is away, known keys go on to work.
    pub(crate) async fn api_key(&self, hash: TokenHash) -> Result<Option<ApiKey>, StoreError> {
        let store = self.store();
        let find = |keys: &[ApiKey]| keys.iter().find(|key| same(key.hash, hash)).cloned();
        let mut found = find(&self.inner.keys.list(|| store.api_keys()).await?);
        if found.is_none() {
            found = find(&self.inner.keys.list_again(|| store.api_keys()).await?);
        }
        let now = Timestamp::now();
        Ok(found.filter(|key| key.expires_at.is_none_or(|at| at > now)))
    }

    /// Notes that a key was used, without waiting for it.
    pub(crate) fn note_use(&self, key: Uuid) {
        let now = Timestamp::now();
        if self.inner.uses.is_due(key, now) {
            let app = self.clone();
            // Nobody waits for it; the next use writes it again.
            tokio::spawn(async move { app.store().note_use(&[(key, now)]).await });
        }
    }

    /// Notes that a member did something, without waiting for it.
    pub(crate) fn note_activity(&self, member: Uuid) {
        let now = Timestamp::now();
        if self.inner.uses.is_due(member, now) {
            let app = self.clone();
            tokio::spawn(async move { app.store().note_activity(&[(member, now)]).await });
        }
    }

    pub(crate) fn quotas(&self) -> &Quotas {
        &self.inner.quotas
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

    /// The requests of this router.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.inner.traffic
    }

    /// Answers that are kept for a while.
    pub(crate) fn cache(&self) -> &dyn Cache {
        self.inner.shared.as_ref()
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
