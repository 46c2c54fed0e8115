//! What can be done to an incident: each a form, answered with a redirect.

use super::find;
use crate::{
    app::App,
    error::Error,
    incidents,
    pages::{failure::Failure, shell::Editor},
    triage,
};
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use errtrack_core::incident::{Incident, IncidentChange};
use serde::Deserialize;

/// What is to be changed; what is not sent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Change {
    title: Option<String>,
    description: Option<String>,
    severity: Option<String>,
    status: Option<String>,
    /// An e-mail address, `me`, or nothing for nobody.
    assigned_to: Option<String>,
    /// Names with commas between them.
    channels: Option<String>,
    note: Option<String>,
}

/// `POST /incidents/{id}`
pub(in crate::pages) async fn change(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    Form(form): Form<Change>,
) -> Result<Redirect, Failure> {
    let caller = editor.0.caller();
    let incident = find(&app, &editor.0, &id).await?;
    let wrong = |field: &str, error: &dyn std::fmt::Display| Error::bad_request(format!("{field}: is {error}"));
    let change = IncidentChange {
        title: form.title.map(|text| incidents::title(&text)).transpose()?,
        description: form.description.map(|text| incidents::description(&text)).transpose()?,
        severity: form.severity.map(|name| name.parse().map_err(|e| wrong("severity", &e))).transpose()?,
        status: form.status.map(|name| name.parse().map_err(|e| wrong("status", &e))).transpose()?,
        assigned_to: form.assigned_to.map(|to| triage::assignee(caller, &to)).transpose()?,
        channels: form.channels.map(|names| incidents::channels(names.split(',').map(str::to_owned))).transpose()?,
        note: form.note.map(|note| incidents::note("note", &note)).transpose()?,
    };
    caller.change_incident(&app, &incident, &change).await?;
    Ok(to(&editor, &incident, ""))
}

/// What is to be said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct NewComment {
    text: String,
}

/// `POST /incidents/{id}/comments`
pub(in crate::pages) async fn comment(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    Form(form): Form<NewComment>,
) -> Result<Redirect, Failure> {
    let incident = find(&app, &editor.0, &id).await?;
    let note = Some(triage::comment(&form.text)?.to_owned());
    editor.0.caller().change_incident(&app, &incident, &IncidentChange { note, ..IncidentChange::default() }).await?;
    Ok(to(&editor, &incident, "#timeline"))
}

/// An issue by its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Named {
    issue: String,
}

/// `POST /incidents/{id}/issues`: links one or several, with spaces or commas between them.
pub(in crate::pages) async fn link(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    Form(form): Form<Named>,
) -> Result<Redirect, Failure> {
    let incident = find(&app, &editor.0, &id).await?;
    let names = form.issue.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned);
    editor.0.caller().link_issues(&app, &incident, &names.collect::<Vec<_>>()).await?;
    Ok(to(&editor, &incident, "#issues"))
}

/// `POST /incidents/{id}/issues/remove`
pub(in crate::pages) async fn unlink(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    Form(form): Form<Named>,
) -> Result<Redirect, Failure> {
    let incident = find(&app, &editor.0, &id).await?;
    editor.0.caller().unlink_issue(&app, &incident, &form.issue).await?;
    Ok(to(&editor, &incident, "#issues"))
}

/// `POST /incidents/{id}/delete`
pub(in crate::pages) async fn delete(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let incident = find(&app, &editor.0, &id).await?;
    editor.0.caller().delete_incident(&app, &incident).await?;
    Ok(Redirect::to(&editor.0.links.path("/incidents")))
}

fn to(editor: &Editor, incident: &Incident, place: &str) -> Redirect {
    Redirect::to(&editor.0.links.path(format!("/incidents/{}{place}", incident.id)))
}
