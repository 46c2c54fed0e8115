//! `POST /api/errors/merge`, `GET /api/errors/{id}/groups` and `POST /api/errors/{id}/unmerge`.

use crate::{
    access::{Read, Write},
    api::{
        Frame,
        body::{Sent, fields},
        item::{self, Group, Item},
        openapi::{Failure, Failures},
        success,
    },
    app::App,
    error::Error,
    regroup,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Which issues become one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct Merge {
    /// Issues by UUID or short id, a hundred at most.
    #[schema(max_items = 100)]
    ids: Vec<String>,
    /// The one that stays; the oldest of them unless given.
    into: Option<String>,
}

/// Merges issues into one
///
/// Answers the one that stays. All must be of one project; every name of each leads to it from then on.
#[utoipa::path(
    post,
    path = "/api/errors/merge",
    tag = "Issues",
    operation_id = "merge_errors",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    request_body = Merge,
    responses((status = 200, description = "The issue that they are now", body = Frame<item::Detail<'_>>), (status = 409, description = "They cannot be merged", body = Failure), Failures),
)]
pub(in crate::api) async fn merge(
    State(app): State<App>,
    Write(caller): Write,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let into = match fields.any("into") {
        None => None,
        Some(Value::String(into)) => Some(into),
        Some(_) => return Err(Error::bad_request("into: must be a text")),
    };
    let ids = fields.texts_of("ids")?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let issue = regroup::merge(&app, &caller, into.as_deref(), &ids).await?;
    Ok(success(item::detail(&app, &issue).await?).into_response())
}

/// The groups of an issue.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Groups {
    groups: Vec<Group>,
}

/// Lists the groups of an issue
///
/// Each holds all events with one fingerprint, and can be taken out of the issue. An issue has one until it is merged.
#[utoipa::path(
    get,
    path = "/api/errors/{id}/groups",
    tag = "Issues",
    operation_id = "list_groups",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "The groups", body = Frame<Groups>), Failures),
)]
pub(in crate::api) async fn groups(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    let groups = app.store().groups(issue.id).await?;
    Ok(success(Groups { groups: groups.into_iter().map(Group::new).collect() }).into_response())
}

/// Which groups leave.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct Unmerge {
    /// Fingerprints of groups, 32 hexadecimal digits each, a hundred at most.
    #[schema(max_items = 100)]
    fingerprints: Vec<String>,
}

/// What is left of the issue, then those that came back.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Issues<'a> {
    errors: Vec<Item<'a>>,
}

/// Takes groups out of an issue
///
/// Each is an issue again, under its own name, with all that was counted for it.
#[utoipa::path(
    post,
    path = "/api/errors/{id}/unmerge",
    tag = "Issues",
    operation_id = "unmerge_error",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    request_body = Unmerge,
    responses((status = 200, description = "The issues that they are now", body = Frame<Issues<'_>>), (status = 409, description = "They cannot be taken out", body = Failure), Failures),
)]
pub(in crate::api) async fn unmerge(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let fingerprints = fields(body)?.texts_of("fingerprints")?;
    let fingerprints: Vec<&str> = fingerprints.iter().map(String::as_str).collect();
    let issue = caller.find_issue(&app, &id).await?;
    let issues = regroup::unmerge(&app, &caller, &issue, &fingerprints).await?;
    Ok(success(Issues { errors: issues.iter().map(Item::new).collect() }).into_response())
}
