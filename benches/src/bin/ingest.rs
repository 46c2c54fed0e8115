//! HTTP → durable store, beside a bare batched writer of the same rows in the same run; on SQLite and on PostgreSQL.
//!
//! `ingest [sqlite|postgres|both] [SECONDS]`: a table, and the same as JSON in `target/bench/ingest.json`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use errtrack_benches::{ceiling, cpu_time, cpu_time_of_family, payload, quantile};
use errtrack_tests::{Postgres, Server};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Connections that report at once.
const CONNECTIONS: [usize; 3] = [8, 32, 128];

#[tokio::main]
async fn main() -> Result<()> {
    let which = std::env::args().nth(1).unwrap_or_else(|| "both".into());
    let (sqlite, postgres) = match which.as_str() {
        "sqlite" => (true, false),
        "postgres" => (false, true),
        "both" => (true, true),
        other => bail!("{other}: must be sqlite, postgres or both"),
    };
    let seconds = Duration::from_secs(std::env::args().nth(2).map_or(Ok(8), |s| s.parse())?);
    let envelopes: Arc<Vec<Bytes>> = Arc::new((0..20_000).map(|n| payload::envelope(n).into()).collect());
    println!("envelopes of {} bytes, {} issues\n", envelopes.first().map_or(0, Bytes::len), payload::ISSUES);
    println!(
        "| way | events/s | server CPU µs/event | database CPU µs/event | p50 ms | p99 ms | RSS MiB (idle) | bytes/event | of the ceiling |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    if sqlite {
        bench_sqlite(&mut rows, seconds, &envelopes).await?;
    }
    if postgres {
        bench_postgres(&mut rows, seconds, &envelopes).await?;
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/ingest.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

async fn bench_sqlite(rows: &mut Vec<Value>, time: Duration, envelopes: &Arc<Vec<Bytes>>) -> Result<()> {
    let ceiling = ceiling::sqlite(tempfile::tempdir()?.path()).await?;
    show_ceiling("SQLite", ceiling, rows);
    for connections in CONNECTIONS {
        let folder = tempfile::tempdir()?;
        let server = Server::start(folder.path(), &[("LOG_LEVEL", "error")]).await?;
        let idle = server.memory();
        let run = load(&server, connections, time, envelopes.clone(), None).await?;
        let memory = server.memory();
        ensure!(stored(&server).await? > 0, "nothing was stored");
        server.terminate().await?;
        let bytes = std::fs::metadata(folder.path().join("data/errtrack.db"))?.len();
        show("SQLite", connections, &run, [memory, idle, bytes], ceiling, rows);
    }
    Ok(())
}

async fn bench_postgres(rows: &mut Vec<Value>, time: Duration, envelopes: &Arc<Vec<Bytes>>) -> Result<()> {
    let Some(postgres) = Postgres::start()? else { return Ok(()) };
    let ceiling = ceiling::postgres(&postgres.database()?).await?;
    show_ceiling("PostgreSQL", ceiling, rows);
    for connections in CONNECTIONS {
        let folder = tempfile::tempdir()?;
        let url = postgres.database()?;
        let server = Server::start(folder.path(), &[("LOG_LEVEL", "error"), ("DATABASE_URL", &url)]).await?;
        let idle = server.memory();
        let run = load(&server, connections, time, envelopes.clone(), postgres.id()).await?;
        let memory = server.memory();
        ensure!(stored(&server).await? > 0, "nothing was stored");
        server.terminate().await?;
        let bytes = postgres.query(&url, "SELECT pg_database_size(current_database())")?.trim().parse()?;
        show("PostgreSQL", connections, &run, [memory, idle, bytes], ceiling, rows);
    }
    Ok(())
}

fn show_ceiling(database: &str, ceiling: ceiling::Ceiling, rows: &mut Vec<Value>) {
    let ceiling::Ceiling { rate, cpu } = ceiling;
    println!("| bare {database} writer, 1,000 per transaction | {rate:.0} | {cpu:.1} | | | | | | 1.00 |");
    rows.push(json!({ "way": "ceiling", "database": database, "events_per_second": rate, "cpu_us": cpu }));
}

fn show(
    database: &str,
    connections: usize,
    run: &Run,
    [memory, idle, bytes]: [u64; 3],
    ceiling: ceiling::Ceiling,
    rows: &mut Vec<Value>,
) {
    let events = run.events as f64;
    let rate = events / run.seconds;
    let [cpu, database_cpu] = [run.cpu, run.database_cpu].map(|cpu| cpu.as_secs_f64() * 1e6 / events);
    let [p50, p99] = [0.5, 0.99].map(|q| quantile(&run.latencies, q).as_secs_f64() * 1e3);
    let [memory, idle] = [memory, idle].map(|kib| kib as f64 / 1024.0);
    let (bytes, ratio) = (bytes as f64 / events, rate / ceiling.rate);
    println!(
        "| HTTP → {database}, {connections} connections | {rate:.0} | {cpu:.1} | {database_cpu:.1} | {p50:.1} | {p99:.1} | {memory:.0} ({idle:.0}) | {bytes:.0} | {ratio:.2} |"
    );
    rows.push(json!({ "way": "http", "database": database, "connections": connections, "events_per_second": rate,
        "cpu_us": cpu, "database_cpu_us": database_cpu, "p50_ms": p50, "p99_ms": p99, "rss_mib": memory,
        "ratio": ratio, "bytes_per_event": bytes }));
}

async fn stored(server: &Server) -> Result<i64> {
    let page = server.client().get("/api/errors?limit=1").await?.json();
    Ok(page.pointer("/data/total").and_then(Value::as_i64).unwrap_or(0))
}

struct Run {
    events: u64,
    seconds: f64,
    cpu: Duration,
    database_cpu: Duration,
    latencies: Vec<Duration>,
}

/// Reports over some connections for a while; every answer comes after its commit.
async fn load(
    server: &Server,
    connections: usize,
    time: Duration,
    envelopes: Arc<Vec<Bytes>>,
    database: Option<u32>,
) -> Result<Run> {
    let path = format!("/api/1/envelope/?sentry_key={}", server.public_key().context("a DSN")?);
    let process = server.id().context("it runs")?;
    let next = Arc::new(AtomicU64::new(0));
    let database_cpu = || database.map_or(Duration::ZERO, cpu_time_of_family);
    let (start, before, database_before) = (Instant::now(), cpu_time(process), database_cpu());
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
    let database_cpu = database_cpu().saturating_sub(database_before);
    Ok(Run { events: latencies.len() as u64, seconds, cpu, database_cpu, latencies })
}
