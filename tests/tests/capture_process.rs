//! What is captured by what a process has once: the panic hook, the global subscriber, the tracker that was built last.
//! One test, because all of that is shared.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do without ends it")]

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{Request, StatusCode},
    routing::get,
};
use errtrack::{Event, Level, User, axum::HandlerError, tower::CaptureLayer};
use errtrack_tests::Watched;
use std::{error::Error, io};
use tower::ServiceExt;
use tracing_subscriber::prelude::*;

#[tracing::instrument(fields(order = id, total = tracing::field::Empty))]
async fn pay(id: u32) {
    tracing::Span::current().record("total", 12.5);
    let error = io::Error::new(io::ErrorKind::ConnectionRefused, "the bank is closed");
    tracing::error!(error = &error as &dyn Error, tags.provider = "acme", attempt = 3, "could not take payment");
}

fn shop(watched: &Watched) -> Router {
    async fn panic(Path(_): Path<u32>) -> &'static str {
        errtrack::configure_scope(|scope| scope.set_user(User::id("42")));
        tracing::info!(items = 3, "cart opened");
        tracing::debug!("not to be seen");
        panic!("the till is jammed")
    }
    async fn logged(Path(id): Path<u32>) -> StatusCode {
        tracing::warn!(target: "stock", "running low");
        pay(id).await;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    async fn spawned() -> StatusCode {
        errtrack::configure_scope(|scope| scope.set_user(User::id("42")));
        let task = errtrack::spawn(async { panic!("in the back room") });
        if task.await.is_err() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    }
    Router::new()
        .route("/orders/{id}/panic", get(panic))
        .route("/orders/{id}/logged", get(logged))
        .route("/spawned", get(spawned))
        .layer(CaptureLayer::new(&watched.tracker))
}

async fn event_of(path: &str) -> Event {
    let watched = Watched::start().await;
    let request = Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(shop(&watched).oneshot(request).await.unwrap().status(), 500);
    let event = watched.event().await;
    assert_eq!(event.release.as_deref(), Some("shop@1.4.0"));
    event
}

#[tokio::test]
async fn what_a_process_has_once() {
    let watched = Watched::start().await;
    watched.tracker.install_panic_hook();
    watched.tracker.install_panic_hook();
    tracing_subscriber::registry().with(errtrack::tracing::layer(&watched.tracker)).init();

    let event = event_of("/orders/7/panic").await;
    assert_eq!(event.title(), ("panic", "the till is jammed"));
    assert_eq!(event.transaction.as_deref(), Some("GET /orders/{id}/panic"));
    assert_eq!(event.user.unwrap().id.as_deref(), Some("42"));
    let functions: Vec<_> = event.exceptions[0].frames().iter().filter_map(|f| f.function.as_deref()).collect();
    assert!(functions.iter().any(|f| f.contains("capture_process::shop::panic")), "{functions:#?}");
    let crumbs: Vec<_> = event.breadcrumbs.iter().map(|b| b.message.as_deref().unwrap()).collect();
    assert_eq!(crumbs, ["cart opened"]);
    assert_eq!(event.breadcrumbs[0].data["items"], 3);
    assert_eq!(event.breadcrumbs[0].category.as_deref(), Some("capture_process"));

    let event = event_of("/spawned").await;
    assert_eq!(event.title(), ("panic", "in the back room"));
    assert_eq!(event.transaction.as_deref(), Some("GET /spawned"));
    assert_eq!(event.user.unwrap().id.as_deref(), Some("42"));

    // The layer of the subscriber reports to its own tracker, in the scope of the request.
    let request = Request::get("/orders/7/logged").body(Body::empty()).unwrap();
    let elsewhere = Watched::start().await;
    assert_eq!(shop(&elsewhere).oneshot(request).await.unwrap().status(), 500);
    assert!(elsewhere.events().await.is_empty(), "the 500 was reported by what the handler logged");
    let event = watched.event().await;
    assert_eq!(event.level, Level::Error);
    assert_eq!(event.title().1, "the bank is closed");
    assert_eq!(event.message.as_ref().unwrap().text, "could not take payment");
    assert_eq!(event.transaction.as_deref(), Some("GET /orders/{id}/logged"));
    assert_eq!(event.tags["provider"], "acme");
    assert_eq!(event.extra["attempt"], 3);
    assert_eq!(event.contexts["tracing"]["spans"], serde_json::json!(["pay"]));
    assert_eq!(event.contexts["tracing"]["fields"], serde_json::json!({ "id": 7, "order": 7, "total": 12.5 }));
    assert_eq!(event.logger.as_deref(), Some("capture_process"));
    assert_eq!(event.breadcrumbs[0].category.as_deref(), Some("stock"));
    let frame = event.exceptions.last().unwrap().frames().last().unwrap();
    assert!(frame.filename.as_deref().unwrap().ends_with("capture_process.rs"));

    // Nothing of errtrack's own becomes an event.
    tracing::error!(target: "errtrack", "own");
    tracing::error!(target: "errtrack_core::tracker", "own");
    assert_eq!(watched.events().await.len(), 1);
    tracing::error!(target: "errtrack_demo", "a user's crate");
    assert_eq!(watched.events().await.len(), 2);

    // Without any layer around, `?` reports to the tracker that was built last.
    let last = Watched::start().await;
    let result: Result<(), HandlerError> = (|| {
        "x".parse::<u32>()?;
        Ok(())
    })();
    assert!(result.is_err());
    assert_eq!(last.event().await.title().0, "core::num::error::ParseIntError");
}
