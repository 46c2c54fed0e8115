//! `/api/settings/projects/{id}/sanitizer`: what is filtered besides what always is.

use super::success;
use crate::{
    access::{Admin, Deed},
    app::App,
    error::Error,
};
use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    response::IntoResponse,
};
use errtrack_core::{Project, sanitize::SanitizerSettings};
use serde::Deserialize;
use serde_json::{Value, json};

/// `GET …/sanitizer`
pub(super) async fn show(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let settings = app.tracker().sanitizer_settings(project.id).await?;
    Ok(success(document(&project, &settings)))
}

/// `PUT …/sanitizer`: replaces all of it, or nothing if any is wrong.
pub(super) async fn put(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let settings = SanitizerSettings::from_json(&text(body)?).map_err(|e| Error::bad_request(e.to_string()))?;
    if !app.tracker().set_sanitizer_settings(project.id, &settings).await? {
        return Err(Error::not_found("project"));
    }
    caller.did(&app, Deed::new("sanitizer.change", &project.slug).of(project.id)).await;
    Ok(success(document(&project, &settings)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    text: String,
    settings: Option<Value>,
}

/// `POST …/sanitizer/preview`: what becomes of a text, with the settings that are given, else with those of the project.
pub(super) async fn preview(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let trial: Trial = serde_json::from_str(&text(body)?).map_err(|e| Error::bad_request(format!("body: {e}")))?;
    let settings = match trial.settings {
        Some(settings) => SanitizerSettings::from_json(&settings.to_string()),
        None => Ok(app.tracker().sanitizer_settings(project.id).await?),
    };
    let after = settings.and_then(|settings| app.tracker().preview_sanitizer(&settings, &trial.text));
    let after = after.map_err(|error| Error::bad_request(error.to_string()))?;
    Ok(success(json!({ "is_changed": after != trial.text, "text": after })))
}

fn text(body: Result<Bytes, BytesRejection>) -> Result<String, Error> {
    let body = body.map_err(|error| Error::new(error.status(), error.body_text()))?;
    String::from_utf8(body.into()).map_err(|_| Error::bad_request("body: is not UTF-8"))
}

/// With every list, also an empty one: the other way round it is a form to fill in.
fn document(project: &Project, settings: &SanitizerSettings) -> Value {
    json!({
        "project": project.slug,
        "project_id": project.id,
        "filter_keys": settings.filter_keys,
        "keep_keys": settings.keep_keys,
        "patterns": settings.patterns,
        "keep_addresses": settings.keep_addresses,
    })
}
