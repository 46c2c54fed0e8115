//! `/api/settings/projects/{id}/quota`: how many events a project may have in a month.

use super::{
    Frame,
    body::{Sent, fields},
    openapi::Failures,
    success,
};
use crate::{
    access::{Admin, Read},
    app::App,
    error::Error,
    quotas::{self, Month, Quota},
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{Project, ProjectId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// How many events a project may have, and has had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectQuota)]
pub(super) struct Shown {
    project: String,
    project_id: ProjectId,
    #[serde(flatten)]
    quota: Quota,
    /// Events since the month began.
    used: u64,
    /// When the month began.
    since: Timestamp,
    /// When the next one begins.
    until: Timestamp,
}

/// Shows the quota of a project
#[utoipa::path(
    get,
    path = "/api/settings/projects/{id}/quota",
    tag = "Settings",
    operation_id = "show_project_quota",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = i64, Path, description = "The number of the project")),
    responses((status = 200, description = "The quota", body = Frame<Shown>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let quota = quotas::of(&app, project.id).await?;
    Ok(success(shown(&app, project, quota).await?))
}

/// Sets the quota of a project
///
/// Reports beyond it are answered with 429 and count as `limited` until the month of UTC ends; what the program itself captures
/// is kept all the same. One process holds it exactly; each further one may go beyond by what it takes in five seconds.
#[utoipa::path(
    put,
    path = "/api/settings/projects/{id}/quota",
    tag = "Settings",
    operation_id = "put_project_quota",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = Quota,
    responses((status = 200, description = "The quota", body = Frame<Shown>), Failures),
)]
pub(super) async fn put(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let quota = Quota::of(fields(body)?.number("events_per_month")?)?;
    let project = caller.find_project(&app, &id).await?;
    quotas::set(&app, &caller, &project, quota).await?;
    Ok(success(shown(&app, project, quota).await?))
}

async fn shown(app: &App, project: Project, quota: Quota) -> Result<Shown, Error> {
    let now = Timestamp::now();
    let (used, month) = (quotas::read(app, project.id, now).await?, Month::of(now));
    let (since, until) = (month.begins(), month.ends());
    Ok(Shown { project: project.slug, project_id: project.id, quota, used, since, until })
}
