//! One-time links for people who cannot sign in yet, or no more: an invitation, a new password.

use super::{
    failure::Failure,
    page::Page,
    shell::{Layout, Shell},
    text,
};
use crate::{
    access::{self, Deed, Visitor},
    app::App,
    error::Error,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use errtrack_core::{Member, TokenKind};
use serde::Deserialize;

/// The page.
#[derive(Debug, Template)]
#[template(path = "welcome.html")]
pub(super) struct WelcomePage {
    layout: Layout,
    action: String,
    login: String,
    /// Asks for a name too; else for a password alone.
    is_invitation: bool,
    /// Who the link is for; nobody if it is not good any more.
    email: Option<String>,
    name: String,
    problem: Option<String>,
    /// All is set: what is left is to sign in.
    is_done: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    name: String,
    password: String,
    again: String,
}

/// `GET /invitation/{token}`
pub(super) async fn invitation(
    State(app): State<App>,
    shell: Shell,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    show(&app, &shell, TokenKind::Invitation, &token).await
}

/// `GET /reset/{token}`
pub(super) async fn reset(
    State(app): State<App>,
    shell: Shell,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    show(&app, &shell, TokenKind::PasswordReset, &token).await
}

/// `POST /invitation/{token}`
pub(super) async fn take_up(
    State(app): State<App>,
    shell: Shell,
    visitor: Visitor,
    Path(token): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Failure> {
    set(&app, &shell, &visitor, TokenKind::Invitation, &token, &chosen).await
}

/// `POST /reset/{token}`
pub(super) async fn set_anew(
    State(app): State<App>,
    shell: Shell,
    visitor: Visitor,
    Path(token): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Failure> {
    set(&app, &shell, &visitor, TokenKind::PasswordReset, &token, &chosen).await
}

/// Whom a link is for.
async fn member_of(app: &App, kind: TokenKind, token: &str) -> Result<Option<Member>, Failure> {
    app.access().needs_members("members")?;
    Ok(app.store().token_member(kind, access::token_hash(token)).await?)
}

async fn show(app: &App, shell: &Shell, kind: TokenKind, token: &str) -> Result<Response, Failure> {
    let member = member_of(app, kind, token).await?;
    let name = member.as_ref().map_or("", |member| &member.name);
    let status = if member.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let page = WelcomePage::new(shell, kind, token, member.as_ref(), name, None);
    Ok(Page::with_status(status, page).into_response())
}

async fn set(
    app: &App,
    shell: &Shell,
    visitor: &Visitor,
    kind: TokenKind,
    token: &str,
    chosen: &Chosen,
) -> Result<Response, Failure> {
    // Asked first, so that a password is not hashed for strangers.
    let Some(member) = member_of(app, kind, token).await? else { return show(app, shell, kind, token).await };
    let problem = |problem: &str| {
        let page = WelcomePage::new(shell, kind, token, Some(&member), &chosen.name, Some(problem));
        Page::with_status(StatusCode::BAD_REQUEST, page).into_response()
    };
    if chosen.password != chosen.again {
        return Ok(problem("The two passwords differ."));
    }
    let (set, action) = match kind {
        TokenKind::Invitation => (access::take_up(app, token, &chosen.name, &chosen.password).await, "member.join"),
        _ => (access::reset_password(app, token, &chosen.password).await, "member.change_password"),
    };
    match set {
        Ok(Some(member)) => {
            Deed::new(action, "").by(app, &member.email, visitor.address).await;
            let mut page = WelcomePage::new(shell, kind, token, Some(&member), "", None);
            page.is_done = true;
            Ok(Page::new(page).into_response())
        }
        Ok(None) => show(app, shell, kind, token).await,
        Err(Error { status: StatusCode::BAD_REQUEST, message, .. }) => Ok(problem(&text::sentence(&message))),
        Err(error) => Err(error.into()),
    }
}

impl WelcomePage {
    fn new(
        shell: &Shell,
        kind: TokenKind,
        token: &str,
        member: Option<&Member>,
        name: &str,
        problem: Option<&str>,
    ) -> Self {
        let is_invitation = kind == TokenKind::Invitation;
        let path = if is_invitation { "invitation" } else { "reset" };
        Self {
            layout: shell.layout(if is_invitation { "Welcome" } else { "New password" }),
            action: shell.links.path(format!("/{path}/{}", text::path_part(token))),
            login: shell.links.path("/login"),
            is_invitation,
            email: member.map(|member| text::line(&member.email, 254)),
            name: text::line(name, 100),
            problem: problem.map(|problem| text::line(problem, 200)),
            is_done: false,
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples::HOSTILE;
        let member = Member { email: HOSTILE.into(), ..Member::new("", crate::Role::Viewer) };
        let page = |kind, member, name, problem| Self::new(shell, kind, HOSTILE, member, name, problem);
        let mut done = page(TokenKind::Invitation, Some(&member), "", None);
        done.is_done = true;
        vec![
            page(TokenKind::Invitation, Some(&member), HOSTILE, Some(HOSTILE)),
            page(TokenKind::PasswordReset, Some(&member), "", None),
            page(TokenKind::PasswordReset, None, "", None),
            done,
        ]
    }
}
