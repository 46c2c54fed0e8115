//! `/api/settings/projects/{id}/ownership`: who owns what in a project.

use super::{
    Frame,
    body::{Sent, fields},
    openapi::Failures,
    success,
};
use crate::{
    access::{Read, Write},
    app::App,
    error::Error,
    ownership,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{Project, ProjectId, ownership::Ownership};
use serde::Serialize;
use utoipa::ToSchema;

/// Who owns what.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
#[schema(as = Ownership)]
pub(super) struct Body {
    /// A rule a line: patterns, and then the addresses of the owners; the first line that applies decides.
    #[schema(example = "path:src/billing/* → ann@example.com\ntag:team=payments → bob@example.com")]
    text: String,
    /// Assign a new issue to the first owner of its event. `false` unless set.
    assign: Option<bool>,
}

/// Who owns what in a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectOwnership)]
pub(super) struct Document<'a> {
    project: &'a str,
    project_id: ProjectId,
    text: &'a str,
    assign: bool,
}

impl<'a> Document<'a> {
    fn new(project: &'a Project, ownership: &'a Ownership) -> Self {
        Self { project: &project.slug, project_id: project.id, text: ownership.text(), assign: ownership.assigns() }
    }
}

/// Shows who owns what in a project
#[utoipa::path(
    get,
    path = "/api/settings/projects/{id}/ownership",
    tag = "Settings",
    operation_id = "show_ownership",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = i64, Path, description = "The number of the project")),
    responses((status = 200, description = "Who owns what", body = Frame<Document<'_>>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let ownership = app.tracker().ownership(project.id).await?;
    Ok(success(Document::new(&project, &ownership)).into_response())
}

/// Says who owns what in a project
///
/// All of it, or nothing if a line is wrong. Where members sign in, owners are members who see the project. Issues that are there
/// stay whose they are.
#[utoipa::path(
    put,
    path = "/api/settings/projects/{id}/ownership",
    tag = "Settings",
    operation_id = "put_ownership",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = Body,
    responses((status = 200, description = "Who owns what", body = Frame<Document<'_>>), Failures),
)]
pub(super) async fn put(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let text = fields.text("text")?.ok_or_else(|| Error::bad_request("text: is required"))?;
    let assign = match fields.any("assign") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| Error::bad_request("assign: must be true or false"))?,
    };
    let project = caller.find_project(&app, &id).await?;
    let ownership = ownership::read(&app, &project, &text, assign).await?;
    caller.set_ownership(&app, &project, &ownership).await?;
    Ok(success(Document::new(&project, &ownership)).into_response())
}
