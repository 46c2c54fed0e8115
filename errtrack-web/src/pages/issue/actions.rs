//! What can be done to an issue: each a form, answered with a redirect.

use super::find_issue;
use crate::pages::{failure::Failure, next, shell::Editor, text};
use crate::{
    access::Deed,
    app::App,
    error::Error,
    regroup,
    tickets::Wanted,
    triage::{self, Decision},
};
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use errtrack_core::{Issue, Status, Timestamp};
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);

/// Where to go afterwards; the issue unless given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Then {
    next: Option<String>,
}

/// What ends a resolution, and where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Resolve {
    /// `next`, or a release; nothing for any report.
    in_release: String,
    next: Option<String>,
}

/// What ends ignoring, and where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Ignore {
    /// That many days.
    days: Option<u32>,
    /// That many more events.
    more: Option<u32>,
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
    Form(form): Form<Resolve>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let decision = Decision::resolved(Some(&form.in_release));
    decide(&app, &editor, issue, &decision, form.next.as_deref()).await
}

/// `POST /issues/{id}/unresolve`
pub(in crate::pages) async fn unresolve(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(then): Form<Then>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    decide(&app, &editor, issue, &Decision::For(Status::Unresolved), then.next.as_deref()).await
}

/// `POST /issues/{id}/ignore`
pub(in crate::pages) async fn ignore(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(form): Form<Ignore>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let days = form.days.filter(|days| (1..=3650).contains(days));
    let time = days.map(|days| Timestamp::now().plus(DAY * days));
    let count = form.more.filter(|more| *more > 0).map(|more| issue.count.saturating_add(i64::from(more)));
    decide(&app, &editor, issue, &Decision::ignored(time, count), form.next.as_deref()).await
}

/// What is to be said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct NewComment {
    text: String,
}

/// `POST /issues/{id}/comments`
pub(in crate::pages) async fn comment(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(form): Form<NewComment>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let text = triage::comment(&form.text)?;
    app.store().add_comment(issue.id, &triage::author(editor.0.caller()), text).await?;
    Ok(Redirect::to(&editor.0.links.path(format!("/issues/{}#comments", text::path_part(&issue.short_id())))))
}

/// Which ticket is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct NewTicket {
    /// By which integration, or else the address of one that is there.
    integration: String,
    url: String,
    title: String,
    note: String,
}

/// `POST /issues/{id}/tickets`
pub(in crate::pages) async fn add_ticket(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(form): Form<NewTicket>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let given = |text: String| Some(text).filter(|text| !text.trim().is_empty());
    let wanted = Wanted {
        integration: given(form.integration),
        url: given(form.url),
        title: given(form.title),
        note: given(form.note),
    };
    editor.0.caller().add_ticket(&app, &issue, wanted).await?;
    Ok(to_tickets(&editor, &issue))
}

/// `POST /issues/{id}/tickets/{ticket}/delete`: takes the link away.
pub(in crate::pages) async fn remove_ticket(
    State(app): State<App>,
    editor: Editor,
    Path((name, ticket)): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    editor.0.caller().remove_ticket(&app, &issue, &ticket).await?;
    Ok(to_tickets(&editor, &issue))
}

fn to_tickets(editor: &Editor, issue: &Issue) -> Redirect {
    Redirect::to(&editor.0.links.path(format!("/issues/{}#tickets", text::path_part(&issue.short_id()))))
}

/// `POST /issues/{id}/assign`
pub(in crate::pages) async fn assign(
    State(app): State<App>,
    editor: Editor,
    Path(name): Path<String>,
    Form(form): Form<Assign>,
) -> Result<Redirect, Failure> {
    let issue = find_issue(&app, &editor.0, &name).await?;
    let to = triage::assignee(editor.0.caller(), &form.to)?;
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
    if app.store().delete_issues(&[issue.id]).await? > 0 {
        let deed = Deed::new("issue.delete", issue.short_id()).details(issue.ty).of(issue.project);
        editor.0.caller().did(&app, deed).await;
    }
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
    let issues = regroup::unmerge(&app, editor.0.caller(), &issue, &[&form.fingerprint]).await?;
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

async fn decide(
    app: &App,
    editor: &Editor,
    issue: Issue,
    decision: &Decision,
    next: Option<&str>,
) -> Result<Redirect, Failure> {
    let back = back(editor, &issue, next);
    triage::decide(app, &[issue], decision).await?;
    Ok(back)
}

fn back(editor: &Editor, issue: &Issue, next: Option<&str>) -> Redirect {
    let links = &editor.0.links;
    Redirect::to(&match next::safe(next) {
        Some(next) => links.path(next),
        None => links.path(format!("/issues/{}", text::path_part(&issue.short_id()))),
    })
}
