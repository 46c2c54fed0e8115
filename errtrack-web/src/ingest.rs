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
pub(crate) mod fields;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod json;
mod legacy;
mod native;
pub(crate) mod peer;
mod reports;
mod sentry;
mod unpack;

use crate::{api, app::App, error::Error};
use axum::{Router, middleware};
use errtrack_core::{Event, EventId, Issue, IssueRef, ProjectId, Receipt, StoreError, store::Outcome};
use peer::Peer;
use serde_json::json;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

/// The routes of all dialects, with the description of all but Sentry's. They need the state twice: CORS asks it for the
/// origins.
pub(crate) fn routes(app: &App) -> (Router<App>, Document) {
    let described = OpenApiRouter::new().merge(native::routes()).merge(reports::routes()).merge(legacy::routes());
    let (described, document) = described.split_for_parts();
    (with_cors(app, described.merge(sentry::routes())), document)
}

/// Lets browsers on other origins report through a route.
fn with_cors(app: &App, routes: Router<App>) -> Router<App> {
    // The layer answers OPTIONS, so it must lie around what answers unknown methods.
    routes
        .method_not_allowed_fallback(api::wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), cors::layer))
}

/// An event that was just received. It has no id yet: one that the tracker makes need not be looked up.
fn received() -> Event {
    Event { event_id: EventId::default(), ..Event::new() }
}

/// The context that says where a report came from.
pub(crate) const REPORTER: &str = "reporter";

/// Notes the address that a report came from. Whoever reports need not be the user whom it happened to, so it is no fact about
/// a user; and it was asked for, so it is no part of the request, whose addresses are filtered.
fn note_reporter(event: &mut Event, Peer(peer): Peer) {
    if let Some(peer) = peer {
        event.contexts.insert(REPORTER.into(), json!({ "ip_address": peer.to_string() }));
    }
}

/// The issue that a report belongs to, as it stands after it; `None` if that cannot be known now. That is no failure: what
/// is durable must not be sent again because it cannot be read back.
async fn issue_of(app: &App, project: ProjectId, receipt: &Receipt) -> Result<Option<Issue>, Error> {
    match find_issue(app, project, receipt).await {
        Err(error) if error.is_unavailable() => {
            Error::from(error).log();
            Ok(None)
        }
        found => Ok(found?),
    }
}

async fn find_issue(app: &App, project: ProjectId, receipt: &Receipt) -> Result<Option<Issue>, StoreError> {
    let issue = match receipt {
        // Committed by an attempt whose answer was lost: the event knows its issue.
        Receipt::Recorded { event, outcome: Outcome::Settled, .. } => {
            app.store().event(Some(&[project]), event.uuid()).await?.map(|event| event.issue)
        }
        Receipt::Recorded { issue, .. } => Some(*issue),
        Receipt::Spooled { .. } | Receipt::Ignored { .. } => None,
    };
    match issue {
        Some(issue) => app.store().issue(&IssueRef::Id(issue)).await,
        None => Ok(None),
    }
}
