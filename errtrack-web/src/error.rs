//! The error of a handler: a status, a text for the caller, and a cause for the log.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use errtrack_core::{IngestError, StoreError};
use serde_json::json;
use std::error::Error as StdError;

/// Seconds after which a caller may try again while the database is away.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a request was not answered as asked.
///
/// Answered in 001's frame, `{"error":…,"status":"error"}`; the other dialects turn it into their own form.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) status: StatusCode,
    /// Shown to the caller.
    pub(crate) message: String,
    /// Logged, never shown.
    cause: Option<Box<dyn StdError + Send + Sync>>,
    /// Seconds to wait, where there were too many requests.
    pub(crate) wait: Option<u64>,
}

impl Error {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), cause: None, wait: None }
    }

    /// 400: what was sent makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401: nobody known asks.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403: somebody known asks for what is not theirs.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: there is no such thing.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 429: more than `most` requests a minute. `Retry-After` is put on whatever answer this becomes.
    pub(crate) fn too_many(most: u32, seconds: u64) -> Self {
        let message = format!("too many requests: {most} a minute are answered; try again in {seconds} s");
        Self { wait: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, message) }
    }

    /// 429: the project has had as many events as it may have in this month.
    pub(crate) fn over_quota(most: u64, seconds: u64) -> Self {
        let message = format!("the project has had the {most} events that it may have in a month");
        Self { wait: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, message) }
    }

    /// Writes the cause to the log, for errors that are answered in another form than ours.
    pub(crate) fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::warn!(target: "errtrack", error = %Chain(cause.as_ref()), "a request failed");
        }
    }
}

/// An error with its sources, in one line.
struct Chain<'a>(&'a (dyn StdError + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (status, message) = if error.is_unavailable() {
            (StatusCode::SERVICE_UNAVAILABLE, "the database is not available, try again later")
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, "the server failed")
        };
        Self { status, message: message.into(), cause: Some(error.into()), wait: None }
    }
}

impl From<IngestError> for Error {
    fn from(error: IngestError) -> Self {
        let status = match error {
            IngestError::Overloaded | IngestError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let body = Json(json!({ "error": self.message, "status": "error" }));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if let Some(seconds) = self.wait {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
