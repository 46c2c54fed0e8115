//! The channels that this process can deliver by.

use super::Tracker;
use crate::{hosted, notify::Notifier};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, Semaphore};

/// Entries of one channel that are delivered at the same time.
pub(super) const PLACES: usize = 4;

/// Channels by name.
#[derive(Default)]
pub(super) struct Channels {
    known: Mutex<BTreeMap<String, Channel>>,
    /// Told when there may be something to deliver.
    pub(super) came: Notify,
}

/// A channel, and the places for what it has under way: one that is slow fills its own, and no other's.
#[derive(Clone)]
pub(super) struct Channel {
    pub(super) notifier: Arc<dyn Notifier>,
    pub(super) places: Arc<Semaphore>,
}

impl Channels {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Channel>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a channel, or puts it in the place of the one of the same name.
    pub(super) fn set(&self, notifier: Arc<dyn Notifier>) {
        // The name is the host's code.
        let Some(name) = hosted(|| notifier.name().to_owned()) else { return };
        let mut known = self.known();
        let places = known.get(&name).map_or_else(|| Arc::new(Semaphore::new(PLACES)), |before| before.places.clone());
        known.insert(name, Channel { notifier, places });
        drop(known);
        self.came.notify_one();
    }

    pub(super) fn get(&self, name: &str) -> Option<Channel> {
        self.known().get(name).cloned()
    }

    pub(super) fn all(&self) -> Vec<Channel> {
        self.known().values().cloned().collect()
    }
}

impl Tracker {
    /// Adds a channel, or puts it in the place of the one of the same name. What waits for it is delivered from now on.
    pub fn set_notifier(&self, notifier: Arc<dyn Notifier>) {
        self.shared.engine.channels.set(notifier);
    }

    /// Takes a channel away; `false` if there is none of that name. What still waits for it is given up after an hour, unless
    /// another process has such a channel.
    #[must_use = "it says whether there was one"]
    pub fn remove_notifier(&self, name: &str) -> bool {
        self.shared.engine.channels.known().remove(name).is_some()
    }

    /// The channel of that name, to try it.
    #[must_use]
    pub fn notifier(&self, name: &str) -> Option<Arc<dyn Notifier>> {
        self.shared.engine.channels.get(name).map(|channel| channel.notifier)
    }

    /// The names of the channels that this process has.
    #[must_use]
    pub fn notifiers(&self) -> Vec<String> {
        self.shared.engine.channels.known().keys().cloned().collect()
    }

    /// Looks for what is to be delivered now, and not only at the next of the looks that are taken every two seconds. To be
    /// called after something was put into the outbox.
    pub fn wake_delivery(&self) {
        self.shared.engine.channels.came.notify_one();
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known().keys()).finish()
    }
}
