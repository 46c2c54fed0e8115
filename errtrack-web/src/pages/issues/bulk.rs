//! What is done to all ticked issues at once.

use super::super::{failure::Failure, next, shell::Editor};
use crate::{app::App, error::Error, pages::text, regroup};
use axum::{Form, extract::State, response::Redirect};
use errtrack_core::{IssueId, IssueRef, Status};

/// Issues that one form may change.
const MOST: usize = 200;

/// `POST /issues/bulk`: `id` several times, `status`, `next`.
pub(in super::super) async fn change(
    State(app): State<App>,
    Editor(shell): Editor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Failure> {
    let last = |name: &str| fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let status: Status =
        last("status").unwrap_or_default().parse().map_err(|e| Error::bad_request(format!("status: {e}")))?;
    let names: Vec<&str> = fields.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.as_str()).collect();
    if names.len() > MOST {
        return Err(Error::bad_request(format!("{MOST} issues are the most that can be changed at once")).into());
    }
    let mut issues: Vec<IssueId> = Vec::with_capacity(names.len());
    for name in names {
        let name: IssueRef = name.parse().map_err(|e| Error::bad_request(format!("id: {e}")))?;
        // One that somebody else has deleted meanwhile needs no change.
        issues.extend(shell.caller().issue(&app, &name).await?.map(|issue| issue.id));
    }
    if !issues.is_empty() {
        app.store().set_status(&issues, status).await?;
    }
    let back = next::safe(last("next")).unwrap_or("/issues");
    Ok(Redirect::to(&shell.links.path(back)))
}

/// `POST /issues/merge`: `id` several times. Leads to the issue that they are now.
pub(in super::super) async fn merge(
    State(app): State<App>,
    Editor(shell): Editor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Failure> {
    let ids: Vec<&str> = fields.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.as_str()).collect();
    if ids.len() < 2 {
        return Err(Error::bad_request("tick at least two issues to merge them").into());
    }
    let issue = regroup::merge(&app, shell.caller(), None, &ids).await?;
    Ok(Redirect::to(&shell.links.path(format!("/issues/{}#why", text::path_part(&issue.short_id())))))
}
