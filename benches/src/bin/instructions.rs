//! Instructions per operation on the host's side, counted by callgrind: the same on a busy machine, and so comparable from
//! commit to commit. The tracker's own thread is held, so that nothing of it is counted.
//!
//! `instructions`: a table beside the figures of the last run, and JSON in `target/bench/instructions.json`. Needs valgrind.
//! Runs itself, as `instructions OPERATION TIMES`, twice per operation: the difference is the operation.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use actix_web::{
    App, HttpResponse,
    test::{TestRequest, init_service},
    web::get,
};
use anyhow::{Context, Result, bail};
use errtrack::{Breadcrumb, ScopeHandle, SqliteStore, Tracker, tower::CaptureLayer};
use errtrack_benches::subject::{payment, request};
use http::{Request, Response};
use serde_json::{Value, json};
use std::{convert::Infallible, error::Error, hint::black_box, process::Command, thread, time::Duration};
use tower::{Layer, Service, service_fn};
use tracing_subscriber::{prelude::*, registry};

const OPERATIONS: [&str; 11] = [
    "request, bare service",
    "request, CaptureLayer",
    "request that fails, CaptureLayer",
    "actix request, bare app",
    "actix request, Capture",
    "error, no backtrace",
    "error with a backtrace",
    "breadcrumb by hand",
    "info! as a breadcrumb",
    "debug!, which nobody wants",
    "error! as an event",
];
/// Calls in the two runs.
const TIMES: [u32; 2] = [200, 1_200];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(operation), Some(times)) => run(&operation, times.parse()?),
        _ => count(),
    }
}

fn count() -> Result<()> {
    let file = "target/bench/instructions.json";
    let before: Value =
        std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    println!("| operation | instructions | at the last run |\n|---|---|---|");
    let mut counts = serde_json::Map::new();
    for operation in OPERATIONS {
        let [few, many] = [counted(operation, TIMES[0])?, counted(operation, TIMES[1])?];
        let each = many.saturating_sub(few) / u64::from(TIMES[1] - TIMES[0]);
        let last = before.get(operation).and_then(Value::as_u64).map_or_else(|| "–".into(), |n| n.to_string());
        println!("| {operation} | {each} | {last} |");
        counts.insert(operation.into(), json!(each));
    }
    std::fs::create_dir_all("target/bench")?;
    Ok(std::fs::write(file, serde_json::to_vec_pretty(&counts)?)?)
}

/// The instructions of a whole run.
fn counted(operation: &str, times: u32) -> Result<u64> {
    let program = std::env::current_exe()?;
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(operation)
        .arg(times.to_string());
    let output = command.output().context("valgrind is not there")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.split_once("Collected : ")).with_context(|| text.to_string())?;
    Ok(line.1.trim().parse()?)
}

fn run(operation: &str, times: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("errors.db").display().to_string();
    let tracker = runtime.block_on(async {
        let builder = Tracker::builder().store(SqliteStore::open(&database).await?);
        let builder = builder.queue(1_000_000, 1 << 30).backtraces(operation == "error with a backtrace");
        // Holds the tracker's thread at the first event, which is captured below.
        Ok::<_, anyhow::Error>(
            builder
                .before_send(|_| {
                    loop {
                        thread::park();
                    }
                })
                .build()
                .await?,
        )
    })?;
    tracker.capture_error(&std::fmt::Error);
    thread::sleep(Duration::from_millis(300));
    runtime.block_on(repeat(operation, times, &tracker))?;
    // What is queued will never be written: the process ends without a flush.
    finish(folder)
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the tracker's thread is held for good")]
fn finish(folder: tempfile::TempDir) -> Result<()> {
    folder.close()?;
    std::process::exit(0)
}

async fn repeat(operation: &str, times: u32, tracker: &Tracker) -> Result<()> {
    let answers = || service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let fails = service_fn(move |_: Request<String>| async {
        errtrack::capture_error(&payment());
        Ok::<_, Infallible>(errtrack_benches::subject::failed())
    });
    let scope = ScopeHandle::new(tracker);
    match operation {
        "request, bare service" => requests(answers(), times).await,
        "request, CaptureLayer" => requests(CaptureLayer::new(tracker).layer(answers()), times).await,
        "request that fails, CaptureLayer" => requests(CaptureLayer::new(tracker).layer(fails), times).await,
        "actix request, bare app" | "actix request, Capture" => {
            let orders = || App::new().route("/orders/{id}", get().to(HttpResponse::Ok));
            let request = || TestRequest::get().uri("/orders/7").insert_header(("user-agent", "bench")).to_request();
            if operation.ends_with("Capture") {
                let app = init_service(orders().wrap(errtrack::actix::Capture::new(tracker))).await;
                actix_requests(app, request, times).await;
            } else {
                actix_requests(init_service(orders()).await, request, times).await;
            }
        }
        "error, no backtrace" | "error with a backtrace" => calls(times, || tracker.capture_error(&payment())),
        "breadcrumb by hand" => scope.sync(|| {
            calls(times, || errtrack::add_breadcrumb(Breadcrumb::new("cache miss").category("cache")));
        }),
        "info! as a breadcrumb" => {
            let _guard = registry().with(errtrack::tracing::layer(tracker)).set_default();
            scope.sync(|| calls(times, || tracing::info!(order = 7, provider = "acme", "cache miss")));
        }
        "debug!, which nobody wants" => {
            let _guard = registry().with(errtrack::tracing::layer(tracker)).set_default();
            calls(times, || tracing::debug!(order = 7, provider = "acme", "cache miss"));
        }
        "error! as an event" => {
            let _guard = registry().with(errtrack::tracing::layer(tracker)).set_default();
            calls(times, || {
                let failed = payment();
                tracing::error!(error = &failed as &dyn Error, order = 7, "could not take payment");
            });
        }
        other => bail!("{other}: must be one of {OPERATIONS:?}"),
    }
    Ok(())
}

async fn requests<S: Service<Request<String>>>(mut service: S, times: u32) {
    for _ in 0..times {
        let _ = black_box(service.call(request()).await);
    }
}

async fn actix_requests<R>(app: impl actix_web::dev::Service<R>, request: impl Fn() -> R, times: u32) {
    for _ in 0..times {
        let _ = black_box(app.call(request()).await);
    }
}

fn calls<T>(times: u32, mut f: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(f());
    }
}
