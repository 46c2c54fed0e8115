//! What capturing costs the host, beside sentry in the same run: nanoseconds and allocations per call, medians.
//!
//! `capture`: a table, and the same as JSON in `target/bench/capture.json`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints figures")]

use anyhow::Result;
use bytes::Bytes;
use errtrack::{SqliteStore, Tracker, tower::CaptureLayer};
use errtrack_benches::median;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use sentry_backtrace::{AttachStacktraceIntegration, ProcessStacktraceIntegration};
use sentry_core::{Client, ClientOptions, Envelope, Hub, Transport};
use serde_json::json;
use std::{convert::Infallible, future::Future, hint::black_box, io, sync::Arc, time::Instant};
use tower::{Layer, Service, ServiceBuilder, service_fn};

const ROUNDS: usize = 15;
const CALLS: u32 = 20_000;
/// Captures per round: few enough for the queue, so that what is measured is the capture and not the refusal.
const CAPTURES: u32 = 2_000;

/// Takes envelopes and lets them go: only the host's side is measured.
struct Nowhere;

impl Transport for Nowhere {
    fn send_envelope(&self, envelope: Envelope) {
        drop(envelope);
    }
}

#[derive(Debug)]
struct Payment(io::Error);

impl std::fmt::Display for Payment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("could not take payment")
    }
}

impl std::error::Error for Payment {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn payment() -> Payment {
    Payment(io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("errors.db").display().to_string()).await?;
    let tracker = Tracker::builder().store(store.clone()).backtraces(false).build().await?;
    let with_backtraces = Tracker::builder().store(store).project("backtraces").build().await?;
    let options = |stacks| {
        let mut options = ClientOptions::default();
        options.dsn = "http://key@127.0.0.1:1/1".parse().ok();
        options.transport = Some(Arc::new(|_: &ClientOptions| -> Arc<dyn Transport> { Arc::new(Nowhere) }));
        options.attach_stacktrace = stacks;
        options.integrations = vec![Arc::new(AttachStacktraceIntegration), Arc::new(ProcessStacktraceIntegration)];
        options
    };
    Hub::current().bind_client(Some(Arc::new(Client::from(options(false)))));

    println!("| what | ns | allocations |\n|---|---|---|");
    let mut table = Table(Vec::new());

    let answers = || service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let bare = table.requests("a request, bare service", answers(), CALLS).await;
    let ours = table.requests("a request, CaptureLayer", CaptureLayer::new(&tracker).layer(answers()), CALLS).await;
    let theirs = table.requests("a request, sentry-tower's two layers", sentry(answers()), CALLS).await;
    let (ours, theirs) = (ours - bare, theirs - bare);
    println!(
        "| → the layer alone: +{ours:.0} ns, sentry-tower +{theirs:.0} ns, {:.1} times as much | | |",
        theirs / ours
    );

    let errtrack_fails = || {
        let tracker = tracker.clone();
        service_fn(move |_: Request<String>| {
            let tracker = tracker.clone();
            async move {
                tracker.capture_error(&payment());
                Ok::<_, Infallible>(failed())
            }
        })
    };
    let sentry_fails = || {
        service_fn(|_: Request<String>| async {
            sentry_core::capture_error(&payment());
            Ok::<_, Infallible>(failed())
        })
    };
    let layered = CaptureLayer::new(&tracker).layer(errtrack_fails());
    table.flushed(&tracker, "a request that fails with an error, CaptureLayer", layered).await;
    table.requests("the same, sentry-tower", sentry(sentry_fails()), CAPTURES).await;

    table.captures(&tracker, "an error with its chain, no backtrace", || tracker.capture_error(&payment())).await;
    table.calls("the same, sentry", CAPTURES, || sentry_core::capture_error(&payment()));
    let capture = || with_backtraces.capture_error(&payment());
    table.captures(&with_backtraces, "an error with its chain and a backtrace", capture).await;
    Hub::current().bind_client(Some(Arc::new(Client::from(options(true)))));
    table.calls("the same, sentry", 20, || sentry_core::capture_error(&payment()));

    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/capture.json", serde_json::to_vec_pretty(&table.0)?)?;
    Ok(())
}

fn failed() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// A request as hyper hands it over: URI and header values are slices of the buffer that was read.
fn request() -> Request<String> {
    static HEAD: &[u8] =
        b"/orders/42/pay?retry=1|shop.example.com|Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 \
        Firefox/132.0|*/*|application/json|theme=dark; session=abc|Bearer abc|7c1e44b0";
    static NAMES: [HeaderName; 7] = [
        header::HOST,
        header::USER_AGENT,
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::AUTHORIZATION,
        HeaderName::from_static("x-request-id"),
    ];
    let buffer = Bytes::from_owner(HEAD);
    let mut parts = HEAD.split(|byte| *byte == b'|').map(|part| buffer.slice_ref(part));
    let uri = parts.next().and_then(|uri| Uri::from_maybe_shared(uri).ok()).unwrap_or_default();
    let mut request = Request::new(String::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    for (name, value) in NAMES.iter().zip(parts) {
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

/// A service inside the two layers that sentry-tower needs, in the order that it needs.
fn sentry<S>(inner: S) -> impl Service<Request<String>, Response = Response<String>, Error = Infallible>
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    ServiceBuilder::new()
        .layer(sentry_tower::NewSentryLayer::<Request<String>>::new_from_top())
        .layer(sentry_tower::SentryHttpLayer::new())
        .service(inner)
}

/// What was measured.
struct Table(Vec<serde_json::Value>);

impl Table {
    fn row(&mut self, what: &str, nanoseconds: Vec<f64>, allocations: f64) -> f64 {
        let nanoseconds = median(nanoseconds);
        println!("| {what} | {nanoseconds:.0} | {allocations:.1} |");
        self.0.push(json!({ "what": what, "ns": nanoseconds, "allocations": allocations }));
        nanoseconds
    }

    /// Sends requests through a service. What it takes to make a request is in the figure of every row, the bare one too.
    async fn requests<S>(&mut self, what: &str, mut service: S, calls: u32) -> f64
    where
        S: Service<Request<String>, Error = Infallible>,
    {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..calls {
                let _ = service.call(request()).await;
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
        let allocations = allocations(&mut service);
        self.row(what, rounds, allocations)
    }

    /// The same, with the queue emptied between the rounds.
    async fn flushed<S>(&mut self, tracker: &Tracker, what: &str, mut service: S) -> f64
    where
        S: Service<Request<String>, Error = Infallible>,
    {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CAPTURES {
                let _ = service.call(request()).await;
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(CAPTURES));
            tracker.flush(std::time::Duration::from_secs(60)).await;
        }
        let allocations = allocations(&mut service);
        self.row(what, rounds, allocations)
    }

    fn calls<T>(&mut self, what: &str, calls: u32, mut f: impl FnMut() -> T) -> f64 {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(f());
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
        let counted = allocation_counter::measure(|| {
            black_box(f());
        });
        self.row(what, rounds, counted.count_total as f64)
    }

    async fn captures<T>(&mut self, tracker: &Tracker, what: &str, mut f: impl FnMut() -> T) -> f64 {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CAPTURES {
                black_box(f());
            }
            rounds.push(start.elapsed().as_nanos() as f64 / f64::from(CAPTURES));
            tracker.flush(std::time::Duration::from_secs(60)).await;
        }
        let counted = allocation_counter::measure(|| {
            black_box(f());
        });
        self.row(what, rounds, counted.count_total as f64)
    }
}

/// Allocations of one call, without those of making the request.
fn allocations<S: Service<Request<String>>>(service: &mut S) -> f64 {
    let request = request();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let counted = allocation_counter::measure(|| {
        let mut future = std::pin::pin!(service.call(request));
        black_box(future.as_mut().poll(&mut context).is_ready());
    });
    counted.count_total as f64
}
