//! What is reported of a request that failed. None of this is on the way of one that did not.

use crate::{Cause, HandlerError, Reported, capture::Config, panicked::Panicked};
use actix_web::{Error, dev::ServiceResponse};
use errtrack_core::{Event, EventId, Exception, Level, Request, ScopeHandle, adapter};
use std::{any::type_name, error::Error as StdError, io};

/// An answer of 5xx.
pub(crate) fn response<B>(scope: &ScopeHandle, response: &mut ServiceResponse<B>, config: Option<&Config>) {
    let response = response.response_mut();
    let (status, cause) = {
        let extensions = response.extensions();
        if extensions.get::<Reported>().is_some() {
            return;
        }
        (response.status(), extensions.get::<Cause>().cloned())
    };
    let event = match (cause, response.error()) {
        (Some(cause), _) => cause.caught().report(scope, "actix", status.as_u16()),
        (None, Some(error)) => returned(scope, error, status.as_u16(), config),
        (None, None) => adapter::answered(scope, status.as_u16(), status),
    };
    response.extensions_mut().insert(Reported::new(event));
}

/// An error of a middleware or of the service itself; actix-web answers it further out.
pub(crate) fn error(scope: &ScopeHandle, error: &Error, config: Option<&Config>) {
    let known = error.as_error::<Panicked>().is_some()
        || error.as_error::<HandlerError>().is_some_and(|error| !error.event().is_nil());
    let status = error.as_response_error().status_code();
    if status.is_server_error() && !known {
        returned(scope, error, status.as_u16(), config);
    }
}

/// A body that failed after its head was sent.
pub(crate) fn body(scope: &ScopeHandle, error: &(dyn StdError + 'static), status: u16) {
    capture(scope, error, None, false, status);
}

fn returned(scope: &ScopeHandle, error: &Error, status: u16, config: Option<&Config>) -> Option<EventId> {
    let (error, path) = seen_through(error, config);
    capture(scope, error, path, true, status)
}

fn capture(
    scope: &ScopeHandle,
    error: &(dyn StdError + 'static),
    path: Option<&str>,
    handled: bool,
    status: u16,
) -> Option<EventId> {
    // By hand, as `.capture()?` does, or by a middleware further in.
    if scope.has_reported(error) {
        return None;
    }
    let tracker = scope.tracker()?;
    let mut event = Event::new();
    event.level = Level::Error;
    event.exceptions = Exception::chain(error, "actix", handled);
    if let (Some(outermost), Some(path)) = (event.exceptions.last_mut(), path) {
        outermost.ty = Some(Exception::type_of(error, path));
    }
    event.request = Some(Request { status: Some(status), ..Request::default() });
    let id = scope.sync(|| tracker.capture(event));
    // A middleware further out gets the same error, and would report it again.
    ScopeHandle::with_current(|outer| outer.adopt(scope));
    Some(id)
}

/// The error as the `Error` that it is, with the path of its type where that is known.
fn seen_through<'a>(error: &'a Error, config: Option<&Config>) -> (&'a (dyn StdError + 'static), Option<&'static str>) {
    let named = config.and_then(|config| config.errors.iter().find_map(|downcast| downcast(error)));
    if let Some((error, path)) = named {
        return (error, Some(path));
    }
    if let Some(boxed) = error.as_error::<Box<dyn StdError>>() {
        return (&**boxed, None);
    }
    if let Some(error) = error.as_error::<io::Error>() {
        return (error, Some(type_name::<io::Error>()));
    }
    if let Some(error) = error.as_error::<HandlerError>() {
        return (error.error(), None);
    }
    (error, None)
}
