//! A 2xx is durable: whatever was answered so is there, and counted once, after `kill -9`.

use anyhow::{Context, Result};
use errtrack_tests::{Database, Load, Server, on_both};

/// How often the server is killed.
const ROUNDS: usize = 10;
/// How many clients report at once.
const CLIENTS: usize = 8;
/// How many reports are accepted before the server is killed; the kill falls in between whatever comes next.
const ACCEPTED: u64 = 150;
/// Over how many issues they are spread.
const KINDS: usize = 60;

on_both!(every_report_that_was_accepted_survives_kill_9);

async fn every_report_that_was_accepted_survives_kill_9(database: Database) -> Result<()> {
    let folder = database.folder.path();
    let variables = [("DATABASE_URL", database.url.as_str()), ("EVENTS_PER_ISSUE", "1000000")];
    let mut server = Server::start(folder, &variables).await?;
    let load = Load::start(vec![server.address], server.public_key().context("a DSN")?, CLIENTS, KINDS);
    for _ in 0..ROUNDS {
        load.more(ACCEPTED).await;
        server.kill().await?;
        // The clients go on: what got no answer is sent again under the same id, and must not count twice.
        server = Server::start(folder, &variables).await?;
        load.use_nodes(vec![server.address]);
    }
    let acknowledged = load.stop().await?;
    acknowledged.check(&server).await?;
    println!(
        "killed {ROUNDS} times: {} acknowledged and counted, {} retried",
        acknowledged.ids.len(),
        acknowledged.retried
    );
    Ok(())
}
