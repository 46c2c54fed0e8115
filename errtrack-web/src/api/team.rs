//! `/api/settings/team`: members, and how they become it.

use super::{
    Frame,
    body::{self, Sent},
    input,
    openapi::{Failure, Failures},
    success,
};
use crate::{
    access::{AdminOfAll, Invitation},
    app::App,
    error::Error,
    links::Links,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::{Member, MemberChange, MemberStatus, Project, Role, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody who may sign in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct View {
    id: Uuid,
    name: String,
    email: String,
    #[schema(value_type = String, example = "developer")]
    role: Role,
    /// `active`, `invited`, `disabled`.
    #[schema(value_type = String, example = "active")]
    status: MemberStatus,
    /// The slugs of the projects that the member may see; `null` means all.
    projects: Option<Vec<String>>,
    /// Whether signing in asks for more than the password.
    two_factor: bool,
    /// When the member last did something, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_active: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Every member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Members)]
pub(super) struct Members {
    members: Vec<View>,
}

/// Somebody who was just invited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MemberInvited)]
pub(super) struct Invited {
    #[serde(flatten)]
    member: View,
    /// Where the invited sets name and password, once, within a week. Nobody can read it again.
    invite_url: String,
    /// Whether the link was mailed; `null` where no channel `email` is set up.
    mailed: Option<bool>,
}

/// A link to a new password.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PasswordReset)]
pub(super) struct Reset {
    /// Where the member sets a new password, once, within a day. Nobody can read it again.
    reset_url: String,
}

/// Somebody to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewMember)]
#[expect(dead_code, reason = "only its shape is asked for: bodies are read field by field")]
pub(super) struct Wanted {
    email: String,
    /// One of `owner`, `admin`, `developer`, `viewer`.
    role: String,
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Slugs of the projects to see; all unless given.
    projects: Option<Vec<String>>,
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MemberChanges)]
#[expect(dead_code, reason = "only its shape is asked for: bodies are read field by field")]
pub(super) struct Changes {
    #[schema(max_length = 100)]
    name: Option<String>,
    /// One of `owner`, `admin`, `developer`, `viewer`.
    role: Option<String>,
    /// `active` or `disabled`.
    status: Option<String>,
    /// Slugs of the projects to see; `null` means all.
    projects: Option<Vec<String>>,
    /// `false` takes the second factor away from a member who has lost it.
    two_factor: Option<bool>,
}

impl View {
    fn new(member: &Member, projects: &[Project]) -> Self {
        Self {
            id: member.id,
            name: member.name.clone(),
            email: member.email.clone(),
            role: member.role,
            status: member.status,
            projects: input::slugs(member.projects.as_deref(), projects),
            two_factor: member.has_second_factor,
            last_active: member.last_active,
            created_at: member.created_at,
        }
    }
}

/// Lists members
#[utoipa::path(
    get,
    path = "/api/settings/team",
    tag = "Team",
    operation_id = "list_members",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    responses((status = 200, description = "Every member, the oldest first", body = Frame<Members>), Failures),
)]
pub(super) async fn list(State(app): State<App>, AdminOfAll(caller): AdminOfAll) -> Result<impl IntoResponse, Error> {
    let projects = caller.projects(&app).await?;
    let members = caller.members(&app).await?.iter().map(|member| View::new(member, &projects)).collect();
    Ok(success(Members { members }).into_response())
}

/// Invites a member
///
/// Who is invited already gets a new link, and the old one ends. Only an owner invites owners.
#[utoipa::path(
    post,
    path = "/api/settings/team/invite",
    tag = "Team",
    operation_id = "invite_member",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    request_body = Wanted,
    responses(
        (status = 201, description = "The member, with the link", body = Frame<Invited>),
        (status = 409, description = "A member has this address", body = Failure),
        Failures,
    ),
)]
pub(super) async fn invite(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    links: Links,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = body::fields(body)?;
    let email = fields.required("email")?;
    let role = input::word(&mut fields, "role")?.ok_or_else(|| Error::bad_request("role: is required"))?;
    let name = fields.text("name")?.unwrap_or_default();
    let projects = input::projects(&app, &caller, &mut fields).await?;
    let invited = caller.invite(&app, &links, Invitation { email, name, role, projects }).await?;
    let member = View::new(&invited.member, &caller.projects(&app).await?);
    Ok((StatusCode::CREATED, success(Invited { member, invite_url: invited.url, mailed: invited.mailed }))
        .into_response())
}

/// Changes a member
///
/// Only an owner changes owners, and the last one stays. Who is disabled is signed out at once.
#[utoipa::path(
    put,
    path = "/api/settings/team/{id}",
    tag = "Team",
    operation_id = "change_member",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    request_body = Changes,
    responses(
        (status = 200, description = "The member as it is now", body = Frame<View>),
        (status = 409, description = "The last active owner stays one", body = Failure),
        Failures,
    ),
)]
pub(super) async fn change(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = body::fields(body)?;
    let all_projects = fields.is_null("projects");
    let mut change = MemberChange {
        name: fields.text("name")?.map(|name| name.trim().to_owned()),
        role: input::word(&mut fields, "role")?,
        status: input::word(&mut fields, "status")?,
        ..MemberChange::default()
    };
    let drops_factor = match fields.any("two_factor") {
        None => false,
        Some(serde_json::Value::Bool(false)) => true,
        Some(_) => return Err(Error::bad_request("two_factor: can only be taken away, by false")),
    };
    let projects = input::projects(&app, &caller, &mut fields).await?;
    change.projects = if all_projects { Some(None) } else { projects.map(Some) };
    let mut member = caller.find_member(&app, &id).await?;
    if change != MemberChange::default() || !drops_factor {
        member = caller.change_member(&app, &member, &change).await?;
    }
    if drops_factor {
        caller.drop_second_factor(&app, &member).await?;
        member.has_second_factor = false;
    }
    Ok(success(View::new(&member, &caller.projects(&app).await?)).into_response())
}

/// Removes a member
///
/// Only an owner removes owners, and the last one stays. The member is signed out at once.
#[utoipa::path(
    delete,
    path = "/api/settings/team/{id}",
    tag = "Team",
    operation_id = "remove_member",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    responses(
        (status = 204, description = "The member is removed"),
        (status = 409, description = "The last active owner stays one", body = Failure),
        Failures,
    ),
)]
pub(super) async fn remove(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let member = caller.find_member(&app, &id).await?;
    caller.remove_member(&app, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link to a new password
///
/// For a member who has lost the password. What link there was before ends.
#[utoipa::path(
    post,
    path = "/api/settings/team/{id}/reset",
    tag = "Team",
    operation_id = "reset_password",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = Uuid, Path, description = "The `id` of the member")),
    responses(
        (status = 201, description = "The link", body = Frame<Reset>),
        (status = 409, description = "The member is not active", body = Failure),
        Failures,
    ),
)]
pub(super) async fn reset(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    links: Links,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let member = caller.find_member(&app, &id).await?;
    let reset_url = caller.reset_link(&app, &links, &member).await?;
    Ok((StatusCode::CREATED, success(Reset { reset_url })).into_response())
}
