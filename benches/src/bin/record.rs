//! `Store::record` alone: occurrences that are ready, in batches of several sizes.
//!
//! `record [EVENTS] [sqlite|postgres]`: a table.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::{Context, Result, bail};
use errtrack::{
    SqlStore,
    store::{Batch, ProjectStore, Recorder, Upkeep},
};
use errtrack_benches::{cpu_time, cpu_time_of_family, payload};
use errtrack_core::Preparer;
use errtrack_tests::Postgres;
use std::time::{Duration, Instant};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let events: usize = std::env::args().nth(1).map_or(Ok(50_000), |s| s.parse())?;
    let server = match std::env::args().nth(2).as_deref() {
        None | Some("sqlite") => None,
        Some("postgres") => Some(Postgres::start()?.context("PostgreSQL is not installed")?),
        Some(other) => bail!("{other}: must be sqlite or postgres"),
    };
    let preparer = Preparer::default();
    println!("| batch | events/s | CPU µs/event | server's | bytes/event |\n|---|---|---|---|---|");
    for size in [1_000, 100, 10] {
        let folder = tempfile::tempdir()?;
        let location = match &server {
            Some(server) => server.database()?,
            None => folder.path().join("errors.db").display().to_string(),
        };
        let store = SqlStore::open(&location).await?;
        store.ensure_project("default").await?;
        let used = || (cpu_time(std::process::id()), server.as_ref().and_then(Postgres::id).map(cpu_time_of_family));
        let (mut time, mut cpu, mut server_cpu, mut written) = (Duration::ZERO, Duration::ZERO, Duration::ZERO, 0);
        let events = events.min(size * 500);
        while written < events {
            // Made in large portions, so that the processor time of making them can be told from that of writing them.
            let portion: Vec<_> =
                (0..10_000.min(events - written)).map(|n| payload::occurrence(&preparer, written + n)).collect();
            written += portion.len();
            let (start, before) = (Instant::now(), used());
            let mut portion = portion.into_iter();
            loop {
                let batch: Vec<_> = portion.by_ref().take(size).collect();
                if batch.is_empty() {
                    break;
                }
                store.record(&Batch::whole(batch)).await?;
            }
            time += start.elapsed();
            let after = used();
            cpu += after.0 - before.0;
            server_cpu += after.1.unwrap_or_default().saturating_sub(before.1.unwrap_or_default());
        }
        let bytes = store.storage().await?.bytes as f64 / written as f64;
        store.close().await;
        let [cpu, server_cpu] = [cpu, server_cpu].map(|cpu| cpu.as_secs_f64() * 1e6 / written as f64);
        println!("| {size} | {:.0} | {cpu:.1} | {server_cpu:.1} | {bytes:.0} |", written as f64 / time.as_secs_f64());
    }
    Ok(())
}
