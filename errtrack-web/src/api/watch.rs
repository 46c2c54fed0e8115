//! `GET /api/monitoring/services|metrics|uptime`: how everything is doing.

use super::{Frame, frame, openapi::Failures, params::Params};
use crate::{
    access::Read,
    app::App,
    error::Error,
    figures::{self, Timeframe},
    monitoring::{self, History, Machine, Services, Uptime},
};
use axum::{extract::State, response::Response};
use errtrack_core::Timestamp;
use std::time::Duration;

/// For how long answers are kept. Readings come four times a minute at most.
const FRESH: Duration = Duration::from_secs(5);
/// The same for what is told over a month.
const SLOW: Duration = Duration::from_secs(30);

/// Shows how services are doing
///
/// The database, the cache and the queue are looked at now; what the configuration names (`MONITOR_URLS`) was looked at within
/// the last minute.
#[utoipa::path(
    get,
    path = "/api/monitoring/services",
    tag = "System",
    operation_id = "show_services",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "The services", body = Frame<Services>), Failures),
)]
pub(super) async fn services(State(app): State<App>, _: Read) -> Result<Response, Error> {
    let body = figures::for_a_while(&app, "services", FRESH, async || Ok(frame(monitoring::services(&app).await?)));
    Ok(figures::json(body.await?))
}

/// Shows how services did over time
///
/// How fast they answered, and how much of the last day, week and month they were well: the database, the cache, the queue,
/// and what the configuration names.
#[utoipa::path(
    get,
    path = "/api/monitoring/history",
    tag = "System",
    operation_id = "show_services_history",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("timeframe" = Option<Timeframe>, Query, description = "How far back; `1h` unless set")),
    responses((status = 200, description = "The history", body = Frame<History>), Failures),
)]
pub(super) async fn history(State(app): State<App>, _: Read, params: Params) -> Result<Response, Error> {
    let timeframe: Timeframe = params.parse("timeframe", Timeframe::WHAT)?.unwrap_or_default();
    let key = format!("history {}", timeframe.name());
    let body = figures::for_a_while(&app, &key, SLOW, async || {
        Ok(frame(History::read(app.store(), timeframe, Timestamp::now()).await?))
    });
    Ok(figures::json(body.await?))
}

/// Shows how the machine is doing
///
/// Real readings, averaged over the timeframe and all nodes; sums for what goes over the network.
#[utoipa::path(
    get,
    path = "/api/monitoring/metrics",
    tag = "System",
    operation_id = "show_machine",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("timeframe" = Option<Timeframe>, Query, description = "How far back; `1h` unless set")),
    responses((status = 200, description = "The readings", body = Frame<Machine>), Failures),
)]
pub(super) async fn metrics(State(app): State<App>, _: Read, params: Params) -> Result<Response, Error> {
    let timeframe: Timeframe = params.parse("timeframe", Timeframe::WHAT)?.unwrap_or_default();
    let key = format!("machine {}", timeframe.name());
    let body = figures::for_a_while(&app, &key, FRESH, async || {
        Ok(frame(Machine::read(app.store(), timeframe, Timestamp::now()).await?))
    });
    Ok(figures::json(body.await?))
}

/// Shows since when the service is there
///
/// And when it was not, over restarts: each process leaves a trace of its life in the database twice a minute.
#[utoipa::path(
    get,
    path = "/api/monitoring/uptime",
    tag = "System",
    operation_id = "show_uptime",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "The uptime", body = Frame<Uptime>), Failures),
)]
pub(super) async fn uptime(State(app): State<App>, _: Read) -> Result<Response, Error> {
    let body = figures::for_a_while(&app, "uptime", SLOW, async || {
        Ok(frame(Uptime::read(app.store(), Timestamp::now()).await?))
    });
    Ok(figures::json(body.await?))
}
