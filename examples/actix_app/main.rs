//! The shop of `axum_app` on actix-web, with the dashboard mounted: `cargo run --example actix_app`.
//!
//! `PORT` sets the port (3000), `DASHBOARD_SECRET` a secret that the dashboard asks for.

mod shop;

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    rt::System,
    web::{self, Html},
};
use errtrack::{
    SqliteStore, Tracker, User,
    actix::{Capture, mount},
    web::{Access, router},
};
use std::{
    env,
    io::{self, Write},
    net::Ipv4Addr,
};
use tracing_subscriber::{Layer, filter::LevelFilter, prelude::*};

fn main() -> anyhow::Result<()> {
    System::new().block_on(serve())
}

async fn serve() -> anyhow::Result<()> {
    let store = SqliteStore::open("data/actix_app.db").await?;
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
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;

    // Made once, for all workers.
    let (capture, pages, asks) = (Capture::new(&tracker), router(&tracker, access), secret.is_some());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(sign_in))
            // What is wrapped last stands outermost; what the dashboard does is never reported to itself.
            .wrap(capture.clone())
            .route("/", web::get().to(move || async move { index(asks) }))
            .configure(shop::routes)
            .service(mount("/errors", pages.clone()))
    });
    let server = server.workers(2).bind((Ipv4Addr::LOCALHOST, port))?;
    for address in server.addrs() {
        let url = format!("http://{address}");
        writeln!(io::stdout(), "The shop       {url}/\nThe dashboard  {url}/errors/")?;
    }
    // It ends by itself on SIGTERM and Ctrl-C.
    server.run().await?;
    tracker.shutdown().await;
    Ok(())
}

/// Stands for the login of a real shop: whatever goes wrong from here on is known to have gone wrong for Ana.
async fn sign_in(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    errtrack::configure_scope(|scope| {
        scope.set_user(User::id("42").username("ana"));
        scope.set_tag("plan", "pro");
    });
    next.call(request).await
}

/// The one page of the shop; `asks` is whether the dashboard wants a secret.
fn index(asks: bool) -> Html {
    let access = if asks {
        "It asks for the secret that <code>DASHBOARD_SECRET</code> was set to."
    } else {
        "It is open, because this shop listens on this machine only; set <code>DASHBOARD_SECRET</code> and it asks for that."
    };
    Html::new(include_str!("../axum_app/index.html").replace("{access}", access))
}
