//! `/api/users/{user_id}`: what belongs to a user, handed out and erased.

use super::{Frame, event::View, openapi::Failures, success};
use crate::{access::Admin, app::App, error::Error};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use errtrack_core::{
    ProjectId, StoreError, Timestamp,
    store::{Cursor, EventPage},
};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use std::mem;
use utoipa::ToSchema;

/// Events that are read at once.
const PAGE: u32 = 20;

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Erased {
    user_id: String,
    /// How many events went.
    events: u64,
}

/// Erases a user
///
/// Every event of the user goes, also those that are pinned and those that could not be written, and what counts the user; in
/// the projects that the caller may see. How often an issue happened stays as it was.
#[utoipa::path(
    delete,
    path = "/api/users/{user_id}",
    tag = "Privacy",
    operation_id = "erase_user",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("user_id" = String, Path, description = "The id of the user, or what else stands for it: address, login name")),
    responses((status = 200, description = "It is done", body = Frame<Erased>), Failures),
)]
pub(super) async fn erase(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(user_id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let events = app.store().erase_user(caller.project_ids(), named(&user_id)?).await?;
    Ok(success(Erased { user_id, events }).into_response())
}

/// What is kept of a user.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: it is written piece by piece")]
pub(super) struct Export<'a> {
    user_id: String,
    exported_at: Timestamp,
    events: Vec<View<'a>>,
}

/// Exports what is kept of a user
///
/// Every event of the user that is kept whole, in the projects that the caller may see. It comes as it is read; an answer that
/// breaks off is not all.
#[utoipa::path(
    get,
    path = "/api/users/{user_id}/export",
    tag = "Privacy",
    operation_id = "export_user",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("user_id" = String, Path, description = "The id of the user, or what else stands for it: address, login name")),
    responses((status = 200, description = "All of it", body = Frame<Export<'_>>), Failures),
)]
pub(super) async fn export(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(user_id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let user = named(&user_id)?.to_owned();
    let head = serde_json::to_string(&Head { user_id: &user, exported_at: Timestamp::now() });
    let head = head.map_err(|_| Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed"))?;
    let begin = format!("{{\"data\":{},\"events\":[", head.trim_end_matches('}'));
    let projects = caller.project_ids().map(<[_]>::to_vec);
    let mut walk = Walk { app, projects, user, step: Step::Done, has_written: false };
    // What fails at once is answered as an error.
    walk.step = Step::Page(walk.read(None).await?);
    let begin = stream::once(std::future::ready(Ok(Bytes::from(begin))));
    let body = Body::from_stream(begin.chain(stream::unfold(walk, Walk::next)));
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response())
}

#[derive(Serialize)]
struct Head<'a> {
    user_id: &'a str,
    exported_at: Timestamp,
}

/// A way through all events of a user, a page at a time.
struct Walk {
    app: App,
    projects: Option<Vec<ProjectId>>,
    user: String,
    step: Step,
    has_written: bool,
}

/// What is written next.
enum Step {
    Page(EventPage),
    After(Cursor),
    End,
    Done,
}

impl Walk {
    async fn read(&self, cursor: Option<&Cursor>) -> Result<EventPage, StoreError> {
        self.app.store().user_events(self.projects.as_deref(), &self.user, cursor, PAGE).await
    }

    async fn next(mut self) -> Option<(Result<Bytes, StoreError>, Self)> {
        loop {
            let page = match mem::replace(&mut self.step, Step::Done) {
                Step::Done => return None,
                Step::End => return Some((Ok(Bytes::from_static(b"]},\"status\":\"success\"}")), self)),
                Step::Page(page) => page,
                Step::After(cursor) => match self.read(Some(&cursor)).await {
                    Ok(page) => page,
                    // The body breaks off: so whoever reads it sees that it is not all.
                    Err(error) => return Some((Err(error), self)),
                },
            };
            self.step = page.next.map_or(Step::End, Step::After);
            let mut piece = Vec::new();
            for stored in &page.events {
                if mem::replace(&mut self.has_written, true) {
                    piece.push(b',');
                }
                if let Err(error) = serde_json::to_writer(&mut piece, &View::new(stored)) {
                    return Some((Err(StoreError::other(error)), Self { step: Step::Done, ..self }));
                }
            }
            if !piece.is_empty() {
                return Some((Ok(piece.into()), self));
            }
        }
    }
}

fn named(user: &str) -> Result<&str, Error> {
    if user.trim().is_empty() { Err(Error::bad_request("user_id: must not be empty")) } else { Ok(user) }
}
