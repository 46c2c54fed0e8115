//! The REST API: every answer is `{"data":…,"status":"success"}` or `{"error":…,"status":"error"}`.

mod alerts;
mod analytics;
mod audit;
mod body;
pub(crate) mod errors;
pub(crate) mod event;
mod health;
mod incidents;
mod input;
mod integrations;
pub(crate) mod item;
mod keys;
pub(crate) mod live;
mod metrics;
mod monitoring;
pub(crate) mod openapi;
mod ownership;
pub(crate) mod params;
mod projects;
mod push;
mod quota;
mod retention;
mod rules;
mod sanitizer;
mod settings;
mod team;
mod users;
mod watch;

use crate::{
    app::App,
    cors::{self, Cors},
    error::Error,
    ingest,
};
use axum::{Json, http::StatusCode, middleware, routing::any};
use serde::Serialize;
use utoipa::{ToSchema, openapi::OpenApi as Document};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A router that describes what it serves.
type Router = OpenApiRouter<App>;

/// The routes of the API and of reports, which share paths, and what describes them.
pub(crate) fn routes(app: &App) -> (axum::Router<App>, Document) {
    let (reports, dialects) = ingest::routes(app);
    let described = openapi::router()
        .routes(routes!(errors::list::list))
        .routes(routes!(errors::regroup::merge))
        .routes(routes!(errors::show::show, errors::change::delete))
        .routes(routes!(errors::change::resolve))
        .routes(routes!(errors::change::unresolve))
        .routes(routes!(errors::change::ignore))
        .routes(routes!(errors::change::assign))
        .routes(routes!(errors::change::bulk))
        .routes(routes!(errors::comments::list, errors::comments::create))
        .routes(routes!(errors::tickets::list, errors::tickets::create))
        .routes(routes!(errors::tickets::delete))
        .routes(routes!(errors::show::events))
        .routes(routes!(errors::regroup::groups))
        .routes(routes!(errors::regroup::unmerge))
        .routes(routes!(event::show))
        .routes(routes!(event::pin, event::unpin))
        .routes(routes!(live::live))
        .routes(routes!(analytics::stats))
        .routes(routes!(analytics::trends))
        .routes(routes!(analytics::performance))
        .routes(routes!(monitoring::balance))
        .routes(routes!(watch::services))
        .routes(routes!(watch::metrics))
        .routes(routes!(watch::uptime))
        .routes(routes!(alerts::list, alerts::create))
        .routes(routes!(alerts::preview))
        .routes(routes!(alerts::show, alerts::change, alerts::delete))
        .routes(routes!(alerts::history::history))
        .routes(routes!(watch::history))
        .routes(routes!(incidents::list, incidents::change::create))
        .routes(routes!(incidents::show, incidents::change::change, incidents::change::delete))
        .routes(routes!(incidents::timeline::list))
        .routes(routes!(incidents::timeline::comment))
        .routes(routes!(incidents::issues::link))
        .routes(routes!(incidents::issues::unlink))
        .routes(routes!(settings::show_retention))
        .routes(routes!(settings::preview_retention))
        .routes(routes!(settings::run_retention))
        .routes(routes!(settings::set_aside))
        .routes(routes!(projects::list, projects::create))
        .routes(routes!(projects::update, projects::delete))
        .routes(routes!(projects::add_key))
        .routes(routes!(projects::remove_key))
        .routes(routes!(retention::show, retention::put))
        .routes(routes!(quota::show, quota::put))
        .routes(routes!(rules::show, rules::put))
        .routes(routes!(rules::preview))
        .routes(routes!(ownership::show, ownership::put))
        .routes(routes!(sanitizer::show, sanitizer::put))
        .routes(routes!(sanitizer::preview))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(integrations::list))
        .routes(routes!(integrations::put, integrations::delete))
        .routes(routes!(integrations::test))
        .routes(routes!(integrations::deliveries))
        .routes(routes!(integrations::retry))
        .routes(routes!(push::list, push::create))
        .routes(routes!(push::remove))
        .routes(routes!(push::test))
        .routes(routes!(team::list))
        .routes(routes!(team::invite))
        .routes(routes!(team::change, team::remove))
        .routes(routes!(team::reset))
        .routes(routes!(audit::log))
        .routes(routes!(users::erase))
        .routes(routes!(users::export))
        .routes(routes!(health::health))
        .routes(routes!(metrics::metrics));
    let (described, document) = openapi::serve(described, dialects);
    let cors = middleware::from_fn_with_state(Cors::new(app.config(), &document), cors::layer);
    let routes = described.merge(reports).merge(unknown()).method_not_allowed_fallback(wrong_method);
    (routes.layer(cors), document)
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
pub(crate) struct Frame<T> {
    data: T,
    #[schema(pattern = "^success$")]
    status: &'static str,
}

/// The frame of an answer.
pub(crate) fn success<T: Serialize>(data: T) -> Json<impl Serialize> {
    Json(frame(data))
}

/// The same, before it is JSON.
fn frame<T: Serialize>(data: T) -> Frame<T> {
    Frame { data, status: "success" }
}
