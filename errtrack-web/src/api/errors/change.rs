//! Changes to an issue: its status, and its end.

use crate::{
    access::Write,
    api::{
        Frame,
        body::{Sent, optional_fields},
        openapi::Failures,
        success,
    },
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::Status;
use serde::Serialize;
use utoipa::ToSchema;

/// The status that an issue has now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Changed {
    status: Status,
}

/// Resolves an issue
///
/// It is open again when it is reported again.
#[utoipa::path(
    put,
    path = "/api/errors/{id}/resolve",
    tag = "Issues",
    operation_id = "resolve_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "It is resolved", body = Frame<Changed>), Failures),
)]
pub(in crate::api) async fn resolve(
    app: State<App>,
    write: Write,
    id: Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    set(app, write, id, body, Status::Resolved).await
}

/// Opens an issue again
#[utoipa::path(
    put,
    path = "/api/errors/{id}/unresolve",
    tag = "Issues",
    operation_id = "unresolve_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "It is open", body = Frame<Changed>), Failures),
)]
pub(in crate::api) async fn unresolve(
    app: State<App>,
    write: Write,
    id: Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    set(app, write, id, body, Status::Unresolved).await
}

/// Ignores an issue
#[utoipa::path(
    put,
    path = "/api/errors/{id}/ignore",
    tag = "Issues",
    operation_id = "ignore_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "It is ignored", body = Frame<Changed>), Failures),
)]
pub(in crate::api) async fn ignore(
    app: State<App>,
    write: Write,
    id: Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    set(app, write, id, body, Status::Ignored).await
}

async fn set(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
    status: Status,
) -> Result<impl IntoResponse, Error> {
    let mut fields = optional_fields(body)?;
    // What would change the meaning of the request, were it not looked at.
    for name in ["in_release", "until", "until_count"] {
        if fields.any(name).is_some() {
            return Err(Error::bad_request(format!("{name}: is not supported yet")));
        }
    }
    let issue = caller.find_issue(&app, &id).await?;
    if app.store().set_status(&[issue.id], status).await? == 0 {
        return Err(Error::not_found("error"));
    }
    Ok(success(Changed { status }).into_response())
}

/// Deletes an issue
///
/// With its events, hours, tallies and groups.
#[utoipa::path(
    delete,
    path = "/api/errors/{id}",
    tag = "Issues",
    operation_id = "delete_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 204, description = "It is gone"), Failures),
)]
pub(in crate::api) async fn delete(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    if app.store().delete_issues(&[issue.id]).await? == 0 {
        return Err(Error::not_found("error"));
    }
    Ok(StatusCode::NO_CONTENT)
}
