//! `GET /api/settings/audit`: who did what when.

use super::{Frame, openapi::Failures, params::Params, success};
use crate::{access::AdminOfAll, app::App, error::Error};
use axum::{extract::State, response::IntoResponse};
use errtrack_core::Timestamp;
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct Entry {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// An address, or the name of a key.
    who: String,
    #[schema(example = "member.invite")]
    action: String,
    /// What it was done to.
    target: String,
    details: String,
    /// The slug of the project that it concerns.
    project: Option<String>,
    /// Where the request came from.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
}

/// One page of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLog)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// The `cursor` of the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Shows the audit log
///
/// The newest first. The last 10,000 entries are kept.
#[utoipa::path(
    get,
    path = "/api/settings/audit",
    tag = "Settings",
    operation_id = "audit_log",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Entries of a page; 50 unless set"),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` that was answered"),
    ),
    responses((status = 200, description = "A page of the log", body = Frame<Log>), Failures),
)]
pub(super) async fn log(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let limit = params.limit()?;
    let before = params.parse::<i64>("cursor", "a `next_cursor` that was answered")?;
    let mut entries = app.store().audit_log(before, limit + 1).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > page;
    entries.truncate(page);
    let next_cursor = entries.last().filter(|_| more).map(|last| last.id.to_string());
    let projects = caller.projects(&app).await?;
    let entry = |entry: errtrack_core::AuditEntry| Entry {
        id: entry.id,
        at: entry.at,
        who: entry.who,
        action: entry.action,
        target: entry.target,
        details: entry.details,
        project: entry.project.map(|id| {
            projects.iter().find(|project| project.id == id).map_or_else(|| id.to_string(), |p| p.slug.clone())
        }),
        address: entry.address,
    };
    Ok(success(Log { entries: entries.into_iter().map(entry).collect(), next_cursor }).into_response())
}
