//! Upkeep: what is old or over its number is let go, in the background.

use super::Engine;
use crate::Timestamp;
use std::{sync::Arc, time::Duration};

/// How often issues with too many events are trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// How many trims come between two prunes.
const PRUNE_EVERY: u32 = 60;

/// What is kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    /// Resolved issues last seen longer ago than this are deleted; `None` keeps them.
    pub(crate) age: Option<Duration>,
    /// Newest events kept whole per issue.
    pub(crate) events_per_issue: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Some(Duration::from_secs(90 * 86_400)), events_per_issue: 100 }
    }
}

/// Works until it is aborted.
pub(crate) async fn run(engine: Arc<Engine>, retention: Retention) {
    let mut stored = u64::MAX;
    for round in 0_u32.. {
        tokio::time::sleep(TRIM_EVERY).await;
        let now = engine.ledger.total().stored;
        if now != stored {
            stored = now;
            if let Err(error) = engine.store.trim_events(retention.events_per_issue).await {
                engine.note_trouble(&error.context("letting go of surplus events"));
            }
        }
        if round % PRUNE_EVERY == 0
            && let Some(age) = retention.age
            && let Err(error) = engine.store.prune(Timestamp::now().minus(age)).await
        {
            engine.note_trouble(&error.context("deleting old issues"));
        }
    }
}
