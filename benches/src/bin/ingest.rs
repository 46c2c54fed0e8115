//! HTTP → durable SQLite, beside a bare batched writer of the same rows in the same run.
//!
//! `ingest [SECONDS]`: a table, and the same as JSON in `target/bench/ingest.json`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use errtrack_benches::{cpu_time, payload, quantile};
use errtrack_tests::Server;
use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    path::Path,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Connections that report at once.
const CONNECTIONS: [usize; 3] = [8, 32, 128];
/// Rows that the bare writer writes.
const CEILING_ROWS: usize = 100_000;

#[tokio::main]
async fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(8), |s| s.parse())?;
    let envelopes: Arc<Vec<Bytes>> = Arc::new((0..20_000).map(|n| payload::envelope(n).into()).collect());
    println!("envelopes of {} bytes, {} issues\n", envelopes.first().map_or(0, Bytes::len), payload::ISSUES);

    let folder = tempfile::tempdir()?;
    let (ceiling, ceiling_cpu) = bare_writer(folder.path()).await?;
    println!("| way | events/s | server CPU µs/event | p50 ms | p99 ms | RSS MiB | of the ceiling |");
    println!("|---|---|---|---|---|---|---|");
    println!("| bare SQLite writer, 1,000 per transaction | {ceiling:.0} | {ceiling_cpu:.1} | | | | 1.00 |");
    let mut rows = vec![json!({ "way": "ceiling", "events_per_second": ceiling, "cpu_us": ceiling_cpu })];

    for connections in CONNECTIONS {
        let folder = tempfile::tempdir()?;
        let server = Server::start(folder.path(), &[("LOG_LEVEL", "error")]).await?;
        let idle = server.memory();
        let run = load(&server, connections, Duration::from_secs(seconds), envelopes.clone()).await?;
        let rate = run.events as f64 / run.seconds;
        let cpu = run.cpu.as_secs_f64() * 1e6 / run.events as f64;
        let [p50, p99] = [0.5, 0.99].map(|q| quantile(&run.latencies, q).as_secs_f64() * 1e3);
        let memory = server.memory() as f64 / 1024.0;
        println!(
            "| HTTP, {connections} connections | {rate:.0} | {cpu:.1} | {p50:.1} | {p99:.1} | {memory:.0} (idle {}) | {:.2} |",
            idle / 1024,
            rate / ceiling
        );
        let page = server.client().get("/api/errors?limit=1").await?.json();
        let stored = page.pointer("/data/total").and_then(serde_json::Value::as_i64).unwrap_or(0);
        ensure!(stored > 0, "nothing was stored");
        server.terminate().await?;
        let bytes = std::fs::metadata(folder.path().join("data/errtrack.db"))?.len() as f64 / run.events as f64;
        println!("|   on disk: {bytes:.0} bytes per event, {stored} issues | | | | | | |");
        rows.push(json!({ "way": "http", "connections": connections, "events_per_second": rate, "cpu_us": cpu,
            "p50_ms": p50, "p99_ms": p99, "rss_mib": memory, "ratio": rate / ceiling, "bytes_per_event": bytes }));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/ingest.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

struct Run {
    events: u64,
    seconds: f64,
    cpu: Duration,
    latencies: Vec<Duration>,
}

/// Reports over some connections for a while; every answer comes after its commit.
async fn load(server: &Server, connections: usize, time: Duration, envelopes: Arc<Vec<Bytes>>) -> Result<Run> {
    let path = format!("/api/1/envelope/?sentry_key={}", server.public_key().context("a DSN")?);
    let process = server.id().context("it runs")?;
    let next = Arc::new(AtomicU64::new(0));
    let (start, before) = (Instant::now(), cpu_time(process));
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (mut client, envelopes, next, path) = (server.client(), envelopes.clone(), next.clone(), path.clone());
        clients.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let n = usize::try_from(next.fetch_add(1, Relaxed))?;
                // Every event needs an id of its own, or it is stored once.
                let body = match envelopes.get(n) {
                    Some(body) => body.clone(),
                    None => payload::envelope(n).into(),
                };
                let sent = Instant::now();
                let answer = client.post(&path, body).await?;
                ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
                latencies.push(sent.elapsed());
            }
            Ok::<_, anyhow::Error>(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await??);
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_time(process) - before);
    latencies.sort();
    Ok(Run { events: latencies.len() as u64, seconds, cpu, latencies })
}

/// The same rows by nothing but SQLite: an event with its three indexes, the issue's counter, the hour's rollup.
async fn bare_writer(folder: &Path) -> Result<(f64, f64)> {
    let path = folder.join("bare.db");
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", path.display()))?
        .create_if_missing(true)
        .page_size(16384)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "16000");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for statement in [
        "CREATE TABLE event (row INTEGER PRIMARY KEY, id BLOB, client_id BLOB, issue INTEGER, at INTEGER, payload BLOB)",
        "CREATE UNIQUE INDEX event_id ON event (id)",
        "CREATE UNIQUE INDEX event_client ON event (client_id)",
        "CREATE INDEX event_issue ON event (issue, at)",
        "CREATE TABLE issue (id INTEGER PRIMARY KEY, count INTEGER, last_seen INTEGER)",
        "CREATE TABLE hour (hour INTEGER, issue INTEGER, n INTEGER, PRIMARY KEY (hour, issue)) WITHOUT ROWID",
    ] {
        sqlx::query(statement).execute(&mut connection).await?;
    }
    let payload = vec![7_u8; 450];
    let process = std::process::id();
    let (start, before) = (Instant::now(), cpu_time(process));
    for batch in 0..CEILING_ROWS / 1_000 {
        let rows: Vec<_> = (0..1_000)
            .map(|n| {
                json!([
                    uuid::Uuid::now_v7().simple(),
                    uuid::Uuid::new_v4().simple(),
                    (batch * 1_000 + n) % payload::ISSUES,
                    batch
                ])
            })
            .collect();
        let rows = serde_json::to_string(&rows)?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO issue SELECT value ->> 2, 1, value ->> 3 FROM json_each($1) WHERE true ON CONFLICT (id) DO UPDATE SET count = count + 1, last_seen = excluded.last_seen")
            .bind(&rows).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO hour SELECT 1, value ->> 2, 1 FROM json_each($1) WHERE true ON CONFLICT DO UPDATE SET n = n + 1")
            .bind(&rows).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO event SELECT NULL, unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, $2 FROM json_each($1)")
            .bind(&rows).bind(&payload).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_time(process) - before);
    connection.close().await?;
    Ok((CEILING_ROWS as f64 / seconds, cpu.as_secs_f64() * 1e6 / CEILING_ROWS as f64))
}
