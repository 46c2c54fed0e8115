//! What a storm of errors in one process costs: 1,000,000 equal ones, then 100,000 distinct ones, from four threads as fast
//! as they can, over a SQLite file; and both again while the database is away, into a spool. The counts must be exact and
//! the balance must add up, or it ends with an error.
//!
//! `storm`: a table, and the same as JSON in `target/bench/storm.json`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::{Context, Result, ensure};
use errtrack::{
    Event, Exception, SqliteStore, Tracker,
    store::{IssueQuery, IssueStore},
};
use errtrack_tests::FaultyStore;
use serde_json::json;
use std::{
    fs,
    time::{Duration, Instant},
};

const EQUAL: u64 = 1_000_000;
const DISTINCT: u64 = 100_000;
const THREADS: u64 = 4;
const SPOOL_BYTES: u64 = 256 << 20;
const PATIENCE: Duration = Duration::from_secs(600);

/// An event of one of as many kinds as one likes: letters, because numbers are no difference to grouping.
fn failure(kind: u64) -> Event {
    let mut letters = String::from("Failure");
    let mut rest = kind;
    loop {
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
        if rest == 0 {
            break;
        }
    }
    let mut event = Event::new();
    event.exceptions.push(Exception::new(letters, "could not take payment"));
    event
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("| storm | capture s | all s | rows | issues | MiB over the start | stored | coalesced | dropped |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for (name, events, kinds, away) in [
        ("1,000,000 equal", EQUAL, 1, false),
        ("100,000 distinct", DISTINCT, DISTINCT, false),
        ("1,000,000 equal, database away", EQUAL, 1, true),
        ("100,000 distinct, database away", DISTINCT, DISTINCT, true),
    ] {
        rows.push(storm(name, events, kinds, away).await?);
    }
    fs::create_dir_all("target/bench")?;
    fs::write("target/bench/storm.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

async fn storm(name: &str, events: u64, kinds: u64, away: bool) -> Result<serde_json::Value> {
    let folder = tempfile::tempdir()?;
    let inner = SqliteStore::open(&folder.path().join("errors.db").display().to_string()).await?;
    let store = FaultyStore::new(inner.clone());
    let builder = Tracker::builder().store(store.clone()).backtraces(false);
    let tracker = builder.spool(folder.path().join("spool"), SPOOL_BYTES).build().await?;
    store.set_away(away);
    let before = reset_peak()?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let tracker = &tracker;
            scope.spawn(move || {
                for n in (thread..events).step_by(usize::try_from(THREADS).unwrap_or(1)) {
                    tracker.capture(failure(n % kinds));
                }
            });
        }
    });
    let captured = start.elapsed();
    ensure!(tracker.flush(PATIENCE).await, "it was not flushed");
    store.set_away(false);
    while tracker.balance().under_way() > 0 {
        ensure!(start.elapsed() < PATIENCE, "it was not drained: {:?}", tracker.balance());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (all, peak) = (start.elapsed(), peak()?);
    let balance = tracker.balance();
    let (mut counted, mut kept, mut issues, mut cursor) = (0, 0, 0, None);
    loop {
        let page = inner.issues(&IssueQuery { limit: 1000, cursor, ..IssueQuery::default() }).await?;
        for issue in page.issues {
            (counted, kept, issues) = (counted + issue.count, kept + issue.stored_count, issues + 1);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let dropped = balance.dropped_by_queue + balance.dropped_by_store;
    ensure!(balance.captured == events && balance.settled() == events, "the balance does not add up: {balance:?}");
    ensure!(u64::try_from(counted)? == events - dropped, "{counted} were counted: {balance:?}");
    ensure!(u64::try_from(kept)? == balance.stored, "{kept} were kept: {balance:?}");
    let megabytes = peak.saturating_sub(before) as f64 / 1024.0;
    println!(
        "| {name} | {:.2} | {:.2} | {kept} | {issues} | {megabytes:.0} | {} | {} | {dropped} |",
        captured.as_secs_f64(),
        all.as_secs_f64(),
        balance.stored,
        balance.coalesced,
    );
    Ok(json!({
        "storm": name, "capture_s": captured.as_secs_f64(), "all_s": all.as_secs_f64(), "rows": kept, "issues": issues,
        "mib": megabytes, "balance": balance,
    }))
}

/// The most memory that the process has held since the last reset, in KiB.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// Begins to look for the peak anew, and answers what is held now.
fn reset_peak() -> Result<u64> {
    // proc_pid_clear_refs(5): 5 resets the peak of the resident set.
    fs::write("/proc/self/clear_refs", "5")?;
    peak()
}
