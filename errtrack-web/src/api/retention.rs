//! `/api/settings/projects/{id}/retention`: what one project keeps, where that is less than the rules of the program say.

use super::{
    Frame,
    body::{Sent, fields},
    openapi::Failures,
    settings::Rules,
    success,
};
use crate::{
    access::{Admin, Read},
    app::App,
    error::Error,
    projects,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{ProjectId, store::ProjectRetention};
use serde::Serialize;
use utoipa::ToSchema;

/// What a project keeps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectRetentionRules)]
pub(super) struct Shown {
    project: String,
    project_id: ProjectId,
    /// What was set for the project.
    own: ProjectRetention,
    /// What holds: the shorter age, the smaller numbers.
    rules: Rules,
}

/// Shows what a project keeps
#[utoipa::path(
    get,
    path = "/api/settings/projects/{id}/retention",
    tag = "Settings",
    operation_id = "show_project_retention",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = i64, Path, description = "The number of the project")),
    responses((status = 200, description = "The rules", body = Frame<Shown>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let own = projects::retention(&app, project.id).await?;
    Ok(success(shown(&app, project, own)))
}

/// Sets what a project keeps
///
/// Both fields, each `null` or left out for what the program says. It holds from the next run of retention on.
#[utoipa::path(
    put,
    path = "/api/settings/projects/{id}/retention",
    tag = "Settings",
    operation_id = "put_project_retention",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = ProjectRetention,
    responses((status = 200, description = "The rules", body = Frame<Shown>), Failures),
)]
pub(super) async fn put(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let own = projects::retention_of(fields.number("age_days")?, fields.number("events")?)?;
    let project = caller.find_project(&app, &id).await?;
    projects::set_retention(&app, &caller, &project, &own).await?;
    Ok(success(shown(&app, project, own)))
}

fn shown(app: &App, project: errtrack_core::Project, own: ProjectRetention) -> Shown {
    let rules = Rules::new(&own.within(app.tracker().retention()));
    Shown { project: project.slug, project_id: project.id, own, rules }
}
