//! Capturing by hand, anywhere: the functions find the scope of the current task, or failing that the process's tracker.

use crate::{
    Breadcrumb, Event, EventId, Level, Message, Scope, ScopeHandle, Timestamp, Tracker,
    scope::with_scope,
    tracker::{WeakTracker, inside},
};
use std::{
    any::type_name,
    backtrace::Backtrace,
    error::Error,
    panic::Location,
    sync::{Arc, PoisonError, RwLock},
};

/// The tracker of work that runs in no scope: the one that was built last and still lives.
static DEFAULT: RwLock<Option<WeakTracker>> = RwLock::new(None);

pub(crate) fn set_default(tracker: &Tracker) {
    *DEFAULT.write().unwrap_or_else(PoisonError::into_inner) = Some(tracker.downgrade());
}

fn default() -> Option<Tracker> {
    DEFAULT.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(WeakTracker::upgrade)
}

/// The tracker that functions like [`capture_error`] report to from here: the current scope's, else the one that was
/// built last in this process. `None` where there is none, and on the tracker's own thread.
#[must_use]
pub fn tracker() -> Option<Tracker> {
    if inside() {
        return None;
    }
    ScopeHandle::with_current(ScopeHandle::tracker).flatten().or_else(default)
}

/// What a scope begins with that has none around it: the tracker of the process, and what its scope holds.
pub(crate) fn process() -> (WeakTracker, Option<Arc<Scope>>) {
    default().map_or_else(Default::default, |tracker| (tracker.downgrade(), tracker.root_snapshot()))
}

/// Captures an error with its chain of sources, and the place of the call.
///
/// Returns the id under which the event can be found later; a nil id where there is no tracker. Never blocks, fails or
/// panics, not even where the error's own `Display` does. Costs about a microsecond, and 1 to 3 more for the addresses of a
/// backtrace (see [`TrackerBuilder::backtraces`](crate::TrackerBuilder::backtraces)).
///
/// Reports of `eyre` are errors behind a pointer: `capture_error(&**report)`; those of `anyhow` have
/// `capture_anyhow`, behind the feature of that name.
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

/// Captures an error with the backtrace that was taken where it arose, in place of the stack of the call.
///
/// For errors that carry one: a field of one's own, `snafu`, a handler of `eyre`. Where nothing was captured (the environment
/// asks for it by `RUST_BACKTRACE`) it is the same as [`capture_error`]. To name the frames of a
/// [`Backtrace`] takes some 10 ms for the first one of a process and a fraction of one for the next, on this thread, as
/// printing it does: it is only lent, and shows its addresses to nobody.
/// [`TrackerBuilder::own_backtraces`](crate::TrackerBuilder::own_backtraces) turns it off.
///
/// # Example
/// ```
/// use std::backtrace::Backtrace;
///
/// #[derive(Debug)]
/// struct OutOfStock { backtrace: Backtrace }
/// # impl std::fmt::Display for OutOfStock {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("nothing left") }
/// # }
/// # impl std::error::Error for OutOfStock {}
/// let error = OutOfStock { backtrace: Backtrace::capture() };
/// errtrack_core::capture_error_with_backtrace(&error, &error.backtrace);
/// ```
#[track_caller]
pub fn capture_error_with_backtrace<E: Error + ?Sized>(error: &E, backtrace: &Backtrace) -> EventId {
    let place = Location::caller();
    tracker().map_or_else(EventId::default, |tracker| {
        tracker.capture_with_backtrace(error, type_name::<E>(), "generic", place, backtrace)
    })
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
pub fn add_breadcrumb(mut breadcrumb: Breadcrumb) {
    breadcrumb.timestamp.get_or_insert_with(Timestamp::now);
    match ScopeHandle::current() {
        Some(scope) => scope.add_breadcrumb_source(Arc::new(breadcrumb)),
        None => {
            if let Some(tracker) = tracker() {
                tracker.add_root_breadcrumb(Arc::new(breadcrumb));
            }
        }
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
pub trait ResultExt: Sized {
    /// Captures the error, if it is one, as [`capture_error`] does.
    #[must_use]
    #[track_caller]
    fn capture(self) -> Self;

    /// The same, in a [scope of its own](with_scope) that `configure` changes first. Nothing is done where there is no error.
    ///
    /// # Example
    /// ```
    /// use errtrack_core::ResultExt;
    ///
    /// let port = "http".parse::<u16>().capture_with(|scope| scope.set_tag("variable", "PORT")).unwrap_or(8080);
    /// # assert_eq!(port, 8080);
    /// ```
    #[must_use]
    #[track_caller]
    fn capture_with(self, configure: impl FnOnce(&mut Scope)) -> Self;
}

impl<T, E: Error> ResultExt for Result<T, E> {
    #[track_caller]
    fn capture(self) -> Self {
        if let Err(error) = &self {
            capture_error(error);
        }
        self
    }

    #[track_caller]
    fn capture_with(self, configure: impl FnOnce(&mut Scope)) -> Self {
        if let Err(error) = &self {
            let place = Location::caller();
            with_scope(configure, || tracker().map(|tracker| tracker.capture_error_at(error, place)));
        }
        self
    }
}
