//! Handles on scopes, and which of them is the current one.

use super::{BreadcrumbSource, InScope, RequestSource, Scope, ScopeCell};
use crate::{Event, Routes, Tracker, chain::Chain, current, panic::forget_caught, tracker::WeakTracker};
use std::{
    any::Any,
    cell::RefCell,
    error::Error,
    fmt,
    hash::{DefaultHasher, Hasher},
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

thread_local! {
    /// The scope of what this thread runs right now; put there at each poll and taken away after it.
    static CURRENT: RefCell<Option<ScopeHandle>> = const { RefCell::new(None) };
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
    /// The outermost of the scopes around a child, not the next: work that spawns its successor for ever would make a chain.
    outermost: Option<ScopeHandle>,
    request: R,
}

impl ScopeHandle {
    /// An empty scope for work that is no request.
    #[must_use]
    pub fn new(tracker: &Tracker) -> Self {
        Self::for_request(tracker, || ())
    }

    /// An empty scope for serving the request that `read` makes. One allocation.
    #[must_use]
    #[inline]
    pub fn for_request<R: RequestSource>(tracker: &Tracker, read: impl FnOnce() -> R) -> Self {
        Self::of(tracker.downgrade(), ScopeCell::default(), None, read)
    }

    #[inline]
    fn of<R: RequestSource>(
        tracker: WeakTracker,
        scope: ScopeCell,
        outermost: Option<Self>,
        read: impl FnOnce() -> R,
    ) -> Self {
        // What an adapter keeps of a request is some 600 bytes, and `Arc::new` moves it three times; this allocates first.
        let inner = Arc::new_cyclic(|_| Inner {
            tracker,
            scope,
            failures: AtomicU32::new(0),
            last: AtomicU64::new(0),
            outermost,
            request: read(),
        });
        Self { inner }
    }

    /// A scope within this one: it begins with all that this one holds, its request included, and what is changed in it is
    /// seen in it alone. What fails in it counts as a failure of the outermost scope too. One allocation.
    #[must_use]
    pub fn child(&self) -> Self {
        let outermost = self.inner.outermost.clone().unwrap_or_else(|| self.clone());
        let scope = ScopeCell::holding(self.snapshot());
        Self::of(self.inner.tracker.clone(), scope, Some(outermost), || ())
    }

    /// A [child](Self::child) of the current scope, or failing that of the process's.
    #[must_use]
    pub fn inherit() -> Self {
        Self::with_current(Self::child).unwrap_or_else(|| {
            let (tracker, scope) = current::process();
            Self::of(tracker, ScopeCell::holding(scope), None, || ())
        })
    }

    /// The scope in which the current task runs, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::with_current(Self::clone)
    }

    /// Calls `f` with the current scope without taking a reference. While it runs, no other scope can be entered on this
    /// thread.
    pub fn with_current<T>(f: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.try_borrow().ok()?.as_ref().map(f)).ok().flatten()
    }

    /// Runs a future in this scope.
    pub fn enter<F: Future>(self, future: F) -> InScope<F> {
        InScope::new(self, future)
    }

    /// Runs a closure in this scope.
    pub fn sync<T>(&self, f: impl FnOnce() -> T) -> T {
        let mut slot = Some(self.clone());
        let _entered = Entered::new(&mut slot);
        f()
    }

    /// The tracker that events captured in it go to; `None` once that has been shut down.
    #[must_use]
    pub fn tracker(&self) -> Option<Tracker> {
        self.inner.tracker.upgrade()
    }

    /// The statistics of its tracker's routes; they can be written to the end, also when that has been shut down.
    #[must_use]
    pub fn routes(&self) -> Option<&Routes> {
        self.inner.tracker.routes()
    }

    /// Changes the scope. `f` may do anything, log and capture included; it sees a copy, which then takes its place.
    pub fn configure<T>(&self, f: impl FnOnce(&mut Scope) -> T) -> T {
        self.inner.scope.configure(f)
    }

    /// Adds a breadcrumb that is made whole later; the last 100 are kept.
    pub fn add_breadcrumb_source(&self, source: Arc<dyn BreadcrumbSource>) {
        self.inner.scope.add_breadcrumb(source);
    }

    pub(crate) fn snapshot(&self) -> Option<Arc<Scope>> {
        self.inner.scope.snapshot()
    }

    /// Puts request and route on an event.
    ///
    /// The tracker does so for everything that is captured in the scope, on its own thread; a layer needs it only where it
    /// words an event by the route.
    pub fn fill_request(&self, event: &mut Event) {
        self.outermost().request.fill(event);
    }

    /// The request that is being served, if it is kept as an `R`: for layers that stand inside one another.
    #[must_use]
    pub fn request<R: RequestSource>(&self) -> Option<&R> {
        let request: &dyn Any = &self.outermost().request;
        request.downcast_ref()
    }

    /// Bytes that it keeps of the request, beyond a few hundred.
    pub(crate) fn size(&self) -> usize {
        self.outermost().request.size()
    }

    fn outermost(&self) -> &Inner<dyn RequestSource> {
        &self.inner.outermost.as_ref().unwrap_or(self).inner
    }

    /// Remembers that something of level error or worse was captured in it, and by which text one would know it again.
    pub(crate) fn note_failure(&self, text: &str) {
        let hash = hash(text);
        self.inner.note_failures(hash, 1);
        if let Some(outermost) = &self.inner.outermost {
            outermost.inner.note_failures(hash, 1);
        }
    }

    /// Whether this very error, going by its text, was the last that was captured in it: an adapter that gets an error in
    /// hand need not report again what `.capture()?` reported on its way.
    #[must_use]
    pub fn has_reported(&self, error: &(dyn Error + 'static)) -> bool {
        self.failures() > 0 && self.inner.last.load(Ordering::Relaxed) == hash(&Chain::text_of(error))
    }

    /// Takes over what was captured in a scope further in, so that it is not reported once more out here.
    pub fn adopt(&self, inner: &Self) {
        self.inner.note_failures(inner.inner.last.load(Ordering::Relaxed), inner.failures());
    }

    /// How many events of level error or worse were captured in it: a layer that sees a 5xx need not report it again.
    /// The outermost scope counts those of all its children.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.inner.failures.load(Ordering::Relaxed)
    }
}

impl<R: ?Sized> Inner<R> {
    fn note_failures(&self, last: u64, more: u32) {
        self.last.store(last, Ordering::Relaxed);
        self.failures.fetch_add(more, Ordering::Relaxed);
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

/// Runs `f` in a scope of its own: a [child](ScopeHandle::child) of the current one, changed by `configure`. What is set
/// or left in it is gone afterwards. For futures there is [`ScopeExt::with_scope`](crate::ScopeExt::with_scope).
///
/// # Example
/// ```
/// use errtrack_core::{capture_message, Level, with_scope};
///
/// with_scope(|scope| scope.set_tag("shard", "7"), || {
///     capture_message("this has the tag", Level::Info);
/// });
/// capture_message("and this has not", Level::Info);
/// ```
pub fn with_scope<T>(configure: impl FnOnce(&mut Scope), f: impl FnOnce() -> T) -> T {
    let scope = ScopeHandle::inherit();
    scope.configure(configure);
    scope.sync(f)
}

/// Makes a scope the current one until it is dropped; it never lives across an await.
pub(super) struct Entered<'a> {
    /// The scope that is entered, and while it is, the one that was current before.
    slot: &'a mut Option<ScopeHandle>,
    swapped: bool,
}

impl<'a> Entered<'a> {
    pub(super) fn new(slot: &'a mut Option<ScopeHandle>) -> Self {
        forget_caught();
        let swapped = swap(slot);
        Self { slot, swapped }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.swapped {
            swap(self.slot);
        }
    }
}

/// `false` where there is no current scope to be had: in a thread that is ending, or within [`ScopeHandle::with_current`].
fn swap(slot: &mut Option<ScopeHandle>) -> bool {
    let swapped = CURRENT.try_with(|current| {
        let Ok(mut current) = current.try_borrow_mut() else { return false };
        mem::swap(&mut *current, slot);
        true
    });
    swapped.unwrap_or(false)
}
