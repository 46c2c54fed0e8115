//! The hosts: the same shop on each framework, as a server on a free port.

mod actix;
mod axum;
mod tower;

use crate::shop::Shop;
use errtrack::Tracker;
use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
};
use tokio::sync::oneshot;
use tracing_subscriber::prelude::*;

/// A framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Axum,
    Actix,
    /// A tower service and hyper, without a framework.
    Tower,
}

/// A shop that is open. It closes when it is dropped.
pub(crate) struct Open {
    pub(crate) address: SocketAddr,
    pub(crate) shop: Arc<Shop>,
    close: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What a host is given to open.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) tracker: Tracker,
    pub(crate) shop: Arc<Shop>,
    /// Whether the shop stands in a second layer, as it happens.
    pub(crate) is_doubled: bool,
}

impl Host {
    pub(crate) fn open(self, tracker: &Tracker) -> Open {
        self.open_with(tracker, false)
    }

    pub(crate) fn open_with(self, tracker: &Tracker, is_doubled: bool) -> Open {
        let plan = Plan { tracker: tracker.clone(), shop: Arc::default(), is_doubled };
        let shop = plan.shop.clone();
        let (close, closed) = oneshot::channel();
        let (tell, address) = mpsc::channel();
        let thread = thread::spawn(move || match self {
            Self::Axum => on_a_runtime(&plan.clone().tracker, axum::serve(plan, tell, closed)),
            Self::Tower => on_a_runtime(&plan.clone().tracker, tower::serve(plan, tell, closed)),
            Self::Actix => actix::serve(plan, &tell, closed),
        });
        let address = address.recv().expect("the host listens");
        Open { address, shop, close: Some(close), thread: Some(thread) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the host lives on, whatever fails in it");
        }
    }
}

/// Serves on this thread, whose log goes to the tracker.
fn on_a_runtime(tracker: &Tracker, serve: impl Future<Output = ()>) {
    let _log = log_to(tracker);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(serve);
}

/// The log of one thread: a process has but one global subscriber, and there are many tests.
fn log_to(tracker: &Tracker) -> tracing::subscriber::DefaultGuard {
    tracing_subscriber::registry().with(errtrack::tracing::layer(tracker)).set_default()
}
