//! The shop on axum.

use super::Plan;
use crate::shop::{self, Shop, out_of_stock};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use errtrack::{
    axum::HandlerError,
    tower::{CaptureLayer, Cause},
};
use std::{
    future::{Ready, ready},
    net::SocketAddr,
    sync::{Arc, mpsc},
};
use tokio::{net::TcpListener, sync::oneshot};

pub(super) async fn serve(plan: Plan, tell: mpsc::Sender<SocketAddr>, closed: oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    tell.send(listener.local_addr().expect("an address")).expect("the test waits");
    let app = app(&plan).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app);
    tokio::select! {
        _ = serving => {}
        _ = closed => {}
    }
}

fn app(plan: &Plan) -> Router {
    async fn question_mark(Path(_): Path<u32>) -> Result<&'static str, HandlerError> {
        Ok(shop::sell().await?)
    }
    fn early() -> Ready<&'static str> {
        if std::env::args().count() > 0 {
            panic!("no future");
        }
        ready("")
    }
    async fn cause() -> (StatusCode, Cause, &'static str) {
        shop::sign_in();
        (StatusCode::BAD_GATEWAY, Cause::new(out_of_stock()), "try again later")
    }
    async fn captured() -> Result<&'static str, StatusCode> {
        shop::captured().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
    async fn passed_on() -> Result<&'static str, (StatusCode, Cause, &'static str)> {
        shop::captured().await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, Cause::new(error), "sorry"))
    }
    async fn spawned() -> StatusCode {
        shop::spawned().await;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    async fn panicking_task() -> StatusCode {
        shop::panicking_task().await;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    async fn logged(Path(order): Path<u32>) -> StatusCode {
        shop::logged(order).await;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    async fn joined() -> StatusCode {
        shop::joined().await;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    async fn meet(State(shop): State<Arc<Shop>>, Path(name): Path<String>) -> StatusCode {
        shop::meet(&shop, &name).await;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    async fn wait(State(shop): State<Arc<Shop>>) {
        shop::wait(&shop).await;
    }
    let app = Router::new()
        .route("/", get(async || "welcome"))
        .route("/orders/{id}/question-mark", post(question_mark))
        .route("/orders/{id}/panic", get(async |Path(_): Path<u32>| shop::jam().await))
        .route("/early", get(early))
        .route("/bare/{id}", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/cause", get(cause))
        .route("/captured", get(captured))
        .route("/passed-on", get(passed_on))
        .route("/spawned", get(spawned))
        .route("/panicking-task", get(panicking_task))
        .route("/orders/{id}/logged", get(logged))
        .route("/joined", get(joined))
        .route("/meet/{name}", get(meet))
        .route("/wait", get(wait))
        .route("/receipt", get(async || Body::from_stream(shop::receipt())))
        .route("/broken-receipt", get(async || Body::from_stream(shop::broken_receipt())))
        .route("/teapot", get(async || StatusCode::IM_A_TEAPOT))
        .with_state(plan.shop.clone())
        .layer(CaptureLayer::new(&plan.tracker));
    if plan.is_doubled { app.layer(CaptureLayer::new(&plan.tracker)) } else { app }
}
