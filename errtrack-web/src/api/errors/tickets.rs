//! `/api/errors/{id}/tickets`: issues of GitHub, GitLab and Jira that stand for an issue.

use crate::{
    access::{Read, Write},
    api::{
        Frame,
        body::{Sent, fields},
        openapi::{Failure, Failures},
        success,
    },
    app::App,
    error::Error,
    tickets::{self, Ticket, Wanted, Way},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The tickets of an issue.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Tickets {
    tickets: Vec<Ticket>,
    /// By what more can be made: the integrations that take tickets, whether the issue has one of theirs or not.
    integrations: Vec<Way>,
}

/// Lists the tickets of an issue
///
/// The oldest first; those of all issues that were merged into it.
#[utoipa::path(
    get,
    path = "/api/errors/{id}/tickets",
    tag = "Issues",
    operation_id = "list_tickets",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "UUID or short id")),
    responses((status = 200, description = "The tickets", body = Frame<Tickets>), Failures),
)]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    let (tickets, integrations) = (tickets::list(&app, &issue).await?, tickets::ways(&app).await?);
    Ok(success(Tickets { tickets, integrations }).into_response())
}

/// Which ticket is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
pub(in crate::api) struct NewTicket {
    /// By which integration it is made; or else `url` is needed.
    integration: Option<String>,
    /// The address of a ticket that is there already, to be linked; `http` or `https`.
    #[schema(max_length = 2_000)]
    url: Option<String>,
    /// Its title; that of the issue unless given.
    #[schema(max_length = 255)]
    title: Option<String>,
    /// What is added to what happened, in the service's own markup; for one that is made.
    #[schema(max_length = 5_000)]
    note: Option<String>,
}

/// Makes a ticket of an issue, or links one
///
/// An issue has one ticket of each integration. Takes up to half a minute.
#[utoipa::path(
    post,
    path = "/api/errors/{id}/tickets",
    tag = "Issues",
    operation_id = "create_ticket",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "UUID or short id")),
    request_body = NewTicket,
    responses(
        (status = 201, description = "The ticket", body = Frame<Ticket>),
        (status = 409, description = "There is one already, whose address is told, or somebody is making one", body = Failure),
        (status = 502, description = "The service did not take it; `Retry-After` says when to try again, if it said so", body = Failure),
        (status = 504, description = "The service did not answer in time; the ticket may have been made", body = Failure),
        Failures,
    ),
)]
pub(in crate::api) async fn create(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = fields(body)?;
    let wanted = Wanted {
        integration: fields.text("integration")?,
        url: fields.text("url")?,
        title: fields.text("title")?,
        note: fields.text("note")?,
    };
    let issue = caller.find_issue(&app, &id).await?;
    let ticket = caller.add_ticket(&app, &issue, wanted).await?;
    Ok((StatusCode::CREATED, success(ticket)).into_response())
}

/// Takes the link to a ticket away
///
/// The ticket itself stays as it is.
#[utoipa::path(
    delete,
    path = "/api/errors/{id}/tickets/{ticket_id}",
    tag = "Issues",
    operation_id = "delete_ticket",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(
        ("id" = String, Path, description = "UUID or short id"),
        ("ticket_id" = uuid::Uuid, Path, description = "The `id` of the ticket"),
    ),
    responses((status = 204, description = "It is not linked any more"), Failures),
)]
pub(in crate::api) async fn delete(
    State(app): State<App>,
    Write(caller): Write,
    Path((id, ticket)): Path<(String, String)>,
) -> Result<StatusCode, Error> {
    let issue = caller.find_issue(&app, &id).await?;
    caller.remove_ticket(&app, &issue, &ticket).await?;
    Ok(StatusCode::NO_CONTENT)
}
