//! The memory of a host in an error storm while its database is away: four threads fail in many ways, with stacks, scopes
//! and breadcrumbs, for as long as one says; first without a spool, then with one. It must stay below what errtrack says
//! that it takes at most, or it ends with an error.
//!
//! `away [SECONDS] [ERRORS PER SECOND]`: 10 seconds each and 10,000 errors a second unless said; `away 600` is the proof. A
//! table, and the same as JSON in `target/bench/away.json`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::{Context, Result, ensure};
use errtrack::{Breadcrumb, ScopeHandle, SqliteStore, Tracker, User};
use errtrack_benches::subject::payment;
use errtrack_tests::FaultyStore;
use serde_json::json;
use std::{
    fs, io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

const THREADS: u32 = 4;
const SPOOL_BYTES: u64 = 256 << 20;
/// What errtrack takes at most in a host, with the queue as it comes: ARCHITECTURE.md, "Memory".
const CEILING_MIB: f64 = 160.0;

#[tokio::main]
async fn main() -> Result<()> {
    let argument = |at: usize, default: u64| std::env::args().nth(at).map_or(Ok(default), |text| text.parse::<u64>());
    let (seconds, rate) = (Duration::from_secs(argument(1, 10)?), argument(2, 10_000)?);
    println!(
        "| database away | errors | host's thread µs | RSS before MiB | most MiB | over the start | ceiling | dropped |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for spooled in [false, true] {
        rows.push(storm(spooled, seconds, u32::try_from(rate)?).await?);
    }
    fs::create_dir_all("target/bench")?;
    fs::write("target/bench/away.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

async fn storm(spooled: bool, time: Duration, rate: u32) -> Result<serde_json::Value> {
    let folder = tempfile::tempdir()?;
    let before = reset_peak()?;
    let store = FaultyStore::new(SqliteStore::open(&folder.path().join("errors.db").display().to_string()).await?);
    let mut builder = Tracker::builder().store(store.clone());
    if spooled {
        builder = builder.spool(folder.path().join("spool"), SPOOL_BYTES);
    }
    let tracker = builder.build().await?;
    store.set_away(true);
    let (errors, nanoseconds) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (tracker, errors, nanoseconds) = (&tracker, &errors, &nanoseconds);
            scope.spawn(move || {
                let pause = Duration::from_secs(1) * THREADS / rate;
                let start = Instant::now();
                for n in 0.. {
                    let due = start + pause * n;
                    if due > start + time {
                        break;
                    }
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let took = request(tracker, thread, n);
                    errors.fetch_add(1, Relaxed);
                    nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(0), Relaxed);
                }
            });
        }
    });
    let (peak, balance) = (peak()?, tracker.balance());
    let errors = errors.into_inner();
    ensure!(balance.captured == errors, "{errors} errors: {balance:?}");
    let [before, peak] = [before, peak].map(|kib| kib as f64 / 1024.0);
    let each = nanoseconds.into_inner() as f64 / errors as f64 / 1000.0;
    let way = if spooled { "with a spool" } else { "without a spool" };
    let (over, dropped) = (peak - before, balance.dropped_by_queue);
    println!("| {way} | {errors} | {each:.1} | {before:.0} | {peak:.0} | {over:.0} | {CEILING_MIB:.0} | {dropped} |");
    ensure!(over < CEILING_MIB, "{over:.0} MiB is over the ceiling");
    // It is of no use to wait for a database that never comes back.
    store.set_away(false);
    tracker.shutdown().await;
    Ok(json!({ "way": way, "errors": errors, "host_us": each, "before_mib": before, "peak_mib": peak, "over_mib": over,
        "ceiling_mib": CEILING_MIB, "balance": balance }))
}

/// One request that fails: a user, breadcrumbs, and an error, often one that was never seen before.
fn request(tracker: &Tracker, thread: u32, n: u32) -> Duration {
    let scope = ScopeHandle::new(tracker);
    scope.configure(|scope| {
        scope.set_user(User::id(format!("{}", n % 5_000)));
        scope.set_tag("plan", "pro");
        for crumb in 0..10 {
            scope.add_breadcrumb(Breadcrumb::new(format!("step {crumb} of order {n}")).category("orders"));
        }
    });
    scope.sync(|| {
        let start = Instant::now();
        match n % 4 {
            0 => errtrack::capture_error(&payment()),
            1 => errtrack::capture_error(&io::Error::other(format!("order {n} of thread {thread} could not be read"))),
            // Letters: numbers are no difference to grouping.
            2 => errtrack::capture_error(&*anyhow::anyhow!("no such thing: {}", letters(n))),
            _ => errtrack::capture_error(&io::Error::new(io::ErrorKind::NotFound, letters(n).repeat(200))),
        };
        start.elapsed()
    })
}

fn letters(mut n: u32) -> String {
    let mut text = String::new();
    while n > 0 {
        text.push(char::from(b'a' + u8::try_from(n % 26).unwrap_or(0)));
        n /= 26;
    }
    text
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
