//! The service: opens the scope of a request and calls what is inside.

use crate::{
    AnswerPanic, CaptureBody, EmptyAnswer, ResponseFuture,
    layer::{BodiesAsTheyCome, BodiesKept, Config},
    request::{RequestBody, Served},
};
use errtrack_core::{
    ScopeHandle, Tracker,
    adapter::{self, Open},
};
use http::{Request, Response};
use std::{
    fmt::Display,
    future::poll_fn,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tower_service::Service;

/// Service that captures panics, errors and 5xx answers of the one inside it; made by [`CaptureLayer`](crate::CaptureLayer).
#[derive(Debug, Clone)]
pub struct Capture<S, P = EmptyAnswer, R = BodiesAsTheyCome> {
    inner: S,
    tracker: Tracker,
    config: Option<Arc<Config>>,
    answer: P,
    bodies: PhantomData<R>,
}

impl<S, P, R> Capture<S, P, R> {
    pub(crate) fn new(inner: S, tracker: Tracker, config: Option<Arc<Config>>, answer: P) -> Self {
        Self { inner, tracker, config, answer, bodies: PhantomData }
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

    /// Calls the service in the scope of a request.
    fn watch<F>(&mut self, scope: ScopeHandle, call: impl FnOnce(&mut S) -> F) -> ResponseFuture<F, P>
    where
        P: Clone,
        F: Future,
    {
        let (inner, mut call) = (&mut self.inner, Some(call));
        // The scope goes into the task-local and comes back, instead of being counted twice.
        let mut entered = pin!(scope.enter(poll_fn(|_| match call.take() {
            Some(call) => Poll::Ready(call(inner)),
            None => Poll::Pending,
        })));
        let mut context = Context::from_waker(Waker::noop());
        // A service can panic before it returns a future.
        let called = catch_unwind(AssertUnwindSafe(|| entered.as_mut().poll(&mut context)));
        let scope = entered.take_scope();
        match (called, scope) {
            (Ok(Poll::Ready(future)), Some(scope)) => ResponseFuture::running(
                scope.enter(Open::new(future, Served::dropped)),
                self.config.clone(),
                self.answer.clone(),
            ),
            (called, scope) => {
                if let (Err(payload), Some(scope)) = (called, &scope) {
                    adapter::panicked(scope, payload);
                }
                ResponseFuture::panicked(scope, self.answer.clone())
            }
        }
    }

    fn scope<B>(&self, request: &Request<B>) -> ScopeHandle {
        ScopeHandle::for_request(&self.tracker, || Served::read(request, self.config.as_ref()))
    }
}

impl<S, P, ReqBody, ResBody> Service<Request<ReqBody>> for Capture<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: Display + 'static>,
    P: AnswerPanic<ResBody> + Clone,
{
    type Response = Response<CaptureBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, P>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let scope = self.scope(&request);
        self.watch(scope, |inner| inner.call(request))
    }
}

impl<S, P, ReqBody, ResBody> Service<Request<ReqBody>> for Capture<S, P, BodiesKept>
where
    S: Service<Request<RequestBody<ReqBody>>, Response = Response<ResBody>, Error: Display + 'static>,
    P: AnswerPanic<ResBody> + Clone,
{
    type Response = Response<CaptureBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, P>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let scope = self.scope(&request);
        let request = request.map(|body| RequestBody::new(body, &scope));
        self.watch(scope, |inner| inner.call(request))
    }
}
