//! A service on hyper by hand, without a framework: what fails in it arrives, over HTTP/1 and HTTP/2.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do without ends it")]

use bytes::Bytes;
use errtrack::{
    Event, StatusClass, TrustedProxies,
    sanitize::Sanitizer,
    tower::{CaptureLayer, PeerAddress},
};
use errtrack_tests::Watched;
use futures_util::stream::{BoxStream, StreamExt};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{
    Request, Response, Version,
    body::{Body, Frame, Incoming},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use std::{convert::Infallible, io, net::SocketAddr};
use tokio::net::{TcpListener, TcpStream};
use tower::{ServiceBuilder, service_fn};

type Chunks = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

/// Each chunk when the one before it has been sent.
fn chunks(chunks: Vec<io::Result<&'static str>>) -> Chunks {
    let frames = futures_util::stream::iter(chunks).then(async |chunk| {
        tokio::task::yield_now().await;
        chunk.map(|text| Frame::data(Bytes::from(text)))
    });
    StreamBody::new(frames.boxed())
}

async fn answer<B: Body>(request: Request<B>) -> Result<Response<Chunks>, io::Error> {
    match request.uri().path() {
        "/panic/7" => panic!("the till is jammed"),
        "/error" => Err(io::Error::other("the cellar is flooded")),
        "/torn" => Ok(Response::new(chunks(vec![Ok("a"), Err(io::Error::other("no paper"))]))),
        "/bare" => {
            let mut response = Response::new(chunks(vec![]));
            *response.status_mut() = hyper::StatusCode::BAD_GATEWAY;
            Ok(response)
        }
        _ => Ok(Response::new(chunks(vec![Ok("wel"), Ok("come")]))),
    }
}

/// Serves HTTP/1 and HTTP/2, told apart by how the client begins, and calls the layer's service for each request.
async fn serve(layer: CaptureLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let service = ServiceBuilder::new()
                .map_request(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(PeerAddress(peer.ip()));
                    request
                })
                .layer(layer.clone().service_error::<io::Error>())
                .service(service_fn(answer::<Incoming>));
            tokio::spawn(async move {
                let io = TokioIo::new(stream);
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                server.serve_connection(io, TowerToHyperService::new(service)).await.map_err(|e| e.to_string())
            });
        }
    });
    address
}

/// The status and the body; none if the connection or the stream was broken off.
async fn ask(address: SocketAddr, version: Version, path: &str) -> (Option<u16>, Option<Bytes>) {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let request = Request::get(format!("http://shop.example{path}"))
        .header("host", "shop.example")
        .header("x-forwarded-for", "198.51.100.1, 203.0.113.9")
        .body(Full::<Bytes>::default())
        .unwrap();
    let response = if version == Version::HTTP_2 {
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    let Ok(response) = response else { return (None, None) };
    let status = response.status().as_u16();
    (Some(status), response.into_body().collect().await.ok().map(|body| body.to_bytes()))
}

async fn event_of(version: Version, path: &str, expected: (Option<u16>, Option<&'static str>)) -> Event {
    let watched = Watched::start().await;
    let address = serve(CaptureLayer::new(&watched.tracker)).await;
    let (status, body) = ask(address, version, path).await;
    assert_eq!((status, body), (expected.0, expected.1.map(Bytes::from)), "{version:?} {path}");
    assert_eq!(ask(address, version, "/").await.1.unwrap(), "welcome", "the process lives on");
    let event = watched.event().await;
    assert_eq!(event.request.as_ref().unwrap().url.as_deref(), Some(&*format!("http://shop.example{path}")));
    event
}

#[tokio::test]
async fn what_fails_on_hyper_arrives_over_both_versions() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let event = event_of(version, "/panic/7", (Some(500), Some(""))).await;
        assert_eq!(event.title(), ("panic", "the till is jammed"));
        assert_eq!(event.transaction.as_deref(), Some("GET /panic/{id}"));
        let event = event_of(version, "/error", (None, None)).await;
        assert_eq!(event.title().1, "the cellar is flooded");
        let event = event_of(version, "/bare", (Some(502), Some(""))).await;
        assert_eq!(event.title().1, "502 Bad Gateway on GET /bare");
        assert_eq!(event.request.unwrap().status, Some(502));
        let event = event_of(version, "/torn", (Some(200), None)).await;
        assert_eq!(event.title().1, "no paper");
        assert_eq!(event.request.unwrap().status, Some(200));
    }
}

#[tokio::test]
async fn the_clients_address_is_the_one_that_trusted_proxies_tell_and_filtered_unless_it_may_be_kept() {
    let keep = Sanitizer::default().send_default_pii(true);
    for (sanitizer, proxies, expected) in [
        (keep.clone(), None, "127.0.0.1"),
        (keep.clone(), Some("10.0.0.0/8"), "127.0.0.1"),
        (keep, Some("127.0.0.0/8"), "203.0.113.9"),
        (Sanitizer::default(), Some("127.0.0.0/8"), "[Filtered: ip address]"),
    ] {
        let watched = Watched::with(|builder| builder.sanitizer(sanitizer)).await;
        let mut layer = CaptureLayer::new(&watched.tracker);
        if let Some(network) = proxies {
            layer = layer.trusted_proxies(TrustedProxies::new([network]).unwrap());
        }
        ask(serve(layer).await, Version::HTTP_11, "/bare").await;
        assert_eq!(watched.event().await.request.unwrap().env["REMOTE_ADDR"], expected);
    }
}

#[tokio::test]
async fn requests_count_by_route_and_how_they_ended() {
    let watched = Watched::start().await;
    let address = serve(CaptureLayer::new(&watched.tracker)).await;
    for path in ["/orders/1", "/orders/2", "/panic/7", "/error", "/bare"] {
        ask(address, Version::HTTP_11, path).await;
    }
    let counted = watched.tracker.routes().snapshot();
    let counted: Vec<_> = counted.iter().map(|r| (&*r.route, r.classes[0].0, r.count())).collect();
    let failed = StatusClass::ServerError;
    let expected = [("/bare", failed, 1), ("/error", failed, 1), ("/orders/{id}", StatusClass::Success, 2)];
    assert_eq!(counted, [&expected[..], &[("/panic/{id}", failed, 1)]].concat());
}

#[tokio::test]
async fn a_service_of_any_kind_of_body_compiles_with_an_answer_of_ones_own() {
    let watched = Watched::start().await;
    let layer = CaptureLayer::new(&watched.tracker).answer_panics(|| Response::new(Full::new(Bytes::from("sorry"))));
    let panics = service_fn(|_: Request<Full<Bytes>>| async {
        if true {
            panic!("no");
        }
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = ServiceBuilder::new().layer(layer).service(panics);
    let answer = tower::ServiceExt::oneshot(service, Request::new(Full::default())).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "sorry");
    watched.event().await;
}
