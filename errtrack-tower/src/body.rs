//! The body of an answer: what fails after the head was sent.

use crate::{grpc, report, request::Served};
use errtrack_core::{ScopeHandle, adapter};
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    error::Error,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
};

/// Any error, as a body hands it on.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

pin_project! {
    /// Body of an answer of [`Capture`](crate::Capture): each frame is made in the scope of the request, and a body that
    /// fails or panics is reported with it.
    ///
    /// A client that was sent a head of 200 can only be told by an end that is none: the body ends in an error, and the
    /// server breaks off the connection or the stream; a gRPC call gets the status `INTERNAL` in its trailers. A body that is
    /// dropped half-way, as when the client goes away, is no error. One that is made of the body of the request (an echo, a
    /// conversion) fails when the client breaks off its upload; a layer that looks at the bodies of requests
    /// ([`CaptureLayer::request_bodies`](crate::CaptureLayer::request_bodies)) knows that and keeps silent, others report it.
    ///
    /// It holds the scope of its request until it is dropped. No allocation, and some ten nanoseconds per frame.
    pub struct CaptureBody<B> {
        // Absent: the empty answer to a panic.
        #[pin]
        body: Option<B>,
        // Absent: nobody looks, or it is over.
        scope: Option<ScopeHandle>,
        status: StatusCode,
        ended: bool,
    }
}

impl<B> CaptureBody<B> {
    pub(crate) fn new(body: B, scope: Option<ScopeHandle>, status: StatusCode) -> Self {
        Self { body: Some(body), scope, status, ended: false }
    }

    /// A body at which nobody looks: its request has been dealt with.
    pub(crate) fn unwatched(body: B) -> Self {
        Self::new(body, None, StatusCode::OK)
    }

    /// A body without anything in it.
    pub(crate) fn empty() -> Self {
        Self { body: None, scope: None, status: StatusCode::OK, ended: true }
    }

    /// The body inside; `None` in the empty answer to a panic.
    pub fn get_ref(&self) -> Option<&B> {
        self.body.as_ref()
    }

    /// The body inside, unwatched from now on; `None` in the empty answer to a panic.
    pub fn into_inner(self) -> Option<B> {
        self.body
    }
}

/// An empty body, as layers further out make answers of their own.
impl<B> Default for CaptureBody<B> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<B> Body for CaptureBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(mut body) = this.body.as_pin_mut().filter(|_| !*this.ended) else { return Poll::Ready(None) };
        let Some(scope) = this.scope.take() else {
            return body.poll_frame(cx).map_err(Into::into);
        };
        let before = scope.failures();
        // The scope goes into the task-local and comes back, instead of being counted twice.
        let mut entered = pin!(scope.enter(poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx)))));
        let polled = catch_unwind(AssertUnwindSafe(|| entered.as_mut().poll(cx)));
        let taken = entered.take_scope();
        let Some(scope) = taken else {
            *this.ended = true;
            return Poll::Ready(None);
        };
        let watch = Watch { scope: &scope, status: *this.status, failures_before: before };
        let polled = match polled {
            Ok(Poll::Ready(Poll::Ready(Some(Ok(frame))))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    watch.trailers(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(Poll::Ready(Poll::Ready(Some(Err(error))))) => {
                let error = error.into();
                watch.error::<B::Error>(&*error);
                Poll::Ready(Some(Err(error)))
            }
            Ok(Poll::Ready(Poll::Ready(None))) => Poll::Ready(None),
            Ok(_) => Poll::Pending,
            Err(payload) => {
                // It is not polled again; what it does when it is dropped is the server's to see.
                *this.ended = true;
                adapter::panicked(&scope, payload);
                watch.pass_on();
                Poll::Ready(Some(watch.last_word()))
            }
        };
        *this.scope = Some(scope);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) if !self.ended => body.size_hint(),
            _ => SizeHint::with_exact(0),
        }
    }
}

/// Looks at how a frame came out.
struct Watch<'a> {
    scope: &'a ScopeHandle,
    status: StatusCode,
    failures_before: u32,
}

impl Watch<'_> {
    fn served(&self) -> Option<&Served> {
        self.scope.request()
    }

    fn error<E>(&self, error: &(dyn Error + 'static)) {
        // What was captured while this very frame was made says more.
        let told = self.served().is_some_and(Served::take_reported) || self.scope.failures() > self.failures_before;
        if !told && !self.served().is_some_and(Served::is_broken_off) {
            report::body::<E>(self.scope, error, self.status);
        }
        self.pass_on();
    }

    fn trailers(&self, trailers: &HeaderMap) {
        let failed = self.served().filter(|served| served.is_grpc()).and_then(|_| grpc::Code::of(trailers));
        let Some(code) = failed.filter(|code| code.is_server_error()) else { return };
        let told = self.served().is_some_and(Served::take_reported) || self.scope.failures() > 0;
        if !told {
            report::call(self.scope, code, trailers, self.status);
        }
        self.pass_on();
    }

    /// Tells a layer further out, which polls us and will see the same.
    fn pass_on(&self) {
        if let Some(served) = self.served() {
            served.tell_outer();
        }
    }

    /// What the client gets in place of a frame that ended in a panic.
    fn last_word<D>(&self) -> Result<Frame<D>, BoxError> {
        if !self.served().is_some_and(Served::is_grpc) {
            return Err(Box::new(BodyPanicked));
        }
        let mut trailers = HeaderMap::new();
        grpc::put_internal(&mut trailers);
        Ok(Frame::trailers(trailers))
    }
}

/// The error in which a body ends that panicked.
#[derive(Debug)]
struct BodyPanicked;

impl fmt::Display for BodyPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of the answer could not be made")
    }
}

impl Error for BodyPanicked {}

impl<B> fmt::Debug for CaptureBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureBody").finish_non_exhaustive()
    }
}
