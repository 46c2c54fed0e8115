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
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, header},
    routing::get,
};
use errtrack::{Breadcrumb, BreadcrumbSource, StatusClass, tower::CaptureLayer};
use errtrack_tests::Watched;
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    future::{Future, pending},
    io,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
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
async fn assert_each_once(watched: &Watched, app: Router) {
    for (path, status) in [("/fine/7", 200), ("/bare/7", 500), ("/panic/7", 500), ("/torn/7", 200)] {
        let answer = app.clone().oneshot(request(path)).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.into_body().collect().await.is_err(), path == "/torn/7", "{path}");
    }
    let events = watched.events().await;
    let titles: Vec<_> = events.iter().map(|event| event.title().1).collect();
    let templates: Vec<_> = events.iter().map(|event| event.transaction.as_deref().unwrap()).collect();
    assert_eq!(templates, ["GET /bare/{id}", "GET /panic/{id}", "GET /torn/{id}"], "{titles:?}");
    let counted = watched.tracker.routes().snapshot();
    let counted: Vec<_> = counted.iter().map(|r| (&*r.route, r.classes[0].0.name(), r.count())).collect();
    let expected =
        [("/bare/{id}", "5xx", 1), ("/fine/{id}", "2xx", 1), ("/panic/{id}", "5xx", 1), ("/torn/{id}", "2xx", 1)];
    assert_eq!(counted, expected);
}

/// A layer by a short name; `$tracker` is what ours report to.
macro_rules! layer {
    ($tracker:expr, ours) => {
        CaptureLayer::new($tracker)
    };
    ($tracker:expr, keeps) => {
        CaptureLayer::new($tracker).request_bodies(100)
    };
    ($tracker:expr, trace) => {
        TraceLayer::new_for_http()
    };
    ($tracker:expr, gzip) => {
        CompressionLayer::new()
    };
    ($tracker:expr, timeout) => {
        TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(60))
    };
    ($tracker:expr, path) => {
        NormalizePathLayer::trim_trailing_slash()
    };
}

/// Tests of stacks of layers, the outermost first: in one, and one by one on the router.
macro_rules! stacks {
    ($($name:ident: $($layer:ident)*;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let watched = Watched::start().await;
                let stack = ServiceBuilder::new()$(.layer(layer!(&watched.tracker, $layer)))*;
                assert_each_once(&watched, routes().layer(stack)).await;
                let watched = Watched::start().await;
                let app = routes()$(.layer(layer!(&watched.tracker, $layer)))*;
                assert_each_once(&watched, app).await;
                let watched = Watched::start().await;
                let app = routes()$(.route_layer(layer!(&watched.tracker, $layer)))*;
                assert_each_once(&watched, app).await;
            }
        )*
    };
}

// tower-http's timeout makes empty bodies, which the bodies of its other layers cannot be: it stands inside of those.
stacks! {
    alone: ours;
    outside_of_all: ours trace gzip timeout;
    inside_of_all: trace gzip timeout ours;
    between_trace_and_gzip: trace ours gzip timeout;
    between_gzip_and_timeout: gzip trace ours timeout;
    outside_of_a_layer_that_rewrites_paths: ours path trace;
    inside_of_a_layer_that_rewrites_paths: trace path ours;
    twice: ours ours;
    twice_with_others_between: ours trace gzip timeout ours;
    twice_with_others_around: gzip ours timeout ours;
    three_times_keeping_bodies: keeps gzip ours trace keeps;
}

#[tokio::test]
async fn outside_of_the_router_it_does_not_know_templates_but_reports_once_all_the_same() {
    let watched = Watched::start().await;
    let inside = routes().layer(CaptureLayer::new(&watched.tracker));
    let app = Router::new().fallback_service(CaptureLayer::new(&watched.tracker).layer(inside));
    assert_each_once(&watched, app).await;
}

#[tokio::test]
async fn an_error_of_the_service_is_reported_by_the_innermost_layer_alone() {
    let watched = Watched::start().await;
    let ours = || CaptureLayer::new(&watched.tracker).service_error::<io::Error>();
    let fails = service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(io::Error::other("flooded")) });
    let stack = ServiceBuilder::new().layer(ours()).layer(TowerTimeout::new(Duration::from_secs(60))).layer(ours());
    assert_eq!(stack.service(fails).oneshot(request("/")).await.unwrap_err().to_string(), "flooded");
    assert_eq!(watched.event().await.title().1, "flooded");
    assert_eq!(watched.tracker.routes().snapshot()[0].count_of(StatusClass::ServerError), 1);

    // What a layer between them makes of its own accord is the outer one's to report.
    let watched = Watched::start().await;
    let ours = || CaptureLayer::new(&watched.tracker);
    let never = service_fn(|_: Request<Body>| pending::<Result<Response<Body>, Infallible>>());
    let stack = ServiceBuilder::new().layer(ours()).layer(TowerTimeout::new(Duration::from_millis(1))).layer(ours());
    stack.service(never).oneshot(request("/")).await.unwrap_err();
    assert_eq!(watched.event().await.title().1, "request timed out");
    assert_eq!(watched.tracker.routes().snapshot()[0].count_of(StatusClass::Dropped), 1);
}

#[tokio::test]
async fn a_request_that_a_handler_makes_of_its_own_is_another() {
    let watched = Watched::start().await;
    let inner = routes().layer(CaptureLayer::new(&watched.tracker));
    let batch = async move || {
        for path in ["/fine/1", "/bare/2"] {
            inner.clone().oneshot(request(path)).await.unwrap();
        }
        StatusCode::MULTI_STATUS
    };
    let app = Router::new().route("/batch", get(batch)).layer(CaptureLayer::new(&watched.tracker));
    app.oneshot(request("/batch")).await.unwrap();
    let counted = watched.tracker.routes().snapshot();
    let counted: Vec<_> = counted.iter().map(|route| (&*route.route, route.count())).collect();
    assert_eq!(counted, [("/bare/{id}", 1), ("/batch", 1), ("/fine/{id}", 1)]);
}

#[tokio::test]
async fn a_stranger_who_tries_out_paths_makes_no_routes() {
    let watched = Watched::start().await;
    let app = routes().layer(CaptureLayer::new(&watched.tracker));
    for path in ["/wp-admin", "/.env", "/fine/7/secret"] {
        assert_eq!(app.clone().oneshot(request(path)).await.unwrap().status(), 404);
    }
    let mut odd = request("/fine/7");
    *odd.method_mut() = axum::http::Method::from_bytes(b"BREW").unwrap();
    assert_eq!(app.oneshot(odd).await.unwrap().status(), 405);
    let counted = watched.tracker.routes().snapshot();
    let counted: Vec<_> =
        counted.iter().map(|r| (&*r.method, &*r.route, r.count_of(StatusClass::ClientError))).collect();
    assert_eq!(counted, [("GET", "(none)", 3), ("(other)", "/fine/{id}", 1)]);
}

/// Left in the scope of a request, to see that the scope is let go of.
#[derive(Debug)]
struct Trace;

impl BreadcrumbSource for Trace {
    fn breadcrumb(&self) -> Breadcrumb {
        Breadcrumb::new("was here")
    }
}

/// A service that leaves a trace in the scope of a request, and the traces that are still there.
#[derive(Debug, Clone, Default)]
struct Endless {
    traces: Arc<Mutex<Vec<Weak<Trace>>>>,
    gate: Arc<Notify>,
}

impl Endless {
    fn enter(&self) {
        let trace = Arc::new(Trace);
        self.traces.lock().unwrap().push(Arc::downgrade(&trace));
        errtrack::configure_scope(|scope| scope.add_breadcrumb_source(trace));
    }

    fn is_let_go(&self) -> bool {
        let traces = self.traces.lock().unwrap();
        assert_eq!(traces.len(), 1);
        traces.iter().all(|trace| trace.strong_count() == 0)
    }
}

/// Waits at the gate, then answers with a body that never ends.
impl<B> Service<Request<B>> for Endless {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        self.enter();
        let gate = self.gate.clone();
        Box::pin(async move {
            gate.notified().await;
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, Infallible>("on and on"));
            Ok(Response::new(Body::from_stream(chunks)))
        })
    }
}

/// How far a request has come when it is dropped.
#[derive(Debug, Clone, Copy)]
enum State {
    Called,
    Waiting,
    Answered,
    Streaming,
}

/// Serves a request as far as `state`, and drops it.
async fn assert_let_go<S, B>(service: S, endless: &Endless, state: State)
where
    S: Service<Request<Body>, Response = Response<B>, Error: std::fmt::Debug>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let mut service = service;
    let mut future = Box::pin(service.ready().await.unwrap().call(request("/orders/7")));
    assert!(!endless.is_let_go(), "it is looked for where it is");
    if !matches!(state, State::Called) {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    if matches!(state, State::Called | State::Waiting) {
        drop(future);
        assert!(endless.is_let_go(), "{state:?}");
        return;
    }
    endless.gate.notify_one();
    let mut body = Box::pin(future.await.unwrap().into_body());
    if matches!(state, State::Streaming) {
        body.frame().await.unwrap().unwrap();
    }
    assert!(!endless.is_let_go(), "{state:?}: a body is served in the scope of its request");
    drop(body);
    assert!(endless.is_let_go(), "{state:?}");
}

/// The same for a stack of layers, the outermost first, in every state.
macro_rules! let_go {
    ($($name:ident: $($layer:ident)*;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let watched = Watched::start().await;
                for state in [State::Called, State::Waiting, State::Answered, State::Streaming] {
                    let endless = Endless::default();
                    let stack = ServiceBuilder::new()$(.layer(layer!(&watched.tracker, $layer)))*;
                    assert_let_go(stack.service(endless.clone()), &endless, state).await;
                }
                assert!(watched.events().await.is_empty(), "a request that is dropped is no error");
                let counted = watched.tracker.routes().snapshot();
                assert_eq!(counted.len(), 1);
                assert_eq!(counted[0].count_of(StatusClass::Dropped), 2, "before its head was there");
                assert_eq!(counted[0].count_of(StatusClass::Success), 2);
            }
        )*
    };
}

let_go! {
    nothing_is_left_of_a_dropped_request: ours;
    nothing_is_left_outside_of_others: ours trace timeout;
    nothing_is_left_inside_of_others: trace timeout ours;
    nothing_is_left_by_two_layers: ours trace ours;
    nothing_is_left_where_bodies_are_kept: ours keeps timeout;
}

#[test]
fn layer_and_service_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn check(layer: CaptureLayer) {
        shared(&layer);
        shared(&layer.clone().answer_panics(|| Response::new(Full::new(Bytes::new()))));
        shared(&layer.clone().request_bodies(10));
        shared(&layer.layer(()));
    }
    let _ = check;
}
