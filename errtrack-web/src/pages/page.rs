//! A rendered page as a response.

use super::failure::Reason;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

/// A template with the status that it is answered with.
#[derive(Debug)]
pub(super) struct Page<T>(StatusCode, T);

impl<T> Page<T> {
    pub(super) fn new(view: T) -> Self {
        Self(StatusCode::OK, view)
    }

    pub(super) fn with_status(status: StatusCode, view: T) -> Self {
        Self(status, view)
    }
}

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.1.render() {
            Ok(html) => (self.0, Html(html)).into_response(),
            Err(error) => {
                tracing::warn!(target: "errtrack", %error, "a page could not be rendered");
                let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
                response.extensions_mut().insert(Reason("the server failed".into()));
                response
            }
        }
    }
}
