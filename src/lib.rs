//! An error tracker that lives inside your service.
//!
//! A tower layer, a panic hook and a `tracing` layer catch what goes wrong; a bounded queue carries it; a database file
//! beside the service keeps it, or a PostgreSQL that many processes share; a router mounted in the same app shows it.
//! Nothing else runs.
//!
//! # Quick start
//! ```toml
//! errtrack = { version = "0.1", features = ["axum", "sqlite", "tracing"] }
//! ```
#![cfg_attr(all(feature = "axum", feature = "sqlite", feature = "tracing"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "axum", feature = "sqlite", feature = "tracing")), doc = "```ignore")]
//! use errtrack::{web::Access, Breadcrumb, Level, ResultExt, SqliteStore, Tracker, User};
//! # use std::time::Duration;
//! # use tracing_subscriber::prelude::*;
//! # async fn handler() -> &'static str { "welcome" }
//! # fn fallible() -> Result<u16, std::num::ParseIntError> { "http".parse() }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open("errors.db").await?;
//! let tracker = Tracker::builder()
//!     .project("my-app").environment("production").release("1.4.0")
//!     .store(store)
//!     .build().await?;                                            // Clone + Send + Sync; dropping or shutdown() flushes
//! tracker.install_panic_hook();
//!
//! tracing_subscriber::registry()
//!     .with(errtrack::tracing::layer(&tracker))                   // ERROR → event; INFO, WARN → breadcrumbs
//!     .init();
//!
//! let app = axum::Router::new()
//!     .route("/", axum::routing::get(handler))
//!     .layer(errtrack::tower::CaptureLayer::new(&tracker))        // any tower service over http::Request
//!     .nest("/errors", errtrack::web::router(&tracker, Access::token("secret")));
//! # let _: axum::Router = app;
//!
//! // By hand, anywhere: the scope of the request is found without passing it along.
//! # let err = std::fmt::Error;
//! errtrack::capture_error(&err);                                  // with its chain of sources
//! errtrack::capture_message("cache rebuilt", Level::Info);
//! errtrack::configure_scope(|scope| { scope.set_user(User::id("42")); scope.set_tag("plan", "pro"); });
//! errtrack::add_breadcrumb(Breadcrumb::new("cache miss").category("cache"));
//! let value = fallible().capture()?;                              // reports the error and passes it on
//! tracker.flush(Duration::from_secs(2)).await;
//! # let _: u16 = value;
//! # Ok(())
//! # }
//! ```
//! In actix-web 4, with the feature `actix`:
#![cfg_attr(feature = "actix", doc = "```no_run")]
#![cfg_attr(not(feature = "actix"), doc = "```ignore")]
//! use actix_web::App;
//! # use errtrack::{Tracker, web::Access};
//!
//! # fn example(tracker: Tracker) {
//! App::new()
//!     .wrap(errtrack::actix::Capture::new(&tracker))
//!     .service(errtrack::actix::mount("/errors", errtrack::web::router(&tracker, Access::token("secret"))));
//! # }
//! ```
//! The dashboard is at `/errors`. Mounted by `nest_service` instead of `nest`, it answers at `/errors/` too.
//!
//! Handlers that return `Result<_, errtrack::axum::HandlerError>`, or `errtrack::actix::HandlerError`, can use `?` on any
//! error: it is captured with its chain and the route, and answered as a 500 that says nothing about the inside. Work that
//! is spawned with [`spawn`] stays in the scope of its request.
//!
//! # By hand
//! What runs side by side in one task shares its scope, unless each has one of its own:
#![cfg_attr(feature = "anyhow", doc = "```")]
#![cfg_attr(not(feature = "anyhow"), doc = "```ignore")]
//! use errtrack::{AnyhowExt, Level, ResultExt, ScopeExt};
//! # async fn fetch(from: &str) -> anyhow::Result<()> { Ok(()) }
//!
//! # async fn example() {
//! // Futures of `join!`, `select!`, `FuturesUnordered`; streams have the same by `StreamScopeExt`.
//! let (stock, prices) = tokio::join!(fetch("stock").in_scope(), fetch("prices").in_scope());
//!
//! // Something that holds for a few lines, or for one error.
//! errtrack::with_scope(|scope| scope.set_tag("shard", "7"), || errtrack::capture_message("slow", Level::Warning));
//! let port = "http".parse::<u16>().capture_with(|scope| scope.set_tag("variable", "PORT"));
//!
//! // `anyhow`, with the error's own backtrace where it has one; `eyre`: `capture_error(&**report)`.
//! let stock = stock.capture();
//!
//! // Tasks, blocking work and threads that stay in the scope.
//! errtrack::spawn(async { /* … */ });
//! errtrack::spawn_blocking(|| { /* … */ });
//! std::thread::spawn(errtrack::carry(|| { /* … */ }));
//! # }
//! ```
//!
//! # Less of it
//! ```
//! use errtrack::{Level, Rule, Tracker};
//!
//! let builder = Tracker::builder()
//!     .sample_rate(0.5)                                           // of everything
//!     .sample_rate_for(Level::Warning, 0.1)                       // of a level
//!     .sample_rate_of("*::ConnectionReset", 0.01)                 // of a type
//!     .ignore_rules([Rule::new().route("GET /health").status("503")])
//!     .ignore(|event| event.tags.contains_key("canary"))
//!     .before_send(|event| Some(event))
//!     .fingerprinter(|event| event.tags.get("job").map(|job| vec![job.clone()]))
//!     .on_issue(|change| drop(change.issue));
//! # drop(builder);
//! ```
//! What is left out is counted: as sampled, or as ignored.
//!
//! # In tests
//! With the feature `test`, `errtrack::test::captured` shows what a piece of a program captures, as events and as issues.
//!
//! # Features
//! None is on by default.
//!
//! | feature | brings |
//! |---|---|
//! | `tower` | the layer for any tower service, and nothing of a web framework |
//! | `axum` | `tower`, the web router, `HandlerError`, route templates |
//! | `actix` | the middleware for actix-web 4, its `HandlerError`, and the web router mounted there |
//! | `anyhow` | `capture_anyhow`, and `.capture()` on an `anyhow::Result` |
//! | `test` | a kit for a program's own tests; for its `dev-dependencies` |
//! | `tracing` | the layer for `tracing_subscriber` |
//! | `sqlite` | the store in a SQLite file |
//! | `postgres` | the store in a PostgreSQL database |
//! | `redis` | `web::Redis`: limits and kept answers that several processes share |
//! | `oidc` | `web::Oidc`: sign-in by OpenID Connect; with one of the features `tls-…` |
//! | `tls-ring`, `tls-aws-lc-rs` | TLS, by rustls with that provider: to PostgreSQL and Redis, to what is watched, to channels, to an issuer |
//! | `email` | mail as a channel by which people are told, by SMTP or Postmark |
//! | `webhook` | chats, signed webhooks and text messages as such channels; tickets of GitHub, GitLab and Jira |
//! | `full` | all of them but TLS and the test kit |
//!
//! # Where things are
//! This crate only gathers the rooms of the house; `ARCHITECTURE.md` tells which is which.

pub use errtrack_core::{
    Action, Balance, Breadcrumb, BreadcrumbSource, BuildError, Event, EventId, Exception, Frame, InScope,
    InvalidNetwork, InvalidRules, IssueChange, Latencies, Level, Mechanism, Message, Project, Request, RequestSource,
    ResultExt, RouteStatistics, Routes, Rule, Rules, Scope, ScopeExt, ScopeHandle, Stacktrace, StatusClass, Store,
    StoreError, StreamScopeExt, Timestamp, Tracker, TrackerBuilder, TrustedProxies, User, WeakTracker, add_breadcrumb,
    alert, capture_error, capture_error_with_backtrace, capture_event, capture_message, carry, configure_scope,
    grouping, incident, last_panic, ownership, rules, sanitize, spawn, spawn_blocking, store, tracker, with_scope,
};

#[cfg(feature = "test")]
pub use errtrack_core::test;
#[cfg(feature = "anyhow")]
pub use errtrack_core::{AnyhowExt, capture_anyhow};

#[cfg(feature = "postgres")]
pub use errtrack_store::PostgresStore;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use errtrack_store::SqlStore;
#[cfg(feature = "sqlite")]
pub use errtrack_store::SqliteStore;

/// Notifications, and with `email`, `webhook` or `push` the channels by which people are told.
pub mod notify {
    pub use errtrack_core::notify::*;
    #[cfg(any(feature = "email", feature = "push", feature = "webhook"))]
    pub use errtrack_notify::*;
}

/// The layer for any tower service over `http::Request`.
#[cfg(feature = "tower")]
pub mod tower {
    pub use errtrack_tower::*;
}

/// The layer for `tracing_subscriber`.
#[cfg(feature = "tracing")]
pub mod tracing {
    pub use errtrack_tracing::*;
}

/// The router: ingest, REST API and dashboard.
#[cfg(any(feature = "actix", feature = "axum"))]
pub mod web {
    pub use errtrack_web::*;
}

/// Helpers for axum handlers.
#[cfg(feature = "axum")]
pub mod axum {
    pub use errtrack_tower::HandlerError;
}

/// The middleware for actix-web 4, and the router mounted there.
#[cfg(feature = "actix")]
pub mod actix {
    pub use errtrack_actix::*;
}
