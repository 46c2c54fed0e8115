//! `/api/settings/projects/{id}/sanitizer`: what is filtered besides what always is.

use super::{
    Frame,
    body::{Sent, text},
    openapi::Failures,
    success,
};
use crate::{
    access::{Admin, Deed},
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{Project, ProjectId, sanitize::SanitizerSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What is filtered besides what always is: every list, also an empty one. The other way round it is a form to fill in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectSanitizer)]
pub(super) struct Document<'a> {
    project: &'a str,
    project_id: ProjectId,
    filter_keys: &'a [String],
    keep_keys: &'a [String],
    patterns: &'a [String],
    keep_addresses: Option<bool>,
}

impl<'a> Document<'a> {
    fn new(project: &'a Project, settings: &'a SanitizerSettings) -> Self {
        Self {
            project: &project.slug,
            project_id: project.id,
            filter_keys: &settings.filter_keys,
            keep_keys: &settings.keep_keys,
            patterns: &settings.patterns,
            keep_addresses: settings.keep_addresses,
        }
    }
}

/// Shows what is filtered
///
/// Of the events of a project, besides what always is.
#[utoipa::path(
    get,
    path = "/api/settings/projects/{id}/sanitizer",
    tag = "Settings",
    operation_id = "show_sanitizer",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    responses((status = 200, description = "The settings", body = Frame<Document<'_>>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let settings = app.tracker().sanitizer_settings(project.id).await?;
    Ok(success(Document::new(&project, &settings)).into_response())
}

/// Replaces what is filtered
///
/// All of it, or nothing if any is wrong. It holds for events that come from then on.
#[utoipa::path(
    put,
    path = "/api/settings/projects/{id}/sanitizer",
    tag = "Settings",
    operation_id = "put_sanitizer",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = SanitizerSettings,
    responses((status = 200, description = "The settings", body = Frame<Document<'_>>), Failures),
)]
pub(super) async fn put(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let settings = SanitizerSettings::from_json(&text(body)?).map_err(|e| Error::bad_request(e.to_string()))?;
    if !app.tracker().set_sanitizer_settings(project.id, &settings).await? {
        return Err(Error::not_found("project"));
    }
    caller.did(&app, Deed::new("sanitizer.change", &project.slug).of(project.id)).await;
    Ok(success(Document::new(&project, &settings)).into_response())
}

/// A text to try settings on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SanitizerTrial)]
pub(super) struct Trial {
    text: String,
    /// Those of the project unless given.
    #[schema(value_type = Option<SanitizerSettings>)]
    settings: Option<Value>,
}

/// What would be stored of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sanitized)]
pub(super) struct After {
    is_changed: bool,
    text: String,
}

/// Tells what would be stored of a text
///
/// Writes nothing.
#[utoipa::path(
    post,
    path = "/api/settings/projects/{id}/sanitizer/preview",
    tag = "Settings",
    operation_id = "preview_sanitizer",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = i64, Path, description = "The number of the project")),
    request_body = Trial,
    responses((status = 200, description = "The text", body = Frame<After>), Failures),
)]
pub(super) async fn preview(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let trial: Trial = serde_json::from_str(&text(body)?).map_err(|e| Error::bad_request(format!("body: {e}")))?;
    let settings = match trial.settings {
        Some(settings) => SanitizerSettings::from_json(&settings.to_string()),
        None => Ok(app.tracker().sanitizer_settings(project.id).await?),
    };
    let after = settings.and_then(|settings| app.tracker().preview_sanitizer(&settings, &trial.text));
    let after = after.map_err(|error| Error::bad_request(error.to_string()))?;
    Ok(success(After { is_changed: after != trial.text, text: after }))
}
