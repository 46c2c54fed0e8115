//! The REST API: every answer is `{"data":…,"status":"success"}` or `{"error":…,"status":"error"}`.

mod audit;
mod errors;
mod event;
mod health;
mod input;
pub(crate) mod item;
mod keys;
mod metrics;
mod monitoring;
mod openapi;
mod params;
mod rules;
mod sanitizer;
mod settings;
mod team;

use crate::{app::App, error::Error, ingest};
use axum::{
    Json,
    http::StatusCode,
    routing::{any, delete, get, post, put},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A router that describes what it serves.
type Router = OpenApiRouter<App>;

pub(crate) fn routes(app: &App) -> axum::Router<App> {
    let described = openapi::router()
        .routes(routes!(errors::list::list))
        .routes(routes!(errors::show::show))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(team::list))
        .routes(routes!(team::invite))
        .routes(routes!(team::change, team::remove))
        .routes(routes!(team::reset))
        .routes(routes!(audit::log));
    // Reports of browsers share a path with the list.
    let shared = ingest::with_cors(app, axum::Router::new().route("/api/errors", post(ingest::create_error)));
    openapi::serve(described)
        .merge(unknown())
        .merge(shared)
        .route("/api/errors/{id}", delete(errors::delete))
        .route("/api/errors/{id}/resolve", put(errors::resolve))
        .route("/api/errors/{id}/unresolve", put(errors::unresolve))
        .route("/api/errors/{id}/ignore", put(errors::ignore))
        .route("/api/errors/merge", post(errors::merge))
        .route("/api/errors/{id}/groups", get(errors::groups))
        .route("/api/errors/{id}/unmerge", post(errors::unmerge))
        .route("/api/errors/{id}/events", get(errors::events))
        .route("/api/events/{id}", get(event::show))
        .route("/api/events/{id}/pin", put(event::pin).merge(delete(event::unpin)))
        .route("/api/monitoring/balance", get(monitoring::balance))
        .route("/api/settings/retention", get(settings::show_retention))
        .route("/api/settings/retention/preview", post(settings::preview_retention))
        .route("/api/settings/retention/run", post(settings::run_retention))
        .route("/api/settings/set-aside", get(settings::set_aside))
        .route("/api/settings/projects/{id}/rules", get(rules::show).merge(put(rules::put)))
        .route("/api/settings/projects/{id}/rules/preview", post(rules::preview))
        .route("/api/settings/projects/{id}/sanitizer", get(sanitizer::show).merge(put(sanitizer::put)))
        .route("/api/settings/projects/{id}/sanitizer/preview", post(sanitizer::preview))
        .route("/health", get(health::health))
        .route("/metrics", get(metrics::metrics))
        .method_not_allowed_fallback(wrong_method)
}

/// Every other path below `/api`, level by level: a route that takes all levels at once would stand in the way of
/// `/api/{project}/envelope/`, and the fallback of the router belongs to the pages.
fn unknown() -> axum::Router<App> {
    const PATHS: [&str; 8] = [
        "/api",
        "/api/",
        "/api/{project}",
        "/api/{project}/",
        "/api/{project}/{a}",
        "/api/{project}/{a}/",
        "/api/{project}/{a}/{b}",
        "/api/{project}/{a}/{b}/{*rest}",
    ];
    PATHS.into_iter().fold(axum::Router::new(), |router, path| router.route(path, any(not_found)))
}

async fn not_found() -> Error {
    Error::not_found("endpoint")
}

pub(crate) async fn wrong_method() -> Error {
    Error::new(StatusCode::METHOD_NOT_ALLOWED, "this endpoint does not know that method")
}

/// The frame of an answer.
#[derive(Debug, Serialize, ToSchema)]
struct Frame<T> {
    data: T,
    #[schema(pattern = "^success$")]
    status: &'static str,
}

/// The frame of an answer.
pub(crate) fn success<T: Serialize>(data: T) -> Json<impl Serialize> {
    Json(Frame { data, status: "success" })
}
