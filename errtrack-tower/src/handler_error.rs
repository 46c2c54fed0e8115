//! The error type of axum handlers that use `?` on anything.

use axum::response::{IntoResponse, Response};
use errtrack_core::{
    EventId,
    adapter::{Captured, Reported},
};
use http::{StatusCode, header};
use std::{error::Error, fmt};

/// Error of an axum handler: `?` turns any error into it, captures that with its chain of sources, and answers a 500 that
/// says nothing about the inside.
///
/// Any error will do: your own types, `anyhow::Error`, `Box<dyn Error + Send + Sync>`, a text. It is captured at the `?`,
/// so place and stack are those of the handler, with the request and the user of the scope, or by the process's tracker
/// where no [`CaptureLayer`](crate::CaptureLayer) is around. The layer does not report the 500 again.
///
/// Costs what [`capture_error`](errtrack_core::capture_error) costs.
///
/// # Example
/// ```
/// use errtrack_tower::HandlerError;
///
/// async fn quantity(text: String) -> Result<String, HandlerError> {
///     let quantity: u32 = text.parse()?;
///     Ok(format!("{quantity} pieces"))
/// }
/// let app: axum::Router = axum::Router::new().route("/", axum::routing::post(quantity));
/// ```
// It must not implement `Error`: then `From` below would overlap with `From<T> for T`.
pub struct HandlerError(Captured);

impl HandlerError {
    /// The error that was captured.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.error()
    }

    /// The event under which it was captured; nil where there is no tracker.
    #[must_use]
    pub fn event(&self) -> EventId {
        self.0.event()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for HandlerError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self(Captured::capture(error, "axum"))
    }
}

impl IntoResponse for HandlerError {
    fn into_response(self) -> Response {
        let body = "Internal Server Error";
        let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let mut response = (StatusCode::INTERNAL_SERVER_ERROR, headers, body).into_response();
        if !self.event().is_nil() {
            response.extensions_mut().insert(Reported::new(Some(self.event())));
        }
        response
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.error(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_becomes_one_and_says_nothing_outside() {
        fn parse() -> Result<u8, HandlerError> {
            Ok("secret".parse::<u8>()?)
        }
        fn text() -> Result<(), HandlerError> {
            Err("a text")?;
            Ok(())
        }
        fn boxed() -> Result<(), HandlerError> {
            Err(Box::<dyn Error + Send + Sync>::from("boxed"))?;
            Ok(())
        }
        assert_eq!(text().unwrap_err().to_string(), "a text");
        assert_eq!(boxed().unwrap_err().to_string(), "boxed");
        let response = parse().unwrap_err().into_response();
        assert_eq!(response.status(), 500);
    }
}
