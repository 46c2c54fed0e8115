//! Members: invited, changed, removed; who may do that to whom.

use super::{Caller, Deed, hash_password, random_token, token_hash};
use crate::{app::App, error::Error, integrations, links::Links};
use axum::http::StatusCode;
use errtrack_core::{
    Member, MemberChange, MemberChanged, MemberStatus, ProjectId, Role, Timestamp, Token, TokenHash, TokenKind,
    notify::{Notification, Trigger},
};
use std::time::Duration;
use uuid::Uuid;

/// For how long an invitation stands.
const INVITATION_LIVES: Duration = Duration::from_secs(7 * 86_400);
/// For how long the link to a new password works.
const RESET_LIVES: Duration = Duration::from_secs(86_400);
/// Members that there can be.
const MOST: i64 = 1_000;
/// Characters of a password.
const PASSWORD: std::ops::RangeInclusive<usize> = 10..=200;
const MEMBERS: &str = "members";

/// Somebody to be invited.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) projects: Option<Vec<ProjectId>>,
}

/// Somebody who was just invited.
#[derive(Debug)]
pub(crate) struct Invited {
    pub(crate) member: Member,
    /// Where the invited sets name and password.
    pub(crate) url: String,
    /// Whether that was mailed; `None` where mail is not set up.
    pub(crate) mailed: Option<bool>,
}

impl Caller {
    /// Every member, the oldest first.
    pub(crate) async fn members(&self, app: &App) -> Result<Vec<Member>, Error> {
        app.access().needs_members(MEMBERS)?;
        Ok(app.store().members().await?)
    }

    /// The member that a path names.
    pub(crate) async fn find_member(&self, app: &App, id: &str) -> Result<Member, Error> {
        app.access().needs_members(MEMBERS)?;
        let id = Uuid::try_parse(id).map_err(|_| Error::bad_request("id: must be a UUID"))?;
        app.store().member(id).await?.ok_or_else(|| Error::not_found("member"))
    }

    /// Invites somebody, by mail where that is set up, and answers the link by which they become a member. Who was invited
    /// before gets a new link, and the old one ends.
    pub(crate) async fn invite(&self, app: &App, links: &Links, invitation: Invitation) -> Result<Invited, Error> {
        app.access().needs_members(MEMBERS)?;
        self.may_deal_with(invitation.role)?;
        check_name(&invitation.name)?;
        check_projects(invitation.role, invitation.projects.as_deref())?;
        let email = invitation.email.trim().to_lowercase();
        if !is_address(&email) {
            return Err(Error::bad_request("email: must be an e-mail address"));
        }
        if app.store().member_count().await? >= MOST {
            return Err(Error::new(StatusCode::CONFLICT, format!("there are {MOST} members already")));
        }
        let mut member = Member {
            name: invitation.name.trim().to_owned(),
            status: MemberStatus::Invited,
            projects: invitation.projects,
            ..Member::new(&email, invitation.role)
        };
        if !app.store().add_member(&member).await? {
            let known =
                app.store().member_by_email(&email).await?.filter(|known| known.status == MemberStatus::Invited);
            let taken = || Error::new(StatusCode::CONFLICT, "email: a member has this address already");
            let known = known.ok_or_else(taken)?;
            self.may_deal_with(known.role)?;
            let change = MemberChange {
                role: Some(member.role),
                projects: Some(member.projects.clone()),
                name: (!member.name.is_empty()).then_some(member.name),
                ..MemberChange::default()
            };
            member = changed(app.store().change_member(known.id, &change).await?)?;
            app.store().end_tokens(TokenKind::Invitation, member.id, None).await?;
        }
        let token = one_time(app, TokenKind::Invitation, member.id, INVITATION_LIVES).await?;
        self.did(app, Deed::new("member.invite", &member.email).details(member.role.as_str())).await;
        let url = links.public(format!("/invitation/{token}"));
        let notification = Notification {
            trigger: Trigger::Invitation,
            at: Timestamp::now(),
            note: Some(format!("{} invites {}", self.who(), member.email)),
            url: Some(url.clone()),
            ..Notification::default()
        };
        let mailed = integrations::mail(app, &member.email, notification).await;
        Ok(Invited { member, url, mailed })
    }

    /// Changes a member. Who is disabled is signed out at once, everywhere.
    pub(crate) async fn change_member(
        &self,
        app: &App,
        member: &Member,
        change: &MemberChange,
    ) -> Result<Member, Error> {
        self.may_deal_with(member.role)?;
        if let Some(role) = change.role {
            self.may_deal_with(role)?;
        }
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        match (change.status, member.status) {
            (Some(MemberStatus::Invited), was) if was != MemberStatus::Invited => {
                return Err(Error::bad_request("status: a member cannot be invited again"));
            }
            (Some(MemberStatus::Active), MemberStatus::Invited) => {
                return Err(Error::bad_request("status: active is who has taken up the invitation"));
            }
            _ => {}
        }
        let after = change.of(member);
        check_projects(after.role, after.projects.as_deref())?;
        let after = changed(app.store().change_member(member.id, change).await?)?;
        self.did(app, Deed::new("member.change", &after.email).details(differences(member, &after))).await;
        Ok(after)
    }

    /// Removes a member, who is signed out at once, everywhere.
    pub(crate) async fn remove_member(&self, app: &App, member: &Member) -> Result<(), Error> {
        self.may_deal_with(member.role)?;
        changed(app.store().delete_member(member.id).await?)?;
        self.did(app, Deed::new("member.remove", &member.email).details(member.role.as_str())).await;
        Ok(())
    }

    /// Makes a link by which a member sets a new password, once; what links there were before end.
    pub(crate) async fn reset_link(&self, app: &App, links: &Links, member: &Member) -> Result<String, Error> {
        self.may_deal_with(member.role)?;
        if member.status != MemberStatus::Active {
            return Err(Error::new(StatusCode::CONFLICT, "only an active member has a password to set anew"));
        }
        app.store().end_tokens(TokenKind::PasswordReset, member.id, None).await?;
        let token = one_time(app, TokenKind::PasswordReset, member.id, RESET_LIVES).await?;
        self.did(app, Deed::new("member.reset_password", &member.email)).await;
        Ok(links.public(format!("/reset/{token}")))
    }

    /// Takes the second factor of a member away, who has lost it.
    pub(crate) async fn drop_second_factor(&self, app: &App, member: &Member) -> Result<(), Error> {
        self.may_deal_with(member.role)?;
        while let Some(now) = app.store().second_factor(member.id).await? {
            if app.store().swap_second_factor(member.id, Some(&now), None).await? {
                self.did(app, Deed::new("member.drop_second_factor", &member.email)).await;
                break;
            }
        }
        Ok(())
    }

    /// Owners are dealt with by owners alone.
    fn may_deal_with(&self, role: Role) -> Result<(), Error> {
        if role == Role::Owner && self.role != Some(Role::Owner) {
            return Err(Error::forbidden("only an owner makes, changes or removes owners"));
        }
        Ok(())
    }
}

/// Takes up an invitation, with a name and a password. `None` if the link is not good any more.
pub(crate) async fn take_up(app: &App, token: &str, name: &str, password: &str) -> Result<Option<Member>, Error> {
    check_name(name)?;
    let hash = check_and_hash(password).await?;
    let Some(member) = take(app, TokenKind::Invitation, token_hash(token)).await? else { return Ok(None) };
    let change = MemberChange {
        name: (!name.trim().is_empty()).then(|| name.trim().to_owned()),
        status: Some(MemberStatus::Active),
        password_hash: Some(hash),
        ..MemberChange::default()
    };
    changed(app.store().change_member(member.id, &change).await?).map(Some)
}

/// Makes a member of somebody invited who has shown to have the address; the link of the invitation ends. `None` if the
/// invitation was taken back meanwhile.
pub(super) async fn join(app: &App, member: &Member, name: &str) -> Result<Option<Member>, Error> {
    let change = MemberChange {
        name: (member.name.is_empty() && !name.trim().is_empty()).then(|| name.trim().to_owned()),
        status: Some(MemberStatus::Active),
        ..MemberChange::default()
    };
    let MemberChanged::Done(joined) = app.store().change_member(member.id, &change).await? else { return Ok(None) };
    app.store().end_tokens(TokenKind::Invitation, joined.id, None).await?;
    Ok(Some(joined))
}

/// Sets a new password by a one-time link, and ends every session. `None` if the link is not good any more.
pub(crate) async fn reset_password(app: &App, token: &str, password: &str) -> Result<Option<Member>, Error> {
    let hash = check_and_hash(password).await?;
    let Some(member) = take(app, TokenKind::PasswordReset, token_hash(token)).await? else { return Ok(None) };
    set_password(app, &member, hash, None).await.map(Some)
}

/// Sets the password of a member, and ends every session but one.
pub(crate) async fn set_password(
    app: &App,
    member: &Member,
    hash: String,
    except: Option<TokenHash>,
) -> Result<Member, Error> {
    let change = MemberChange { password_hash: Some(hash), ..MemberChange::default() };
    let member = changed(app.store().change_member(member.id, &change).await?)?;
    app.store().end_tokens(TokenKind::Session, member.id, except).await?;
    for kind in [TokenKind::SignInLink, TokenKind::PasswordReset, TokenKind::HalfSignIn] {
        app.store().end_tokens(kind, member.id, None).await?;
    }
    Ok(member)
}

/// The hash of a password that is good enough. Takes some 50 ms of CPU, on a thread that may block.
pub(crate) async fn check_and_hash(password: &str) -> Result<String, Error> {
    if !PASSWORD.contains(&password.chars().count()) {
        let (least, most) = (PASSWORD.start(), PASSWORD.end());
        return Err(Error::bad_request(format!("password: must have from {least} to {most} characters")));
    }
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || hash_password(&password)).await;
    Ok(hash.map_err(errtrack_core::StoreError::other)??)
}

async fn one_time(app: &App, kind: TokenKind, member: Uuid, lives: Duration) -> Result<String, Error> {
    let token = random_token()?;
    app.store().put_token(&Token::new(kind, token_hash(&token), member, lives)).await?;
    Ok(token)
}

async fn take(app: &App, kind: TokenKind, hash: TokenHash) -> Result<Option<Member>, Error> {
    let Some(member) = app.store().token_member(kind, hash).await? else { return Ok(None) };
    Ok(app.store().take_token(kind, hash).await?.then_some(member))
}

fn changed(changed: MemberChanged) -> Result<Member, Error> {
    match changed {
        MemberChanged::Done(member) => Ok(member),
        MemberChanged::Gone => Err(Error::not_found("member")),
        MemberChanged::LastOwner => Err(Error::new(StatusCode::CONFLICT, "the last active owner stays one")),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.chars().count() > 100 {
        return Err(Error::bad_request("name: must have at most 100 characters"));
    }
    Ok(())
}

/// Owners see everything: they are who can let others see it.
fn check_projects(role: Role, projects: Option<&[ProjectId]>) -> Result<(), Error> {
    match projects {
        Some([]) => Err(Error::bad_request("projects: at least one is needed, or none of them for all")),
        Some(_) if role == Role::Owner => Err(Error::bad_request("projects: an owner sees all of them")),
        _ => Ok(()),
    }
}

fn is_address(email: &str) -> bool {
    let parts = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let odd = |c: char| c.is_whitespace() || c.is_control();
    parts.is_some_and(|(_, host)| !host.contains('@')) && email.len() <= 254 && !email.contains(odd)
}

/// What was changed, for the audit log.
fn differences(before: &Member, after: &Member) -> String {
    let mut list = Vec::new();
    if before.name != after.name {
        list.push(format!("name: {}", after.name));
    }
    if before.role != after.role {
        list.push(format!("role: {} to {}", before.role, after.role));
    }
    if before.status != after.status {
        list.push(format!("status: {} to {}", before.status.as_str(), after.status.as_str()));
    }
    if before.projects != after.projects {
        let projects = after.projects.as_ref().map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
        list.push(format!("projects: {}", projects.map_or_else(|| "all".into(), |list| list.join(", "))));
    }
    list.join("; ")
}
