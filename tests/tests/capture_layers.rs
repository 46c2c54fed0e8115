//! The layer at any place among others, in any order, and twice: it compiles, reports once, counts once and leaves nothing
//! behind, in whatever state a request is dropped.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test cannot do without ends it"
)]

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
    routing::get,
};
use errtrack::{Breadcrumb, BreadcrumbSource, StatusClass, tower::CaptureLayer};
use errtrack_tests::Watched;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    error::Error,
    future::{Future, pending},
    io,
    pin::pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn, timeout::TimeoutLayer as TowerTimeout};
use tower_http::{
    compression::CompressionLayer, normalize_path::NormalizePathLayer, timeout::TimeoutLayer, trace::TraceLayer,
};

fn request(path: &str) -> Request<Body> {
    Request::get(path).header(header::ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap()
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(60))
}

/// Routes that answer, fail and panic.
fn routes() -> Router {
    Router::new()
        .route("/fine/{id}", get(async || "fine, and long enough that it is worth to compress it"))
        .route("/bare/{id}", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/panic/{id}", get(async || -> () { panic!("jammed") }))
        .route(
            "/torn/{id}",
            get(async || Body::from_stream(futures_util::stream::iter([Ok("a"), Err(io::Error::other("torn"))]))),
        )
}

/// Asks for each of the routes once, and looks at what was reported and counted: each once.
async fn assert_each_once(name: &str, watched: &Watched, app: Router) {
    for (path, status) in [("/fine/7", 200), ("/bare/7", 500), ("/panic/7", 500), ("/torn/7", 200)] {
        let answer = app.clone().oneshot(request(path)).await.unwrap();
        assert_eq!(answer.status(), status, "{name} {path}");
        assert_eq!(answer.into_body().collect().await.is_err(), path == "/torn/7", "{name} {path}");
    }
    let events = watched.events().await;
    let titles: Vec<_> = events.iter().map(|event| event.title().1).collect();
    let templates: Vec<_> = events.iter().map(|event| event.transaction.as_deref().unwrap()).collect();
    assert_eq!(templates, ["GET /bare/{id}", "GET /panic/{id}", "GET /torn/{id}"], "{name}: {titles:?}");
    let counted = watched.tracker.routes().snapshot();
    let counted: Vec<_> = counted.iter().map(|r| (&*r.route, r.classes[0].0.name(), r.count())).collect();
    let expected =
        [("/bare/{id}", "5xx", 1), ("/fine/{id}", "2xx", 1), ("/panic/{id}", "5xx", 1), ("/torn/{id}", "2xx", 1)];
    assert_eq!(counted, expected, "{name}");
}

/// The layer in one stack with others, at each place.
macro_rules! stacks {
    ($($name:literal: [$($layer:expr),*];)*) => {
        #[tokio::test]
        async fn any_place_among_other_layers_will_do() {
            $({
                let watched = Watched::start().await;
                let ours = || CaptureLayer::new(&watched.tracker);
                let _ = &ours;
                let stack = ServiceBuilder::new()$(.layer(stacks!(@ ours $layer)))*;
                assert_each_once($name, &watched, routes().layer(stack)).await;
                // One after the other on the router instead of in one stack.
                let watched = Watched::start().await;
                let ours = || CaptureLayer::new(&watched.tracker);
                let _ = &ours;
                let app = routes()$(.layer(stacks!(@ ours $layer)))*;
                assert_each_once($name, &watched, app).await;
            })*
        }
    };
    (@ $ours:ident OURS) => { $ours() };
    (@ $ours:ident KEEPS) => { $ours().request_bodies(100) };
    (@ $ours:ident $layer:expr) => { $layer };
}
