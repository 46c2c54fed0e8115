//! What of a gRPC service fails, over real connections: one event each, with its call.
//!
//! The service is written by hand: its messages are texts, so that nothing has to be generated.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test cannot do without ends it"
)]

use bytes::{Buf, BufMut};
use errtrack::{Event, Level, StatusClass, tower::CaptureLayer};
use errtrack_tests::Watched;
use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Response, Status,
    client::Grpc as Client,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming},
    codegen::{Service, http, tokio_stream},
    server::{Grpc, NamedService},
    transport::{Channel, Server, server::TcpIncoming},
};
use tower::{ServiceBuilder, service_fn};

#[derive(Debug, Clone, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, room: &mut EncodeBuf<'_>) -> Result<(), Status> {
        room.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, read: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = read.copy_to_bytes(read.remaining());
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Answers as the message asks for.
#[derive(Debug, Clone)]
struct Orders;

impl NamedService for Orders {
    const NAME: &'static str = "shop.Orders";
}

async fn create(request: Request<String>) -> Result<Response<String>, Status> {
    match request.get_ref().as_str() {
        "internal" => Err(Status::internal("the shelf is on fire: 7 boxes, 100 %")),
        "source" => Err(Status::from_error(Box::new(io::Error::other("disk full")))),
        "silent" => Err(Status::unavailable("")),
        "captured" => {
            errtrack::capture_error(&io::Error::other("reported by hand"));
            Err(Status::internal("after that"))
        }
        "panic" => panic!("the till is jammed"),
        "missing" => Err(Status::not_found("no such order")),
        other => Ok(Response::new(format!("created {other}"))),
    }
}

type Items = Pin<Box<dyn tokio_stream::Stream<Item = Result<String, Status>> + Send>>;

async fn list(request: Request<String>) -> Result<Response<Items>, Status> {
    let how = request.into_inner();
    let items = futures_util::stream::unfold((0, how), |(n, how)| async move {
        if n == 2 {
            // What came before is sent when there is nothing more for now.
            tokio::task::yield_now().await;
        }
        let item = match (n, how.as_str()) {
            (0 | 1, _) => Some(Ok(format!("order {n}"))),
            (2, "internal") => Some(Err(Status::data_loss("order 2 is torn"))),
            (2, "missing") => Some(Err(Status::not_found("order 2 is gone"))),
            (2, "panic") => panic!("the printer is jammed"),
            _ => None,
        };
        Some((item?, (n + 1, how)))
    });
    Ok(Response::new(Box::pin(items)))
}

impl<B> Service<http::Request<B>> for Orders
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/shop.Orders/Create" => Grpc::new(Text).unary(service_fn(create), request).await,
                "/shop.Orders/List" => Grpc::new(Text).server_streaming(service_fn(list), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

/// Serves orders inside a layer, and connects a client to them.
macro_rules! connect {
    ($layer:expr) => {{
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let server = Server::builder().layer($layer).add_service(Orders);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Client::new(channel)
    }};
}

async fn call(client: &mut Client<Channel>, method: &'static str, message: &str) -> Result<String, Status> {
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(method);
    client.unary(Request::new(message.to_owned()), path, Text).await.map(Response::into_inner)
}

/// Reads a list to its end.
async fn list_of(client: &mut Client<Channel>, how: &str) -> (usize, Option<Status>) {
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/shop.Orders/List");
    let answer = client.server_streaming(Request::new(how.to_owned()), path, Text).await.unwrap();
    let mut items: Streaming<String> = answer.into_inner();
    let mut seen = 0;
    loop {
        match items.message().await {
            Ok(Some(_)) => seen += 1,
            Ok(None) => return (seen, None),
            Err(status) => return (seen, Some(status)),
        }
    }
}

fn assert_call(event: &Event, method: &str, code: Option<(&str, i32)>) {
    assert_eq!(event.transaction.as_deref(), Some(&*format!("POST /shop.Orders/{method}")));
    let request = event.request.as_ref().unwrap();
    assert!(request.url.as_deref().unwrap().ends_with(&format!("/shop.Orders/{method}")), "{request:?}");
    assert_eq!(request.headers["content-type"], "application/grpc");
    if let Some((name, number)) = code {
        assert_eq!((event.level, request.status), (Level::Error, Some(200)));
        assert_eq!(event.contexts["rpc"]["status"], name);
        assert_eq!(event.contexts["rpc"]["status_code"], number);
    }
}

fn ends_of(watched: &Watched, route: &str) -> Vec<(StatusClass, u64)> {
    let all = watched.tracker.routes().snapshot();
    let of = all.into_iter().filter(|counted| counted.route == route).flat_map(|counted| counted.classes);
    of.map(|(class, latencies)| (class, latencies.count())).collect()
}

#[tokio::test]
async fn a_call_that_fails_arrives_with_its_status_and_message() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    assert_eq!(call(&mut client, "/shop.Orders/Create", "7").await.unwrap(), "created 7");
    let status = call(&mut client, "/shop.Orders/Create", "internal").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "the shelf is on fire: 7 boxes, 100 %"));
    let event = watched.event().await;
    assert_eq!(event.title(), ("gRPC INTERNAL", "the shelf is on fire: 7 boxes, 100 %"));
    assert_call(&event, "Create", Some(("INTERNAL", 13)));
    let ends = ends_of(&watched, "/shop.Orders/Create");
    assert_eq!(ends, [(StatusClass::Success, 1), (StatusClass::ServerError, 1)]);
}

#[tokio::test]
async fn a_status_without_a_message_arrives_by_its_route() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    call(&mut client, "/shop.Orders/Create", "silent").await.unwrap_err();
    let event = watched.event().await;
    assert_eq!(event.title().1, "gRPC UNAVAILABLE on POST /shop.Orders/Create");
    assert_call(&event, "Create", Some(("UNAVAILABLE", 14)));
}

#[tokio::test]
async fn the_error_behind_a_status_arrives_with_its_chain_on_request() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker).response_error::<Status>());
    call(&mut client, "/shop.Orders/Create", "source").await.unwrap_err();
    let event = watched.event().await;
    let chain: Vec<_> = event.exceptions.iter().map(|e| e.value.as_deref().unwrap()).collect();
    assert_eq!(chain.len(), 2, "{chain:?}");
    assert_eq!(chain[0], "disk full");
    assert!(event.exceptions[1].ty.as_deref().unwrap().contains("Status"), "{event:?}");
    assert_call(&event, "Create", Some(("UNKNOWN", 2)));
}

#[tokio::test]
async fn what_is_the_clients_mistake_is_no_error() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    let status = call(&mut client, "/shop.Orders/Create", "missing").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(list_of(&mut client, "missing").await.0, 2);
    assert!(watched.events().await.is_empty());
    assert_eq!(ends_of(&watched, "/shop.Orders/Create"), [(StatusClass::ClientError, 1)]);
}

#[tokio::test]
async fn what_was_reported_by_hand_is_not_reported_again() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    call(&mut client, "/shop.Orders/Create", "captured").await.unwrap_err();
    assert_eq!(watched.event().await.title().1, "reported by hand");
}

#[tokio::test]
async fn a_method_that_nobody_serves_arrives_and_is_no_route() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    let status = call(&mut client, "/shop.Orders/Burn", "7").await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert_call(&watched.event().await, "Burn", Some(("UNIMPLEMENTED", 12)));
    assert_eq!(ends_of(&watched, "(none)"), [(StatusClass::ServerError, 1)]);
}

#[tokio::test]
async fn a_panic_is_answered_as_internal_and_the_connection_lives_on() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    let status = call(&mut client, "/shop.Orders/Create", "panic").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    assert_eq!(call(&mut client, "/shop.Orders/Create", "8").await.unwrap(), "created 8");
    let event = watched.event().await;
    assert_eq!(event.title(), ("panic", "the till is jammed"));
    assert_call(&event, "Create", None);
    let ends = ends_of(&watched, "/shop.Orders/Create");
    assert_eq!(ends, [(StatusClass::Success, 1), (StatusClass::ServerError, 1)]);
}

#[tokio::test]
async fn a_stream_that_fails_after_its_head_arrives() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    assert!(matches!(list_of(&mut client, "all").await, (2, None)));
    let (seen, status) = list_of(&mut client, "internal").await;
    assert_eq!((seen, status.unwrap().code()), (2, Code::DataLoss));
    let event = watched.event().await;
    assert_eq!(event.title(), ("gRPC DATA_LOSS", "order 2 is torn"));
    assert_call(&event, "List", Some(("DATA_LOSS", 15)));
}

#[tokio::test]
async fn a_stream_that_panics_ends_as_internal_and_the_connection_lives_on() {
    let watched = Watched::start().await;
    let mut client = connect!(CaptureLayer::new(&watched.tracker));
    let (seen, status) = list_of(&mut client, "panic").await;
    assert_eq!((seen, status.unwrap().code()), (2, Code::Internal));
    assert!(matches!(list_of(&mut client, "all").await, (2, None)));
    let event = watched.event().await;
    assert_eq!(event.title(), ("panic", "the printer is jammed"));
    assert_call(&event, "List", None);
}

#[tokio::test]
async fn two_layers_among_others_report_a_call_once() {
    for message in ["internal", "panic", "silent"] {
        let watched = Watched::start().await;
        let layer = CaptureLayer::new(&watched.tracker);
        let mut client = connect!(
            ServiceBuilder::new()
                .layer(layer.clone())
                .layer(tower_http::trace::TraceLayer::new_for_grpc())
                .layer(layer.request_bodies(1024))
                .into_inner()
        );
        call(&mut client, "/shop.Orders/Create", message).await.unwrap_err();
        watched.event().await;
        assert_eq!(ends_of(&watched, "/shop.Orders/Create"), [(StatusClass::ServerError, 1)]);
    }
    for how in ["internal", "panic"] {
        let watched = Watched::start().await;
        let layer = CaptureLayer::new(&watched.tracker);
        let mut client = connect!(ServiceBuilder::new().layer(layer.clone()).layer(layer).into_inner());
        assert!(list_of(&mut client, how).await.1.is_some());
        watched.event().await;
    }
}
