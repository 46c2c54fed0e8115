//! What of a request stands on an event on request: the beginning of its body, and the address of its client.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without ends it")]

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Json},
    http::{Request, StatusCode, header},
    routing::post,
};
use errtrack::{
    Event, Level, TrustedProxies,
    sanitize::Sanitizer,
    tower::{BodiesKept, CaptureLayer, EmptyAnswer},
};
use errtrack_tests::Watched;
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::Value;
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tower::ServiceExt;

const JSON: &str = "application/json";

fn shop(layer: CaptureLayer<EmptyAnswer, BodiesKept>) -> Router {
    async fn two_frames(body: Body) -> StatusCode {
        let mut body = body;
        body.frame().await.unwrap().unwrap();
        body.frame().await.unwrap().unwrap();
        StatusCode::INTERNAL_SERVER_ERROR
    }
    Router::new()
        .route("/whole", post(async |_: Bytes| StatusCode::INTERNAL_SERVER_ERROR))
        .route("/json", post(async |Json(_): Json<Value>| StatusCode::INTERNAL_SERVER_ERROR))
        .route("/unread", post(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/two-frames", post(two_frames))
        .route("/fine", post(async |body: String| body))
        .layer(layer)
}

fn request(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap()
}

/// The event of a request to the shop that fails.
async fn event_of(most: usize, request: Request<Body>) -> Event {
    let watched = Watched::start().await;
    let app = shop(CaptureLayer::new(&watched.tracker).request_bodies(most));
    assert_eq!(app.oneshot(request).await.unwrap().status(), 500);
    watched.event().await
}

fn data(event: &Event) -> Option<&str> {
    event.request.as_ref()?.data.as_ref()?.as_str()
}

#[tokio::test]
async fn a_body_arrives_without_its_secrets() {
    let body = r#"{"order": 7, "password": "hunter2", "card": {"number": "4111 1111 1111 1111"}}"#;
    let event = event_of(4096, request("/json", JSON, body)).await;
    let kept: Value = serde_json::from_str(data(&event).unwrap()).unwrap();
    assert_eq!((&kept["order"], &kept["password"]), (&7.into(), &"[Filtered: password]".into()));
    assert!(!kept.to_string().contains("4111"), "{kept}");
    assert!(event.filtered.iter().any(|mark| mark.path == "request.data.password"), "{:?}", event.filtered);

    let event = event_of(4096, request("/whole", "application/x-www-form-urlencoded", "id=7&password=hunter2")).await;
    assert_eq!(data(&event), Some("id=7&password=[Filtered: password]"));
    let event = event_of(4096, request("/whole", "text/plain", "the password: hunter2")).await;
    assert!(!data(&event).unwrap().contains("hunter2"), "{event:?}");
}

#[tokio::test]
async fn what_is_cut_is_marked_and_holds_no_secret_either() {
    let body = format!(r#"{{"order": 7, "password": "hunter2 and more", "pad": "{}"}}"#, "x".repeat(1000));
    for most in [40, 44, 300] {
        let event = event_of(most, request("/whole", JSON, body.clone())).await;
        let kept = data(&event).unwrap();
        assert!(kept.starts_with(r#"{"order": 7,"#) && !kept.contains("hunter"), "{most}: {kept}");
        let mark = format!("kept {most} of {} bytes", body.len());
        assert!(event.truncated.iter().any(|m| m.path == "request.data" && m.what == mark), "{:?}", event.truncated);
    }
}

#[tokio::test]
async fn only_what_the_handler_reads_is_read() {
    let made = Arc::new(AtomicUsize::new(0));
    let frames = {
        let made = made.clone();
        stream::repeat_with(move || {
            made.fetch_add(1, Relaxed);
            Ok::<_, Infallible>("a frame ")
        })
    };
    let event = event_of(4096, request("/two-frames", "text/plain", Body::from_stream(frames))).await;
    assert_eq!((data(&event), made.load(Relaxed)), (Some("a frame a frame "), 2));
    assert_eq!(data(&event_of(4096, request("/unread", "text/plain", "unread")).await), None);
}

#[tokio::test]
async fn uploads_and_compressed_bodies_are_left() {
    for content_type in ["multipart/form-data; boundary=x", "image/png", "application/octet-stream"] {
        assert_eq!(data(&event_of(4096, request("/whole", content_type, "bytes")).await), None, "{content_type}");
    }
    let mut packed = request("/whole", JSON, "packed");
    packed.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    assert_eq!(data(&event_of(4096, packed).await), None);
}

#[tokio::test]
async fn bodies_are_not_kept_unless_asked_for_and_reach_the_handler_as_they_are() {
    let watched = Watched::start().await;
    let app = Router::new()
        .route("/", post(async |_: String| StatusCode::INTERNAL_SERVER_ERROR))
        .layer(CaptureLayer::new(&watched.tracker));
    app.oneshot(request("/", "text/plain", "private")).await.unwrap();
    assert_eq!(watched.event().await.request.unwrap().data, None);

    let watched = Watched::start().await;
    let app = shop(CaptureLayer::new(&watched.tracker).request_bodies(3));
    let answer = app.oneshot(request("/fine", "text/plain", "all of it")).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "all of it");
}

#[tokio::test]
async fn the_client_of_axum_is_found_behind_its_proxy() {
    let watched = Watched::with(|builder| builder.sanitizer(Sanitizer::default().send_default_pii(true))).await;
    let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap().forwarded();
    let layer = CaptureLayer::new(&watched.tracker).trusted_proxies(proxies).request_bodies(10);
    let mut request = request("/unread", JSON, "");
    let headers = request.headers_mut();
    headers
        .insert("forwarded", header::HeaderValue::from_static("for=1.1.1.1, for=\"[2001:db8::9]:80\", for=10.0.0.2"));
    headers.insert("x-forwarded-for", header::HeaderValue::from_static("1.2.3.4"));
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4000))));
    shop(layer).oneshot(request).await.unwrap();
    assert_eq!(watched.event().await.request.unwrap().env["REMOTE_ADDR"], "2001:db8::9");
}

#[tokio::test]
async fn the_status_stands_on_what_is_captured_after_it() {
    let watched = Watched::start().await;
    let handler = async || {
        let last_words = stream::once(async {
            errtrack::capture_message("not quite", Level::Error);
            Ok::<_, Infallible>("")
        });
        (StatusCode::IM_A_TEAPOT, Body::from_stream(last_words))
    };
    let app = Router::new().route("/", post(handler)).layer(CaptureLayer::new(&watched.tracker));
    let answer = app.oneshot(request("/", JSON, "")).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let seen = watched.event().await.request.unwrap();
    assert_eq!((seen.status, seen.duration_ms.is_some()), (Some(418), true));
}
