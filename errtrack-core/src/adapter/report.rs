//! What is reported of a request that failed. None of this is on the way of one that did not.

use crate::{Event, EventId, Exception, Level, Message, Request, ScopeHandle, last_panic};
use std::{
    any::{Any, type_name},
    cell::Cell,
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, Location, catch_unwind},
};

/// Reports a panic that was just caught on this thread, unless the hook has done so, and lets go of its payload.
pub fn panicked(scope: &ScopeHandle, payload: Box<dyn Any + Send>) {
    if last_panic().is_none()
        && let Some(tracker) = scope.tracker()
    {
        scope.sync(|| tracker.capture_panic(&*payload));
    }
    // A payload is the host's, and so is what it does when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
}

/// Reports an answer of 5xx of which nothing more is known: an issue per status and route.
///
/// `shown` is the status with its reason, as in `503 Service Unavailable`. Nothing is reported if something else was
/// already, in this scope: that says more.
pub fn answered(scope: &ScopeHandle, status: u16, shown: impl fmt::Display) -> Option<EventId> {
    if scope.failures() > 0 {
        return None;
    }
    let tracker = scope.tracker()?;
    let mut event = Event::new();
    event.level = Level::Error;
    note_status(&mut event, status);
    scope.fill_request(&mut event);
    let route = event.transaction.as_deref().unwrap_or("an unknown route");
    event.message = Some(Message::new(format!("{shown} on {route}")));
    Some(scope.sync(|| tracker.capture(event)))
}

thread_local! {
    static ECHO: Cell<bool> = const { Cell::new(false) };
}

/// Says that the framework is about to log, on this thread, what was reported just now: actix-http does so with a body that
/// failed, outside of every scope.
pub fn expect_echo() {
    let _ = ECHO.try_with(|echo| echo.set(true));
}

/// Whether an echo was expected on this thread; asking takes it.
#[must_use]
pub fn takes_echo() -> bool {
    ECHO.try_with(Cell::take).unwrap_or_default()
}

/// An error in hand, with what is lost once it is behind a `dyn Error`: the path of its type, and the place where it was
/// taken.
pub struct Caught {
    error: Box<dyn Error + Send + Sync>,
    path: &'static str,
    place: &'static Location<'static>,
}

impl Caught {
    /// Takes any error, also `anyhow::Error`, a boxed error or a text.
    #[track_caller]
    pub fn new<E: Into<Box<dyn Error + Send + Sync>>>(error: E) -> Self {
        Self { error: error.into(), path: type_name::<E>(), place: Location::caller() }
    }

    /// The error.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.error
    }

    /// Where it was taken.
    #[must_use]
    pub fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// An event of it, caught by a `mechanism` (`tower`, `actix`, …).
    #[must_use]
    pub fn event(&self, mechanism: &'static str) -> Event {
        event_of(&*self.error, self.path, mechanism)
    }

    /// Reports it as the cause of an answer with this status, unless it was reported by hand just before.
    pub fn report(&self, scope: &ScopeHandle, mechanism: &'static str, status: u16) -> Option<EventId> {
        if scope.has_reported(&*self.error) {
            return None;
        }
        let tracker = scope.tracker()?;
        let mut event = self.event(mechanism);
        note_status(&mut event, status);
        Some(scope.sync(|| tracker.capture_at(event, self.place)))
    }
}

/// An event of an error whose type is known by its path, caught by a `mechanism`.
#[must_use]
pub fn event_of(error: &(dyn Error + 'static), path: &str, mechanism: &'static str) -> Event {
    let mut event = Event::new();
    event.level = Level::Error;
    event.exceptions = Exception::chain(error, mechanism, true);
    if let Some(outermost) = event.exceptions.last_mut() {
        outermost.ty = Some(Exception::type_of(error, path));
    }
    event
}

impl fmt::Debug for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

/// An error that was captured where a framework's error was made of it.
pub struct Captured {
    error: Box<dyn Error + Send + Sync>,
    event: EventId,
}

impl Captured {
    /// Captures any error, also `anyhow::Error`, a boxed error or a text, at the place of the caller, caught by a
    /// `mechanism`.
    #[track_caller]
    pub fn capture<E: Into<Box<dyn Error + Send + Sync>>>(error: E, mechanism: &'static str) -> Self {
        let place = Location::caller();
        let error = error.into();
        let event = crate::tracker().map_or_else(EventId::default, |tracker| {
            tracker.capture_caught(&*error, type_name::<E>(), mechanism, place)
        });
        Self { error, event }
    }

    /// The error.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.error
    }

    /// The event under which it was captured; nil where there is no tracker.
    #[must_use]
    pub fn event(&self) -> EventId {
        self.event
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError").field("error", &self.error).field("event", &self.event).finish()
    }
}

/// In the extensions of a 5xx response: it has been dealt with, and a layer or middleware further out need not report it
/// again.
#[derive(Debug, Clone, Copy)]
pub struct Reported {
    event: Option<EventId>,
}

impl Reported {
    /// With the event under which it was reported, if there is one.
    #[must_use]
    pub fn new(event: Option<EventId>) -> Self {
        Self { event: event.filter(|id| !id.is_nil()) }
    }

    /// The event under which it was reported, where one stands for it: a number to show to whom it failed.
    #[must_use]
    pub fn event(&self) -> Option<EventId> {
        self.event
    }
}

fn note_status(event: &mut Event, status: u16) {
    event.request = Some(Request { status: Some(status), ..Request::default() });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_caught_keeps_type_and_place() {
        let caught = Caught::new("x".parse::<i32>().unwrap_err());
        assert!(caught.place().file().ends_with("report.rs"));
        let event = caught.event("tower");
        assert_eq!(event.exceptions[0].ty.as_deref(), Some("core::num::error::ParseIntError"));
        assert_eq!(Caught::new("no answer").event("tower").title(), ("Error", "no answer"));
    }
}
