//! PostgreSQL goes away under load and comes back: what was acknowledged is there, and counted once.

use anyhow::{Context, Result};
use errtrack_tests::{Client, Load, Postgres, Server};
use std::time::{Duration, Instant};

const CLIENTS: usize = 8;
const KINDS: usize = 40;

/// In which way it goes.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// An administrator stops it.
    Stopped,
    /// All its processes are killed.
    Killed,
    /// It keeps its connections and answers nobody.
    Hangs,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_loses_nothing() -> Result<()> {
    outage(Fault::Stopped, Duration::from_secs(10)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_loses_nothing() -> Result<()> {
    outage(Fault::Killed, Duration::from_secs(2)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_loses_nothing() -> Result<()> {
    outage(Fault::Hangs, Duration::from_secs(5)).await
}

/// `cargo test --test outage -- --ignored`: it takes a minute and a half.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes more than a minute"]
async fn a_server_that_is_stopped_for_a_minute_loses_nothing() -> Result<()> {
    outage(Fault::Stopped, Duration::from_secs(60)).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes more than a minute"]
async fn a_server_that_hangs_for_a_minute_loses_nothing() -> Result<()> {
    outage(Fault::Hangs, Duration::from_secs(60)).await
}

async fn outage(fault: Fault, time: Duration) -> Result<()> {
    let Some(postgres) = Postgres::start()? else { return Ok(()) };
    let url = postgres.database()?;
    let folder = tempfile::tempdir()?;
    let variables = [("DATABASE_URL", url.as_str()), ("EVENTS_PER_ISSUE", "1000000")];
    let server = Server::start(folder.path(), &variables).await?;
    let load = Load::start(vec![server.address], server.public_key().context("a DSN")?, CLIENTS, KINDS);
    load.more(500).await;
    let before = load.acknowledged();
    match fault {
        Fault::Stopped => postgres.stop()?,
        Fault::Killed => postgres.kill()?,
        Fault::Hangs => postgres.pause()?,
    }
    // Not to wait for anything: the outage is what is tested.
    tokio::time::sleep(time).await;
    let meanwhile = load.acknowledged() - before;
    let health = Client::new(server.address).get("/health").await?;
    match fault {
        Fault::Stopped | Fault::Killed => postgres.start_again()?,
        Fault::Hangs => postgres.resume()?,
    }
    let back = Instant::now();
    load.more(500).await;
    let acknowledged = load.stop().await?;
    acknowledged.check(&server).await?;
    let recovered = back.elapsed();
    assert_eq!(health.status, 200, "reports are taken all the while: {}", health.text());
    if !matches!(fault, Fault::Hangs) {
        assert_eq!(health.json()["status"], "degraded");
        assert!(meanwhile > 0, "reports are spooled while the database is away");
    }
    println!(
        "{fault:?} for {time:?}: {} acknowledged and counted, {meanwhile} of them during the outage, {} retried, the slowest in {:?}, all counted {recovered:?} after",
        acknowledged.ids.len(),
        acknowledged.retried,
        acknowledged.longest,
    );
    let health = Client::new(server.address).get("/health").await?;
    assert_eq!(health.json()["status"], "ok");
    Ok(())
}
