//! A store of one's own, in memory: `cargo run --example custom_store`.
//!
//! It implements every part of [`Store`](errtrack_core::Store) in the shortest way that keeps all promises, so that it can
//! be read as "how do I write a backend?". `data.rs` holds what is stored; `recording.rs` writes it; each other file is one
//! capability. `conformance.rs` runs the suite that shows that it is a store.

mod accounts;
mod alerts;
#[cfg(test)]
mod conformance;
mod data;
mod events;
mod figures;
mod groups;
mod incidents;
mod integrations;
mod issues;
mod nodes;
mod outbox;
mod projects;
mod push;
mod recording;
mod store;
mod tickets;
mod triage;
mod upkeep;

use errtrack_core::{Level, Tracker, store::IssueQuery};
use std::{
    io::{self, Write},
    time::Duration,
};
use store::MemoryStore;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tracker = Tracker::builder().project("shop").store(MemoryStore::default()).build().await?;
    for order in ["12", "twelve", "13", "many"] {
        if let Err(error) = order.parse::<u32>() {
            errtrack_core::capture_error(&error);
        }
    }
    if let Err(error) = std::fs::read("/no/such/file") {
        errtrack_core::capture_error(&error);
    }
    errtrack_core::capture_message("the cache is cold", Level::Warning);
    tracker.flush(Duration::from_secs(5)).await;

    let page = tracker.store().issues(&IssueQuery { limit: 10, ..IssueQuery::default() }).await?;
    for issue in page.issues {
        let (name, level, count) = (issue.short_id(), issue.level, issue.count);
        writeln!(io::stdout(), "{name:<8} {level:<8} {count}x  {} {}", issue.ty, issue.value)?;
    }
    tracker.shutdown().await;
    Ok(())
}
