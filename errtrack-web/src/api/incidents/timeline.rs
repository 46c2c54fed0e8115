//! What happened to an incident, and what people say about it.

use super::{
    detail,
    item::{Detail, Entry},
};
use crate::{
    access::{Read, Write},
    api::{
        Frame,
        body::{Sent, fields},
        openapi::Failures,
        params::Params,
        success,
    },
    app::App,
    error::Error,
    incidents,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::incident::IncidentChange;
use serde::Serialize;
use utoipa::ToSchema;

/// One page of a timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentTimeline)]
pub(in crate::api) struct Timeline {
    entries: Vec<Entry>,
    /// The `cursor` of the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Shows the timeline of an incident
///
/// The oldest first. Past a thousand entries, firings of its rule are counted but not noted.
#[utoipa::path(
    get,
    path = "/api/alerts/incidents/{id}/timeline",
    tag = "Incidents",
    operation_id = "show_incident_timeline",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("id" = String, Path, description = "UUID"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1_000, description = "Entries of a page; 50 unless set"),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` that was answered"),
    ),
    responses((status = 200, description = "A page of the timeline", body = Frame<Timeline>), Failures),
)]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let limit = params.limit_of(1_000)?;
    let after = params.parse::<i64>("cursor", "a `next_cursor` that was answered")?;
    let incident = caller.find_incident(&app, &id).await?;
    let mut entries = app.store().incident_timeline(incident.id, after, limit + 1).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > page;
    entries.truncate(page);
    let next_cursor = entries.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(success(Timeline { entries: entries.into_iter().map(Entry::from).collect(), next_cursor }).into_response())
}

/// What is to be said.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
#[schema(as = NewIncidentComment)]
pub(in crate::api) struct NewComment {
    /// Markdown.
    #[schema(min_length = 1, max_length = 10_000)]
    text: String,
}

/// Comments on an incident
///
/// In its timeline.
#[utoipa::path(
    post,
    path = "/api/alerts/incidents/{id}/comments",
    tag = "Incidents",
    operation_id = "comment_on_incident",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID")),
    request_body = NewComment,
    responses((status = 201, description = "The incident", body = Frame<Detail<'_>>), Failures),
)]
pub(in crate::api) async fn comment(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let text = incidents::note("text", &fields(body)?.required("text")?)?;
    let incident = caller.find_incident(&app, &id).await?;
    let change = IncidentChange { note: Some(text), ..IncidentChange::default() };
    let incident = caller.change_incident(&app, &incident, &change).await?;
    Ok((StatusCode::CREATED, detail(&app, &caller, incident).await?))
}
