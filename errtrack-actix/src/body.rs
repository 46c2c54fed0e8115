//! The body of an answer: runs in the scope of its request, and reports what fails after the head was sent.

use crate::{Reported, report};
use actix_web::{
    body::{BodySize, MessageBody},
    dev::ServiceResponse,
    web::Bytes,
};
use errtrack_core::{ScopeHandle, adapter};
use pin_project_lite::pin_project;
use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Body of a response of [`CaptureService`](crate::CaptureService).
    ///
    /// A body that fails or panics is reported, once, and ends with an error: actix-web closes the connection, so that the
    /// client sees that it has not got all. A body that is there whole cannot fail, and costs nothing.
    pub struct CaptureBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    // A body without a scope is none, or that of a request that has been dealt with.
    #[project = InnerProjection]
    #[project_replace = InnerReplaced]
    enum Inner<B> {
        Whole { bytes: Bytes },
        Stream {
            #[pin]
            body: B,
            scope: Option<ScopeHandle>,
            status: u16,
        },
        Over,
    }
}

impl<B: MessageBody> CaptureBody<B> {
    pub(crate) fn wrap(response: ServiceResponse<B>, scope: Option<ScopeHandle>) -> ServiceResponse<Self> {
        let status = response.status().as_u16();
        let is_reported = response.response().extensions().get::<Reported>().is_some();
        let scope = scope.filter(|_| !is_reported);
        response.map_body(|_, body| Self { inner: Inner::new(body, scope, status) })
    }
}

impl<B: MessageBody> Inner<B> {
    fn new(body: B, scope: Option<ScopeHandle>, status: u16) -> Self {
        // Whoever takes the bytes of a body that is none gets an empty one, which is announced with its length.
        if matches!(body.size(), BodySize::None) {
            return Self::Stream { body, scope: None, status };
        }
        match body.try_into_bytes() {
            Ok(bytes) => Self::Whole { bytes },
            Err(body) => Self::Stream { body, scope, status },
        }
    }
}

impl<B: MessageBody> MessageBody for CaptureBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        match &self.inner {
            Inner::Whole { bytes } => bytes.size(),
            Inner::Stream { body, .. } => body.size(),
            Inner::Over => BodySize::Sized(0),
        }
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut this = self.project();
        let (body, scope, status) = match this.inner.as_mut().project() {
            InnerProjection::Whole { bytes } => return Pin::new(bytes).poll_next(cx).map_err(Into::into),
            InnerProjection::Stream { body, scope: None, .. } => return body.poll_next(cx).map_err(Into::into),
            InnerProjection::Over => return Poll::Ready(None),
            InnerProjection::Stream { body, scope: Some(scope), status } => (body, scope, *status),
        };
        let polled = match catch_unwind(AssertUnwindSafe(|| scope.sync(|| body.poll_next(cx)))) {
            Ok(polled) => ready!(polled).map(|data| data.map_err(Into::into)),
            Err(payload) => {
                adapter::panicked(scope, payload);
                adapter::expect_echo();
                this.inner.project_replace(Inner::Over);
                return Poll::Ready(Some(Err(Box::new(Panicked))));
            }
        };
        if let Some(Err(error)) = &polled
            && !error.is::<Panicked>()
        {
            report::body(scope, &**error, status);
        }
        if matches!(polled, Some(Err(_))) {
            adapter::expect_echo();
        }
        if !matches!(polled, Some(Ok(_))) {
            this.inner.project_replace(Inner::Over);
        }
        Poll::Ready(polled)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.inner {
            Inner::Whole { bytes } => Ok(bytes),
            inner => Err(Self { inner }),
        }
    }
}

/// A body that panicked, as the error with which it ends. Whoever sees it knows that the panic was reported.
#[derive(Debug)]
struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body ended in a panic")
    }
}

impl Error for Panicked {}

impl<B> fmt::Debug for CaptureBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureBody").finish_non_exhaustive()
    }
}
