//! The thread that drives the sockets and timers of a store.
//!
//! A socket belongs to the runtime in which it was opened, and is dead when that ends. The callers of a store are requests,
//! the tracker's thread, tests: each with a runtime of its own.

use pin_project_lite::pin_project;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    thread,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// A handle on the thread, which ends with it.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
    /// Ends the thread when it is dropped.
    _end: oneshot::Sender<()>,
}

impl Driver {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("errtrack-pg".into()).spawn(move || {
            let _ = runtime.block_on(ended);
            // A look-up of a host's name may still be under way.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _end: end })
    }

    /// Runs a task for as long as the thread lives.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    pub(super) fn drive<F: Future>(&self, future: F) -> Driven<'_, F> {
        Driven { handle: &self.handle, future }
    }
}

pin_project! {
    /// A future that is polled by whoever awaits it, but in the context of the store's runtime.
    pub(crate) struct Driven<'a, F> {
        handle: &'a Handle,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Driven<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.handle.enter();
        this.future.poll(context)
    }
}
