//! One try to hand an entry to its channel, whatever the channel's code does.

use super::{Delivery, Notifier, NotifyError, OutboxEntry};
use crate::discard;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a try may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tries once to hand an entry to a channel; `attempts` is which try it is, from 1. A channel that panics or takes longer than
/// 20 seconds fails. The outbox's entries are tried by the [`Tracker`](crate::Tracker) itself: this is for what goes past it, as
/// a test message does.
///
/// # Errors
/// What the channel said, or that it panicked or did not answer.
///
/// # Panics
/// Outside of a Tokio runtime.
pub async fn attempt(notifier: Arc<dyn Notifier>, entry: OutboxEntry, attempts: u32) -> Result<(), NotifyError> {
    // A task of its own: the channel may be the host's code, and panic.
    let mut task = tokio::spawn(async move { notifier.notify(&Delivery::new(&entry).attempt(attempts)).await });
    match timeout(PATIENCE, &mut task).await {
        Ok(Ok(tried)) => tried,
        Ok(Err(panicked)) => {
            if let Ok(payload) = panicked.try_into_panic() {
                discard(payload);
            }
            Err(NotifyError::new("the channel panicked"))
        }
        Err(_) => {
            task.abort();
            Err(NotifyError::new(format!("no answer within {} s", PATIENCE.as_secs())))
        }
    }
}
