//! The tracker: takes events from anywhere in the process, and gets them into the store.
//!
//! ```text
//! capture ──▶ queue ──▶ prepare ──▶ writes ──▶ coalesce ──▶ Store::record ──▶ acknowledge
//! host's      bounded   ─────────────── the tracker's own thread ────────────────────────
//! thread                                              └──▶ spool, while the store is away
//! ingest ───prepare in the request's task──▶ writes
//! ```
//!
//! Everything behind the queue runs on one thread with a runtime of its own: a host whose runtime is busy, blocked or
//! shutting down still gets its errors written, and no work of ours delays a request.

mod alerts;
mod balance;
mod builder;
mod channels;
mod coalesce;
mod complete;
mod delivery;
mod hooks;
mod ingest;
mod jitter;
mod jobs;
mod overflow;
mod ownership;
mod privacy;
mod queue;
mod rules;
mod sampling;
mod series;
pub(crate) mod spool;
mod trouble;
mod upkeep;
mod users;
mod worker;
mod writer;
mod writes;

pub use balance::Balance;
pub use builder::{BuildError, TrackerBuilder};
pub use hooks::IssueChange;
pub use ingest::{IngestError, Receipt, Report};
pub use series::Beat;
pub use spool::SpoolStatus;

use crate::{
    BreadcrumbSource, Event, EventId, Level, Preparer, Project, ProjectId, Routes, ScopeHandle, StatusClass, Timestamp,
    alert::AlertSettings,
    chain::Chain,
    current,
    hosted::Capturing,
    own_trace,
    routes::Reported,
    scope::ScopeCell,
    store::{Retention, Store, StoreError},
    symbols::{Addresses, SourceRules},
};
use balance::Ledger;
use channels::Channels;
use complete::Defaults;
use hooks::Hooks;
use jobs::Jobs;
use ownership::OwnershipAtHand;
use privacy::PreparersAtHand;
use queue::{CaptureQueue, Captured, What};
use rules::RulesAtHand;
use sampling::Sampling;
use series::Told;
use spool::SpoolGauge;
use std::{
    any::type_name,
    backtrace::Backtrace,
    cell::Cell,
    collections::BTreeMap,
    error::Error,
    fmt,
    panic::{Location, RefUnwindSafe, UnwindSafe},
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};
use trouble::Trouble;
use uuid::Uuid;
use worker::Worker;
use writer::Pace;
use writes::WriteQueue;

/// How long a tracker that is dropped waits for its queue to be written.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is a tracker's own: what fails there is never captured.
#[must_use]
pub fn inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(true)
}

fn mark_inside() {
    INSIDE.with(|inside| inside.set(true));
}

/// Says that this thread captures something; `None` where nothing is to be captured.
fn capturing() -> Option<Capturing> {
    if inside() { None } else { Capturing::begin() }
}

/// A handle on the error tracker of a program. Cheap to clone; the last one that is dropped flushes.
///
/// # Example
/// ```no_run
/// # async fn example(store: impl errtrack_core::Store) -> Result<(), Box<dyn std::error::Error>> {
/// use errtrack_core::Tracker;
///
/// let tracker = Tracker::builder()
///     .project("my-app").environment("production").release("1.4.0")
///     .store(store)
///     .build().await?;
/// tracker.install_panic_hook();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tracker {
    shared: Arc<Shared>,
}

/// A tracker with its thread; the last one that is dropped ends it.
struct Shared {
    queue: CaptureQueue,
    writes: WriteQueue,
    engine: Arc<Engine>,
    worker: Worker,
    link: Arc<Link>,
}

/// What of a tracker is known to those who do not keep it alive.
struct Link {
    shared: Weak<Shared>,
    routes: Routes,
}

/// What the capturing side and the tracker's thread have in common.
struct Engine {
    store: Arc<dyn Store>,
    preparer: Preparer,
    preparers: PreparersAtHand,
    hooks: Hooks,
    sampling: Sampling,
    rules: RulesAtHand,
    ownership: OwnershipAtHand,
    ledger: Ledger,
    project: Project,
    defaults: Defaults,
    /// What frames show of their source.
    sources: SourceRules,
    root: ScopeCell,
    trouble: Trouble,
    retention: Retention,
    /// This process, among those that share the database.
    node: Uuid,
    spool: Option<Arc<SpoolGauge>>,
    pace: Pace,
    routes: Routes,
    /// Requests that others served, as they tell.
    reported: Reported,
    told: Told,
    jobs: Jobs,
    /// What the program says of alerts.
    alerts: AlertSettings,
    /// A batch of this process did something that alert rules may want to hear of.
    signalled: tokio::sync::Notify,
    users: users::SeenUsers,
    watched: alerts::watched::WatchedEvents,
    channels: Channels,
    /// Held while this process runs retention.
    retaining: tokio::sync::Mutex<()>,
}

/// A handle that does not keep the tracker alive: for what lives as long as the process, such as a `tracing` subscriber.
#[derive(Clone, Default)]
pub struct WeakTracker(Option<Arc<Link>>);

impl WeakTracker {
    /// The tracker; `None` once its last handle is gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Tracker> {
        self.0.as_ref()?.shared.upgrade().map(|shared| Tracker { shared })
    }

    /// The statistics of the routes, which outlive the tracker.
    pub(crate) fn routes(&self) -> Option<&Routes> {
        self.0.as_ref().map(|link| &link.routes)
    }
}

impl Tracker {
    /// Begins the configuration of a tracker.
    pub fn builder() -> TrackerBuilder {
        TrackerBuilder::default()
    }

    /// Captures an event made by hand and returns the id under which it can be found.
    ///
    /// Takes the current scope along. Never blocks, fails or panics: when the queue is full the event is counted as
    /// dropped. Costs some hundred nanoseconds.
    pub fn capture(&self, event: Event) -> EventId {
        self.enqueue(event.into(), None, None)
    }

    /// Captures an event and notes the place in the source that reports it.
    pub fn capture_at(&self, event: Event, place: &'static Location<'static>) -> EventId {
        self.enqueue(event.into(), None, Some(place))
    }

    /// Captures an error with its chain of sources, as [`capture_error`](crate::capture_error) does.
    #[track_caller]
    pub fn capture_error<E: Error + ?Sized>(&self, error: &E) -> EventId {
        self.capture_error_at(error, Location::caller())
    }

    /// Captures an error and notes the place in the source that reports it.
    pub fn capture_error_at<E: Error + ?Sized>(&self, error: &E, place: &'static Location<'static>) -> EventId {
        self.capture_caught(error, type_name::<E>(), "generic", place)
    }

    /// Captures an error that a `mechanism` (`tower`, `axum`, …) caught, with the place that reports it and, where
    /// [`TrackerBuilder::backtraces`] says so, the stack of the calling thread.
    ///
    /// `path` is what [`type_name`] says of the type, for errors that stand behind a `dyn Error` by now.
    pub fn capture_caught<E: Error + ?Sized>(
        &self,
        error: &E,
        path: &'static str,
        mechanism: &'static str,
        place: &'static Location<'static>,
    ) -> EventId {
        let Some(_capturing) = capturing() else { return EventId::default() };
        let (id, timestamp) = (EventId::random(), Timestamp::now());
        let what = What::Error { id, timestamp, chain: Chain::of(error, path, mechanism, true), trace: None };
        let addresses = self.shared.engine.defaults.backtraces.then(Addresses::capture);
        self.enqueue(what, addresses, Some(place))
    }

    /// The same, with the stack that the error brought along, where it did.
    pub(crate) fn capture_with_backtrace<E: Error + ?Sized>(
        &self,
        error: &E,
        path: &'static str,
        mechanism: &'static str,
        place: &'static Location<'static>,
        backtrace: &Backtrace,
    ) -> EventId {
        let own = self.shared.engine.defaults.own_backtraces.then(|| own_trace::text(backtrace)).flatten();
        let Some(own) = own else { return self.capture_caught(error, path, mechanism, place) };
        let Some(_capturing) = capturing() else { return EventId::default() };
        let (id, timestamp) = (EventId::random(), Timestamp::now());
        let what = What::Error { id, timestamp, chain: Chain::of(error, path, mechanism, true), trace: Some(own) };
        self.enqueue(what, None, Some(place))
    }

    /// Captures an event together with the stack of the calling thread.
    pub(crate) fn capture_with_stack(&self, event: Event, place: Option<&'static Location<'static>>) -> EventId {
        self.enqueue(event.into(), Some(Addresses::capture()), place)
    }

    fn enqueue(
        &self,
        mut what: What,
        addresses: Option<Addresses>,
        place: Option<&'static Location<'static>>,
    ) -> EventId {
        let shared = &*self.shared;
        if inside() {
            return EventId::default();
        }
        let (id, level) = match &mut what {
            What::Event(event) => {
                if event.event_id.is_nil() {
                    event.event_id = EventId::random();
                }
                // Whoever made it decides when it happened, but not when it came here.
                event.received_at = Timestamp::now();
                (event.event_id, event.level)
            }
            What::Error { id, .. } => (*id, Level::Error),
        };
        let counters = shared.engine.ledger.own();
        counters.captured(1);
        let scope = ScopeHandle::current();
        // Before sampling: what is left out was reported all the same, and a layer must not report it in other words.
        if let Some(scope) = &scope
            && level >= Level::Error
        {
            scope.note_failure(what.text());
        }
        let snapshot = match &scope {
            Some(scope) => scope.snapshot(),
            None => shared.engine.root.snapshot(),
        };
        let level = snapshot.as_ref().and_then(|scope| scope.level()).unwrap_or(level);
        if !shared.engine.sampling.keeps_captured(id, level) {
            counters.sampled(1);
            return id;
        }
        let captured = Captured { what, snapshot, scope, addresses, place };
        if !shared.queue.push(captured) {
            counters.dropped_by_queue(1);
        }
        id
    }

    /// The scope of the process as it is now.
    pub(crate) fn root_snapshot(&self) -> Option<Arc<crate::Scope>> {
        self.shared.engine.root.snapshot()
    }

    /// Adds a breadcrumb to the scope of the process: seen on what is captured in no other.
    pub fn add_root_breadcrumb(&self, source: Arc<dyn BreadcrumbSource>) {
        self.shared.engine.root.add_breadcrumb(source);
    }

    /// Changes the scope of the process: what it holds is put on every event of this tracker.
    pub fn configure_root<T>(&self, f: impl FnOnce(&mut crate::Scope) -> T) -> T {
        self.shared.engine.root.configure(f)
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.engine.store
    }

    /// The project that this process reports to.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.shared.engine.project
    }

    /// What became of all events since the tracker was built, over all projects.
    #[must_use]
    pub fn balance(&self) -> Balance {
        self.shared.engine.ledger.total()
    }

    /// What became of the events of one project since the tracker was built.
    #[must_use]
    pub fn balance_of(&self, project: ProjectId) -> Balance {
        self.shared.engine.ledger.of(project).balance()
    }

    /// What became of all events of every project, over all processes and restarts: what the store keeps, and what this
    /// process has not told it yet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError> {
        let mut balances: BTreeMap<ProjectId, Balance> = self.store().balances().await?.into_iter().collect();
        for (project, untold) in self.shared.engine.ledger.untold() {
            *balances.entry(project).or_default() += untold;
        }
        Ok(balances.into_iter().collect())
    }

    /// How many requests this process served by route, how they ended and how long they took: what layers count, and what
    /// `/metrics` shows.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.shared.engine.routes
    }

    /// Counts a request that another program has served, as it tells, for the figures of its project. Of all projects
    /// together [`Routes::MOST`] names are told apart; what comes then counts under [`Routes::REST`].
    pub fn count_reported(&self, project: ProjectId, method: &str, route: &str, class: StatusClass, took: Duration) {
        self.shared.engine.reported.record(project, method, route, class, took);
    }

    /// How full the spool is; `None` if there is none.
    #[must_use]
    pub fn spool(&self) -> Option<SpoolStatus> {
        self.shared.engine.spool.as_ref().map(|spool| spool.status())
    }

    /// What is kept, and for how long.
    #[must_use]
    pub fn retention(&self) -> &Retention {
        &self.shared.engine.retention
    }

    /// The id of this process among those that share a database: made anew at each start.
    #[must_use]
    pub fn node(&self) -> Uuid {
        self.shared.engine.node
    }

    /// How many events wait to be prepared or written.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.shared.queue.len() + self.shared.writes.len()
    }

    /// Whether the last attempt to write failed because the database was away.
    #[must_use]
    pub fn is_store_away(&self) -> bool {
        self.shared.writes.is_store_away()
    }

    /// Whether a report that came now could be made durable; `false` when more waits than may, while the database is away
    /// and there is no room in a spool, and after the tracker has ended.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let spool = self.shared.engine.spool.as_ref();
        let durable = !self.is_store_away() || spool.is_some_and(|spool| spool.has_room());
        durable && self.shared.writes.has_room()
    }

    /// What last went wrong inside the tracker, with the time. That the database was away is forgotten when it is back.
    #[must_use]
    pub fn trouble(&self) -> Option<(Timestamp, String)> {
        self.shared.engine.trouble.last()
    }

    /// Waits until everything that was captured before is durable, in the store or in the spool, at most for `patience`;
    /// `false` if that was not long enough.
    ///
    /// With a spool, half of `patience` is for the store; what it has not taken by then is put into the spool.
    pub async fn flush(&self, patience: Duration) -> bool {
        let mut flush = pin!(self.shared.queue.flush());
        let half = patience / 2;
        if let Ok(flushed) = tokio::time::timeout(half, &mut flush).await {
            return flushed;
        }
        let _hurry = self.shared.writes.hurry();
        tokio::time::timeout(patience.saturating_sub(half), flush).await.unwrap_or(false)
    }

    /// Blocks until everything that was captured before is durable, without waiting for a store that does not answer at
    /// once; `false` if it took longer than `patience`, or on the tracker's own thread.
    pub(crate) fn flush_at_the_end(&self, patience: Duration) -> bool {
        !inside() && self.shared.queue.flush_blocking(self.shared.writes.hurry(), patience)
    }

    /// Flushes, for 5 seconds at most, and ends the tracker's thread. What is captured afterwards is dropped, and what is
    /// reported is refused. `false` if something could be neither stored nor spooled in time.
    pub async fn shutdown(&self) -> bool {
        let flushed = self.flush(DROP_PATIENCE).await;
        self.shared.queue.close();
        let ended = tokio::time::timeout(DROP_PATIENCE, self.shared.worker.ended()).await;
        flushed && ended.is_ok()
    }

    /// What [`shutdown`](Self::shutdown) does, for a thread that may block.
    #[cfg(unix)]
    pub(crate) fn shutdown_blocking(&self) {
        let _hurry = self.shared.writes.hurry();
        self.shared.queue.close();
        self.shared.worker.join(DROP_PATIENCE);
    }

    /// A handle that does not keep the tracker alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakTracker {
        WeakTracker(Some(self.shared.link.clone()))
    }

    fn set_default(&self) {
        current::set_default(self);
    }
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").field("project", &self.shared.engine.project.slug).finish_non_exhaustive()
    }
}

// Every lock in it is taken whether it is poisoned or not: a host that catches panics may hold one.
impl UnwindSafe for Tracker {}
impl RefUnwindSafe for Tracker {}

impl fmt::Debug for WeakTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakTracker").finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The thread keeps no reference to us, so it is still there to write what is queued.
        self.queue.close();
        if !inside() {
            self.worker.join(DROP_PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests;
