//! The caller: who sent a request, and with which permissions.

use super::{
    Guest, Kind, Permissions, Scope,
    secret::{derived_token, same, token_hash},
    session::session_token,
};
use crate::{app::App, error::Error, limits};
use axum::extract::FromRequestParts;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use errtrack_core::{Member, TokenHash, TokenKind};
use http::{HeaderMap, header, request::Parts};

/// Somebody who may do something.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) permissions: Permissions,
    /// The key that was presented, where it was a key.
    pub(crate) key: Option<TokenHash>,
    /// What it may see.
    pub(super) scope: Scope,
    /// Whom the host calls it.
    pub(crate) name: Option<String>,
    /// The member, where one is signed in.
    pub(crate) member: Option<Member>,
}

impl Caller {
    /// Nobody, who may do nothing and sees nothing.
    pub(crate) const NOBODY: Self =
        Self { permissions: Permissions::NONE, key: None, scope: Scope::Only(Vec::new()), name: None, member: None };

    pub(crate) fn with(permissions: Permissions) -> Self {
        Self { permissions, key: None, scope: Scope::All, name: None, member: None }
    }

    fn with_key(permissions: Permissions, key: TokenHash) -> Self {
        Self { key: Some(key), ..Self::with(permissions) }
    }

    /// Finds out who sent a request; `None` if it is nobody known.
    pub(crate) async fn find(app: &App, parts: &Parts) -> Result<Option<Self>, Error> {
        match &app.access().kind {
            Kind::Open => Ok(Some(Self::with(Permissions::ALL))),
            Kind::Host(host) => match host(parts) {
                Some(guest) => Self::guest(app, guest).await.map(Some),
                None => Ok(None),
            },
            Kind::Token(secret) => {
                let presented = presented(&parts.headers).iter().any(|sent| same(token_hash(sent), *secret));
                let cookie = session_token(&parts.headers)
                    .is_some_and(|token| same(token_hash(&token), token_hash(&derived_token(*secret))));
                Ok((presented || cookie).then(|| Self::with_key(Permissions::ALL, *secret)))
            }
            Kind::Accounts(accounts) => {
                for sent in presented(&parts.headers) {
                    let hash = token_hash(&sent);
                    if let Some((_, permissions)) = accounts.keys.iter().find(|(key, _)| same(*key, hash)) {
                        return Ok(Some(Self::with_key(*permissions, hash)));
                    }
                }
                let Some(token) = session_token(&parts.headers) else { return Ok(None) };
                let member = app.store().token_member(TokenKind::Session, token_hash(&token)).await?;
                Ok(member.map(|m| Self { member: Some(m.clone()), ..Self::with(m.role.into()) }))
            }
        }
    }

    /// Somebody whom the host has let in.
    async fn guest(app: &App, guest: Guest) -> Result<Self, Error> {
        let mut caller = Self::with(guest.role.into());
        caller.name = guest.name;
        if let Some(slugs) = guest.projects {
            let projects = app.all_projects().await?;
            let own = projects.iter().filter(|project| slugs.contains(&project.slug));
            caller.scope = Scope::Only(own.map(|project| project.id).collect());
        }
        Ok(caller)
    }

    async fn require(parts: &Parts, app: &App, allowed: fn(&Self) -> bool, needed: &str) -> Result<Self, Error> {
        let caller = Self::find(app, parts).await?;
        let caller = caller
            .ok_or_else(|| Error::unauthorized("a valid API key is needed, as X-API-Key or as a bearer token"))?;
        limits::by_caller(app, parts, &caller).await?;
        if allowed(&caller) { Ok(caller) } else { Err(Error::forbidden(format!("this needs the permission {needed}"))) }
    }
}

/// The secrets that a request presents, however it does.
fn presented(headers: &HeaderMap) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(key) = headers.get("x-api-key").and_then(|v| v.to_str().ok()) {
        found.push(key.trim().to_owned());
    }
    if let Some((scheme, value)) =
        headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '))
    {
        if scheme.eq_ignore_ascii_case("bearer") {
            found.push(value.trim().to_owned());
        } else if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = BASE64_STANDARD.decode(value.trim())
            && let Ok(text) = String::from_utf8(decoded)
            && let Some((_, password)) = text.split_once(':')
        {
            found.push(password.to_owned());
        }
    }
    found.retain(|s| !s.is_empty());
    found
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    /// Anybody who is known, with whatever permission.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Self::require(parts, app, |_| true, "").await
    }
}

macro_rules! permission {
    ($(#[$doc:meta])* $name:ident($(#[$unused:meta])? Caller), $allowed:expr, $needed:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name($(#[$unused])? pub(crate) Caller);

        impl FromRequestParts<App> for $name {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
                Caller::require(parts, app, $allowed, $needed).await.map(Self)
            }
        }
    };
}

permission!(
    /// A caller who may report.
    Ingest(Caller), |caller| caller.permissions.ingest, "`ingest`"
);
permission!(
    /// A caller who may see.
    Read(Caller), |caller| caller.permissions.read, "`read`"
);
permission!(
    /// A caller who may change.
    Write(Caller), |caller| caller.permissions.write, "`write`"
);
permission!(
    /// A caller who may change settings of the projects that it may see.
    Admin(Caller), |caller| caller.permissions.admin, "`admin`"
);
permission!(
    /// A caller who may change what concerns everybody.
    AdminOfAll(#[expect(dead_code, reason = "the audit log will ask who")] Caller), Caller::is_admin_of_all, "`admin` for all projects"
);
