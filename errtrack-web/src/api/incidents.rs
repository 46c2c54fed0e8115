//! `/api/alerts/incidents`: what is wrong right now, and who looks into it.

pub(super) mod change;
pub(super) mod issues;
mod item;
pub(super) mod timeline;

use super::{Frame, openapi::Failures, params::Params, success};
use crate::{
    access::{Caller, Read},
    app::App,
    error::Error,
    incidents,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{
    Issue,
    incident::{Incident, IncidentStatus, Severity},
    store::IncidentQuery,
};
use item::{Detail, Item};
use serde::Serialize;
use utoipa::ToSchema;

/// One page of incidents.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Incidents)]
pub(super) struct List {
    incidents: Vec<Item>,
    /// The `cursor` of the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Lists incidents
///
/// The newest first.
#[utoipa::path(
    get,
    path = "/api/alerts/incidents",
    tag = "Incidents",
    operation_id = "list_incidents",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Incidents of a page; 50 unless set"),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` that was answered"),
        ("project" = Option<String>, Query, description = "About the project of this slug"),
        ("open" = Option<bool>, Query, description = "`true`: not resolved; `false`: resolved"),
        ("status" = Option<IncidentStatus>, Query, description = "In this status"),
        ("severity" = Option<Severity>, Query, description = "Of this severity"),
        ("issue" = Option<String>, Query, description = "To which this issue is linked: UUID or short id"),
    ),
    responses((status = 200, description = "A page of incidents", body = Frame<List>), Failures),
)]
pub(super) async fn list(
    State(app): State<App>,
    Read(caller): Read,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let limit = params.limit()?;
    let mut query = IncidentQuery {
        open: params.parse("open", "true or false")?,
        status: params.parse("status", "one of investigating, identified, monitoring, resolved")?,
        severity: params.parse("severity", "one of low, medium, high, critical")?,
        before: params.parse("cursor", "a `next_cursor` that was answered")?,
        limit: limit + 1,
        ..IncidentQuery::default()
    };
    if let Some(slug) = params.text("project") {
        // An unknown project has no incidents.
        let project = caller.project_by_slug(&app, &slug.to_lowercase()).await?;
        query.projects = Some(project.map(|project| project.id).into_iter().collect());
    }
    if let Some(name) = params.text("issue") {
        query.issue = Some(caller.find_issue_of(&app, "issue", name).await?.id);
    }
    let mut found = caller.incidents(&app, query).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > page;
    found.truncate(page);
    let next_cursor = found.last().filter(|_| more).map(|last| last.row.to_string());
    let projects = app.all_projects().await?;
    let incidents = found.into_iter().map(|incident| Item::new(incident, &projects)).collect();
    Ok(success(List { incidents, next_cursor }).into_response())
}

/// Shows an incident
///
/// With its linked issues and the history of its status.
#[utoipa::path(
    get,
    path = "/api/alerts/incidents/{id}",
    tag = "Incidents",
    operation_id = "show_incident",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "UUID")),
    responses((status = 200, description = "The incident", body = Frame<Detail<'_>>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let incident = caller.find_incident(&app, &id).await?;
    detail(&app, &caller, incident).await
}

/// The answer that shows an incident.
async fn detail(app: &App, caller: &Caller, incident: Incident) -> Result<impl IntoResponse + use<>, Error> {
    let mut issues: Vec<Issue> = app.store().incident_issues(incident.id).await?;
    issues.retain(|issue| caller.sees(issue.project));
    let timeline = incidents::timeline(app, &incident).await?;
    let projects = app.all_projects().await?;
    Ok(success(Detail::new(incident, &issues, &timeline, &projects)).into_response())
}
