//! The issues that are linked to an incident.

use super::{detail, item::Detail};
use crate::{
    access::Write,
    api::{
        Frame,
        body::{Sent, fields},
        openapi::Failures,
    },
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use utoipa::ToSchema;

/// Issues that are to be linked.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
#[schema(as = IncidentIssues)]
pub(in crate::api) struct Link {
    /// By UUID or short id.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
}

/// Links issues to an incident
///
/// Of its project, if it is about one; a hundred in all.
#[utoipa::path(
    post,
    path = "/api/alerts/incidents/{id}/issues",
    tag = "Incidents",
    operation_id = "link_issues",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID")),
    request_body = Link,
    responses((status = 200, description = "The incident", body = Frame<Detail<'_>>), Failures),
)]
pub(in crate::api) async fn link(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let names = fields(body)?.texts_of("ids")?;
    let incident = caller.find_incident(&app, &id).await?;
    caller.link_issues(&app, &incident, &names).await?;
    let incident = caller.find_incident(&app, &id).await?;
    detail(&app, &caller, incident).await
}

/// Takes the link to an issue away
#[utoipa::path(
    delete,
    path = "/api/alerts/incidents/{id}/issues/{issue}",
    tag = "Incidents",
    operation_id = "unlink_issue",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(
        ("id" = String, Path, description = "UUID"),
        ("issue" = String, Path, description = "UUID or short id of the issue"),
    ),
    responses((status = 200, description = "The incident", body = Frame<Detail<'_>>), Failures),
)]
pub(in crate::api) async fn unlink(
    State(app): State<App>,
    Write(caller): Write,
    Path((id, issue)): Path<(String, String)>,
) -> Result<impl IntoResponse, Error> {
    let incident = caller.find_incident(&app, &id).await?;
    caller.unlink_issue(&app, &incident, &issue).await?;
    let incident = caller.find_incident(&app, &id).await?;
    detail(&app, &caller, incident).await
}
