//! `/api/settings/projects/{id}/rules`: what is ignored and what is one issue, with a dry run.

use super::success;
use crate::{
    access::{Deed, Read, Write},
    app::App,
    error::Error,
};
use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    response::IntoResponse,
};
use errtrack_core::{
    Project, Rules,
    rules::preview::{Affected, Group, Preview},
};
use serde_json::{Value, json};

/// `GET …/rules`
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let rules = app.tracker().rules(project.id).await?;
    Ok(success(document(&project, &rules)))
}

/// `PUT …/rules`: replaces all of them, or nothing if any is wrong.
pub(super) async fn put(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let rules = rules(body)?;
    if !app.tracker().set_rules(project.id, &rules).await? {
        return Err(Error::not_found("project"));
    }
    caller.did(&app, Deed::new("rules.change", &project.slug).of(project.id)).await;
    Ok(success(document(&project, &rules)))
}

/// `POST …/rules/preview`: what rules would do to stored events. Writes nothing.
pub(super) async fn preview(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Error> {
    let project = caller.find_project(&app, &id).await?;
    let rules = rules(body)?;
    let preview = app.tracker().preview_rules(project.id, &rules).await?;
    Ok(success(json!({ "preview": preview_of(&preview, &rules) })))
}

fn rules(body: Result<Bytes, BytesRejection>) -> Result<Rules, Error> {
    let body = body.map_err(|error| Error::new(error.status(), error.body_text()))?;
    let text = std::str::from_utf8(&body).map_err(|_| Error::bad_request("rules: are not UTF-8"))?;
    Rules::from_json(text).map_err(|error| Error::bad_request(error.to_string()))
}

fn document(project: &Project, rules: &Rules) -> Value {
    let mut document = rules.to_json();
    if let Some(document) = document.as_object_mut() {
        document.insert("project".into(), project.slug.as_str().into());
        document.insert("project_id".into(), json!(project.id));
    }
    document
}

fn preview_of(preview: &Preview, rules: &Rules) -> Value {
    let rule = |index: Option<usize>| {
        index.and_then(|index| Some(json!({ "index": index, "label": rules.iter().nth(index)?.label() })))
    };
    let affected = |affected: &Affected| {
        json!({
            "issue": issue(&affected.issue),
            "events": affected.events,
            "of": affected.of,
            "example": affected.example,
            "rule": rule(affected.rule),
        })
    };
    let group = |group: &Group| {
        json!({
            "change": group.change().as_str(),
            "into": group.into.as_ref().map(issue),
            "parts": group.parts,
            "events": group.events(),
            "from": group.from.iter().map(affected).collect::<Vec<_>>(),
        })
    };
    json!({
        "issues": preview.issues,
        "events": preview.events,
        "is_cut": preview.is_cut,
        "applied": preview.applied,
        "ignored_events": preview.ignored_events,
        "ignored": preview.ignored.iter().map(affected).collect::<Vec<_>>(),
        "groups": preview.groups.iter().map(group).collect::<Vec<_>>(),
        "left_out": preview.left_out,
    })
}

fn issue(issue: &errtrack_core::Issue) -> Value {
    json!({
        "id": issue.uuid,
        "short_id": issue.short_id(),
        "type": issue.ty,
        "message": issue.value,
        "count": issue.count,
    })
}
