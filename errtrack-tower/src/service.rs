//! The service: opens the scope of a request and calls what is inside.

use crate::{AnswerPanic, EmptyAnswer, ResponseFuture, layer::Config, request::Served};
use errtrack_core::{ScopeHandle, Tracker, adapter};
use http::{Request, Response};
use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// Service that captures panics, errors and 5xx answers of the one inside it; made by [`CaptureLayer`](crate::CaptureLayer).
#[derive(Debug, Clone)]
pub struct Capture<S, P = EmptyAnswer> {
    inner: S,
    tracker: Tracker,
    config: Option<Arc<Config>>,
    answer: P,
}

impl<S, P> Capture<S, P> {
    pub(crate) fn new(inner: S, tracker: Tracker, config: Option<Arc<Config>>, answer: P) -> Self {
        Self { inner, tracker, config, answer }
    }

    /// The service inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, P, ReqBody, ResBody> Service<Request<ReqBody>> for Capture<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: Display + 'static>,
    P: AnswerPanic<ResBody> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, P>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let served = Served::read(&request, self.config.as_ref());
        let scope = ScopeHandle::for_request(&self.tracker, served);
        let inner = &mut self.inner;
        // A service can panic before it returns a future.
        let called = catch_unwind(AssertUnwindSafe(|| scope.sync(|| inner.call(request))));
        match called {
            Ok(future) => ResponseFuture::running(scope.enter(future), self.config.clone(), self.answer.clone()),
            Err(payload) => {
                adapter::panicked(&scope, payload);
                ResponseFuture::panicked(self.answer.clone())
            }
        }
    }
}
