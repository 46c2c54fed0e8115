//! The balance: every event that was captured ends in exactly one place, and is counted there.

use crate::ProjectId;
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What became of events: `captured` is the sum of the others and of what is still under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Seen by a capture, or received.
    pub captured: u64,
    /// Kept whole.
    pub stored: u64,
    /// Counted, their payload let go because enough like it are kept.
    pub coalesced: u64,
    /// Left out by the sample rate.
    pub sampled: u64,
    /// Left out by a rule or a hook, or a duplicate of one that was stored.
    pub ignored: u64,
    /// Refused by a rate limit or a quota.
    pub limited: u64,
    /// Lost because the queue was full.
    pub dropped_by_queue: u64,
    /// Lost because the store would not take them.
    pub dropped_by_store: u64,
}

impl Balance {
    /// Where events ended, in all.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.stored
            + self.coalesced
            + self.sampled
            + self.ignored
            + self.limited
            + self.dropped_by_queue
            + self.dropped_by_store
    }

    /// Events that are queued or being written.
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.captured.saturating_sub(self.settled())
    }
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// The counters of one project.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $($name: AtomicU64),* }

        impl Counters {
            $(
                #[expect(clippy::allow_attributes, reason = "not every counter has a writer in every build")]
                #[allow(dead_code, reason = "rate limits will write `limited`")]
                pub(crate) fn $name(&self, events: u64) { self.$name.fetch_add(events, Relaxed); }
            )*

            pub(crate) fn balance(&self) -> Balance {
                Balance { $($name: self.$name.load(Relaxed)),* }
            }
        }

        impl std::ops::AddAssign for Balance {
            fn add_assign(&mut self, other: Self) { $(self.$name += other.$name;)* }
        }
    };
}
counters!(captured, stored, coalesced, sampled, ignored, limited, dropped_by_queue, dropped_by_store);

/// The counters of every project.
#[derive(Debug)]
pub(crate) struct Ledger {
    own: Arc<Counters>,
    all: RwLock<HashMap<ProjectId, Arc<Counters>>>,
}

impl Ledger {
    pub(crate) fn new(own: ProjectId) -> Self {
        let counters = Arc::<Counters>::default();
        Self { own: counters.clone(), all: RwLock::new(HashMap::from([(own, counters)])) }
    }

    /// The counters of the project of this process, without a lock.
    pub(crate) fn own(&self) -> &Counters {
        &self.own
    }

    /// The counters of a project. There are as many as projects, which only known reporters make.
    pub(crate) fn of(&self, project: ProjectId) -> Arc<Counters> {
        if let Some(counters) = self.all.read().unwrap_or_else(PoisonError::into_inner).get(&project) {
            return counters.clone();
        }
        self.all.write().unwrap_or_else(PoisonError::into_inner).entry(project).or_default().clone()
    }

    pub(crate) fn total(&self) -> Balance {
        let mut total = Balance::default();
        for counters in self.all.read().unwrap_or_else(PoisonError::into_inner).values() {
            total += counters.balance();
        }
        total
    }
}
