//! Changes to issues: their status, who looks after them, their end.

use crate::{
    access::{Caller, Deed, Write},
    api::{
        Frame,
        body::{Sent, fields, optional_fields},
        openapi::Failures,
        success,
    },
    app::App,
    error::Error,
    ingest::fields::Fields,
    triage::{self, Decision},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::{Issue, IssueId, Status, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Issues that one request may change.
const MOST: usize = 100;

/// The status that an issue has now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Changed {
    status: Status,
}

/// When a resolved issue is open again.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct Resolve {
    /// `next`: when it comes from a later release than the latest now. Else a release: when it comes from it or a later one.
    in_release: Option<String>,
}

/// Resolves an issue
///
/// It is open again when it is reported again; with `in_release`, only from that release on. Releases are ordered by their
/// versions (`shop@1.10.0` is later than `1.9` of the same), else by when each was first seen.
#[utoipa::path(
    put,
    path = "/api/errors/{id}/resolve",
    tag = "Issues",
    operation_id = "resolve_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    request_body = Option<Resolve>,
    responses((status = 200, description = "It is resolved", body = Frame<Changed>), Failures),
)]
pub(in crate::api) async fn resolve(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = optional_fields(body)?;
    let decision = Decision::resolved(fields.text("in_release")?.as_deref());
    decide(&app, &caller, &id, &decision).await
}

/// Opens an issue again
#[utoipa::path(
    put,
    path = "/api/errors/{id}/unresolve",
    tag = "Issues",
    operation_id = "unresolve_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "It is open", body = Frame<Changed>), Failures),
)]
pub(in crate::api) async fn unresolve(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    decide(&app, &caller, &id, &Decision::For(Status::Unresolved)).await
}

/// When an ignored issue is open again; never, without any.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct Ignore {
    /// When it has that many events in all; more than it has now.
    #[schema(minimum = 1)]
    until_count: Option<i64>,
    /// At that time, which lies in the future.
    until: Option<Timestamp>,
}

/// Ignores an issue
///
/// For good, or until something is there.
#[utoipa::path(
    put,
    path = "/api/errors/{id}/ignore",
    tag = "Issues",
    operation_id = "ignore_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    request_body = Option<Ignore>,
    responses((status = 200, description = "It is ignored", body = Frame<Changed>), Failures),
)]
pub(in crate::api) async fn ignore(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = optional_fields(body)?;
    let decision = ignored(&mut fields)?;
    decide(&app, &caller, &id, &decision).await
}

fn ignored(fields: &mut Fields) -> Result<Decision, Error> {
    let count = fields.number("until_count")?;
    Ok(Decision::ignored(fields.time("until")?, count))
}

async fn decide(app: &App, caller: &Caller, id: &str, decision: &Decision) -> Result<impl IntoResponse + use<>, Error> {
    let issue = caller.find_issue(app, id).await?;
    if triage::decide(app, &[issue], decision).await? == 0 {
        return Err(Error::not_found("error"));
    }
    Ok(success(Changed { status: decision.status() }).into_response())
}

/// Who shall look after an issue.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct Assign {
    /// An address, `me` for a member who is signed in, or `null` for nobody.
    #[schema(required, max_length = 200)]
    assigned_to: Option<String>,
}

/// Who looks after an issue now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Assigned {
    assigned_to: Option<String>,
}

/// Assigns an issue
#[utoipa::path(
    put,
    path = "/api/errors/{id}/assign",
    tag = "Issues",
    operation_id = "assign_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    request_body = Assign,
    responses((status = 200, description = "Who looks after it", body = Frame<Assigned>), Failures),
)]
pub(in crate::api) async fn assign(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let assigned_to = assignee(&caller, &mut fields(body)?)?;
    let issue = caller.find_issue(&app, &id).await?;
    if !app.store().assign(issue.id, assigned_to.as_deref()).await? {
        return Err(Error::not_found("error"));
    }
    Ok(success(Assigned { assigned_to }).into_response())
}

fn assignee(caller: &Caller, fields: &mut Fields) -> Result<Option<String>, Error> {
    if !fields.has("assigned_to") {
        return Err(Error::bad_request("assigned_to: is required; null for nobody"));
    }
    triage::assignee(caller, &fields.text("assigned_to")?.unwrap_or_default())
}

/// What shall be done to several issues.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct Bulk {
    /// Issues by UUID or short id, a hundred at most.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
    action: BulkAction,
    /// For `resolve`.
    in_release: Option<String>,
    /// For `ignore`.
    until_count: Option<i64>,
    /// For `ignore`.
    until: Option<Timestamp>,
    /// For `assign`.
    assigned_to: Option<String>,
}

/// What is done to several issues.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its shape is asked for: it is read by its name")]
enum BulkAction {
    Resolve,
    Unresolve,
    Ignore,
    Delete,
    Assign,
}

/// How many issues were changed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct BulkDone {
    #[schema(value_type = BulkAction)]
    action: String,
    changed: u64,
}

/// Changes several issues
///
/// All of them, or none if one is wrong or not there.
#[utoipa::path(
    post,
    path = "/api/errors/bulk",
    tag = "Issues",
    operation_id = "change_errors",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    request_body = Bulk,
    responses((status = 200, description = "It is done", body = Frame<BulkDone>), Failures),
)]
pub(in crate::api) async fn bulk(
    State(app): State<App>,
    Write(caller): Write,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let action = fields.one_of("action", &["resolve", "unresolve", "ignore", "delete", "assign"])?;
    let action = action.ok_or_else(|| Error::bad_request("action: is required"))?;
    let names = fields.texts_of("ids")?;
    if names.is_empty() || names.len() > MOST {
        return Err(Error::bad_request(format!("ids: must be 1 to {MOST} issues")));
    }
    let mut issues: Vec<Issue> = Vec::with_capacity(names.len());
    for name in &names {
        let issue = caller.find_issue_of(&app, "ids", name).await?;
        if !issues.iter().any(|other| other.id == issue.id) {
            issues.push(issue);
        }
    }
    let ids: Vec<IssueId> = issues.iter().map(|issue| issue.id).collect();
    let changed = match action.as_str() {
        "delete" => app.store().delete_issues(&ids).await?,
        "assign" => {
            let to = assignee(&caller, &mut fields)?;
            let mut assigned = 0;
            for id in ids {
                assigned += u64::from(app.store().assign(id, to.as_deref()).await?);
            }
            assigned
        }
        action => {
            let decision = match action {
                "resolve" => Decision::resolved(fields.text("in_release")?.as_deref()),
                "ignore" => ignored(&mut fields)?,
                _ => Decision::For(Status::Unresolved),
            };
            triage::decide(&app, &issues, &decision).await?
        }
    };
    Ok(success(BulkDone { action, changed }).into_response())
}

/// Deletes an issue
///
/// With its events, hours, tallies and groups.
#[utoipa::path(
    delete,
    path = "/api/errors/{id}",
    tag = "Issues",
    operation_id = "delete_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 204, description = "It is gone"), Failures),
)]
pub(in crate::api) async fn delete(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    if app.store().delete_issues(&[issue.id]).await? == 0 {
        return Err(Error::not_found("error"));
    }
    caller.did(&app, Deed::new("issue.delete", issue.short_id()).details(issue.ty).of(issue.project)).await;
    Ok(StatusCode::NO_CONTENT)
}
