//! What can be done to an issue: each a form, answered with a redirect.

use super::find_issue;
use crate::pages::{failure::Failure, next, shell::Editor, text};
use crate::{app::App, error::Error, regroup};
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use errtrack_core::{Issue, Status};
use serde::Deserialize;
use uuid::Uuid;

/// Where to go afterwards; the issue unless given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Then {
    next: Option<String>,
}

/// Who shall look after an issue.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Assign {
    /// An e-mail address, `me`, or nothing for nobody.
    to: String,
    next: Option<String>,
}

/// `POST /issues/{id}/resolve`
pub(in crate::pages) async fn resolve(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    set(&app, &editor, &name, &then, Status::Resolved).await
}

/// `POST /issues/{id}/unresolve`
pub(in crate::pages) async fn unresolve(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    set(&app, &editor, &name, &then, Status::Unresolved).await
}

/// `POST /issues/{id}/ignore`
pub(in crate::pages) async fn ignore(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    set(&app, &editor, &name, &then, Status::Ignored).await
}

/// `POST /issues/{id}/assign`
pub(in crate::pages) async fn assign(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(form): Form<Assign>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let member = editor.0.caller.as_ref().and_then(|caller| caller.member.as_ref());
    let to = match (form.to.trim(), member) {
        ("", _) => None,
        ("me", Some(member)) => Some(member.email.clone()),
        (somebody, _) => Some(text::cut(somebody, 200)),
    };
    app.store().assign(issue.id, to.as_deref()).await?;
    Ok(back(&editor, &issue, form.next.as_deref()))
}

/// `POST /issues/{id}/delete`
pub(in crate::pages) async fn delete(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    app.store().delete_issues(&[issue.id]).await?;
    let next = next::safe(then.next.as_deref()).unwrap_or("/issues");
    Ok(Redirect::to(&editor.0.links.path(next)))
}

/// What leaves an issue.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Leaves {
    fingerprint: String,
}

/// `POST /issues/{id}/unmerge`: the group of a fingerprint is an issue of its own again. Leads to what is left.
pub(in crate::pages) async fn unmerge(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(form): Form<Leaves>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let issues = regroup::unmerge(&app, &issue, &[&form.fingerprint]).await?;
    let left = issues.first().unwrap_or(&issue);
    Ok(Redirect::to(&editor.0.links.path(format!("/issues/{}#why", text::path_part(&left.short_id())))))
}

/// `POST /issues/{id}/events/{event}/pin`: the event stays when its issue has too many.
pub(in crate::pages) async fn pin(
    State(app): State<App>,
    editor: Editor,
    Path(path): Path<(String, String)>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    set_pinned(&app, &editor, &path, &then, true).await
}

/// `POST /issues/{id}/events/{event}/unpin`
pub(in crate::pages) async fn unpin(
    State(app): State<App>,
    editor: Editor,
    Path(path): Path<(String, String)>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    set_pinned(&app, &editor, &path, &then, false).await
}

async fn set_pinned(
    app: &App,
    editor: &Editor,
    (name, event): &(String, String),
    then: &Then,
    pinned: bool,
) -> Result<Redirect, Failure> {
    let issue = find_issue(app, &editor.0, name).await?;
    let gone = || Error::not_found("event");
    let id = Uuid::try_parse(event).map_err(|_| gone())?;
    let event = app.store().event(Some(&[issue.project]), id).await?;
    let event = event.filter(|event| event.issue == issue.id).ok_or_else(gone)?;
    if !app.store().pin(&event, pinned).await? {
        return Err(gone().into());
    }
    Ok(back(editor, &issue, then.next.as_deref()))
}

async fn set(app: &App, editor: &Editor, name: &str, then: &Then, status: Status) -> Result<Redirect, Failure> {
    let issue = find_issue(app, &editor.0, name).await?;
    app.store().set_status(&[issue.id], status).await?;
    Ok(back(editor, &issue, then.next.as_deref()))
}

fn back(editor: &Editor, issue: &Issue, next: Option<&str>) -> Redirect {
    let links = &editor.0.links;
    Redirect::to(&match next::safe(next) {
        Some(next) => links.path(next),
        None => links.path(format!("/issues/{}", text::path_part(&issue.short_id()))),
    })
}
