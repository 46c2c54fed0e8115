//! The router of errtrack-web mounted in an app: on axum, on actix-web, and in a scope of actix-web; what a person and an SDK
//! do there first.

use anyhow::{Context, Result};
use axum::Router;
use errtrack::{
    SqlStore, Tracker,
    actix::mount,
    web::{Access, Accounts},
};
use errtrack_tests::{ActixServer, Client, Database};
use flate2::{Compression, write::GzEncoder};
use hyper::header;
use serde_json::{Value, json};
use std::{io::Write, net::SocketAddr};
use tokio::{net::TcpListener, task::AbortHandle};

const EMAIL: &str = "ana@example.com";
const PASSWORD: &str = "correct horse battery staple";

#[derive(Clone, Copy)]
enum Host {
    Axum,
    Actix,
    /// Within `/ops`.
    ActixScope,
}

/// A host that serves the dashboard.
enum Serving {
    Axum(SocketAddr, AbortHandle),
    Actix(ActixServer),
}

impl Host {
    /// Where the dashboard is.
    fn place(self) -> &'static str {
        match self {
            Self::Axum | Self::Actix => "/errors",
            Self::ActixScope => "/ops/errors",
        }
    }

    async fn serve(self, tracker: &Tracker, pages: Router) -> Result<Serving> {
        Ok(match self {
            Self::Axum => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                let app = Router::new().nest_service("/errors", pages);
                let serving = tokio::spawn(async move { axum::serve(listener, app).await });
                Serving::Axum(address, serving.abort_handle())
            }
            Self::Actix => Serving::Actix(ActixServer::start(tracker, move |app| {
                app.service(mount("/errors", pages.clone()));
            })),
            Self::ActixScope => Serving::Actix(ActixServer::start(tracker, move |app| {
                app.service(actix_web::web::scope("/ops").service(mount("errors/", pages.clone())));
            })),
        })
    }
}

impl Serving {
    fn address(&self) -> SocketAddr {
        match self {
            Self::Axum(address, _) => *address,
            Self::Actix(server) => server.address,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Self::Axum(_, task) = self {
            task.abort();
        }
    }
}

macro_rules! journeys {
    ($($name:ident: $host:ident)*) => {
        $(
            mod $name {
                #[tokio::test(flavor = "multi_thread")]
                async fn sqlite() -> anyhow::Result<()> {
                    super::journey(super::Host::$host, errtrack_tests::Database::sqlite()?).await
                }
                #[tokio::test(flavor = "multi_thread")]
                async fn postgres() -> anyhow::Result<()> {
                    let Some(database) = errtrack_tests::Database::postgres()? else { return Ok(()) };
                    super::journey(super::Host::$host, database).await
                }
            }
        )*
    };
}

journeys! {
    on_axum: Axum
    on_actix: Actix
    in_a_scope_of_actix: ActixScope
}

async fn journey(host: Host, database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    Accounts::ensure_owner(&store, EMAIL, PASSWORD).await?;
    let tracker = Tracker::builder().project("shop").store(store).build().await?;
    let serving = host.serve(&tracker, errtrack::web::router(&tracker, Access::accounts())).await?;
    let place = host.place();

    // Nobody is signed in: with and without a slash one is sent to the same page.
    let mut stranger = Client::new(serving.address());
    for home in [place.to_owned(), format!("{place}/")] {
        let answer = stranger.get(&home).await?;
        assert_eq!(answer.status, 303, "{home}: {}", answer.text());
        let to = answer.headers[header::LOCATION].to_str()?;
        assert!(to.starts_with(&format!("{place}/login")), "{to}");
    }
    let page = stranger.get(&format!("{place}/login")).await?.text();
    let asset = page.split('"').find(|part| part.contains("/assets/")).context("a style sheet")?;
    assert!(asset.starts_with(place), "{asset}");
    assert_eq!(stranger.get(asset).await?.status, 200, "links under the prefix work");
    assert_eq!(stranger.get(&format!("{place}/nowhere")).await?.status, 404);
    assert_eq!(stranger.get(&format!("{place}x")).await?.status, 404, "a prefix ends where a part of the path does");

    // Ana signs in.
    let mut form = Client::new(serving.address()).header("content-type", "application/x-www-form-urlencoded");
    let wrong = form.post(&format!("{place}/login"), format!("email={EMAIL}&password=wrong")).await?;
    assert_eq!(wrong.status, 401);
    let body = format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
    let signed_in = form.post(&format!("{place}/login"), body).await?;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    let cookie = signed_in.headers[header::SET_COOKIE].to_str()?;
    assert!(cookie.contains(&format!("Path={place}")), "{cookie}");
    let mut ana = Client::new(serving.address()).header("cookie", cookie.split(';').next().context("a cookie")?);

    // An SDK reports, packed and not.
    let path = format!("{place}/api/1/envelope/?sentry_key={}", tracker.project().public_key());
    for (title, packed) in [("Packed", true), ("Plain", false)] {
        let event = json!({ "exception": { "values": [{ "type": title, "value": "it broke" }] } });
        let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let answer = if packed {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(envelope.as_bytes())?;
            let mut sdk = Client::new(serving.address()).header("content-encoding", "gzip");
            sdk.post(&path, gzip.finish()?).await?
        } else {
            Client::new(serving.address()).post(&path, envelope).await?
        };
        assert_eq!(answer.status, 200, "{title}: {}", answer.text());
    }
    let list = ana.get(&format!("{place}/issues")).await?;
    assert_eq!(list.status, 200);
    for title in ["Packed", "Plain"] {
        assert!(list.text().contains(title), "{title}");
    }
    let link = format!("{place}/issues/SHOP-1");
    assert!(list.text().contains(&format!("href=\"{link}")), "{}", list.text());
    assert_eq!(ana.get(&link).await?.status, 200);
    let issues = ana.get(&format!("{place}/api/errors")).await?.json();
    assert_eq!(issues["data"]["errors"].as_array().map(Vec::len), Some(2), "{issues}");
    assert_eq!(stranger.get(&format!("{place}/api/errors")).await?.status, 401);

    // She decides, by a form and by the API.
    let cookie = cookie.split(';').next().context("a cookie")?;
    let mut decides = form.header("cookie", cookie);
    let answer = decides.post(&format!("{link}/resolve"), "").await?;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let issue = ana.get(&format!("{place}/api/errors/SHOP-1")).await?.json();
    assert_eq!(status(&issue), Some("resolved"), "{issue}");

    // What the router answers is none of the host's failures.
    let broken = stranger.post(&path, "no envelope").await?;
    assert!(broken.status.is_client_error());
    assert_eq!(tracker.balance().captured, 2, "the two that the SDK reported");
    Ok(())
}

fn status(issue: &Value) -> Option<&str> {
    issue.pointer("/data/status").or_else(|| issue.pointer("/data/error/status"))?.as_str()
}
