//! What axum has of its own, besides the journeys that it shares with other hosts (`capture/`).
//!
//! Nothing here depends on the panic hook or on a global subscriber; those are in `capture_process.rs`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test cannot do without ends it")]

use axum::{
    Extension, Router,
    body::Body,
    extract::Path,
    http::{Request, StatusCode, header},
    response::Response,
    routing::{get, post},
};
use errtrack::{
    Breadcrumb, Event, User,
    axum::HandlerError,
    tower::{CaptureLayer, Cause, Reported},
};
use errtrack_tests::Watched;
use std::{convert::Infallible, io};
use tower::{Layer, ServiceExt, service_fn};

#[derive(Debug)]
struct OutOfStock {
    source: io::Error,
}

impl std::fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nothing left on the shelf")
    }
}

impl std::error::Error for OutOfStock {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

fn out_of_stock() -> OutOfStock {
    OutOfStock { source: io::Error::other("shelf 7 is empty") }
}

fn sign_in() {
    errtrack::configure_scope(|scope| {
        scope.set_user(User::id("42"));
        scope.set_tag("plan", "pro");
    });
    errtrack::add_breadcrumb(Breadcrumb::new("cart opened").category("cart"));
}

fn shop(watched: &Watched) -> Router {
    async fn question_mark(Path(_): Path<u32>) -> Result<&'static str, HandlerError> {
        sign_in();
        Err(out_of_stock())?;
        Ok("sold")
    }
    async fn anyhow_error() -> Result<&'static str, HandlerError> {
        let result: anyhow::Result<()> = Err(anyhow::Error::new(out_of_stock()).context("could not fill the order"));
        result?;
        Ok("sold")
    }
    async fn by_extension() -> (StatusCode, Extension<Cause>) {
        (StatusCode::INTERNAL_SERVER_ERROR, Extension(Cause::new("no answer from the bank")))
    }
    Router::new()
        .route("/", get(async || "welcome"))
        .route("/orders/{id}/question-mark", post(question_mark))
        .route("/anyhow", get(anyhow_error))
        .route("/by-extension", get(by_extension))
        .layer(CaptureLayer::new(&watched.tracker))
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "shop.example")
        .header(header::USER_AGENT, "test/1")
        .header(header::COOKIE, "session=1")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty())
        .unwrap()
}

async fn answer(app: &Router, method: &str, path: &str) -> Response {
    app.clone().oneshot(request(method, path)).await.unwrap()
}

/// Sends one request to the shop and takes the one event of it.
async fn event_of(method: &str, path: &str, status: u16) -> Event {
    let watched = Watched::start().await;
    let app = shop(&watched);
    assert_eq!(answer(&app, method, path).await.status(), status);
    assert_eq!(answer(&app, "GET", "/").await.status(), 200, "the process lives on");
    let event = watched.event().await;
    assert_eq!(event.release.as_deref(), Some("shop@1.4.0"));
    assert_eq!(event.environment.as_deref(), Some("test"));
    let seen = event.request.as_ref().unwrap();
    assert_eq!(seen.method.as_deref(), Some(method));
    assert_eq!(seen.url.as_deref(), Some(&*format!("http://shop.example{}", path.split('?').next().unwrap())));
    assert_eq!(seen.headers.get("user-agent").map(String::as_str), Some("test/1"));
    assert!(!seen.headers.contains_key("cookie"));
    assert!(seen.duration_ms.is_some());
    assert_eq!(event.contexts["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    event
}

fn assert_signed_in(event: &Event) {
    assert_eq!(event.user.as_ref().and_then(|user| user.id.as_deref()), Some("42"));
    assert_eq!(event.tags["plan"], "pro");
    assert_eq!(event.breadcrumbs[0].message.as_deref(), Some("cart opened"));
}

fn assert_out_of_stock(event: &Event) {
    let chain: Vec<_> =
        event.exceptions.iter().map(|e| (e.ty.as_deref().unwrap(), e.value.as_deref().unwrap())).collect();
    assert_eq!(chain[0].1, "shelf 7 is empty");
    assert_eq!(chain.last(), Some(&("capture_axum::OutOfStock", "nothing left on the shelf")));
}

#[tokio::test]
async fn an_error_through_the_question_mark_arrives_with_its_chain_and_place() {
    let event = event_of("POST", "/orders/7/question-mark?page=2", 500).await;
    assert_out_of_stock(&event);
    assert_eq!(event.transaction.as_deref(), Some("POST /orders/{id}/question-mark"));
    assert_eq!(event.request.as_ref().unwrap().query_string.as_deref(), Some("page=2"));
    assert!(event.contexts["captured_at"]["file"].as_str().unwrap().ends_with("capture_axum.rs"));
    let frames = event.exceptions.last().unwrap().frames();
    let innermost = frames.iter().rev().find(|f| f.in_app == Some(true)).unwrap();
    assert!(innermost.filename.as_deref().unwrap().ends_with("tests/capture_axum.rs"), "{frames:#?}");
    assert!(!frames.iter().any(|f| f.filename.as_deref().is_some_and(|f| f.ends_with("src/handler_error.rs"))));
    assert_signed_in(&event);
}

#[tokio::test]
async fn an_anyhow_error_arrives_with_its_chain() {
    let event = event_of("GET", "/anyhow", 500).await;
    let values: Vec<_> = event.exceptions.iter().filter_map(|e| e.value.as_deref()).collect();
    assert_eq!(values, ["shelf 7 is empty", "nothing left on the shelf", "could not fill the order"]);
}

#[tokio::test]
async fn a_500_says_nothing_about_the_inside() {
    let watched = Watched::start().await;
    let response = answer(&shop(&watched), "POST", "/orders/7/question-mark").await;
    let id = response.extensions().get::<Reported>().and_then(Reported::event);
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(body, "Internal Server Error");
    assert_eq!(id, Some(watched.event().await.event_id));
}

#[tokio::test]
async fn a_cause_can_be_an_extension_too() {
    let event = event_of("GET", "/by-extension", 500).await;
    assert_eq!(event.title().1, "no answer from the bank");
}

#[tokio::test]
async fn any_service_will_do_and_its_errors_arrive_with_their_chain() {
    let watched = Watched::start().await;
    let layer = CaptureLayer::new(&watched.tracker);
    let failing = service_fn(|_: Request<String>| async { Err::<axum::http::Response<String>, _>(out_of_stock()) });
    let request = || Request::get("/files/12").body(String::new()).unwrap();
    let error = layer.clone().service_error::<OutOfStock>().layer(failing).oneshot(request()).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing left on the shelf", "the caller gets its error all the same");
    let event = watched.event().await;
    assert_out_of_stock(&event);
    assert_eq!(event.transaction.as_deref(), Some("GET /files/{id}"));

    let watched = Watched::start().await;
    let boxed = service_fn(|_: Request<String>| async {
        Err::<axum::http::Response<String>, Box<dyn std::error::Error + Send + Sync>>(out_of_stock().into())
    });
    CaptureLayer::new(&watched.tracker).layer(boxed).oneshot(request()).await.unwrap_err();
    let chain = watched.event().await.exceptions;
    assert_eq!(chain.len(), 2, "{chain:?}");
}

#[tokio::test]
async fn panic_before_returning_future() {
    let watched = Watched::start().await;
    #[expect(unreachable_code, reason = "the type of a future that is never made")]
    let panics = service_fn(|_: Request<String>| {
        panic!("no future");
        std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let layer = CaptureLayer::new(&watched.tracker).answer_panics(|| {
        let mut response = Response::new("sorry".to_owned());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    });
    let request = Request::get("/").body(String::new()).unwrap();
    let response = layer.layer(panics).oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().get_ref().unwrap().as_str()), (503, "sorry"));
    assert_eq!(watched.event().await.title(), ("panic", "no future"));
}

#[tokio::test]
async fn a_nested_router_shows_the_whole_path() {
    let watched = Watched::start().await;
    let inner = Router::new()
        .route("/orders/{id}", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(CaptureLayer::new(&watched.tracker));
    answer(&Router::new().nest("/api", inner), "GET", "/api/orders/7").await;
    let event = watched.event().await;
    assert_eq!(event.transaction.as_deref(), Some("GET /api/orders/{id}"));
    assert_eq!(event.request.unwrap().url.as_deref(), Some("http://shop.example/api/orders/7"));
}
