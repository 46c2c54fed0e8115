//! What a host's callers feel: latency of a small axum service over loopback at 20 % failing requests, bare, with errtrack and
//! with sentry, in short turns of one run at the same rate.
//!
//! `latency [SECONDS] [REQUESTS PER SECOND]`: a table, and the same as JSON in `target/bench/latency.json`. Each service is a
//! process of its own, started as `latency serve bare|errtrack|sentry FOLDER`.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use anyhow::{Context, Result, bail, ensure};
use axum::{Router, extract::Path, http::StatusCode, routing::get};
use errtrack::{SqliteStore, Tracker, tower::CaptureLayer};
use errtrack_benches::{peer, quantile, subject::payment};
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
/// How long one service is asked before it is the next one's turn: short, so that what else happens on the machine meets all.
const ROUND_MS: u32 = 500;
/// Rounds that are not counted.
const WARM_UP: usize = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", kind, folder] => serve(kind, folder).await,
        rest => {
            let number = |at: usize, default| rest.get(at).map_or(Ok(default), |text| text.parse::<u32>());
            measure(number(0, 120)?, number(1, 1_000)?).await
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
    clients: Vec<Client>,
}

impl Service {
    async fn start(kind: &str, folder: &std::path::Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.args(["serve", kind]).arg(folder).stdout(Stdio::piped()).spawn()?;
        let output = ChildStdout::from_std(process.stdout.take().context("an output")?)?;
        let line = BufReader::new(output).lines().next_line().await?.context("an address")?;
        let address: SocketAddr = line.parse()?;
        Ok(Self { process, clients: (0..CONNECTIONS).map(|_| Client::new(address)).collect() })
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
    let rounds = (seconds * 1_000 / u32::try_from(KINDS.len())? / ROUND_MS).max(2) as usize;
    let mut services = Vec::new();
    for kind in KINDS {
        services.push(Service::start(kind, folder.path()).await?);
    }
    println!("{rate} requests a second over {CONNECTIONS} connections, one in five fails; in turns of {ROUND_MS} ms\n");
    // The first rounds warm up.
    let mut latencies = KINDS.map(|_| Vec::new());
    for number in 0..rounds + WARM_UP {
        // Whoever follows whom, each does as often.
        for turn in 0..KINDS.len() {
            let at = (number + turn) % KINDS.len();
            let (Some(service), Some(all)) = (services.get_mut(at), latencies.get_mut(at)) else { continue };
            let round = service.load(Duration::from_millis(ROUND_MS.into()), rate).await?;
            if number >= WARM_UP {
                all.extend(round);
            }
        }
    }
    println!(
        "| service | requests | p50 µs | p99 µs | p50, ratio to bare | p99, ratio to bare |\n|---|---|---|---|---|---|"
    );
    let mut rows = Vec::new();
    let mut base = None;
    for (kind, all) in KINDS.into_iter().zip(&mut latencies) {
        all.sort_unstable();
        let [p50, p99] = [0.5, 0.99].map(|q| quantile(all, q).as_secs_f64() * 1e6);
        let (bare50, bare99) = *base.get_or_insert((p50, p99));
        let (half, most) = (p50 / bare50, p99 / bare99);
        println!("| {kind} | {} | {p50:.0} | {p99:.0} | {half:.3} | {most:.3} |", all.len());
        rows.push(json!({ "service": kind, "requests": all.len(), "p50_us": p50, "p99_us": p99, "p50_ratio": half, "p99_ratio": most }));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/latency.json", serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

impl Service {
    /// Sends requests at a rate.
    async fn load(&mut self, time: Duration, rate: u32) -> Result<Vec<Duration>> {
        let pause = Duration::from_secs(1) * CONNECTIONS / rate;
        let mut running = Vec::new();
        for (connection, mut client) in (0..).zip(self.clients.drain(..)) {
            running.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
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
                Ok::<_, anyhow::Error>((client, latencies))
            }));
        }
        let mut latencies = Vec::new();
        for client in running {
            let (client, own) = client.await??;
            self.clients.push(client);
            latencies.extend(own);
        }
        Ok(latencies)
    }
}
