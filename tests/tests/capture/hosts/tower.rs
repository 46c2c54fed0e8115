//! The shop as a tower service on hyper, without a framework.

use super::Plan;
use crate::shop::{self, Shop, out_of_stock};
use axum::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use errtrack::tower::{CaptureLayer, Cause};
use futures_util::{Stream, StreamExt};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    sync::{Arc, mpsc},
};
use tokio::{net::TcpListener, sync::oneshot};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneService};

type BoxError = Box<dyn Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, BoxError>;
type Answer = Result<Response<Body>, BoxError>;

pub(super) async fn serve(plan: Plan, tell: mpsc::Sender<SocketAddr>, mut closed: oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    tell.send(listener.local_addr().expect("an address")).expect("the test waits");
    let service = TowerToHyperService::new(service(&plan));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.expect("a connection").0,
            _ = &mut closed => return,
        };
        let service = service.clone();
        tokio::spawn(async move {
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
        });
    }
}

fn service(plan: &Plan) -> BoxCloneService<Request<Incoming>, Response<Body>, Infallible> {
    let shop = plan.shop.clone();
    let routes = service_fn(move |request: Request<Incoming>| {
        if request.uri().path() == "/early" {
            panic!("no future");
        }
        route(shop.clone(), request)
    });
    let layer = CaptureLayer::new(&plan.tracker);
    if plan.is_doubled { answered(layer.layer(layer.layer(routes))) } else { answered(layer.layer(routes)) }
}

/// Outside of the layer an error of the service is answered; hyper itself would hang up.
fn answered<S, B>(service: S) -> BoxCloneService<Request<Incoming>, Response<Body>, Infallible>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = BoxError, Future: Send> + Clone + Send + 'static,
    B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    service_fn(move |request| {
        let answer = service.clone().oneshot(request);
        async {
            Ok(match answer.await {
                Ok(response) => response.map(|body| body.map_err(Into::into).boxed_unsync()),
                Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "sorry"),
            })
        }
    })
    .boxed_clone()
}

async fn route(shop: Arc<Shop>, request: Request<Incoming>) -> Answer {
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
    Ok(match (request.method(), &*path) {
        (_, [""]) => text(StatusCode::OK, "welcome"),
        (&Method::POST, ["orders", _, "question-mark"]) => text(StatusCode::OK, shop::sell().await?),
        (_, ["orders", _, "panic"]) => text(StatusCode::OK, shop::jam().await),
        (_, ["bare", _]) => text(failed, ""),
        (_, ["cause"]) => {
            shop::sign_in();
            caused(StatusCode::BAD_GATEWAY, Cause::new(out_of_stock()))
        }
        (_, ["captured"]) => text(if shop::captured().await.is_ok() { StatusCode::OK } else { failed }, ""),
        (_, ["passed-on"]) => match shop::captured().await {
            Ok(sold) => text(StatusCode::OK, sold),
            Err(error) => caused(failed, Cause::new(error)),
        },
        (_, ["spawned"]) => {
            shop::spawned().await;
            text(failed, "")
        }
        (_, ["panicking-task"]) => {
            shop::panicking_task().await;
            text(failed, "")
        }
        (_, ["orders", order, "logged"]) => {
            shop::logged(order.parse()?).await;
            text(failed, "")
        }
        (_, ["joined"]) => {
            shop::joined().await;
            text(failed, "")
        }
        (_, ["meet", name]) => {
            shop::meet(&shop, name).await;
            text(failed, "")
        }
        (_, ["wait"]) => {
            shop::wait(&shop).await;
            text(StatusCode::OK, "")
        }
        (_, ["receipt"]) => streamed(shop::receipt()),
        (_, ["broken-receipt"]) => streamed(shop::broken_receipt()),
        (_, ["teapot"]) => text(StatusCode::IM_A_TEAPOT, ""),
        _ => text(StatusCode::NOT_FOUND, ""),
    })
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn caused(status: StatusCode, cause: Cause) -> Response<Body> {
    let mut response = text(status, "try again later");
    response.extensions_mut().insert(cause);
    response
}

fn streamed<E: Error + Send + Sync + 'static>(
    stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Response<Body> {
    let frames = stream.map(|data| data.map(Frame::data).map_err(Into::into));
    Response::new(StreamBody::new(frames).boxed_unsync())
}
