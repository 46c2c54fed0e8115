//! The web side of errtrack: one axum router that takes reports, answers the API and shows the dashboard.
//!
//! It works under any prefix and knows it only by what axum says of the mount point. It reads and writes through
//! [`Tracker`] and the store's traits; it knows no SQL.

mod access;
mod alerts;
mod api;
mod app;
mod cache;
mod config;
mod cors;
mod error;
mod figures;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod incidents;
mod ingest;
mod integrations;
mod limits;
mod links;
mod live;
mod mcp;
mod monitoring;
mod ownership;
mod pages;
mod projects;
mod push;
mod quotas;
#[cfg(feature = "redis")]
mod redis;
mod regroup;
mod retention;
mod router;
mod shared;
mod status;
#[cfg(test)]
mod tests;
mod tickets;
mod triage;

pub use access::{Access, Accounts, Guest, InvalidOidc, Oidc, Permissions};
pub use config::{Config, Origins, RateLimits, Stop};
pub use errtrack_core::{AllowedTargets, Role, TrustedProxies};
pub use errtrack_notify::{Channel, InvalidChannel, Kind};
pub use monitoring::{InvalidTarget, Target};
#[cfg(feature = "redis")]
pub use redis::{InvalidRedisUrl, Redis};

use errtrack_core::Tracker;

/// The router, ready to be mounted: `Router::nest("/errors", …)`, or `nest_service`, which also answers `/errors/`.
///
/// Mount it outside of a `CaptureLayer`, so that its own failures are not reported to itself.
///
/// # Example
/// ```no_run
/// # fn example(tracker: errtrack_core::Tracker) -> axum::Router {
/// use errtrack_web::{Access, router};
///
/// axum::Router::new().nest("/errors", router(&tracker, Access::token("secret")))
/// # }
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(tracker: &Tracker, access: impl Into<Access>) -> axum::Router<S> {
    router_with(tracker, access, Config::default())
}

/// The same with a configuration of one's own.
pub fn router_with<S: Clone + Send + Sync + 'static>(
    tracker: &Tracker,
    access: impl Into<Access>,
    config: Config,
) -> axum::Router<S> {
    router::build(app::App::new(tracker, access.into(), config))
}
