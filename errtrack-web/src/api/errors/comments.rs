//! `/api/errors/{id}/comments`: what people say about an issue.

use crate::{
    access::{Read, Write},
    api::{
        Frame,
        body::{Sent, fields},
        openapi::Failures,
        success,
    },
    app::App,
    error::Error,
    triage,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::{Timestamp, store};
use serde::Serialize;
use utoipa::ToSchema;

/// What somebody said about an issue.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Comment {
    id: i64,
    author: String,
    created_at: Timestamp,
    /// Markdown, as it was written.
    text: String,
}

impl From<store::Comment> for Comment {
    fn from(comment: store::Comment) -> Self {
        Self { id: comment.id, author: comment.author, created_at: comment.at, text: comment.text }
    }
}

/// What was said about an issue.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Comments {
    comments: Vec<Comment>,
}

/// Lists the comments on an issue
///
/// The oldest first.
#[utoipa::path(
    get,
    path = "/api/errors/{id}/comments",
    tag = "Issues",
    operation_id = "list_comments",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "The comments", body = Frame<Comments>), Failures),
)]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    let comments = app.store().comments(issue.id).await?;
    Ok(success(Comments { comments: comments.into_iter().map(Comment::from).collect() }).into_response())
}

/// What is to be said.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct NewComment {
    /// Markdown.
    #[schema(min_length = 1, max_length = 10_000)]
    text: String,
}

/// Comments on an issue
#[utoipa::path(
    post,
    path = "/api/errors/{id}/comments",
    tag = "Issues",
    operation_id = "create_comment",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    request_body = NewComment,
    responses((status = 201, description = "The comment", body = Frame<Comment>), Failures),
)]
pub(in crate::api) async fn create(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let text = fields(body)?.required("text")?;
    let text = triage::comment(&text)?;
    let issue = caller.find_issue(&app, &id).await?;
    let comment = app.store().add_comment(issue.id, &triage::author(&caller), text).await?;
    let comment = comment.ok_or_else(|| Error::not_found("error"))?;
    Ok((StatusCode::CREATED, success(Comment::from(comment))).into_response())
}
