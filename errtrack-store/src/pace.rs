//! The pace of upkeep: batches come first.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// After a step, upkeep rests that many times as long as it took, while batches come in.
const REST: u32 = 6;
/// But not longer than this.
const LONGEST: Duration = Duration::from_secs(1);

/// Counts batches, so that upkeep sees whether it is in somebody's way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    batches: AtomicU64,
    /// How many there were after the last step.
    before: AtomicU64,
}

impl Pace {
    /// Notes that a batch is about to be written.
    pub(crate) fn batch(&self) {
        self.0.batches.fetch_add(1, Relaxed);
    }

    /// Waits after a step that held the writer for so long.
    pub(crate) async fn rest(&self, took: Duration) {
        let batches = self.0.batches.load(Relaxed);
        if self.0.before.swap(batches, Relaxed) != batches {
            tokio::time::sleep((took * REST).min(LONGEST)).await;
        }
    }
}
