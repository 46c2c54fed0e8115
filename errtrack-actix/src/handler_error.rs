//! The error type of handlers that use `?` on anything.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header::ContentType},
};
use errtrack_core::{
    EventId,
    adapter::{Captured, Reported},
};
use std::{error::Error, fmt};

/// Error of an actix handler: `?` turns any error into it, captures that with its chain of sources, and answers a 500 that
/// says nothing about the inside.
///
/// Any error will do that is `Send` and `Sync`: your own types, `anyhow::Error`, `Box<dyn Error + Send + Sync>`, a text; not
/// `actix_web::Error`, which is neither. It is captured at the `?`, so place and stack are those of the handler, with the
/// request and the user of the scope, or by the process's tracker where no [`Capture`](crate::Capture) is around. The
/// middleware does not report the 500 again.
///
/// Costs what [`capture_error`](errtrack_core::capture_error) costs.
///
/// # Example
/// ```
/// use actix_web::{App, web};
/// use errtrack_actix::HandlerError;
///
/// async fn quantity(text: String) -> Result<String, HandlerError> {
///     let quantity: u32 = text.parse()?;
///     Ok(format!("{quantity} pieces"))
/// }
/// let app = App::new().route("/", web::post().to(quantity));
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
        Self(Captured::capture(error, "actix"))
    }
}

impl ResponseError for HandlerError {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code())
            .content_type(ContentType::plaintext())
            .body("Internal Server Error");
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
        let response = parse().unwrap_err().error_response();
        assert_eq!(response.status(), 500);
    }
}
