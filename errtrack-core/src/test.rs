//! A kit for the tests of a program: what it captured, as events and as the issues that a store would make of them.
//!
//! Needs no database, no network and nothing that the process has only once: what is captured is found through the scope in
//! which the tested code runs, so tests can run side by side.
//!
//! # Example
//! ```
//! use errtrack_core::{ResultExt, test::captured};
//!
//! fn port(text: &str) -> u16 {
//!     text.parse().capture_with(|scope| scope.set_tag("variable", "PORT")).unwrap_or(8080)
//! }
//!
//! let seen = captured(|| {
//!     port("http");
//!     port("https");
//! });
//! assert_eq!(seen.events().len(), 2);
//! assert_eq!(seen.event_of("invalid digit").tags["variable"], "PORT");
//! assert_eq!(seen.issue().count, 2, "they are one issue");
//! ```
//!
//! # What is found
//! Everything that is captured by the closure or the future itself, by tasks that it spawns with [`spawn`](crate::spawn) and
//! [`spawn_blocking`](crate::spawn_blocking), by futures [`in_scope`](crate::ScopeExt::in_scope), and on threads whose
//! closures were [carried](crate::carry), as far as they are done when it ends: await and join them. Not what is captured in
//! tasks of `tokio::spawn`, which know no scope, here as in production.
//!
//! For layers that want a tracker there is [`Recorder`]:
//!
//! ```
//! use errtrack_core::{ScopeHandle, test::Recorder};
//!
//! # async fn example() {
//! let recorder = Recorder::start();
//! // let app = app.layer(CaptureLayer::new(recorder.tracker()));
//! recorder.run_async(async { errtrack_core::capture_error(&std::fmt::Error) }).await;
//! assert_eq!(recorder.captured().event().title().0, "core::fmt::Error");
//! # }
//! ```

mod store;

use crate::{Balance, Event, InScope, Issue, Occurrence, Project, ProjectId, ScopeHandle, Tracker, TrackerBuilder};
use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
    time::Duration,
};
use store::Memory;

/// How long the tracker may take to settle what was captured.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `f`, and answers what was captured in it.
///
/// # Panics
/// As `f` does; and if the tracker's thread cannot be started, or does not get done within 30 seconds.
pub fn captured<T>(f: impl FnOnce() -> T) -> Captured {
    let recorder = Recorder::start();
    recorder.run(f);
    recorder.captured()
}

/// Runs a future, and answers what was captured in it.
///
/// # Panics
/// As [`captured`].
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let seen = errtrack_core::test::captured_async(async {
///     errtrack_core::spawn(async { errtrack_core::capture_error(&std::fmt::Error) }).await.unwrap();
/// })
/// .await;
/// assert_eq!(seen.event().title().0, "core::fmt::Error");
/// # }
/// ```
pub async fn captured_async<F: Future>(future: F) -> Captured {
    let recorder = Recorder::start();
    recorder.run_async(future).await;
    recorder.captured()
}

/// A tracker that keeps everything in memory.
///
/// It is not the one to which work reports that runs in no scope: only what is captured in [`run`](Self::run) and
/// [`run_async`](Self::run_async), or by a layer that was given its [tracker](Self::tracker), comes here.
#[derive(Debug)]
pub struct Recorder {
    tracker: Tracker,
    store: Arc<Memory>,
}

// A panic of what it records leaves nothing half done in it.
impl UnwindSafe for Recorder {}
impl RefUnwindSafe for Recorder {}

impl Recorder {
    /// A recorder with a tracker of project `test`, environment `test`.
    ///
    /// # Panics
    /// If the system has no thread to give.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Tracker::builder().environment("test"))
    }

    /// A recorder whose tracker is configured as the program configures its own: with hooks, rules, sampling, a sanitizer. A
    /// store that it was given is not used.
    ///
    /// # Panics
    /// If the system has no thread to give.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn with(builder: TrackerBuilder) -> Self {
        let store = Arc::new(Memory::default());
        let slug = "test".to_owned();
        let project = Project { id: ProjectId(1), name: slug.clone(), slug, platform: None, public_keys: Vec::new() };
        let tracker = builder.start(store.clone(), project).expect("a thread for the tracker");
        Self { tracker, store }
    }

    /// The tracker, for layers.
    #[must_use]
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Runs a closure in a scope of its own.
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        ScopeHandle::new(&self.tracker).sync(f)
    }

    /// Lets a future run in a scope of its own.
    pub fn run_async<F: Future>(&self, future: F) -> InScope<F> {
        ScopeHandle::new(&self.tracker).enter(future)
    }

    /// Waits until all that was captured so far has gone its way, and answers all of it. Blocks for a few milliseconds.
    ///
    /// # Panics
    /// If that takes more than 30 seconds.
    #[must_use]
    pub fn captured(&self) -> Captured {
        assert!(self.tracker.flush_at_the_end(PATIENCE), "what was captured is recorded in time");
        let (occurrences, issues) = self.store.all();
        let events = occurrences.iter().map(Occurrence::event).collect();
        Captured { events, occurrences, issues, balance: self.tracker.balance() }
    }
}

/// What was captured: sanitized, cut to its limits and grouped, as it would be stored.
#[derive(Debug, Clone)]
pub struct Captured {
    events: Vec<Event>,
    occurrences: Vec<Occurrence>,
    issues: Vec<Issue>,
    balance: Balance,
}

impl Captured {
    /// The events, in the order in which they were captured.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The same as they go to a store.
    #[must_use]
    pub fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// The issues that they make, in the order of their first events.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// The one event.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "for tests alone")]
    pub fn event(&self) -> &Event {
        match self.events.as_slice() {
            [event] => event,
            _ => panic!("one event was expected, not {}: {:#?}", self.events.len(), self.titles()),
        }
    }

    /// The first event in whose type or text `part` stands.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "for tests alone")]
    pub fn event_of(&self, part: &str) -> &Event {
        let is_it = |event: &&Event| {
            let (ty, value) = event.title();
            ty.contains(part) || value.contains(part)
        };
        let Some(event) = self.events.iter().find(is_it) else {
            panic!("an event with {part:?} was expected: {:#?}", self.titles())
        };
        event
    }

    /// The one issue.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "for tests alone")]
    pub fn issue(&self) -> &Issue {
        match self.issues.as_slice() {
            [issue] => issue,
            _ => panic!("one issue was expected, not {}: {:#?}", self.issues.len(), self.titles()),
        }
    }

    /// Type and text of each event.
    #[must_use]
    pub fn titles(&self) -> Vec<(&str, &str)> {
        self.events.iter().map(Event::title).collect()
    }

    /// Whether nothing was captured, or nothing of it kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What became of everything that was captured: how much was sampled away, ignored, or dropped.
    #[must_use]
    pub fn balance(&self) -> Balance {
        self.balance
    }
}
