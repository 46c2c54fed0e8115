//! A service on axum that fails when it is asked to. `DATABASE_URL` says where its errors go.

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use errtrack::{SqlStore, Tracker, User, axum::HandlerError, tower::CaptureLayer, web, web::Access};
use std::{env, net::SocketAddr};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = SqlStore::open(&env::var("DATABASE_URL")?).await?;
    let tracker = Tracker::builder().project("axum-host").release("axum_host@1.0.0").store(store).build().await?;
    tracker.install_panic_hook();
    tracing_subscriber::registry().with(errtrack::tracing::layer(&tracker)).init();

    let app = Router::new()
        .route("/orders/{id}", get(order))
        .route("/panic", get(panic))
        .layer(CaptureLayer::new(&tracker))
        .nest_service("/errors", web::router(&tracker, Access::token("a long secret")));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut terminated = signal(SignalKind::terminate())?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move { drop(terminated.recv().await) })
        .await?;
    anyhow::ensure!(tracker.shutdown().await, "something could not be stored");
    Ok(())
}

async fn order(Path(id): Path<String>) -> Result<String, HandlerError> {
    errtrack::configure_scope(|scope| scope.set_user(User::id("42")));
    tracing::info!(id, "looking for an order");
    let id: u32 = id.parse()?;
    Ok(format!("order {id}"))
}

async fn panic() -> StatusCode {
    panic!("out of order")
}
