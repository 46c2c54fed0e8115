//! `GET /api/errors/{id}`, and the events of an issue.

use super::find;
use crate::{
    access::Read,
    api::{event::View, item, params::Params, success},
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use serde::Serialize;

pub(in crate::api) async fn show(
    State(app): State<App>,
    _: Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = find(&app, &id).await?;
    Ok(success(item::whole(&app, &issue).await?).into_response())
}

#[derive(Debug, Serialize)]
struct Events<'a> {
    events: Vec<View<'a>>,
    next_cursor: Option<String>,
}

/// The kept events of an issue, the newest first.
pub(in crate::api) async fn events(
    State(app): State<App>,
    _: Read,
    Path(id): Path<String>,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let limit = params.limit()?;
    let cursor = params.parse("cursor", "a `next_cursor` that was answered")?;
    let issue = find(&app, &id).await?;
    let page = app.store().events(issue.id, cursor.as_ref(), limit).await?;
    let events = page.events.iter().map(View::new).collect();
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    Ok(success(Events { events, next_cursor }).into_response())
}
