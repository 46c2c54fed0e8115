//! What handler and layer tell each other in the extensions of a response.

use errtrack_core::adapter::Caught;
use std::{error::Error, fmt, sync::Arc};

/// The error that led to an answer of 5xx, handed up in the extensions of the response.
///
/// A response has lost its error: of a 500 answered by hand the layer sees no more than the number. A handler that puts
/// the cause beside it gets it reported with its chain of sources, its type, and the place where the cause was made. It
/// costs one allocation, and is looked at only if the status is 5xx.
///
/// # Example
/// ```
/// use errtrack_tower::Cause;
///
/// fn unavailable(error: std::io::Error) -> http::Response<String> {
///     let mut response = http::Response::new("try again later".to_owned());
///     *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
///     response.extensions_mut().insert(Cause::new(error));
///     response
/// }
/// # unavailable(std::io::Error::other("disk"));
/// ```
/// With the feature `axum` it is a part of a response: `(StatusCode::BAD_GATEWAY, Cause::new(error), "try again later")`.
#[derive(Clone)]
pub struct Cause(Arc<Caught>);

impl Cause {
    /// A cause: any error, also `anyhow::Error`, a boxed error or a text.
    #[track_caller]
    pub fn new<E: Into<Box<dyn Error + Send + Sync>>>(error: E) -> Self {
        Self(Arc::new(Caught::new(error)))
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

#[cfg(feature = "axum")]
impl axum::response::IntoResponseParts for Cause {
    type Error = std::convert::Infallible;

    fn into_response_parts(
        self,
        mut parts: axum::response::ResponseParts,
    ) -> Result<axum::response::ResponseParts, Self::Error> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

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
