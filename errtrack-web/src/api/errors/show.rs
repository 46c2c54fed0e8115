//! `GET /api/errors/{id}`, and the events of an issue.

use super::markdown;
use crate::{
    access::Read,
    api::{Frame, event::View, item, openapi::Failures, params::Params, success},
    app::App,
    error::Error,
    links::Links,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Shows an issue
///
/// With what its newest stored event adds.
#[utoipa::path(
    get,
    path = "/api/errors/{id}",
    tag = "Issues",
    operation_id = "show_error",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "The issue", body = Frame<item::Detail<'_>>), Failures),
)]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
    links: Links,
) -> Result<impl IntoResponse, Error> {
    if let Some(id) = id.strip_suffix(markdown::SUFFIX) {
        let issue = caller.find_issue(&app, id).await?;
        return markdown::markdown(&app, &issue, &links).await;
    }
    let issue = caller.find_issue(&app, &id).await?;
    Ok(success(item::detail(&app, &issue).await?).into_response())
}

/// One page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Events<'a> {
    events: Vec<View<'a>>,
    /// The `cursor` of the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Lists the events of an issue
///
/// Those that are kept, the newest first.
#[utoipa::path(
    get,
    path = "/api/errors/{id}/events",
    tag = "Events",
    operation_id = "list_events",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "UUID or short id"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Entries of a page; 50 unless set"),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` that was answered")),
    responses((status = 200, description = "A page of events", body = Frame<Events<'_>>), Failures),
)]
pub(in crate::api) async fn events(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let limit = params.limit()?;
    let cursor = params.parse("cursor", "a `next_cursor` that was answered")?;
    let issue = caller.find_issue(&app, &id).await?;
    let page = app.store().events(issue.id, cursor.as_ref(), limit).await?;
    let events = page.events.iter().map(View::new).collect();
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    Ok(success(Events { events, next_cursor }).into_response())
}
