//! What the error-tracker service answers about its errors. Not in the frame, but for errors.

use crate::{
    access::{Caller, Read, Write},
    api::{openapi::Failures, params::Params},
    app::App,
    error::Error,
};
use axum::{
    Json,
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{
    Issue, IssueId, IssueRef, Status, Timestamp, slugify,
    store::{IssueQuery, StoredEvent},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Occurrences that are shown of an error.
const SHOWN: u32 = 5;

/// An error: an issue, by its number in the store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerError)]
struct Row<'a> {
    id: IssueId,
    fingerprint: String,
    project: &'a str,
    environment: Option<&'a str>,
    exception_type: &'a str,
    message: &'a str,
    count: i64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    resolved: bool,
}

impl<'a> Row<'a> {
    fn new(issue: &'a Issue) -> Self {
        Self {
            id: issue.id,
            fingerprint: issue.fingerprint.to_string(),
            project: &issue.project_slug,
            environment: issue.environment.as_deref(),
            exception_type: &issue.ty,
            message: &issue.value,
            count: issue.count,
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            resolved: issue.status == Status::Resolved,
        }
    }
}

/// A page of errors.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerErrors)]
pub(super) struct List<'a> {
    errors: Vec<Row<'a>>,
    total: i64,
    limit: u32,
    offset: u32,
}

/// Lists errors as the error-tracker service did
///
/// The last seen first. Not in the frame.
#[utoipa::path(
    get,
    path = "/error-tracker/api/errors",
    tag = "Error-tracker",
    operation_id = "tracker_list_errors",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("project" = Option<String>, Query, description = "Of the project with this name"),
        ("environment" = Option<String>, Query, description = "Seen in this environment"),
        ("resolved" = Option<bool>, Query, description = "`true`: resolved; `false`: open"),
        ("search" = Option<String>, Query, description = "Each word stands in type or message, in any case"),
        ("source" = Option<String>, Query, description = "From this source"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Entries of a page; 50 unless set"),
        ("offset" = Option<u32>, Query, description = "Entries to skip"),
    ),
    responses((status = 200, description = "A page of errors", body = List<'_>), Failures),
)]
pub(super) async fn list(
    State(app): State<App>,
    Read(caller): Read,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let resolved: Option<bool> = params.parse("resolved", "true or false")?;
    let mut query = IssueQuery {
        limit: params.limit_of(200)?,
        offset: params.parse("offset", "a number from 0")?.unwrap_or(0),
        source: params.text("source").map(str::to_owned),
        status: resolved.map(|resolved| if resolved { Status::Resolved } else { Status::Unresolved }),
        words: params.text("search").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        tags: params.text("environment").map(|name| ("environment".to_owned(), name.to_owned())).into_iter().collect(),
        ..IssueQuery::default()
    };
    if let Some(name) = params.text("project") {
        // An unknown project has no errors.
        query.projects = Some(caller.project_by_slug(&app, &slugify(name)).await?.map(|p| p.id).into_iter().collect());
    }
    let query = caller.scope(query);
    let page = app.store().issues(&query).await?;
    let errors = page.issues.iter().map(Row::new).collect();
    Ok(Json(List { errors, total: page.total, limit: query.limit, offset: query.offset }).into_response())
}

/// An error with its newest occurrences.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerDetails)]
pub(super) struct Details<'a> {
    error: Whole<'a>,
    /// The newest first, five at most.
    occurrences: Vec<Occurrence<'a>>,
}

/// An error with the newest stack trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerWhole)]
struct Whole<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    traceback: Option<&'a str>,
}

/// An event of an error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerOccurrence)]
struct Occurrence<'a> {
    id: i64,
    timestamp: Timestamp,
    request_url: Option<&'a str>,
    request_method: Option<&'a str>,
    /// A JSON object, as text.
    request_headers: Option<String>,
    user_id: Option<&'a str>,
    /// A JSON object, as text.
    extra: Option<String>,
}

impl<'a> Occurrence<'a> {
    fn new(stored: &'a StoredEvent) -> Self {
        let event = &stored.event;
        let request = event.request.as_ref();
        let headers = request.filter(|request| !request.headers.is_empty());
        Self {
            id: stored.row,
            timestamp: event.timestamp,
            request_url: request.and_then(|request| request.url.as_deref()),
            request_method: request.and_then(|request| request.method.as_deref()),
            request_headers: headers.and_then(|request| serde_json::to_string(&request.headers).ok()),
            user_id: event.user.as_ref().and_then(|user| user.id.as_deref()),
            extra: (!event.extra.is_empty()).then(|| serde_json::to_string(&event.extra).ok()).flatten(),
        }
    }
}

/// Shows an error as the error-tracker service did
///
/// With its newest occurrences. Not in the frame.
#[utoipa::path(
    get,
    path = "/error-tracker/api/errors/{id}",
    tag = "Error-tracker",
    operation_id = "tracker_show_error",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = i64, Path, description = "The number of the error")),
    responses((status = 200, description = "The error", body = Details<'_>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = find(&app, &caller, &id).await?;
    let page = app.store().events(issue.id, None, SHOWN).await?;
    let traceback = page.events.iter().find_map(|stored| stored.event.stack_trace.as_deref());
    let occurrences = page.events.iter().map(Occurrence::new).collect();
    Ok(Json(Details { error: Whole { row: Row::new(&issue), traceback }, occurrences }).into_response())
}

/// That an error is resolved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerResolved)]
pub(super) struct Resolved {
    #[schema(pattern = "^resolved$")]
    status: &'static str,
}

/// Resolves an error as the error-tracker service did
///
/// It is open again when it is reported again. Not in the frame.
#[utoipa::path(
    post,
    path = "/error-tracker/api/errors/{id}/resolve",
    tag = "Error-tracker",
    operation_id = "tracker_resolve_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = i64, Path, description = "The number of the error")),
    responses((status = 200, description = "It is resolved", body = Resolved), Failures),
)]
pub(super) async fn resolve(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = find(&app, &caller, &id).await?;
    if app.store().set_status(&[issue.id], Status::Resolved).await? == 0 {
        return Err(Error::not_found("error"));
    }
    Ok(Json(Resolved { status: "resolved" }))
}

/// Projects by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerProjects)]
pub(super) struct Projects {
    projects: Vec<String>,
}

/// Lists projects as the error-tracker service did
///
/// Not in the frame.
#[utoipa::path(
    get,
    path = "/error-tracker/api/projects",
    tag = "Error-tracker",
    operation_id = "tracker_list_projects",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "Their names", body = Projects), Failures),
)]
pub(super) async fn projects(State(app): State<App>, Read(caller): Read) -> Result<impl IntoResponse, Error> {
    let projects = caller.projects(&app).await?.iter().map(|project| project.slug.clone()).collect();
    Ok(Json(Projects { projects }))
}

/// The issue of that number.
async fn find(app: &App, caller: &Caller, id: &str) -> Result<Issue, Error> {
    let id = id.parse().map_err(|_| Error::bad_request("id: must be a number"))?;
    caller.issue(app, &IssueRef::Id(IssueId(id))).await?.ok_or_else(|| Error::not_found("error"))
}
