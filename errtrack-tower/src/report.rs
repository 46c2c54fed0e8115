//! What is reported of a request that failed. None of this is on the way of one that did not.

use crate::{Cause, Reported, layer::Config};
use errtrack_core::{Event, Exception, Level, Mechanism, ScopeHandle, adapter};
use http::Response;
use std::{
    any::{Any, type_name},
    error::Error,
    fmt::Display,
};

/// An answer of 5xx.
pub(crate) fn response<B>(scope: &ScopeHandle, response: &mut Response<B>) {
    if response.extensions().get::<Reported>().is_some() {
        return;
    }
    let status = response.status();
    let event = match response.extensions().get::<Cause>() {
        Some(cause) => cause.caught().report(scope, "tower", status.as_u16()),
        None => adapter::answered(scope, status.as_u16(), status),
    };
    response.extensions_mut().insert(Reported::new(event));
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
            Config { headers: Vec::new(), errors: vec![|e| e.downcast_ref::<std::fmt::Error>().map(|e| e as _)] };
        assert!(as_error(&plain, Some(&config)).is_some());
    }
}
