//! What the tracker promises while the store fails, over a store in memory.

mod alerts;
mod away;
mod delivery;
pub(super) mod fake;
mod restart;
mod upkeep;

use super::{Tracker, TrackerBuilder, writer::Pace};
use crate::{Balance, Event, Exception, Formula, IngestError, Level, Receipt, Report};
use fake::{Fake, Hang};
use std::{path::Path, time::Duration};

/// How long a flush may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room for everything.
const ROOM: u64 = 64 << 20;

/// A tracker that writes little at once and waits shortly for everything.
pub(super) fn builder(store: &Fake) -> TrackerBuilder {
    let pace = Pace {
        batch: 50,
        batch_bytes: 1 << 20,
        answer: Duration::from_secs(20),
        slow: Duration::from_millis(50),
        hurried: Duration::from_millis(10),
        pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(20),
        goodbye: Duration::from_millis(200),
    };
    Tracker::builder().store(store.clone()).backtraces(false).pace(pace)
}

async fn spooling(store: &Fake, folder: &Path) -> Tracker {
    builder(store).spool(folder, ROOM).build().await.unwrap()
}

/// An event of its own kind: letters, because numbers are no difference to grouping.
fn event(text: impl Into<String>) -> Event {
    let mut event = Event::new();
    event.exceptions.push(Exception::new("Failure", text));
    event
}

fn numbered(number: usize) -> Event {
    event(number.to_string().chars().map(|c| char::from(b'a' + c as u8 - b'0')).collect::<String>())
}

async fn report(tracker: &Tracker, mut event: Event) -> Result<Receipt, IngestError> {
    event.source = Some("test".into());
    tracker.ingest(Report { project: tracker.project().id, event, formula: Formula::Ours }).await
}

fn poisoned() -> Event {
    Event { level: Level::Debug, ..event("poisoned") }
}

/// Everything that was captured is accounted for.
#[track_caller]
fn assert_settled(balance: Balance) {
    assert_eq!(balance.captured, balance.settled(), "{balance:?}");
}

/// Waits until a condition holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
