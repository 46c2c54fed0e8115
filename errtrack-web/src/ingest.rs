//! Taking reports: four dialects, one pipeline.
//!
//! | Path | Dialect |
//! |---|---|
//! | `/api/errors` | our REST API |
//! | `/api/v1/errors`, `…/batch` | reports of web and mobile apps |
//! | `/error-tracker/api/errors` | the error-tracker service |
//! | `/api/{project}/envelope/`, `…/store/` | Sentry SDKs |
//!
//! Each reads its own shape into an [`Event`](errtrack_core::Event), hands it to [`Tracker::ingest`](errtrack_core::Tracker),
//! and answers in its own words when the report is durable.

mod body;
mod cors;
mod fields;
pub(crate) mod json;
mod legacy;
mod native;
mod peer;
mod reports;
mod sentry;
mod unpack;

pub(crate) use native::create as create_error;

use crate::app::App;
use axum::{Router, middleware};
use errtrack_core::{Event, EventId};

/// The routes of all dialects but `POST /api/errors`, which shares its path with the list. They need the state twice: CORS asks
/// it for the origins.
pub(crate) fn routes(app: &App) -> Router<App> {
    Router::new()
        .merge(reports::routes())
        .merge(legacy::routes())
        .merge(sentry::routes())
        .layer(middleware::from_fn_with_state(app.clone(), cors::layer))
}

/// Lets browsers on other origins report through a route.
pub(crate) fn with_cors(app: &App, routes: Router<App>) -> Router<App> {
    routes.layer(middleware::from_fn_with_state(app.clone(), cors::layer))
}

/// An event that was just received. It has no id yet: one that the tracker makes need not be looked up.
fn received() -> Event {
    Event { event_id: EventId::default(), ..Event::new() }
}
