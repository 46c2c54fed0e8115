//! Capturing by hand, anywhere: the functions find the scope of the current task, or failing that the process's tracker.

use crate::{
    Breadcrumb, Event, EventId, Level, Message, Scope, ScopeHandle, Tracker,
    tracker::{WeakTracker, inside},
};
use std::{
    error::Error,
    panic::Location,
    sync::{PoisonError, RwLock},
};

/// The tracker of work that runs in no scope: the one that was built last and still lives.
static DEFAULT: RwLock<Option<WeakTracker>> = RwLock::new(None);

pub(crate) fn set_default(tracker: &Tracker) {
    *DEFAULT.write().unwrap_or_else(PoisonError::into_inner) = Some(tracker.downgrade());
}

/// The tracker that functions like [`capture_error`] report to from here: the current scope's, else the one that was
/// built last in this process. `None` where there is none, and on the tracker's own thread.
#[must_use]
pub fn tracker() -> Option<Tracker> {
    if inside() {
        return None;
    }
    ScopeHandle::with_current(ScopeHandle::tracker).flatten().or_else(|| {
        let default = DEFAULT.read().unwrap_or_else(PoisonError::into_inner);
        default.as_ref().and_then(WeakTracker::upgrade)
    })
}

/// Captures an error with its chain of sources, and the place of the call.
///
/// Returns the id under which the event can be found later; a nil id where there is no tracker. Never blocks, fails or
/// panics. Costs about a microsecond, and 1 to 3 more for the addresses of a backtrace (see
/// [`TrackerBuilder::backtraces`](crate::TrackerBuilder::backtraces)).
///
/// # Example
/// ```
/// let error = "x".parse::<i32>().unwrap_err();
/// errtrack_core::capture_error(&error);
/// ```
#[track_caller]
pub fn capture_error<E: Error + ?Sized>(error: &E) -> EventId {
    let place = Location::caller();
    tracker().map_or_else(EventId::default, |t| t.capture_error_at(error, place))
}

/// Captures a message.
///
/// # Example
/// ```
/// errtrack_core::capture_message("cache rebuilt", errtrack_core::Level::Info);
/// ```
#[track_caller]
pub fn capture_message(message: &str, level: Level) -> EventId {
    let place = Location::caller();
    tracker().map_or_else(EventId::default, |tracker| {
        let mut event = Event::new();
        event.level = level;
        event.message = Some(Message::new(message));
        tracker.capture_at(event, place)
    })
}

/// Captures an event made by hand.
pub fn capture_event(event: Event) -> EventId {
    tracker().map_or_else(EventId::default, |t| t.capture(event))
}

/// Changes the scope of the current task, or failing that the process's.
pub fn configure_scope(f: impl FnOnce(&mut Scope)) {
    match ScopeHandle::current() {
        Some(scope) => scope.configure(f),
        None => {
            if let Some(tracker) = tracker() {
                tracker.configure_root(f);
            }
        }
    }
}

/// Adds a breadcrumb to the scope of the current task, or failing that to the process's.
pub fn add_breadcrumb(breadcrumb: Breadcrumb) {
    configure_scope(|scope| scope.add_breadcrumb(breadcrumb));
}

/// Spawns a task that runs in the scope of the current one, as [`tokio::spawn`] does not.
///
/// A panic in it is reported with that scope by the panic hook, and reaches the `JoinHandle` as always.
///
/// # Panics
/// As [`tokio::spawn`], outside of a runtime.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match ScopeHandle::current() {
        Some(scope) => tokio::spawn(scope.enter(future)),
        None => tokio::spawn(future),
    }
}

/// Reports the error of a result and passes the result on.
///
/// # Example
/// ```
/// use errtrack_core::ResultExt;
///
/// fn port(text: &str) -> Result<u16, std::num::ParseIntError> {
///     let port = text.parse::<u16>().capture()?; // reported here, handled by the caller
///     Ok(port)
/// }
/// assert!(port("http").is_err());
/// ```
pub trait ResultExt {
    /// Captures the error, if it is one, as [`capture_error`] does.
    #[must_use]
    fn capture(self) -> Self;
}

impl<T, E: Error> ResultExt for Result<T, E> {
    #[track_caller]
    fn capture(self) -> Self {
        if let Err(error) = &self {
            capture_error(error);
        }
        self
    }
}
