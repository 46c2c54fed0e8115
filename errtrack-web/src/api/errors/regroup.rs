//! `POST /api/errors/merge`, `GET /api/errors/{id}/groups` and `POST /api/errors/{id}/unmerge`.

use crate::{
    access::{Read, Write},
    api::{
        item::{self, Group, Item},
        success,
    },
    app::App,
    error::Error,
    ingest::json,
    regroup,
};
use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    response::IntoResponse,
};
use errtrack_core::Map;
use serde::Serialize;
use serde_json::Value;

/// A body, or why there is none.
type Sent = Result<Bytes, BytesRejection>;

/// `{"ids":[…]}`, and `"into"` where not the oldest of them shall be the one that stays. Answers that one.
pub(in crate::api) async fn merge(
    State(app): State<App>,
    Write(caller): Write,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let fields = fields(body)?;
    let into = match fields.get("into") {
        None | Some(Value::Null) => None,
        Some(Value::String(into)) => Some(into.as_str()),
        Some(_) => return Err(Error::bad_request("into: must be a text")),
    };
    let issue = regroup::merge(&app, &caller, into, &texts(&fields, "ids")?).await?;
    Ok(success(item::whole(&app, &issue).await?).into_response())
}

#[derive(Debug, Serialize)]
struct Groups {
    groups: Vec<Group>,
}

/// The groups of an issue, of which each can be taken out of it.
pub(in crate::api) async fn groups(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    let groups = app.store().groups(issue.id).await?;
    Ok(success(Groups { groups: groups.into_iter().map(Group::new).collect() }).into_response())
}

#[derive(Debug, Serialize)]
struct Issues<'a> {
    errors: Vec<Item<'a>>,
}

/// `{"fingerprints":[…]}`. Answers what is left of the issue, then those that came back.
pub(in crate::api) async fn unmerge(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let fields = fields(body)?;
    let fingerprints = texts(&fields, "fingerprints")?;
    let issue = caller.find_issue(&app, &id).await?;
    let issues = regroup::unmerge(&app, &caller, &issue, &fingerprints).await?;
    Ok(success(Issues { errors: issues.iter().map(Item::new).collect() }).into_response())
}

fn fields(body: Sent) -> Result<Map, Error> {
    let body = body.map_err(|e| Error::new(e.status(), e.body_text()))?;
    json::object(&body).map_err(Error::bad_request)
}

/// A field that is a list of texts.
fn texts<'a>(fields: &'a Map, name: &str) -> Result<Vec<&'a str>, Error> {
    let wrong = || Error::bad_request(format!("{name}: must be a list of texts"));
    let list = fields.get(name).and_then(Value::as_array).ok_or_else(wrong)?;
    list.iter().map(|value| value.as_str().ok_or_else(wrong)).collect()
}
