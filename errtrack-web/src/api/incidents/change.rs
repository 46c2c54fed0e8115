//! Opening, changing and deleting incidents.

use super::{
    detail,
    item::{Detail, Item},
};
use crate::{
    access::Write,
    api::{
        Frame,
        body::{Sent, fields},
        input,
        openapi::Failures,
        success,
    },
    app::App,
    error::Error,
    incidents, triage,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::incident::{IncidentChange, IncidentStatus, MAX_LINKED_ISSUES, NewIncident, Severity};
use utoipa::ToSchema;

/// An incident that is to be opened.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
#[schema(as = NewIncident)]
pub(in crate::api) struct Create {
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// `medium` unless set.
    severity: Option<Severity>,
    /// `investigating` unless set.
    status: Option<IncidentStatus>,
    /// Markdown.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// An address, or `me` for a member who is signed in.
    #[schema(max_length = 200)]
    assigned_to: Option<String>,
    /// The slug of the project that it is about. None unless set, or the only one that the caller sees.
    project: Option<String>,
    /// The channels that are told of its status.
    #[schema(max_items = 20)]
    channels: Option<Vec<String>>,
    /// Issues to link, by UUID or short id; of that project if there is one.
    #[schema(max_items = 100)]
    issues: Option<Vec<String>>,
}

/// Opens an incident
#[utoipa::path(
    post,
    path = "/api/alerts/incidents",
    tag = "Incidents",
    operation_id = "create_incident",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    request_body = Create,
    responses((status = 201, description = "The incident", body = Frame<Item>), Failures),
)]
pub(in crate::api) async fn create(
    State(app): State<App>,
    Write(caller): Write,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let mut new = NewIncident::new(incidents::title(&fields.required("title")?)?, triage::author(&caller));
    new.severity = input::word(&mut fields, "severity")?.unwrap_or_default();
    new.status = input::word(&mut fields, "status")?.unwrap_or_default();
    new.description = incidents::description(&fields.text("description")?.unwrap_or_default())?;
    new.assigned_to = triage::assignee(&caller, &fields.text("assigned_to")?.unwrap_or_default())?;
    new.channels = incidents::channels(input::texts(&mut fields, "channels")?.unwrap_or_default())?;
    let names = input::texts(&mut fields, "issues")?.unwrap_or_default();
    if i64::try_from(names.len()).is_ok_and(|names| names > MAX_LINKED_ISSUES) {
        return Err(Error::bad_request(format!("issues: must not be more than {MAX_LINKED_ISSUES}")));
    }
    new.project = caller.incident_project(&app, fields.text("project")?.as_deref()).await?.map(|project| project.id);
    for name in names {
        let issue = caller.find_issue_of(&app, "issues", &name).await?;
        if new.project.is_some_and(|project| project != issue.project) {
            return Err(Error::bad_request(format!("issues: {} is of another project", issue.short_id())));
        }
        new.issues.push(issue.id);
    }
    let incident = caller.open_incident(&app, &new).await?;
    let projects = app.all_projects().await?;
    Ok((StatusCode::CREATED, success(Item::new(incident, &projects))).into_response())
}

/// What is to be changed about an incident. What is not there stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
#[schema(as = IncidentChange)]
pub(in crate::api) struct Change {
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    severity: Option<Severity>,
    status: Option<IncidentStatus>,
    /// Markdown.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// An address, `me` for a member who is signed in, or `null` for nobody.
    #[schema(max_length = 200)]
    assigned_to: Option<String>,
    /// Its project, which stays.
    project: Option<String>,
    /// The channels that are told of its status.
    #[schema(max_items = 20)]
    channels: Option<Vec<String>>,
    /// What is said about it in its timeline: beside a new status, else as a comment. Markdown.
    #[schema(max_length = 10_000)]
    note: Option<String>,
}

/// Changes an incident
///
/// Each change is told in its timeline.
#[utoipa::path(
    put,
    path = "/api/alerts/incidents/{id}",
    tag = "Incidents",
    operation_id = "update_incident",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID")),
    request_body = Change,
    responses(
        (status = 200, description = "The incident", body = Frame<Detail<'_>>),
        (status = 409, description = "Another incident of its rule is open", body = crate::api::openapi::Failure),
        Failures,
    ),
)]
pub(in crate::api) async fn change(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let mut change = IncidentChange {
        title: fields.text("title")?.map(|text| incidents::title(&text)).transpose()?,
        severity: input::word(&mut fields, "severity")?,
        status: input::word(&mut fields, "status")?,
        description: fields.text("description")?.map(|text| incidents::description(&text)).transpose()?,
        channels: input::texts(&mut fields, "channels")?.map(incidents::channels).transpose()?,
        note: fields.text("note")?.filter(|text| !text.trim().is_empty()),
        ..IncidentChange::default()
    };
    if let Some(note) = &mut change.note {
        *note = incidents::note("note", note)?;
    }
    if fields.has("assigned_to") {
        change.assigned_to = Some(triage::assignee(&caller, &fields.text("assigned_to")?.unwrap_or_default())?);
    }
    let incident = caller.find_incident(&app, &id).await?;
    if let Some(slug) = fields.text("project")? {
        let project = caller.project_by_slug(&app, &slug.trim().to_lowercase()).await?;
        if project.map(|project| project.id) != incident.project {
            return Err(Error::bad_request("project: an incident stays with what it is about"));
        }
    }
    let incident = caller.change_incident(&app, &incident, &change).await?;
    detail(&app, &caller, incident).await
}

/// Deletes an incident
///
/// With its timeline. The issues that are linked to it stay.
#[utoipa::path(
    delete,
    path = "/api/alerts/incidents/{id}",
    tag = "Incidents",
    operation_id = "delete_incident",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID")),
    responses((status = 204, description = "It is gone"), Failures),
)]
pub(in crate::api) async fn delete(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let incident = caller.find_incident(&app, &id).await?;
    caller.delete_incident(&app, &incident).await?;
    Ok(StatusCode::NO_CONTENT)
}
