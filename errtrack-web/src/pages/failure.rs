//! Why a page was not shown: nobody is signed in, or an error, which becomes an HTML page on its way out.

use crate::error::Error;
use axum::response::{IntoResponse, Redirect, Response};
use errtrack_core::StoreError;

/// The error of a page handler.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somewhere else first; the sign-in page.
    Elsewhere(String),
    /// An error.
    Error(Error),
}

/// What the error page says; carried on the response until it is dressed.
#[derive(Debug, Clone)]
pub(super) struct Reason(pub(super) String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Elsewhere(path) => Redirect::to(&path).into_response(),
            Self::Error(error) => {
                error.log();
                let mut response = error.status.into_response();
                response.extensions_mut().insert(Reason(error.message));
                response
            }
        }
    }
}
