//! A request that is dropped half-way is noticed.

use crate::ScopeHandle;
use pin_project_lite::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The future of a service: tells of a request that never ends. It stands inside the scope, which is there while the
    /// future is dropped.
    pub struct Open<F> {
        #[pin]
        future: F,
        guard: Guard,
    }
}

impl<F> Open<F> {
    /// Calls `dropped` with the scope if the future is dropped before it has ended; not after a panic, when the scope has
    /// been taken.
    pub fn new(future: F, dropped: fn(&ScopeHandle)) -> Self {
        Self { future, guard: Guard { dropped: Some(dropped) } }
    }
}

impl<F: Future> Future for Open<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = ready!(this.future.poll(cx));
        this.guard.dropped = None;
        Poll::Ready(output)
    }
}

struct Guard {
    dropped: Option<fn(&ScopeHandle)>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(dropped) = self.dropped {
            ScopeHandle::with_current(dropped);
        }
    }
}

impl<F> fmt::Debug for Open<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}
