//! What capturing costs the host, beside sentry in the same run: nanoseconds and allocations per call, medians.
//!
//! `capture`: a table, and the same as JSON in `target/bench/capture.json`.

use actix_web::{
    HttpResponse,
    test::{TestRequest, init_service},
    web::get,
};
use anyhow::Result;
use errtrack::{ScopeHandle, SqliteStore, Tracker, tower::CaptureLayer};
use errtrack_benches::{
    peer,
    subject::{failed, payment},
    table::{CAPTURES, Table},
};
use http::{Request, Response};
use std::{convert::Infallible, error::Error};
use tower::{Layer as _, service_fn};
use tracing_subscriber::{Layer, Registry, filter::LevelFilter, prelude::*, registry};

const CALLS: u32 = 20_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("errors.db").display().to_string()).await?;
    let tracker = Tracker::builder().store(store.clone()).backtraces(false).build().await?;
    let with_backtraces = Tracker::builder().store(store).project("backtraces").build().await?;
    let mut table = Table::begin();
    peer::start(false);
    requests(&mut table, &tracker).await;
    actix_requests(&mut table, &tracker).await;
    by_hand(&mut table, &tracker, &with_backtraces).await;
    logged(&mut table, &tracker).await;
    Ok(table.write("capture")?)
}

async fn requests(table: &mut Table, tracker: &Tracker) {
    let answers = || service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let bare = table.requests("a request, bare service", answers(), CALLS).await;
    let ours = table.requests("a request, CaptureLayer", CaptureLayer::new(tracker).layer(answers()), CALLS).await;
    let theirs = table.requests("a request, sentry-tower's two layers", peer::layered(answers()), CALLS).await;
    table.compare("the layer alone", ours - bare, theirs - bare);

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
    let layered = CaptureLayer::new(tracker).layer(errtrack_fails());
    table.flushed(tracker, "a request that fails with an error, CaptureLayer", layered).await;
    table.requests("the same, sentry-tower", peer::layered(sentry_fails()), CAPTURES).await;
}

async fn actix_requests(table: &mut Table, tracker: &Tracker) {
    let orders = || actix_web::App::new().route("/orders/{id}", get().to(HttpResponse::Ok));
    let request = || TestRequest::get().uri("/orders/7").insert_header(("user-agent", "bench")).to_request();
    let bare = table.actix_requests("actix, a bare app", init_service(orders()).await, request, CALLS).await;
    let app = init_service(orders().wrap(errtrack::actix::Capture::new(tracker))).await;
    let ours = table.actix_requests("actix, Capture", app, request, CALLS).await;
    let app = init_service(orders().wrap(sentry_actix::Sentry::new())).await;
    let theirs = table.actix_requests("actix, sentry-actix", app, request, CALLS).await;
    table.compare("the middleware alone", ours - bare, theirs - bare);
}

async fn by_hand(table: &mut Table, tracker: &Tracker, with_backtraces: &Tracker) {
    table.captures(tracker, "an error with its chain, no backtrace", || tracker.capture_error(&payment())).await;
    table.calls("the same, sentry", CAPTURES, || sentry_core::capture_error(&payment()));
    let capture = || with_backtraces.capture_error(&payment());
    table.captures(with_backtraces, "an error with its chain and a backtrace", capture).await;
    peer::start(true);
    table.calls("the same, sentry", 20, || sentry_core::capture_error(&payment()));
    peer::start(false);
}

/// Hears everything and does nothing, as a layer that prints would want to.
struct Listening;

impl Layer<Registry> for Listening {}

/// What sentry-tracing's documentation asks for: a layer for breadcrumbs and one for errors, each with its filter.
macro_rules! with_peer_layers {
    ($subscriber:expr) => {
        $subscriber
            .with(sentry_tracing::BreadcrumbLayer::new().with_filter(LevelFilter::INFO))
            .with(sentry_tracing::ErrorLayer::new().with_filter(LevelFilter::ERROR))
    };
}

async fn logged(table: &mut Table, tracker: &Tracker) {
    let scope = ScopeHandle::new(tracker);
    let info = || tracing::info!(order = 7, provider = "acme", "cache miss");
    let debug = || tracing::debug!(order = 7, provider = "acme", "cache miss");
    {
        let _guard = registry().with(errtrack::tracing::layer(tracker)).set_default();
        scope.sync(|| table.calls("info! as a breadcrumb", CALLS, info));
        table.calls("debug!, which nobody wants", CALLS, debug);
    }
    {
        let _guard = with_peer_layers!(registry()).set_default();
        table.calls("info! as a breadcrumb, sentry-tracing", CALLS, info);
        table.calls("debug!, which nobody wants, sentry-tracing", CALLS, debug);
    }
    let bare = {
        let _guard = registry().with(Listening).set_default();
        table.calls("debug!, which another layer wants", CALLS, debug)
    };
    let ours = {
        let _guard = registry().with(Listening).with(errtrack::tracing::layer(tracker)).set_default();
        table.calls("the same beside ours, which refuses it", CALLS, debug)
    };
    let theirs = {
        let _guard = with_peer_layers!(registry().with(Listening)).set_default();
        table.calls("the same beside sentry-tracing's", CALLS, debug)
    };
    table.compare("refusing", ours - bare, theirs - bare);
    let error = || {
        let failed = payment();
        tracing::error!(error = &failed as &dyn Error, order = 7, "could not take payment");
    };
    {
        let _guard = registry().with(errtrack::tracing::layer(tracker)).set_default();
        table.captures(tracker, "error! as an event, with the error's chain", error).await;
    }
    let _guard = with_peer_layers!(registry()).set_default();
    table.calls("the same, sentry-tracing", CAPTURES, error);
}
