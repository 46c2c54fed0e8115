//! What handler and middleware tell each other in the extensions of a response.

use errtrack_core::adapter::Caught;
use std::{error::Error, fmt, rc::Rc};

/// The error that led to an answer of 5xx, handed up in the extensions of the response.
///
/// Of a 500 answered by hand the middleware sees no more than the number. A handler that puts the cause beside it gets it
/// reported with its chain of sources, its type, and the place where the cause was made. It is looked at only if the status
/// is 5xx.
///
/// # Example
/// ```
/// use actix_web::HttpResponse;
/// use errtrack_actix::Cause;
///
/// fn unavailable(error: std::io::Error) -> HttpResponse {
///     let mut response = HttpResponse::ServiceUnavailable().body("try again later");
///     response.extensions_mut().insert(Cause::new(error));
///     response
/// }
/// # unavailable(std::io::Error::other("disk"));
/// ```
#[derive(Clone)]
pub struct Cause(Rc<Caught>);

impl Cause {
    /// A cause: any error, also `anyhow::Error`, a boxed error or a text.
    #[track_caller]
    pub fn new<E: Into<Box<dyn Error + Send + Sync>>>(error: E) -> Self {
        Self(Rc::new(Caught::new(error)))
    }

    /// The error.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.error()
    }

    pub(crate) fn caught(&self) -> &Caught {
        &self.0
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cause").field(&self.0).finish()
    }
}

/// In the extensions of a response of the mounted router, whose failures and figures are its own: reported here, they would
/// be reported to itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unwatched;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_keeps_its_place() {
        let cause = Cause::new("x".parse::<i32>().unwrap_err());
        assert!(cause.caught().place().file().ends_with("cause.rs"));
        assert_eq!(cause.error().to_string(), "invalid digit found in string");
    }
}
