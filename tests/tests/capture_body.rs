//! Bodies that fail after their head was sent: the client cannot be told by a status any more, the tracker can.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do without ends it")]

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request},
    http::StatusCode,
    routing::{get, post},
};
use errtrack::{Event, Level, StatusClass, User, tower::CaptureLayer};
use errtrack_tests::Watched;
use futures_util::stream::{self, StreamExt};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

#[derive(Debug)]
struct TornTape(io::Error);

impl std::fmt::Display for TornTape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the tape is torn")
    }
}

impl std::error::Error for TornTape {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn torn() -> TornTape {
    TornTape(io::Error::other("no paper"))
}

/// Two chunks, then, when they have been sent, what `end` does.
fn tape(end: impl Fn() -> Option<Result<Bytes, TornTape>> + Copy + Send + 'static) -> Body {
    Body::from_stream(stream::unfold(0, move |n| async move {
        let chunk = if n < 2 {
            Some(Ok(Bytes::from_static(b"a chunk, ")))
        } else {
            // A server sends what it has when there is nothing more for now.
            tokio::task::yield_now().await;
            end()
        };
        Some((chunk?, n + 1))
    }))
}

fn shop(watched: &Watched) -> Router {
    async fn receipt(Path((how, _)): Path<(String, u32)>) -> Body {
        errtrack::configure_scope(|scope| scope.set_user(User::id("42")));
        match how.as_str() {
            "whole" => tape(|| None),
            "torn" => tape(|| Some(Err(torn()))),
            "panic" => tape(|| panic!("the printer is jammed")),
            "captured" => tape(|| {
                errtrack::capture_message("low on ink", Level::Warning);
                None
            }),
            "both" => tape(|| {
                errtrack::capture_error(&torn());
                Some(Err(torn()))
            }),
            _ => tape(|| Some(Ok(Bytes::from_static(b"on and on, ")))),
        }
    }
    Router::new()
        .route("/", get(async || "welcome"))
        .route("/receipts/{how}/{id}", get(receipt))
        .layer(CaptureLayer::new(&watched.tracker))
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// What arrives of an answer until it ends or breaks off, and whether it broke off.
async fn read(address: SocketAddr, path: &str) -> (StatusCode, Bytes, bool) {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get(path).header("host", "shop.example").body(String::new()).unwrap();
    let (head, mut body) = sender.send_request(request).await.unwrap().into_parts();
    let mut seen = Vec::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => seen.extend(frame.into_data().unwrap()),
            Some(Err(_)) => return (head.status, seen.into(), true),
            None => return (head.status, seen.into(), false),
        }
    }
}

fn assert_receipt(event: &Event, how: &str) {
    assert_eq!(event.transaction.as_deref(), Some("GET /receipts/{how}/{id}"));
    let request = event.request.as_ref().unwrap();
    assert_eq!(request.url.as_deref(), Some(&*format!("http://shop.example/receipts/{how}/7")));
    assert_eq!(request.status, Some(200), "the head that was sent");
    assert_eq!(event.user.as_ref().and_then(User::key), Some("42"));
}

/// The one event of an answer that broke off.
async fn broken(how: &str) -> Event {
    let watched = Watched::start().await;
    let address = serve(shop(&watched)).await;
    let (status, seen, broke_off) = read(address, &format!("/receipts/{how}/7")).await;
    assert_eq!((status, &seen[..], broke_off), (StatusCode::OK, &b"a chunk, a chunk, "[..], true));
    assert_eq!(read(address, "/").await.1, "welcome", "the process lives on");
    let event = watched.event().await;
    assert_receipt(&event, how);
    event
}

#[tokio::test]
async fn a_body_that_fails_arrives_with_its_chain() {
    let event = broken("torn").await;
    let values: Vec<_> = event.exceptions.iter().map(|e| e.value.as_deref().unwrap()).collect();
    assert_eq!(&values[..2], ["no paper", "the tape is torn"]);
    assert_eq!(event.level, Level::Error);
    assert_eq!(event.exceptions.last().unwrap().mechanism.as_ref().unwrap().handled, Some(false));
}

#[tokio::test]
async fn a_body_that_panics_arrives_and_breaks_off() {
    assert_eq!(broken("panic").await.title(), ("panic", "the printer is jammed"));
}

#[tokio::test]
async fn a_body_that_reports_its_failure_itself_is_not_reported_again() {
    assert_eq!(broken("both").await.title().1, "the tape is torn");
}

#[tokio::test]
async fn what_is_captured_while_streaming_carries_the_request() {
    let watched = Watched::start().await;
    let address = serve(shop(&watched)).await;
    assert_eq!(read(address, "/receipts/captured/7").await.1, "a chunk, a chunk, ");
    let event = watched.event().await;
    assert_eq!(event.title().1, "low on ink");
    assert_receipt(&event, "captured");
}

#[tokio::test]
async fn bodies_go_through_as_they_are() {
    let watched = Watched::start().await;
    let app = shop(&watched);
    let answer = app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "7");
    let body = answer.into_body();
    let hint = http_body::Body::size_hint(&body);
    assert_eq!((hint.exact(), http_body::Body::is_end_stream(&body)), (Some(7), false));
    let address = serve(app).await;
    assert_eq!(read(address, "/receipts/whole/7").await, (StatusCode::OK, "a chunk, a chunk, ".into(), false));
    assert!(watched.events().await.is_empty());
}

/// Waits until nothing holds this any more.
async fn gone<T>(what: &Weak<T>) {
    let gone = async {
        while what.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is let go of");
}

#[tokio::test]
async fn a_client_that_goes_away_is_no_error() {
    let watched = Watched::start().await;
    let held = Arc::new(());
    let body_holds = Arc::downgrade(&held);
    let endless = async move || {
        let held = held.clone();
        Body::from_stream(stream::repeat_with(move || {
            let _held = &held;
            Ok::<_, TornTape>(Bytes::from(vec![b'x'; 4096]))
        }))
    };
    let app = Router::new().route("/", get(endless)).layer(CaptureLayer::new(&watched.tracker));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n").await.unwrap();
    client.read_exact(&mut [0; 10_000]).await.unwrap();
    assert!(body_holds.strong_count() > 1, "the body is under way");
    drop(client);
    server.abort();
    gone(&body_holds).await;
    assert!(watched.events().await.is_empty());
    let counted = watched.tracker.routes().snapshot();
    assert_eq!(counted[0].count_of(StatusClass::Success), 1, "its head was there: {counted:?}");
}

#[tokio::test]
async fn a_body_that_is_dropped_half_way_is_no_error() {
    let watched = Watched::start().await;
    let request = Request::get("/receipts/on/7").body(Body::empty()).unwrap();
    let mut body = shop(&watched).oneshot(request).await.unwrap().into_body().into_data_stream();
    assert!(body.next().await.unwrap().is_ok());
    drop(body);
    assert!(watched.events().await.is_empty());
}

#[tokio::test]
async fn a_client_that_breaks_off_its_upload_is_no_error_where_bodies_are_looked_at() {
    let watched = Watched::start().await;
    let held = Arc::new(());
    let body_holds = Arc::downgrade(&held);
    let held = Arc::new(Mutex::new(Some(held)));
    let echo = async move |request: Request| {
        let held = held.lock().unwrap().take();
        Body::from_stream(request.into_body().into_data_stream().inspect(move |_| {
            let _held = &held;
        }))
    };
    let app = Router::new().route("/echo", post(echo)).layer(CaptureLayer::new(&watched.tracker).request_bodies(0));
    let address = serve(app).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = b"POST /echo HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 100\r\n\r\nhalf of it";
    client.write_all(head).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"half of it\r\n") {
        assert!(client.read_buf(&mut seen).await.unwrap() > 0);
    }
    drop(client);
    gone(&body_holds).await;
    assert!(watched.events().await.is_empty());
}
