//! `Store::record` alone: occurrences that are ready, in batches of several sizes.
//!
//! `record [EVENTS]`: a table.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::Result;
use errtrack::{
    SqliteStore,
    store::{Batch, ProjectStore, Recorder, Upkeep},
};
use errtrack_benches::{cpu_time, payload};
use errtrack_core::Preparer;
use std::time::{Duration, Instant};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let events: usize = std::env::args().nth(1).map_or(Ok(50_000), |s| s.parse())?;
    let preparer = Preparer::default();
    println!("| batch | events/s | CPU µs/event | bytes/event |\n|---|---|---|---|");
    for size in [1_000, 100, 10] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("errors.db");
        let store = SqliteStore::open(&path.display().to_string()).await?;
        store.ensure_project("default").await?;
        let (mut time, mut cpu, mut written) = (Duration::ZERO, Duration::ZERO, 0);
        let events = events.min(size * 500);
        while written < events {
            // Made in large portions, so that the processor time of making them can be told from that of writing them.
            let portion: Vec<_> =
                (0..10_000.min(events - written)).map(|n| payload::occurrence(&preparer, written + n)).collect();
            written += portion.len();
            let (start, before) = (Instant::now(), cpu_time(std::process::id()));
            let mut portion = portion.into_iter();
            loop {
                let batch: Vec<_> = portion.by_ref().take(size).collect();
                if batch.is_empty() {
                    break;
                }
                store.record(&Batch::whole(batch)).await?;
            }
            time += start.elapsed();
            cpu += cpu_time(std::process::id()) - before;
        }
        store.close().await;
        let bytes = std::fs::metadata(&path)?.len() as f64 / written as f64;
        let (rate, cpu) = (written as f64 / time.as_secs_f64(), cpu.as_secs_f64() * 1e6 / written as f64);
        println!("| {size} | {rate:.0} | {cpu:.1} | {bytes:.0} |");
    }
    Ok(())
}
