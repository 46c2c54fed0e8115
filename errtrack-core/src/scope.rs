//! The scope: what is known about the work under way, to be put on every event captured in it.
//!
//! A scope travels with the future that does the work ([`ScopeHandle::enter`] wraps it), not with the thread: it is there
//! in every poll, on whichever thread, and gone in between. Nothing depends on a guard that lives across an await.

use crate::{Breadcrumb, Event, Level, Map, Tracker, User, chain::Chain, tracker::WeakTracker};
use pin_project_lite::pin_project;
use serde_json::Value;
use std::{
    any::Any,
    collections::{BTreeMap, VecDeque},
    error::Error,
    fmt,
    hash::{DefaultHasher, Hasher},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// Breadcrumbs kept per scope; older ones are let go.
const BREADCRUMBS: usize = 100;

/// What is known about the work under way.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Scope, User};
///
/// let mut scope = Scope::default();
/// scope.set_user(User::id("42"));
/// scope.set_tag("plan", "pro");
///
/// let mut event = Event::new();
/// scope.apply(&mut event);
/// assert_eq!(event.tags["plan"], "pro");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scope {
    user: Option<User>,
    level: Option<Level>,
    transaction: Option<String>,
    fingerprint: Vec<String>,
    tags: BTreeMap<String, String>,
    contexts: Map,
    extra: Map,
    /// Shared, so that a scope that was put on an event can go on cheaply: the copy counts references.
    breadcrumbs: VecDeque<Arc<dyn BreadcrumbSource>>,
}

/// A breadcrumb in a form in which it is cheap to leave, made whole only when something is captured.
///
/// Most breadcrumbs are never read. A layer that leaves many keeps what it has as it is, and turns it into a
/// [`Breadcrumb`] here, on the tracker's thread.
pub trait BreadcrumbSource: fmt::Debug + Send + Sync + 'static {
    /// The breadcrumb.
    fn breadcrumb(&self) -> Breadcrumb;
}

impl BreadcrumbSource for Breadcrumb {
    fn breadcrumb(&self) -> Breadcrumb {
        self.clone()
    }
}

impl Scope {
    /// Sets the user for whom the work is done.
    pub fn set_user(&mut self, user: impl Into<Option<User>>) {
        self.user = user.into();
    }

    /// Sets a tag: a short value to filter and count by.
    pub fn set_tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.tags.insert(key.into(), value.into());
    }

    /// Takes a tag away.
    pub fn remove_tag(&mut self, key: &str) {
        self.tags.remove(key);
    }

    /// Sets a named group of facts.
    pub fn set_context(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.contexts.insert(key.into(), value.into());
    }

    /// Sets a further value.
    pub fn set_extra(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.extra.insert(key.into(), value.into());
    }

    /// Overrides the level of what is captured.
    pub fn set_level(&mut self, level: impl Into<Option<Level>>) {
        self.level = level.into();
    }

    /// Names the route or task.
    pub fn set_transaction(&mut self, name: impl Into<String>) {
        self.transaction = Some(name.into());
    }

    /// Sets the fingerprint of what is captured; `{{ default }}` in it stands for ours.
    pub fn set_fingerprint<I: IntoIterator<Item: Into<String>>>(&mut self, parts: I) {
        self.fingerprint = parts.into_iter().map(Into::into).collect();
    }

    /// Adds a breadcrumb; the last 100 are kept.
    pub fn add_breadcrumb(&mut self, mut breadcrumb: Breadcrumb) {
        breadcrumb.timestamp.get_or_insert_with(crate::Timestamp::now);
        self.add_breadcrumb_source(Arc::new(breadcrumb));
    }

    /// Adds a breadcrumb that is made whole later; the last 100 are kept.
    pub fn add_breadcrumb_source(&mut self, source: Arc<dyn BreadcrumbSource>) {
        if self.breadcrumbs.len() >= BREADCRUMBS {
            self.breadcrumbs.pop_front();
        }
        self.breadcrumbs.push_back(source);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Puts what it knows on an event. What the event says itself wins.
    pub fn apply(&self, event: &mut Event) {
        if let Some(level) = self.level {
            event.level = level;
        }
        if event.user.is_none() {
            event.user.clone_from(&self.user);
        }
        if event.fingerprint.is_empty() {
            event.fingerprint.clone_from(&self.fingerprint);
        }
        if let Some(name) = &self.transaction {
            event.transaction = Some(name.clone());
        }
        if event.breadcrumbs.is_empty() {
            event.breadcrumbs.extend(self.breadcrumbs.iter().map(|source| source.breadcrumb()));
        }
        self.apply_facts(event);
    }

    /// Puts on an event what holds for the whole process: tags, contexts and extra, not who it was or what came before.
    pub(crate) fn apply_facts(&self, event: &mut Event) {
        for (key, value) in &self.tags {
            event.tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for (key, value) in &self.contexts {
            if !event.contexts.contains_key(key) {
                event.contexts.insert(key.clone(), value.clone());
            }
        }
        for (key, value) in &self.extra {
            if !event.extra.contains_key(key) {
                event.extra.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What a scope can tell about the request that is being served, read only when something is captured.
///
/// It is filled in on the tracker's thread: keep the request's parts and copy them here, not while serving.
pub trait RequestSource: Any + Send + Sync {
    /// Puts request and route on an event.
    fn fill(&self, event: &mut Event);

    /// Bytes that it holds beyond a few hundred, such as a request's body: they count where events wait.
    fn size(&self) -> usize {
        0
    }
}

impl RequestSource for () {
    fn fill(&self, _event: &mut Event) {}
}

/// A shared handle on the scope of one piece of work: a request, a job, the process.
#[derive(Clone)]
pub struct ScopeHandle {
    inner: Arc<Inner<dyn RequestSource>>,
}

struct Inner<R: ?Sized> {
    /// Weak: work that outlives its tracker, or never ends, does not hold back the tracker's last flush.
    tracker: WeakTracker,
    scope: ScopeCell,
    failures: AtomicU32,
    /// The text of the last failure, by its hash.
    last: AtomicU64,
    request: R,
}

/// A scope that is shared. Copied on write: a capture takes a snapshot by counting one reference.
#[derive(Debug, Default)]
pub(crate) struct ScopeCell(Mutex<Option<Arc<Scope>>>);

impl ScopeCell {
    pub(crate) fn configure<T>(&self, f: impl FnOnce(&mut Scope) -> T) -> T {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f(Arc::make_mut(guard.get_or_insert_default()))
    }

    /// The scope as it is now; `None` while it is empty.
    pub(crate) fn snapshot(&self) -> Option<Arc<Scope>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

tokio::task_local! {
    static CURRENT: ScopeHandle;
}

impl ScopeHandle {
    /// An empty scope for work that is no request.
    #[must_use]
    pub fn new(tracker: &Tracker) -> Self {
        Self::for_request(tracker, ())
    }

    /// An empty scope for serving a request. One allocation.
    #[must_use]
    pub fn for_request<R: RequestSource>(tracker: &Tracker, request: R) -> Self {
        let tracker = tracker.downgrade();
        Self {
            inner: Arc::new(Inner {
                tracker,
                scope: ScopeCell::default(),
                failures: AtomicU32::new(0),
                last: AtomicU64::new(0),
                request,
            }),
        }
    }

    /// The scope in which the current task runs, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Calls `f` with the current scope without taking a reference.
    pub fn with_current<T>(f: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(f).ok()
    }

    /// Runs a future in this scope.
    pub fn enter<F: Future>(self, future: F) -> InScope<F> {
        InScope { future: CURRENT.scope(self, future) }
    }

    /// Runs a closure in this scope.
    pub fn sync<T>(&self, f: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), f)
    }

    /// The tracker that events captured in it go to; `None` once that has been shut down.
    #[must_use]
    pub fn tracker(&self) -> Option<Tracker> {
        self.inner.tracker.upgrade()
    }

    /// Changes the scope.
    pub fn configure<T>(&self, f: impl FnOnce(&mut Scope) -> T) -> T {
        self.inner.scope.configure(f)
    }

    pub(crate) fn snapshot(&self) -> Option<Arc<Scope>> {
        self.inner.scope.snapshot()
    }

    /// Puts request and route on an event.
    ///
    /// The tracker does so for everything that is captured in the scope, on its own thread; a layer needs it only where it
    /// words an event by the route.
    pub fn fill_request(&self, event: &mut Event) {
        self.inner.request.fill(event);
    }

    /// The request that is being served, if it is kept as an `R`: for layers that stand inside one another.
    #[must_use]
    pub fn request<R: RequestSource>(&self) -> Option<&R> {
        let request: &dyn Any = &self.inner.request;
        request.downcast_ref()
    }

    /// Bytes that it keeps of the request, beyond a few hundred.
    pub(crate) fn size(&self) -> usize {
        self.inner.request.size()
    }

    /// Remembers that something of level error or worse was captured in it, and by which text one would know it again.
    pub(crate) fn note_failure(&self, text: &str) {
        self.inner.last.store(hash(text), Ordering::Relaxed);
        self.inner.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether this very error, going by its text, was the last that was captured in it: an adapter that gets an error in
    /// hand need not report again what `.capture()?` reported on its way.
    #[must_use]
    pub fn has_reported(&self, error: &(dyn Error + 'static)) -> bool {
        self.failures() > 0 && self.inner.last.load(Ordering::Relaxed) == hash(&Chain::text_of(error))
    }

    /// Takes over what was captured in a scope further in, so that it is not reported once more out here.
    pub fn adopt(&self, inner: &Self) {
        self.inner.last.store(inner.inner.last.load(Ordering::Relaxed), Ordering::Relaxed);
        self.inner.failures.fetch_add(inner.failures(), Ordering::Relaxed);
    }

    /// How many events of level error or worse were captured in it: a layer that sees a 5xx need not report it again.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.inner.failures.load(Ordering::Relaxed)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl fmt::Debug for ScopeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeHandle").field("failures", &self.failures()).finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that runs in a scope; made by [`ScopeHandle::enter`].
    pub struct InScope<F> {
        #[pin]
        future: tokio::task::futures::TaskLocalFuture<ScopeHandle, F>,
    }
}

impl<F> InScope<F> {
    /// Takes the scope back from a future that has ended, to see what was captured in it.
    ///
    /// `None` if it was taken before. A future that goes on afterwards does so in no scope.
    pub fn take_scope(self: Pin<&mut Self>) -> Option<ScopeHandle> {
        self.project().future.take_value()
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F> fmt::Debug for InScope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InScope").finish_non_exhaustive()
    }
}
