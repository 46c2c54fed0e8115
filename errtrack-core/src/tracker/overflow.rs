//! Where equal events go when the queue is full: one of each sort is held, the rest are counted on it.
//!
//! In a storm the same few errors come again and again, faster than anything can write. Dropping them would make the
//! counts wrong exactly when they matter; so they are folded on the thread that captures them, by what is cheap to compare.

use super::queue::{Captured, What};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Sorts of events held at once. Each holds one event, so this bounds the memory.
const SORTS: usize = 256;

/// Events that found no room in the queue, folded.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    sorts: Mutex<HashMap<u64, Folded>>,
    filled: AtomicBool,
    hasher: RandomState,
}

/// One event that stands for several.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) captured: Captured,
    pub(crate) times: u64,
}

impl Overflow {
    /// Folds an event into the one of its sort; `false` if there are too many sorts.
    pub(crate) fn add(&self, mut captured: Captured) -> bool {
        let sort = self.sort(&captured);
        let mut sorts = self.sorts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folded) = sorts.get_mut(&sort) {
            folded.times += 1;
            *folded.captured.what.timestamp_mut() = *captured.what.timestamp_mut();
            return true;
        }
        if sorts.len() >= SORTS {
            return false;
        }
        sorts.insert(sort, Folded { captured, times: 1 });
        self.filled.store(true, Relaxed);
        true
    }

    /// Everything that was folded since the last call.
    pub(crate) fn take(&self) -> Vec<Folded> {
        if !self.filled.swap(false, Relaxed) {
            return Vec::new();
        }
        let sorts = mem::take(&mut *self.sorts.lock().unwrap_or_else(PoisonError::into_inner));
        sorts.into_values().collect()
    }

    /// Equal where the events are sure to be of one issue: same texts, same place, same level.
    fn sort(&self, captured: &Captured) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        match &captured.what {
            What::Error { chain, .. } => chain.texts().hash(&mut hasher),
            What::Event(event) => {
                for exception in &event.exceptions {
                    (&exception.ty, &exception.value).hash(&mut hasher);
                }
                event.message.as_ref().map(|m| &m.text).hash(&mut hasher);
                (event.level, &event.logger, &event.fingerprint).hash(&mut hasher);
            }
        }
        captured.place.map(|p| (p.file(), p.line(), p.column())).hash(&mut hasher);
        hasher.finish()
    }
}
