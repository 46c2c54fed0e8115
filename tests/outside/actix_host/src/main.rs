//! A service on actix-web that fails when it is asked to. `DATABASE_URL` says where its errors go.

use actix_web::{App, HttpResponse, HttpServer, rt::System, web};
use errtrack::{
    SqlStore, Tracker, User,
    actix::{Capture, HandlerError, mount},
    web::{Access, router},
};
use std::env;
use tracing_subscriber::prelude::*;

fn main() -> anyhow::Result<()> {
    System::new().block_on(serve())
}

async fn serve() -> anyhow::Result<()> {
    let store = SqlStore::open(&env::var("DATABASE_URL")?).await?;
    let tracker = Tracker::builder().project("actix-host").release("actix_host@1.0.0").store(store).build().await?;
    tracker.install_panic_hook();
    tracing_subscriber::registry().with(errtrack::tracing::layer(&tracker)).init();

    let pages = router(&tracker, Access::token("a long secret"));
    let capture = Capture::new(&tracker);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(capture.clone())
            .route("/orders/{id}", web::get().to(order))
            .route("/panic", web::get().to(panic))
            .service(mount("/errors", pages.clone()))
    });
    let server = server.workers(2).bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("listening on {address}");
    }
    // It ends by itself on SIGTERM.
    server.run().await?;
    anyhow::ensure!(tracker.shutdown().await, "something could not be stored");
    Ok(())
}

async fn order(id: web::Path<String>) -> Result<String, HandlerError> {
    errtrack::configure_scope(|scope| scope.set_user(User::id("42")));
    tracing::info!(%id, "looking for an order");
    let id: u32 = id.parse()?;
    Ok(format!("order {id}"))
}

async fn panic() -> HttpResponse {
    panic!("out of order")
}
