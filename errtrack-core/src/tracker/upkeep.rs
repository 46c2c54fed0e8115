//! Upkeep: what is old or over its number is let go, in the background.

use super::Engine;
use std::{sync::Arc, time::Duration};

/// How often issues with too many events are trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// How many trims come between two runs of retention.
const RETAIN_EVERY: u32 = 60;

/// Works until it is aborted.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut stored = u64::MAX;
    for round in 0_u32.. {
        tokio::time::sleep(TRIM_EVERY).await;
        let now = engine.ledger.total().stored;
        if now != stored {
            stored = now;
            if let Err(error) = engine.store.trim_events(engine.retention.events_per_issue).await {
                engine.note_trouble(&error.context("letting go of surplus events"));
            }
        }
        if round % RETAIN_EVERY == 0
            && let Err(error) = engine.store.retain(&engine.retention).await
        {
            engine.note_trouble(&error.context("letting go of what is old"));
        }
    }
}
