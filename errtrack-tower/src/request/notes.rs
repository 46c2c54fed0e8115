//! What the parts of a layer, and layers that serve the same request one inside the other, leave for each other.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A note.
#[derive(Debug, Clone, Copy)]
pub(super) enum Note {
    /// A layer further in counts the request.
    CountedInside = 1,
    /// A layer further in has reported the error that it passes out.
    Reported = 2,
    /// The client broke off while it sent the body.
    BrokenOff = 4,
}

/// The notes on a request. It is served by one task at a time, so reading and writing need not be one.
#[derive(Debug, Default)]
pub(super) struct Notes(AtomicU8);

impl Notes {
    pub(super) fn put(&self, note: Note) {
        self.0.store(self.0.load(Relaxed) | note as u8, Relaxed);
    }

    pub(super) fn has(&self, note: Note) -> bool {
        self.0.load(Relaxed) & note as u8 != 0
    }

    pub(super) fn take(&self, note: Note) -> bool {
        let notes = self.0.load(Relaxed);
        self.0.store(notes & !(note as u8), Relaxed);
        notes & note as u8 != 0
    }
}
