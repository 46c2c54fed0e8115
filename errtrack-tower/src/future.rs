//! The future of an answer: runs in the scope of its request, and looks at how it ends.

use crate::{AnswerPanic, CaptureBody, EmptyAnswer, answer::Asked, grpc, layer::Config, report, request::Served};
use errtrack_core::{
    InScope, ScopeHandle, StatusClass,
    adapter::{self, Open},
};
use http::Response;
use pin_project_lite::pin_project;
use std::{
    fmt::{self, Display},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Future of [`Capture`](crate::Capture). Dropped half-way, it closes the scope of its request and reports nothing; the
    /// request counts as [dropped](StatusClass::Dropped).
    pub struct ResponseFuture<F, P = EmptyAnswer> {
        #[pin]
        state: State<F>,
        config: Option<Arc<Config>>,
        answer: P,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running {
            #[pin]
            future: InScope<Open<F>>,
        },
        /// The service panicked before it returned a future.
        Panicked { scope: Option<ScopeHandle> },
    }
}

impl<F, P> ResponseFuture<F, P> {
    pub(crate) fn running(future: InScope<Open<F>>, config: Option<Arc<Config>>, answer: P) -> Self {
        Self { state: State::Running { future }, config, answer }
    }

    pub(crate) fn panicked(scope: Option<ScopeHandle>, answer: P) -> Self {
        Self { state: State::Panicked { scope }, config: None, answer }
    }
}

impl<F, P, B, E> Future for ResponseFuture<F, P>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Display + 'static,
    P: AnswerPanic<B>,
{
    type Output = Result<Response<CaptureBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut future = match this.state.project() {
            StateProjection::Running { future } => future,
            StateProjection::Panicked { scope } => {
                return Poll::Ready(Ok(answer(scope.take().as_ref(), this.answer)));
            }
        };
        let ended = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => Ok(ready!(polled)),
            Err(payload) => Err(payload),
        };
        let scope = future.take_scope();
        Poll::Ready(match ended {
            Ok(Ok(mut response)) => {
                if let Some(scope) = &scope {
                    answered(scope, &mut response, this.config.as_deref());
                }
                let status = response.status();
                Ok(response.map(|body| CaptureBody::new(body, scope, status)))
            }
            Ok(Err(error)) => {
                if let Some(scope) = &scope {
                    failed(scope, &error, this.config.as_deref());
                }
                Err(error)
            }
            Err(payload) => {
                if let Some(scope) = &scope {
                    adapter::panicked(scope, payload);
                }
                Ok(answer(scope.as_ref(), this.answer))
            }
        })
    }
}

/// An answer has a head: it is counted, and reported if it says that the service failed.
fn answered<B>(scope: &ScopeHandle, response: &mut Response<B>, config: Option<&Config>) {
    let Some(served) = scope.request::<Served>() else { return };
    let status = response.status();
    let code = if served.is_grpc() { grpc::Code::of(response.headers()) } else { None };
    match code {
        Some(code) => {
            served.answered(scope.routes(), status, code.class(), !code.is_unimplemented());
            if code.is_server_error() {
                report::response(scope, response, Some(code), config);
            }
        }
        None => {
            // Where there is a route, its template is known, or the answer is not that there is none.
            served.answered(scope.routes(), status, StatusClass::of(status.as_u16()), !status.is_client_error());
            if status.is_server_error() {
                report::response(scope, response, None, config);
            }
        }
    }
}

/// The service ended in an error.
fn failed<E: Display + 'static>(scope: &ScopeHandle, error: &E, config: Option<&Config>) {
    let Some(served) = scope.request::<Served>() else { return };
    served.count(scope.routes(), StatusClass::ServerError, true);
    if !served.take_reported() {
        report::error(scope, error, config);
    }
    served.tell_outer();
}

/// The answer to a panic, marked so that no layer further out takes it for a failure of its own.
fn answer<B>(scope: Option<&ScopeHandle>, answer: &impl AnswerPanic<B>) -> Response<CaptureBody<B>> {
    let served = scope.and_then(ScopeHandle::request::<Served>);
    let mut response = answer.answer(Asked { grpc: served.is_some_and(Served::is_grpc) });
    if let Some(served) = served {
        let status = response.status();
        let class = grpc::Code::of(response.headers()).map(grpc::Code::class);
        let routes = scope.and_then(ScopeHandle::routes);
        served.answered(routes, status, class.unwrap_or_else(|| StatusClass::of(status.as_u16())), true);
    }
    response.extensions_mut().insert(crate::Reported::new(None));
    response
}

impl<F, P> fmt::Debug for ResponseFuture<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
