//! `/api/settings/projects`: projects and their public keys.

use super::{
    Frame,
    body::{Sent, fields, optional_fields},
    openapi::{Failure, Failures},
    success,
};
use crate::{
    access::{Admin, AdminOfAll, Read},
    app::App,
    error::Error,
    links::Links,
    projects,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::{self as core, ProjectId};
use serde::Serialize;
use utoipa::ToSchema;

/// A program that reports.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Project {
    id: ProjectId,
    slug: String,
    name: String,
    platform: Option<String>,
    /// The oldest of its keys; empty if it has none.
    public_key: String,
    /// The keys that let clients report to it, the oldest first.
    public_keys: Vec<String>,
    /// What an SDK is configured with.
    dsn: String,
}

impl Project {
    fn new(project: &core::Project, links: &Links) -> Self {
        Self {
            id: project.id,
            slug: project.slug.clone(),
            name: project.name.clone(),
            platform: project.platform.clone(),
            public_key: project.public_key().to_owned(),
            public_keys: project.public_keys.clone(),
            dsn: links.dsn(project.public_key(), project.id),
        }
    }
}

/// Projects.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Projects {
    projects: Vec<Project>,
}

/// Lists projects
///
/// Those that the caller may see, by number.
#[utoipa::path(
    get,
    path = "/api/settings/projects",
    tag = "Settings",
    operation_id = "list_projects",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "The projects", body = Frame<Projects>), Failures),
)]
pub(super) async fn list(State(app): State<App>, Read(caller): Read, links: Links) -> Result<impl IntoResponse, Error> {
    let projects = caller.projects(&app).await?;
    Ok(success(Projects { projects: projects.iter().map(|project| Project::new(project, &links)).collect() }))
}

/// A project to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(super) struct NewProject {
    /// Made of the name unless given.
    #[schema(max_length = 50, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    slug: Option<String>,
    /// The slug unless given.
    #[schema(max_length = 100)]
    name: Option<String>,
    #[schema(max_length = 100)]
    platform: Option<String>,
    /// So that DSNs that exist stay valid; the next free number unless given.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    id: Option<i64>,
}

/// Makes a project
///
/// With one public key. Needs `admin` for all projects.
#[utoipa::path(
    post,
    path = "/api/settings/projects",
    tag = "Settings",
    operation_id = "create_project",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    request_body = NewProject,
    responses((status = 201, description = "The project", body = Frame<Project>), (status = 409, description = "Another has its slug or number", body = Failure), Failures),
)]
pub(super) async fn create(
    State(app): State<App>,
    _: AdminOfAll,
    links: Links,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let (id, slug) = (fields.number("id")?, fields.text("slug")?);
    let (name, platform) = (fields.text("name")?, fields.text("platform")?);
    let made = projects::create(&app, id, slug.as_deref(), name.as_deref(), platform.as_deref()).await?;
    Ok((StatusCode::CREATED, success(Project::new(&made, &links))))
}

/// What is changed of a project; what is not given stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(super) struct ChangedProject {
    /// Short ids of issues change with it. A program that goes on under the old one makes that anew.
    #[schema(max_length = 50, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    slug: Option<String>,
    #[schema(max_length = 100)]
    name: Option<String>,
    /// `null` for none.
    #[schema(max_length = 100)]
    platform: Option<String>,
}

/// Changes a project
#[utoipa::path(
    put,
    path = "/api/settings/projects/{id}",
    tag = "Settings",
    operation_id = "update_project",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = ChangedProject,
    responses((status = 200, description = "The project", body = Frame<Project>), (status = 409, description = "Another has its slug", body = Failure), Failures),
)]
pub(super) async fn update(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    links: Links,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let is_about_platform = fields.has("platform");
    let (slug, name, platform) = (fields.text("slug")?, fields.text("name")?, fields.text("platform")?);
    let project = caller.find_project(&app, &id).await?;
    let platform = is_about_platform.then_some(platform.as_deref());
    let changed = projects::update(&app, project, slug.as_deref(), name.as_deref(), platform).await?;
    Ok(success(Project::new(&changed, &links)))
}

/// Deletes a project
///
/// With its issues, events, keys and settings. Needs `admin` for all projects.
#[utoipa::path(
    delete,
    path = "/api/settings/projects/{id}",
    tag = "Settings",
    operation_id = "delete_project",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    responses((status = 204, description = "It is gone"), (status = 409, description = "This program reports to it itself", body = Failure), Failures),
)]
pub(super) async fn delete(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let project = caller.find_project(&app, &id).await?;
    projects::delete(&app, project.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A public key.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(super) struct NewKey {
    /// One that clients already use; a new one is made unless given.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    public_key: Option<String>,
}

/// A key, and the DSN that it makes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AddedKey {
    public_key: String,
    /// Every key of the project, the oldest first.
    public_keys: Vec<String>,
    dsn: String,
}

/// Adds a public key to a project
#[utoipa::path(
    post,
    path = "/api/settings/projects/{id}/keys",
    tag = "Settings",
    operation_id = "add_public_key",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = Option<NewKey>,
    responses((status = 201, description = "The key", body = Frame<AddedKey>), (status = 409, description = "A project has it already", body = Failure), Failures),
)]
pub(super) async fn add_key(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    links: Links,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let key = optional_fields(body)?.text("public_key")?;
    let mut project = caller.find_project(&app, &id).await?;
    let public_key = projects::add_key(&app, project.id, key.as_deref()).await?;
    project.public_keys.push(public_key.clone());
    let dsn = links.dsn(&public_key, project.id);
    Ok((StatusCode::CREATED, success(AddedKey { public_key, public_keys: project.public_keys, dsn })))
}

/// Takes a public key away
///
/// Clients that use it cannot report any more, on any instance.
#[utoipa::path(
    delete,
    path = "/api/settings/projects/{id}/keys/{public_key}",
    tag = "Settings",
    operation_id = "remove_public_key",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project"), ("public_key" = String, Path, description = "The key")),
    responses((status = 204, description = "It is gone"), Failures),
)]
pub(super) async fn remove_key(
    State(app): State<App>,
    Admin(caller): Admin,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Error> {
    let project = caller.find_project(&app, &id).await?;
    if !app.store().remove_public_key(project.id, &key).await? {
        return Err(Error::not_found("public key"));
    }
    Ok(StatusCode::NO_CONTENT)
}
