//! Jobs of others on the tracker's thread.

use super::{Engine, Tracker, WeakTracker};
use std::{
    collections::HashSet,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Notify, task::JoinSet};

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Jobs that were given, and have not begun.
#[derive(Default)]
pub(super) struct Jobs {
    given: Mutex<(HashSet<&'static str>, Vec<Job>)>,
    came: Notify,
}

impl Jobs {
    fn give(&self, name: &'static str, job: impl FnOnce() -> Job) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.0.insert(name) {
            given.1.push(job());
            self.came.notify_one();
        }
    }

    fn take(&self) -> Vec<Job> {
        std::mem::take(&mut self.given.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}

/// Runs what is given, until it is dropped.
pub(super) async fn run(engine: Arc<Engine>) {
    let mut running = JoinSet::new();
    loop {
        for job in engine.jobs.take() {
            running.spawn(job);
        }
        engine.jobs.came.notified().await;
    }
}

impl Tracker {
    /// Runs a job in the background, on the tracker's thread, until it or the tracker ends; for what is built on a tracker. Of
    /// those with the same name, the first runs alone. A job must not block: that would hold up everything that is captured.
    /// It gets a handle that does not keep the tracker alive.
    pub fn in_background<F>(&self, name: &'static str, job: impl FnOnce(WeakTracker) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.shared.engine.jobs.give(name, || Box::pin(job(self.downgrade())));
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}
