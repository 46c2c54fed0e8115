//! A small shop that fails in five ways, with the dashboard mounted: `cargo run --example axum_app`.
//!
//! `PORT` sets the port (3000), `DASHBOARD_SECRET` a secret that the dashboard asks for.

mod page;
mod shop;

use axum::{Router, extract::Request, middleware, middleware::Next, response::Response, routing::get};
use errtrack::{SqliteStore, Tracker, User, tower::CaptureLayer, web, web::Access};
use std::{
    env,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
};
use tracing_subscriber::{Layer, filter::LevelFilter, prelude::*};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = SqliteStore::open("data/axum_app.db").await?;
    let tracker = Tracker::builder()
        .project("shop")
        .environment("development")
        .release(concat!("shop@", env!("CARGO_PKG_VERSION")))
        .store(store)
        .build()
        .await?;
    tracker.install_panic_hook();
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO))
        .with(errtrack::tracing::layer(&tracker))
        .init();

    // Only this machine can reach the shop, so its dashboard may be open, unless somebody wants it otherwise.
    let secret = env::var("DASHBOARD_SECRET").ok();
    let access = secret.as_ref().map_or_else(Access::insecure_open, Access::token);
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let url = format!("http://{}", listener.local_addr()?);

    let asks = secret.is_some();
    let app = Router::new()
        .route("/", get(move || async move { page::index(asks) }))
        .merge(shop::routes())
        .layer(middleware::from_fn(sign_in))
        .layer(CaptureLayer::new(&tracker))
        // Outside of the layer, and as a service, so that it answers at `/errors` and at `/errors/`.
        .nest_service("/errors", web::router(&tracker, access));

    writeln!(io::stdout(), "The shop       {url}/\nThe dashboard  {url}/errors/")?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    tracker.shutdown().await;
    Ok(())
}

/// Stands for the login of a real shop: whatever goes wrong from here on is known to have gone wrong for Ana.
async fn sign_in(request: Request, next: Next) -> Response {
    errtrack::configure_scope(|scope| {
        scope.set_user(User::id("42").username("ana"));
        scope.set_tag("plan", "pro");
    });
    next.run(request).await
}
