//! The future of an answer: runs in the scope of its request, and looks at how it ends.

use crate::{AnswerPanic, EmptyAnswer, layer::Config, report};
use errtrack_core::{InScope, adapter};
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
    /// Future of [`Capture`](crate::Capture). Dropped half-way, it closes the scope of its request and reports nothing.
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
            future: InScope<F>,
        },
        /// The service panicked before it returned a future.
        Panicked,
    }
}

impl<F, P> ResponseFuture<F, P> {
    pub(crate) fn running(future: InScope<F>, config: Option<Arc<Config>>, answer: P) -> Self {
        Self { state: State::Running { future }, config, answer }
    }

    pub(crate) fn panicked(answer: P) -> Self {
        Self { state: State::Panicked, config: None, answer }
    }
}

impl<F, P, B, E> Future for ResponseFuture<F, P>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Display + 'static,
    P: AnswerPanic<B>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let StateProjection::Running { mut future } = this.state.project() else {
            return Poll::Ready(Ok(answer(this.answer)));
        };
        let ended = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => Ok(ready!(polled)),
            Err(payload) => Err(payload),
        };
        Poll::Ready(match ended {
            Ok(Ok(mut response)) => {
                if response.status().is_server_error()
                    && let Some(scope) = future.take_scope()
                {
                    report::response(&scope, &mut response);
                }
                Ok(response)
            }
            Ok(Err(error)) => {
                if let Some(scope) = future.take_scope() {
                    report::error(&scope, &error, this.config.as_deref());
                }
                Err(error)
            }
            Err(payload) => {
                if let Some(scope) = future.take_scope() {
                    adapter::panicked(&scope, payload);
                }
                Ok(answer(this.answer))
            }
        })
    }
}

/// The answer to a panic, marked so that no layer further out takes it for a failure of its own.
fn answer<B>(answer: &impl AnswerPanic<B>) -> Response<B> {
    let mut response = answer.answer();
    response.extensions_mut().insert(crate::Reported::new(None));
    response
}

impl<F, P> fmt::Debug for ResponseFuture<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
