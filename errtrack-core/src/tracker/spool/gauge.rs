//! How full the spool is, as the tracker's handles see it.

use crate::Timestamp;
use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// How full the spool is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpoolStatus {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Occurrences that wait in it.
    pub occurrences: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub most_bytes: u64,
    /// When the one that waits longest was put in.
    pub since: Option<Timestamp>,
    /// Occurrences that were read back from files, of this process or of one before, since the start.
    pub drained: u64,
    /// Records that were torn or corrupted and could not be read back, since the start.
    pub damaged: u64,
}

/// What the tracker's handles know of the spool.
#[derive(Debug)]
pub(crate) struct SpoolGauge {
    status: Mutex<SpoolStatus>,
    /// Nothing could be written when that was last tried.
    refuses: AtomicBool,
}

impl SpoolGauge {
    pub(crate) fn new(folder: PathBuf, most_bytes: u64) -> Self {
        let status = SpoolStatus { folder, most_bytes, ..SpoolStatus::default() };
        Self { status: Mutex::new(status), refuses: AtomicBool::new(false) }
    }

    pub(crate) fn status(&self) -> SpoolStatus {
        self.lock().clone()
    }

    pub(super) fn set_refuses(&self, refuses: bool) {
        self.refuses.store(refuses, Relaxed);
    }

    /// Whether something more could be written, as far as is known.
    pub(crate) fn has_room(&self) -> bool {
        !self.refuses.load(Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, SpoolStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
