//! What is reported of a request that failed. None of this is on the way of one that did not.

use crate::{
    Cause, Reported,
    grpc::{self, Code},
    layer::Config,
};
use errtrack_core::{Event, EventId, Exception, Level, Mechanism, Message, ScopeHandle, adapter::event_of};
use http::{HeaderMap, Response, StatusCode};
use serde_json::json;
use std::{
    any::{Any, type_name},
    error::Error,
    fmt::Display,
};

/// An answer of 5xx, or one of gRPC that is as much.
pub(crate) fn response<B>(
    scope: &ScopeHandle,
    response: &mut Response<B>,
    code: Option<Code>,
    config: Option<&Config>,
) {
    if response.extensions().get::<Reported>().is_some() {
        return;
    }
    let status = response.status();
    let handed_up = || config?.causes.iter().find_map(|(find, path)| Some((find(response.extensions())?, *path)));
    let event = match (response.extensions().get::<Cause>(), code) {
        (Some(cause), _) => cause_of(scope, status, code, cause),
        (None, _) if scope.failures() > 0 => None,
        (None, code) => match (handed_up(), code) {
            (Some((error, path)), _) => send(scope, status, code, event_of(error, path, "tower")),
            (None, Some(code)) => call(scope, code, response.headers(), status),
            (None, None) => bare(scope, status, &status.to_string()),
        },
    };
    response.extensions_mut().insert(Reported::new(event));
}

fn cause_of(scope: &ScopeHandle, status: StatusCode, code: Option<Code>, cause: &Cause) -> Option<EventId> {
    let (tracker, caught) = (scope.tracker()?, cause.caught());
    // By hand, as `.capture()?` does.
    if scope.has_reported(caught.error()) {
        return None;
    }
    let mut event = caught.event("tower");
    note_end(&mut event, status, code);
    Some(scope.sync(|| tracker.capture_at(event, caught.place())))
}

/// A 5xx of which nothing more is known: an issue per status and route.
fn bare(scope: &ScopeHandle, status: StatusCode, what: &str) -> Option<EventId> {
    let mut event = Event::new();
    event.level = Level::Error;
    note_end(&mut event, status, None);
    scope.fill_request(&mut event);
    let route = event.transaction.as_deref().unwrap_or("an unknown route");
    event.message = Some(Message::new(format!("{what} on {route}")));
    send(scope, status, None, event)
}

/// A call of gRPC that failed, by its status in headers or trailers.
pub(crate) fn call(scope: &ScopeHandle, code: Code, status_in: &HeaderMap, status: StatusCode) -> Option<EventId> {
    let mut event = Event::new();
    event.level = Level::Error;
    match grpc::message(status_in) {
        Some(message) => {
            let mut exception = Exception::new(format!("gRPC {}", code.name()), message);
            exception.mechanism = Some(Mechanism::new("tower", true));
            event.exceptions.push(exception);
        }
        None => {
            scope.fill_request(&mut event);
            let route = event.transaction.as_deref().unwrap_or("an unknown route");
            event.message = Some(Message::new(format!("gRPC {} on {route}", code.name())));
        }
    }
    send(scope, status, Some(code), event)
}

/// A body that failed after the head was sent.
pub(crate) fn body<E>(scope: &ScopeHandle, error: &(dyn Error + 'static), status: StatusCode) {
    let mut event = event_of(error, type_name::<E>(), "tower");
    if let Some(mechanism) = event.exceptions.last_mut().and_then(|outermost| outermost.mechanism.as_mut()) {
        mechanism.handled = Some(false);
    }
    send(scope, status, None, event);
}

fn send(scope: &ScopeHandle, status: StatusCode, code: Option<Code>, mut event: Event) -> Option<EventId> {
    let tracker = scope.tracker()?;
    note_end(&mut event, status, code);
    Some(scope.sync(|| tracker.capture(event)))
}

/// An error of the service itself; whoever is outside decides what the client gets.
pub(crate) fn error<E: Display + 'static>(scope: &ScopeHandle, error: &E, config: Option<&Config>) {
    let Some(tracker) = scope.tracker() else { return };
    let mut event = Event::new();
    event.level = Level::Error;
    event.exceptions = match as_error(error, config) {
        Some(error) => {
            let mut chain = Exception::chain(error, "tower", false);
            if let Some(outermost) = chain.last_mut() {
                outermost.ty = Some(Exception::type_of(error, type_name::<E>()));
            }
            chain
        }
        None => {
            let mut exception = Exception::new(type_name::<E>(), error.to_string());
            exception.mechanism = Some(Mechanism::new("tower", false));
            vec![exception]
        }
    };
    scope.sync(|| tracker.capture(event));
}

fn as_error<'a>(error: &'a (dyn Any + 'static), config: Option<&Config>) -> Option<&'a (dyn Error + 'static)> {
    if let Some(boxed) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**boxed);
    }
    if let Some(boxed) = error.downcast_ref::<Box<dyn Error>>() {
        return Some(&**boxed);
    }
    config?.errors.iter().find_map(|downcast| downcast(error))
}

fn note_end(event: &mut Event, status: StatusCode, code: Option<Code>) {
    event.request.get_or_insert_default().status = Some(status.as_u16());
    if let Some(code) = code {
        let call = json!({ "system": "grpc", "status": code.name(), "status_code": code.number() });
        event.contexts.insert("rpc".into(), call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxed_errors_are_seen_through_and_others_when_they_are_named() {
        let boxed: Box<dyn Error + Send + Sync> = "late".into();
        assert_eq!(as_error(&boxed, None).unwrap().to_string(), "late");
        let plain = std::fmt::Error;
        assert!(as_error(&plain, None).is_none());
        let config =
            Config { errors: vec![|e| e.downcast_ref::<std::fmt::Error>().map(|e| e as _)], ..Config::default() };
        assert!(as_error(&plain, Some(&config)).is_some());
    }
}
