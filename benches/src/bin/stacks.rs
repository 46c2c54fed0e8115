//! What errors with their stacks cost the whole process, its tracker's thread included, beside sentry: microseconds of
//! processor time per error, and the share of one core that 2,000 errors a second take.
//!
//! `stacks`: a table, and the same as JSON in `target/bench/stacks.json`.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use anyhow::Result;
use errtrack::{SqliteStore, Tracker};
use errtrack_benches::{cpu_time, peer, subject::payment};
use serde_json::json;
use std::{
    process,
    time::{Duration, Instant},
};

const ERRORS: u32 = 100_000;
/// Captures at once: fewer than the queue holds, so that nothing is folded because it is full.
const BURST: u32 = 5_000;
/// Sentry's are fewer: each takes as long as a hundred of ours.
const PEERS: u32 = 5_000;
const RATE: f64 = 2_000.0;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    println!("| what | host's thread µs | whole process CPU µs | of a core at 2,000/s |\n|---|---|---|---|");
    let mut rows = Vec::new();
    for (what, stacks, equal) in [
        ("equal errors, no backtrace", false, true),
        ("equal errors with their stacks", true, true),
        ("errors with numbers in them and their stacks", true, false),
    ] {
        let folder = tempfile::tempdir()?;
        let store = SqliteStore::open(&folder.path().join("errors.db").display().to_string()).await?;
        let tracker = Tracker::builder().store(store).backtraces(stacks).build().await?;
        tracker.capture_error(&payment());
        tracker.flush(PATIENCE).await;
        let (before, mut host) = (cpu_time(process::id()), Duration::ZERO);
        for burst in 0..ERRORS / BURST {
            host += tokio::spawn(request(tracker.clone(), burst, equal)).await?;
            tracker.flush(PATIENCE).await;
        }
        rows.push(row(what, ERRORS, host, cpu_time(process::id()) - before));
    }
    peer::start(true);
    sentry_core::capture_error(&payment());
    let (before, start) = (cpu_time(process::id()), Instant::now());
    for _ in 0..PEERS {
        sentry_core::capture_error(&payment());
    }
    rows.push(row("sentry: equal errors with their stacks", PEERS, start.elapsed(), cpu_time(process::id()) - before));
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/stacks.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

/// A burst from within a task, so that stacks are as deep as they are in services.
async fn request(tracker: Tracker, burst: u32, equal: bool) -> Duration {
    let start = Instant::now();
    for n in 0..BURST {
        handler(&tracker, burst * BURST + n, equal).await;
    }
    start.elapsed()
}

async fn handler(tracker: &Tracker, order: u32, equal: bool) {
    if equal {
        tracker.capture_error(&payment());
    } else {
        tracker.capture_error(&std::io::Error::other(format!("order {order} could not be paid")));
    }
}

fn row(what: &str, errors: u32, host: Duration, cpu: Duration) -> serde_json::Value {
    let [host, cpu] = [host, cpu].map(|time| time.as_secs_f64() * 1e6 / f64::from(errors));
    let share = cpu * RATE / 1e6 * 100.0;
    println!("| {what} | {host:.2} | {cpu:.1} | {share:.1} % |");
    json!({ "what": what, "host_us": host, "cpu_us": cpu, "of_a_core_at_2000": share })
}
