//! `GET /api/errors`: issues, filtered, sorted and by pages.

use crate::{
    access::{Caller, Read},
    api::{Frame, item::Item, openapi::Failures, params::Params, success},
    app::App,
    error::Error,
};
use axum::{extract::State, response::IntoResponse};
use errtrack_core::{
    Level, Status, Timestamp,
    store::{IssueQuery, Sort},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The order of a list.
#[derive(ToSchema)]
#[schema(as = Sort, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its shape is asked for: `Sort` is read by its names")]
pub(in crate::api) enum By {
    LastSeen,
    FirstSeen,
    Count,
    Users,
}

/// One page of issues.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct List<'a> {
    errors: Vec<Item<'a>>,
    /// How many there are on all pages.
    total: i64,
    page: u32,
    limit: u32,
    offset: u32,
    /// The `cursor` of the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Lists issues
///
/// The last seen first, unless `sort` says otherwise. Pages by `cursor` stay what they are when new issues arrive; pages by
/// `offset` move.
#[utoipa::path(
    get,
    path = "/api/errors",
    tag = "Issues",
    operation_id = "list_errors",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Entries of a page; 50 unless set"),
        ("offset" = Option<u32>, Query, description = "Entries to skip"),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` that was answered; `offset` is not looked at then"),
        ("project" = Option<String>, Query, description = "Of the project with this slug"),
        ("level" = Option<Level>, Query, description = "Whose newest event has this level; `critical` is `fatal`"),
        ("source" = Option<String>, Query, description = "From this source"),
        ("environment" = Option<String>, Query, description = "Seen in this environment"),
        ("release" = Option<String>, Query, description = "Seen in this release"),
        ("status" = Option<Status>, Query, description = "In this status"),
        ("resolved" = Option<bool>, Query, description = "`true`: resolved; `false`: unresolved"),
        ("search" = Option<String>, Query, description = "Each word stands in type, message or culprit, in any case"),
        ("user" = Option<String>, Query, description = "That hit this user"),
        ("tag" = Option<Vec<String>>, Query, description = "Seen with this tag, as `key:value`; may come more than once"),
        ("since" = Option<Timestamp>, Query, description = "Last seen at or after"),
        ("until" = Option<Timestamp>, Query, description = "First seen at or before"),
        ("sort" = Option<By>, Query, description = "The greatest first; `last_seen` unless set"),
    ),
    responses((status = 200, description = "A page of issues", body = Frame<List<'_>>), Failures),
)]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Read(caller): Read,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let query = query(&app, &caller, &params).await?;
    let page = app.store().issues(&query).await?;
    let list = List {
        errors: page.issues.iter().map(Item::new).collect(),
        total: page.total,
        page: query.offset / query.limit + 1,
        limit: query.limit,
        offset: query.offset,
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    };
    Ok(success(list).into_response())
}

pub(crate) async fn query(app: &App, caller: &Caller, params: &Params) -> Result<IssueQuery, Error> {
    const TIME: &str = "a time as in RFC 3339, like 2026-11-20T22:41:07Z";
    let mut query = IssueQuery {
        limit: params.limit()?,
        offset: params.parse("offset", "a number from 0")?.unwrap_or(0),
        cursor: params.parse("cursor", "a `next_cursor` that was answered")?,
        sort: params
            .parse("sort", format_args!("one of {}", Sort::ALL.map(Sort::as_str).join(", ")))?
            .unwrap_or_default(),
        levels: Vec::from_iter(params.parse::<Level>("level", "one of fatal, error, warning, info, debug")?),
        source: params.text("source").map(str::to_owned),
        status: status(params)?,
        since: params.parse::<Timestamp>("since", TIME)?,
        until: params.parse::<Timestamp>("until", TIME)?,
        words: params.text("search").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        ..IssueQuery::default()
    };
    if let Some(slug) = params.text("project") {
        // An unknown project has no issues.
        query.projects =
            Some(caller.project_by_slug(app, &slug.to_lowercase()).await?.map(|p| p.id).into_iter().collect());
    }
    for key in ["environment", "release", "user"] {
        query.tags.extend(params.text(key).map(|value| (key.to_owned(), value.to_owned())));
    }
    for tag in params.all("tag") {
        let pair = tag.split_once(':').filter(|(key, _)| !key.is_empty());
        let (key, value) = pair.ok_or_else(|| Error::bad_request("tag: must be key:value"))?;
        query.tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(caller.scope(query))
}

/// `status`, and `resolved`, which says the same in fewer words.
fn status(params: &Params) -> Result<Option<Status>, Error> {
    let status: Option<Status> = params.parse("status", "one of unresolved, resolved, ignored")?;
    let resolved: Option<bool> = params.parse("resolved", "true or false")?;
    match (status, resolved) {
        (status, None) => Ok(status),
        (None, Some(true)) => Ok(Some(Status::Resolved)),
        (None, Some(false)) => Ok(Some(Status::Unresolved)),
        (Some(status), Some(resolved)) if (status == Status::Resolved) == resolved => Ok(Some(status)),
        _ => Err(Error::bad_request("resolved: contradicts status")),
    }
}
