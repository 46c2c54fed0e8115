//! `GET /api/stats` and `/api/analytics/…`: figures over time, from rollups.

use super::{Frame, frame, item::Item, openapi::Failures, params::Params};
use crate::{
    access::Read,
    app::App,
    error::Error,
    figures::{self, EnvironmentFigures, GroupBy, Performance, Period, Stats, Timeframe, TopError, Trend},
};
use axum::{extract::State, response::Response};
use errtrack_core::Timestamp;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// For how long figures are kept, if nothing is written that changes them.
const KEPT: Duration = Duration::from_secs(300);
/// The same for readings, which come all the time.
const FRESH: Duration = Duration::from_secs(15);

/// How many errors there are, and how it goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stats)]
pub(super) struct View<'a> {
    /// Issues that there are.
    total_errors: i64,
    /// Those of them that are resolved.
    resolved_errors: i64,
    /// Events since midnight, UTC.
    errors_today: i64,
    /// Events since Monday.
    errors_this_week: i64,
    /// Events since the first of the month.
    errors_this_month: i64,
    /// Events per hour over the last 24 hours.
    error_rate_24h: f64,
    /// The share of issues that are resolved, in percent.
    resolution_rate: f64,
    /// How long it took to resolve an issue, from when it was first seen, on average over all that ever were; `null` if none was.
    #[schema(example = "2h 15m")]
    avg_resolution_time: Option<String>,
    /// Events that were ever counted.
    total_events: i64,
    /// Issues that were made in the last 24 hours.
    new_errors_24h: i64,
    /// Events by environment, the most first.
    by_environment: &'a [EnvironmentFigures],
    /// The issues with the most events in the last 24 hours.
    top_errors: Vec<TopError<'a>>,
}

impl<'a> View<'a> {
    fn new(stats: &'a Stats) -> Self {
        Self {
            total_errors: stats.issues,
            resolved_errors: stats.resolved,
            errors_today: stats.today,
            errors_this_week: stats.this_week,
            errors_this_month: stats.this_month,
            error_rate_24h: stats.per_hour(),
            resolution_rate: stats.resolution_rate(),
            avg_resolution_time: stats.resolving.map(figures::duration),
            total_events: stats.events,
            new_errors_24h: stats.new_24h,
            by_environment: &stats.environments,
            top_errors: stats.top.iter().map(|(issue, n)| TopError { item: Item::new(issue), count_24h: *n }).collect(),
        }
    }
}

/// Shows figures at large
///
/// Issues count as they are now; events count when they happened, and stay counted when issues are deleted. Answers are kept
/// for five minutes at most, and made anew after every write.
#[utoipa::path(
    get,
    path = "/api/stats",
    tag = "Figures",
    operation_id = "show_stats",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("project" = Option<String>, Query, description = "Of the project with this slug"),
        ("environment" = Option<String>, Query, description = "Events from this environment, issues that were seen in it"),
    ),
    responses((status = 200, description = "The figures", body = Frame<View<'_>>), Failures),
)]
pub(super) async fn stats(State(app): State<App>, Read(caller): Read, params: Params) -> Result<Response, Error> {
    let scope = figures::scope(&app, &caller, &params).await?;
    let body = figures::kept(&app, &scope, "stats", KEPT, async |now| {
        let stats = Stats::read(app.store(), &scope, now).await?;
        // With what it borrows from.
        Ok(serde_json::to_value(frame(View::new(&stats))).map_err(errtrack_core::StoreError::other)?)
    });
    Ok(figures::json(body.await?))
}

/// Shows what happened over time
///
/// In buckets of UTC, those without events too; weeks begin on Monday. The first bucket is whole, also where the period begins
/// within it. Answers are kept for five minutes at most, and made anew after every write.
#[utoipa::path(
    get,
    path = "/api/analytics/trends",
    tag = "Figures",
    operation_id = "show_trends",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("period" = Option<Period>, Query, description = "How far back: 24 hours, 7, 30 or 365 days; `week` unless set"),
        ("group_by" = Option<GroupBy>, Query, description = "How long a bucket is; `day` unless set"),
        ("project" = Option<String>, Query, description = "Of the project with this slug"),
        ("environment" = Option<String>, Query, description = "Of this environment"),
    ),
    responses((status = 200, description = "The buckets, the oldest first", body = Frame<Trend>), Failures),
)]
pub(super) async fn trends(State(app): State<App>, Read(caller): Read, params: Params) -> Result<Response, Error> {
    let what = "one of day, week, month, year";
    let period: Period = params.parse("period", what)?.unwrap_or_default();
    let group_by: GroupBy = params.parse("group_by", "one of hour, day, week, month")?.unwrap_or_default();
    let scope = figures::scope(&app, &caller, &params).await?;
    let name = format!("trends {} {}", period.name(), group_by.name());
    let body = figures::kept(&app, &scope, &name, KEPT, async |now| {
        Ok(frame(Trend::read(app.store(), &scope, period, group_by, now).await?))
    });
    Ok(figures::json(body.await?))
}

/// Shows how fast requests were answered
///
/// From what the middleware (`CaptureLayer`, `Capture`) of all processes counted; each tells it twice a minute. Time is looked
/// at in buckets of 10 minutes, an hour or a day, the first of which is whole.
#[utoipa::path(
    get,
    path = "/api/analytics/performance",
    tag = "Figures",
    operation_id = "show_performance",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("timeframe" = Option<Timeframe>, Query, description = "How far back; `1h` unless set"),
        ("project" = Option<String>, Query, description = "Of the project with this slug"),
    ),
    responses((status = 200, description = "The figures", body = Frame<Performance>), Failures),
)]
pub(super) async fn performance(State(app): State<App>, Read(caller): Read, params: Params) -> Result<Response, Error> {
    let timeframe: Timeframe = params.parse("timeframe", Timeframe::WHAT)?.unwrap_or_default();
    let scope = figures::scope(&app, &caller, &params).await?;
    let key = format!("performance {} {:?}", timeframe.name(), scope.projects);
    let body = figures::for_a_while(&app, &key, FRESH, async || {
        let projects = scope.projects.as_deref();
        Ok(frame(Performance::read(app.store(), projects, timeframe, Timestamp::now()).await?))
    });
    Ok(figures::json(body.await?))
}
