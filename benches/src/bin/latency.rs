//! What a host's callers feel: latency of a small axum service over loopback at 20 % failing requests, bare, with errtrack and
//! with sentry, in alternating rounds of one run at the same rate.
//!
//! `latency [SECONDS] [REQUESTS PER SECOND]`: a table, and the same as JSON in `target/bench/latency.json`. Each service is a
//! process of its own, started as `latency serve bare|errtrack|sentry FOLDER`.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use anyhow::{Context, Result, bail, ensure};
use axum::{Router, extract::Path, http::StatusCode, routing::get};
use errtrack::{SqliteStore, Tracker, tower::CaptureLayer};
use errtrack_benches::{median, peer, quantile, subject::payment};
use errtrack_tests::Client;
use serde_json::json;
use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::ChildStdout,
};

const KINDS: [&str; 3] = ["bare", "errtrack", "sentry"];
const CONNECTIONS: u32 = 4;
/// Rounds of each service; the first is not counted.
const ROUNDS: usize = 9;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", kind, folder] => serve(kind, folder).await,
        rest => {
            let number = |at: usize, default| rest.get(at).map_or(Ok(default), |text| text.parse::<u32>());
            measure(number(0, 45)?, number(1, 1_000)?).await
        }
    }
}

async fn serve(kind: &str, folder: &str) -> Result<()> {
    let app = match kind {
        "errtrack" => {
            let tracker =
                Tracker::builder().store(SqliteStore::open(&format!("{folder}/errors.db")).await?).build().await?;
            Router::new().route("/orders/{id}", get(with_errtrack)).layer(CaptureLayer::new(&tracker))
        }
        "sentry" => {
            peer::start(true);
            Router::new()
                .route("/orders/{id}", get(with_sentry))
                .layer(sentry_tower::SentryHttpLayer::new())
                .layer(sentry_tower::NewSentryLayer::<axum::extract::Request>::new_from_top())
        }
        "bare" => Router::new().route("/orders/{id}", get(bare)),
        other => bail!("{other}: must be bare, errtrack or sentry"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// A fifth of all orders cannot be paid.
async fn order(id: u32) -> Result<String, impl std::error::Error> {
    tokio::task::yield_now().await;
    let lines: Vec<_> =
        (0..20).map(|line| json!({ "line": line, "order": id, "name": "a thing", "price": 1995 })).collect();
    if id.is_multiple_of(5) { Err(payment()) } else { Ok(json!({ "order": id, "lines": lines }).to_string()) }
}

async fn bare(Path(id): Path<u32>) -> Result<String, StatusCode> {
    order(id).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn with_errtrack(Path(id): Path<u32>) -> Result<String, StatusCode> {
    order(id).await.map_err(|error| {
        errtrack::capture_error(&error);
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

async fn with_sentry(Path(id): Path<u32>) -> Result<String, StatusCode> {
    order(id).await.map_err(|error| {
        sentry_core::capture_error(&error);
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

/// A service in a process of its own, killed when it is dropped.
struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    async fn start(kind: &str, folder: &std::path::Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.args(["serve", kind]).arg(folder).stdout(Stdio::piped()).spawn()?;
        let output = ChildStdout::from_std(process.stdout.take().context("an output")?)?;
        let line = BufReader::new(output).lines().next_line().await?.context("an address")?;
        Ok(Self { process, address: line.parse()? })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn measure(seconds: u32, rate: u32) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let round = Duration::from_secs(seconds.into()) / u32::try_from(KINDS.len() * ROUNDS)?;
    let mut services = Vec::new();
    for kind in KINDS {
        services.push((kind, Service::start(kind, folder.path()).await?, Vec::new(), Vec::new()));
    }
    println!("{rate} requests a second over {CONNECTIONS} connections, one in five fails\n");
    for number in 0..ROUNDS {
        for (_, service, all, quantiles) in &mut services {
            let mut latencies = load(service.address, round, rate).await?;
            latencies.sort_unstable();
            if number > 0 {
                quantiles.push([0.5, 0.99].map(|q| quantile(&latencies, q).as_secs_f64() * 1e6));
                all.extend(latencies);
            }
        }
    }
    println!(
        "| service | requests | p50 µs | p99 µs | p50, ratio to bare | p99, ratio to bare |\n|---|---|---|---|---|---|"
    );
    let base: Vec<[f64; 2]> = services.first().map(|(_, _, _, quantiles)| quantiles.clone()).unwrap_or_default();
    let mut rows = Vec::new();
    for (kind, _, all, quantiles) in &mut services {
        all.sort_unstable();
        let [p50, p99] = [0.5, 0.99].map(|q| quantile(all, q).as_secs_f64() * 1e6);
        // Neighbouring rounds see the same neighbours on the machine.
        let ratios = |of: fn(&[f64; 2]) -> f64| {
            median(quantiles.iter().zip(&base).map(|(own, base)| of(own) / of(base)).collect())
        };
        let (half, most) = (ratios(|[half, _]| *half), ratios(|[_, most]| *most));
        println!("| {kind} | {} | {p50:.0} | {p99:.0} | {half:.3} | {most:.3} |", all.len());
        rows.push(json!({ "service": kind, "requests": all.len(), "p50_us": p50, "p99_us": p99, "p50_ratio": half, "p99_ratio": most }));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/latency.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

/// Sends requests at a rate.
async fn load(address: SocketAddr, time: Duration, rate: u32) -> Result<Vec<Duration>> {
    let pause = Duration::from_secs(1) * CONNECTIONS / rate;
    let mut clients = Vec::new();
    for connection in 0..CONNECTIONS {
        clients.push(tokio::spawn(async move {
            let (mut client, mut latencies) = (Client::new(address), Vec::new());
            let start = Instant::now() + pause * connection / CONNECTIONS;
            for n in 0.. {
                let due = start + pause * n;
                if due > start + time {
                    break;
                }
                tokio::time::sleep_until(due.into()).await;
                // The timer's own millisecond is none of the service's.
                let sent = Instant::now().max(due);
                let answer = client.get(&format!("/orders/{}", n * CONNECTIONS + connection)).await?;
                ensure!(answer.status == 200 || answer.status == 500, "{}", answer.status);
                latencies.push(sent.elapsed());
            }
            Ok::<_, anyhow::Error>(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await??);
    }
    Ok(latencies)
}
