//! The balance: every event that was captured ends in exactly one place, and is counted there.

use crate::ProjectId;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What became of events: `captured` is the sum of the others and of what is still under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
                pub(crate) fn $name(&self, events: u64) { self.$name.fetch_add(events, Relaxed); }
            )*

            pub(crate) fn balance(&self) -> Balance {
                Balance { $($name: self.$name.load(Relaxed)),* }
            }
        }

        impl Balance {
            /// What came since `earlier`.
            #[must_use]
            pub const fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.saturating_sub(earlier.$name)),* }
            }
        }

        impl std::ops::AddAssign for Balance {
            fn add_assign(&mut self, other: Self) { $(self.$name += other.$name;)* }
        }
    };
}
// `captured` is read last: an event is counted there first, so that what is read never holds more ends than beginnings.
counters!(stored, coalesced, sampled, ignored, limited, dropped_by_queue, dropped_by_store, captured);

/// The counters of every project.
#[derive(Debug)]
pub(crate) struct Ledger {
    own: Arc<Counters>,
    all: RwLock<HashMap<ProjectId, Arc<Counters>>>,
    /// What the store has been told.
    told: Mutex<HashMap<ProjectId, Balance>>,
}

impl Ledger {
    pub(crate) fn new(own: ProjectId) -> Self {
        let counters = Arc::<Counters>::default();
        Self { own: counters.clone(), all: RwLock::new(HashMap::from([(own, counters)])), told: Mutex::default() }
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

    /// What the store has not been told yet, by project.
    pub(crate) fn untold(&self) -> Vec<(ProjectId, Balance)> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let untold = all.iter().map(|(project, counters)| {
            (*project, counters.balance().since(&told.get(project).copied().unwrap_or_default()))
        });
        untold.filter(|(_, untold)| *untold != Balance::default()).collect()
    }

    /// The same, without events that are under way.
    pub(crate) fn untold_ended(&self) -> Vec<(ProjectId, Balance)> {
        let ended = |(project, untold): (_, Balance)| (project, Balance { captured: untold.settled(), ..untold });
        self.untold().into_iter().map(ended).filter(|(_, ended)| ended.captured > 0).collect()
    }

    /// Notes what the store has been told.
    pub(crate) fn note_told(&self, told: &[(ProjectId, Balance)]) {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (project, balance) in told {
            *all.entry(*project).or_default() += *balance;
        }
    }

    pub(crate) fn total(&self) -> Balance {
        let mut total = Balance::default();
        for counters in self.all.read().unwrap_or_else(PoisonError::into_inner).values() {
            total += counters.balance();
        }
        total
    }
}
