//! The service: opens the scope of a request and calls what is inside.

use crate::{CaptureBody, ResponseFuture, capture::Config, request::Served};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::StatusCode,
};
use errtrack_core::{
    ScopeHandle, Tracker,
    adapter::{self, Open, Templates},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};

/// Service that captures panics, errors and 5xx answers of the one inside it; made by [`Capture`](crate::Capture).
#[derive(Debug)]
pub struct CaptureService<S> {
    inner: S,
    tracker: Tracker,
    config: Option<Arc<Config>>,
    templates: Templates,
}

impl<S> CaptureService<S> {
    pub(crate) fn new(inner: S, tracker: Tracker, config: Option<Arc<Config>>) -> Self {
        Self { inner, tracker, config, templates: Templates::default() }
    }
}

impl<S, B> Service<ServiceRequest> for CaptureService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<CaptureBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let scope =
            ScopeHandle::for_request(&self.tracker, || Served::read(&request, self.config.as_ref(), &self.templates));
        // A service can panic before it returns a future.
        let called = catch_unwind(AssertUnwindSafe(|| scope.sync(|| self.inner.call(request))));
        match called {
            Ok(future) => ResponseFuture::running(scope.enter(Open::new(future, Served::dropped)), self.config.clone()),
            Err(payload) => {
                adapter::panicked(&scope, payload);
                Served::answered_in(&scope, StatusCode::INTERNAL_SERVER_ERROR);
                ResponseFuture::panicked(self.config.clone())
            }
        }
    }
}
