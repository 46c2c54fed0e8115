//! Delivery: takes what is due out of the outbox and hands it to its channels.
//!
//! Every process does so. What one of them has is leased, so no other sends it; if the process dies, the lease ends and another
//! one sends it, perhaps a second time. A try that fails is repeated after a pause that doubles, ten times in all.

use super::{
    Engine,
    channels::{Channel, PLACES},
    jitter::jittered,
};
use crate::{
    Timestamp,
    notify::{NotifyError, attempt},
    store::{OutboxItem, Settlement, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, timeout},
};

/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often by a process that has no channel.
const LOOK_SELDOM: Duration = Duration::from_secs(300);
/// How long an entry is this process's. Longer than a try and all that is done to note what came of it.
const LEASE: Duration = Duration::from_secs(60);
/// How often an entry is tried.
const TRIES: u32 = 10;
/// How long is waited after the first try; twice as long after each that follows.
const PAUSE: Duration = Duration::from_secs(10);
/// At most, also when the other side asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// For how long somebody may still come who has the channel of an entry.
const ORPHANED: Duration = Duration::from_secs(3600);
/// How long what is under way may take when the process ends.
const LAST_TRIES: Duration = Duration::from_secs(3);
/// Seconds between attempts to note what came of a try: else it would be sent again.
const NOTE_AGAIN: [u64; 4] = [1, 2, 4, 8];
/// Characters of an error that are kept.
const MOST_OF_ERROR: usize = 500;

/// Delivers, until it is dropped; what is under way then goes on, see [`last`].
pub(super) async fn run(engine: Arc<Engine>) {
    let start = (Timestamp::now(), Instant::now());
    loop {
        // Whichever clock is ahead: a machine may have slept, and a clock may have been set back.
        let now = start.0.plus(start.1.elapsed()).max(Timestamp::now());
        if let Err(error) = engine.deliver_due(now, start.1).await {
            engine.note_trouble(&error.context("looking for notifications to deliver"));
        }
        let pause = if engine.channels.all().is_empty() { LOOK_SELDOM } else { LOOK_EVERY };
        let _ = timeout(jittered(pause), engine.channels.came.notified()).await;
    }
}

/// Waits a little for what is under way, so that it is not sent again by somebody else.
pub(super) async fn last(engine: &Engine) {
    let _ = timeout(LAST_TRIES, async {
        for channel in engine.channels.all() {
            let _ = channel.places.acquire_many(u32::try_from(PLACES).unwrap_or(u32::MAX)).await;
        }
    })
    .await;
}

impl Engine {
    async fn deliver_due(self: &Arc<Self>, now: Timestamp, start: Instant) -> Result<(), StoreError> {
        // What the database takes until a try begins counts too: nobody is asked sooner than it wants.
        let looked = (now, Instant::now());
        for name in self.store.due_channels(now).await? {
            let Some(channel) = self.channels.get(&name) else {
                // Its channel may come later: people set some of them up, and other processes have others.
                if start.elapsed() > ORPHANED {
                    self.give_up_orphans(&name, now).await?;
                }
                continue;
            };
            let free = channel.places.available_permits();
            if free == 0 {
                continue;
            }
            let limit = u32::try_from(free).unwrap_or(u32::MAX);
            for item in self.store.lease_outbox(self.node, &name, now, limit, LEASE).await? {
                // Nobody else takes places, so there is one.
                if let Ok(place) = channel.places.clone().acquire_owned().await {
                    tokio::spawn(deliver(self.clone(), channel.clone(), item, looked, place));
                }
            }
        }
        Ok(())
    }

    /// Gives up what has been due for long and no channel takes.
    async fn give_up_orphans(&self, channel: &str, now: Timestamp) -> Result<(), StoreError> {
        for item in self.store.lease_outbox(self.node, channel, now.minus(ORPHANED), 100, LEASE).await? {
            let error = format!("there is no channel `{channel}`");
            self.store.settle_outbox(self.node, item.entry.key, &Settlement::Failed { error }, now).await?;
        }
        Ok(())
    }
}

/// Tries to deliver an entry and notes what came of it.
async fn deliver(
    engine: Arc<Engine>,
    channel: Channel,
    item: OutboxItem,
    (now, looked): (Timestamp, Instant),
    place: OwnedSemaphorePermit,
) {
    let (key, attempts) = (item.entry.key, item.attempts);
    let tried = if attempts > TRIES {
        // Each of the tries before this one ended with the process.
        Err(NotifyError::permanent(format!("given up after {TRIES} tries that did not end")))
    } else {
        attempt(channel.notifier, item.entry, item.attempts).await
    };
    let now = now.plus(looked.elapsed());
    let came = settlement(tried, attempts, now);
    let noted = async || engine.store.settle_outbox(engine.node, key, &came, now).await;
    let mut done = noted().await;
    for pause in NOTE_AGAIN {
        let Err(error) = done else { break };
        engine.note_trouble(&error.context("noting what came of a notification"));
        sleep(Duration::from_secs(pause)).await;
        done = noted().await;
    }
    drop(place);
    engine.channels.came.notify_one();
}

fn settlement(tried: Result<(), NotifyError>, attempts: u32, now: Timestamp) -> Settlement {
    let error = match tried {
        Ok(()) => return Settlement::Delivered,
        Err(error) => error,
    };
    let text: String =
        error.message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_OF_ERROR).collect();
    if error.permanent || attempts >= TRIES {
        return Settlement::Failed { error: text };
    }
    let pause = PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let asked = error.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
    Settlement::Again { at: now.plus(jittered(pause).max(asked)), error: text }
}
