//! What SDKs are answered: `{"id":…}`, or `{"detail":…,"causes":[…]}`.

use crate::{error::Error, ingest::body::Unreadable};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use errtrack_core::{EventId, StoreError};
use serde_json::json;

/// Why a request of an SDK was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    detail: String,
    causes: Vec<String>,
    /// Seconds to be silent for.
    wait: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), causes: Vec::new(), wait: None }
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(super) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn invalid(detail: &str, cause: &impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail).because(cause)
    }

    pub(super) fn because(mut self, cause: &impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        error.log();
        Self { wait: error.wait, ..Self::new(error.status, error.message) }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Unreadable> for Refusal {
    fn from(error: Unreadable) -> Self {
        let detail = match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "the request is too large",
            _ => "the body could not be read",
        };
        Self::new(error.status(), detail).because(&error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, detail, causes, wait } = self;
        let reason = HeaderValue::from_str(&detail);
        let body = match causes.as_slice() {
            [] => json!({ "detail": detail }),
            causes => json!({ "detail": detail, "causes": causes }),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Ok(reason) = reason {
            headers.insert("x-sentry-error", reason);
        }
        // No category: the limit is on requests, whatever they bring.
        if let Some(Ok(limit)) = wait.map(|seconds| HeaderValue::from_str(&format!("{seconds}::key:rate_limit"))) {
            headers.insert("x-sentry-rate-limits", limit);
        }
        if let Some(seconds) = wait {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// The answer to what was taken.
pub(super) fn accepted(id: Option<EventId>) -> Response {
    match id {
        Some(id) => Json(json!({ "id": id })).into_response(),
        None => Json(json!({})).into_response(),
    }
}

/// The answer to an image beacon: the smallest GIF there is.
pub(super) fn pixel() -> Response {
    const GIF: &[u8] =
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    ([(header::CONTENT_TYPE, "image/gif"), (header::CACHE_CONTROL, "no-store")], GIF).into_response()
}
