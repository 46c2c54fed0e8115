//! The future of an answer: runs in the scope of its request, and looks at how it ends.

use crate::{CaptureBody, capture::Config, cause::Unwatched, panicked::Panicked, report, request::Served};
use actix_web::{Error, body::MessageBody, dev::ServiceResponse, http::StatusCode};
use errtrack_core::{
    InScope,
    adapter::{self, Open},
};
use pin_project_lite::pin_project;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Future of [`CaptureService`](crate::CaptureService). Dropped half-way, it closes the scope of its request and reports
    /// nothing; the request counts as [dropped](errtrack_core::StatusClass::Dropped).
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        config: Option<Arc<Config>>,
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
        Panicked,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn running(future: InScope<Open<F>>, config: Option<Arc<Config>>) -> Self {
        Self { state: State::Running { future }, config }
    }

    pub(crate) fn panicked(config: Option<Arc<Config>>) -> Self {
        Self { state: State::Panicked, config }
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<CaptureBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let config = this.config.as_deref();
        let StateProjection::Running { mut future } = this.state.project() else {
            return Poll::Ready(Err(Panicked::new(config).into()));
        };
        let ended = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => Ok(ready!(polled)),
            Err(payload) => Err(payload),
        };
        let scope = future.take_scope();
        Poll::Ready(match ended {
            Ok(Ok(mut response)) => {
                // What the mounted router answers is not the host's.
                let scope = scope.filter(|_| response.response().extensions().get::<Unwatched>().is_none());
                if let Some(scope) = &scope {
                    Served::answered_in(scope, response.status());
                    if response.status().is_server_error() {
                        report::response(scope, &mut response, config);
                    }
                }
                Ok(CaptureBody::wrap(response, scope))
            }
            Ok(Err(error)) => {
                if let Some(scope) = &scope {
                    Served::answered_in(scope, error.as_response_error().status_code());
                    report::error(scope, &error, config);
                }
                Err(error)
            }
            Err(payload) => {
                if let Some(scope) = &scope {
                    Served::answered_in(scope, StatusCode::INTERNAL_SERVER_ERROR);
                    adapter::panicked(scope, payload);
                }
                Err(Panicked::new(config).into())
            }
        })
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
