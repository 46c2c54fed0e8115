//! The store: its data behind one mutex.

use crate::data::Data;
use errtrack_core::{StoreError, store::LocalFeed};
use std::sync::{Mutex, MutexGuard};

/// Keeps everything in memory, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    data: Mutex<Data>,
    pub(crate) feed: LocalFeed,
}

impl MemoryStore {
    /// The data, for one caller at a time. What is done under one lock is one transaction: nobody sees half of it. So a
    /// method looks first whether it can do all that it is asked for, and changes something only then.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Data>, StoreError> {
        let data = self.data.lock().map_err(|_| StoreError::corrupt("a caller panicked in the middle of a change"))?;
        if data.closed { Err(StoreError::unavailable("the store is closed")) } else { Ok(data) }
    }
}
