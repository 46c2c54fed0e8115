//! Futures and streams that run in a scope.

use super::{Scope, ScopeHandle, handle::Entered};
use futures_core::Stream;
use pin_project_lite::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A future or a stream that runs in a scope; made by [`ScopeHandle::enter`], [`ScopeExt`] and
    /// [`StreamScopeExt`].
    ///
    /// The scope is there whenever it is polled and while it is dropped, and nowhere else.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct InScope<F> {
        scope: Option<ScopeHandle>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InScope<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = Entered::new(this.scope);
            this.future.set(None);
        }
    }
}

impl<F> InScope<F> {
    pub(super) fn new(scope: ScopeHandle, future: F) -> Self {
        Self { scope: Some(scope), future: Some(future) }
    }

    /// Takes the scope back from a future that has ended, to see what was captured in it.
    ///
    /// `None` if it was taken before. A future that goes on afterwards does so in no scope.
    pub fn take_scope(self: Pin<&mut Self>) -> Option<ScopeHandle> {
        self.project().scope.take()
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = Entered::new(this.scope);
        // One that has ended has nothing more to say; to panic about it would be the host's panic.
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

impl<S: Stream> Stream for InScope<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _entered = Entered::new(this.scope);
        this.future.as_pin_mut().map_or(Poll::Ready(None), |stream| stream.poll_next(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.future.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<F> fmt::Debug for InScope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InScope").finish_non_exhaustive()
    }
}

/// Gives futures a scope of their own.
///
/// Futures that are polled by one task (`join!`, `select!`, `FuturesUnordered`, `buffered` streams) share its scope: the
/// breadcrumbs and tags of one would be seen on the errors of another. In a scope of its own, each begins with what the
/// scope around it holds and keeps what it adds to itself.
///
/// # Example
/// ```
/// use errtrack_core::{ScopeExt, configure_scope};
///
/// # async fn fetch(from: &str) { configure_scope(|scope| scope.set_tag("from", from)); }
/// # async fn example() {
/// // What either does to its scope is not seen by the other.
/// tokio::join!(fetch("stock").in_scope(), fetch("prices").in_scope());
///
/// // The same, with something to begin with.
/// fetch("mail").with_scope(|scope| scope.set_transaction("fetch mail")).await;
/// # }
/// ```
pub trait ScopeExt: Future + Sized {
    /// Runs it in a [child](ScopeHandle::child) of the scope that is current here, where this is called. One allocation.
    fn in_scope(self) -> InScope<Self> {
        InScope::new(ScopeHandle::inherit(), self)
    }

    /// The same, with a scope that is changed by `f` first.
    fn with_scope(self, f: impl FnOnce(&mut Scope)) -> InScope<Self> {
        InScope::new(inherit(f), self)
    }
}

impl<F: Future> ScopeExt for F {}

/// Gives streams a scope of their own: it is there whenever the stream is asked for its next item. What is done with the
/// items is done in the scope around it.
pub trait StreamScopeExt: Stream + Sized {
    /// Runs it in a [child](ScopeHandle::child) of the scope that is current here, where this is called. One allocation.
    fn in_scope(self) -> InScope<Self> {
        InScope::new(ScopeHandle::inherit(), self)
    }

    /// The same, with a scope that is changed by `f` first.
    fn with_scope(self, f: impl FnOnce(&mut Scope)) -> InScope<Self> {
        InScope::new(inherit(f), self)
    }
}

impl<S: Stream> StreamScopeExt for S {}

fn inherit(f: impl FnOnce(&mut Scope)) -> ScopeHandle {
    let scope = ScopeHandle::inherit();
    scope.configure(f);
    scope
}
