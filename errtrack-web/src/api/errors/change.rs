//! Changes to an issue: its status, and its end.

use crate::{
    access::{Deed, Write},
    api::success,
    app::App,
    error::Error,
    ingest::json,
};
use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::Status;
use serde_json::json;

/// A body, or why there is none.
type Sent = Result<Bytes, BytesRejection>;

pub(in crate::api) async fn resolve(
    app: State<App>,
    write: Write,
    id: Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    set(app, write, id, body, Status::Resolved).await
}

pub(in crate::api) async fn unresolve(
    app: State<App>,
    write: Write,
    id: Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    set(app, write, id, body, Status::Unresolved).await
}

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
    let body = body.map_err(|e| Error::new(e.status(), e.body_text()))?;
    refuse_conditions(&body)?;
    let issue = caller.find_issue(&app, &id).await?;
    if app.store().set_status(&[issue.id], status).await? == 0 {
        return Err(Error::not_found("error"));
    }
    Ok(success(json!({ "status": status.as_str() })).into_response())
}

/// Refuses what would change the meaning of the request, were it not looked at.
fn refuse_conditions(body: &[u8]) -> Result<(), Error> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    let fields = json::object(body).map_err(Error::bad_request)?;
    match fields.keys().find(|name| *name == "in_release" || name.starts_with("until")) {
        Some(name) => Err(Error::bad_request(format!("{name}: is not supported yet"))),
        None => Ok(()),
    }
}

pub(in crate::api) async fn delete(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    if app.store().delete_issues(&[issue.id]).await? == 0 {
        return Err(Error::not_found("error"));
    }
    caller.did(&app, Deed::new("issue.delete", issue.short_id()).details(issue.ty).of(issue.project)).await;
    Ok(StatusCode::NO_CONTENT)
}
